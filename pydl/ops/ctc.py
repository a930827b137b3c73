"""Connectionist temporal classification: labels whose places in a sequence are not known.

Source: Graves et al., "Connectionist temporal classification", 2006.
"""

from __future__ import annotations

import numpy as np

from pydl import _core
from pydl._core import ShapeError, Tensor
from pydl.ops.host import array, floating, wrapped
from pydl.ops.shape import pad
from pydl.typing import ArrayLike

__all__ = ["ctc_decode", "ctc_loss"]

_NEVER = -1e30  # logarithm of a probability of 0; finite, so that gradients are too


def ctc_loss(
    target: ArrayLike,
    output: ArrayLike,
    target_length: ArrayLike,
    output_length: ArrayLike,
    mask_index: int = 0,
) -> Tensor:
    """Minus the log-probability of label sequences, over all their alignments with the frames.

    Args:
        target: Integer labels, shape ``(batch, labels)``.
        output: Logits, shape ``(batch, frames, classes)``.
        target_length: How many labels of each sequence count, shape ``(batch,)``.
        output_length: How many frames count, shape ``(batch,)``.
        mask_index: The class that stands for no label.

    Returns:
        Losses of shape ``(batch,)``; infinite where there are too few frames for the labels.

    Raises:
        ShapeError: If the shapes are not those.

    Example:
        >>> loss = pydl.ops.ctc_loss([[1]], np.zeros((1, 2, 2), "float32"), [1], [2])
        >>> round(float(loss[0]), 4)  # 3 of 4 paths are the label: 1-, -1 and 11
        0.2877
    """
    labels, logits = _core.cast(target, "int64"), floating(output)
    lengths, frame_counts = _core.cast(target_length, "int64"), _core.cast(output_length, "int64")
    if labels.ndim != 2 or logits.ndim != 3 or labels.shape[0] != logits.shape[0]:
        raise ShapeError(
            "[ctc_loss] expected labels (batch, labels) and logits (batch, frames, classes), "
            f"got {labels.shape} and {logits.shape}"
        )
    if lengths.shape != labels.shape[:1] or frame_counts.shape != labels.shape[:1]:
        raise ShapeError(
            f"[ctc_loss] expected lengths of shape {labels.shape[:1]}, got {lengths.shape} and "
            f"{frame_counts.shape}"
        )
    states, skips = _states(labels, mask_index)
    where = _core.broadcast_to(_core.expand_dims(states, 1), (*logits.shape[:2], states.shape[1]))
    emitted = _core.take_along_axis(_core.log_softmax(logits, -1), where, 2)
    emitted = _core.unstack(emitted, 1)
    forward = _core.where(wrapped(np.arange(states.shape[1]) < 2), emitted[0], _NEVER)
    counts = _core.expand_dims(frame_counts, 1)
    whole = bool((array(frame_counts) == logits.shape[1]).all())
    for i, step in enumerate(emitted[1:], 1):
        after = step + _arrivals(forward, skips)
        forward = after if whole else _core.where(_core.less(i, counts), after, forward)
    length = _core.expand_dims(lengths, 1)
    ends = _core.concatenate([2 * length, 2 * length - 1], 1)
    last = _core.take_along_axis(forward, _core.maximum(ends, 0), 1)
    last = _core.where(_core.greater_equal(ends, 0), last, _NEVER)
    losses = -_core.logsumexp(last, 1, False)
    return _core.where(_core.greater(losses, -0.5 * _NEVER), float("inf"), losses)


def _states(labels: Tensor, blank: int) -> tuple[Tensor, Tensor]:
    """Labels with blanks around each, and where the blank before a label may be left out."""
    batch, count = labels.shape
    blanks = _core.full_integer((batch, count), blank, labels.dtype)
    pairs = _core.reshape(_core.stack([blanks, labels], 2), (batch, 2 * count))
    states = pad(pairs, ((0, 0), (0, 1)), constant_values=blank)
    before = pad(states, ((0, 0), (2, 0)), constant_values=blank)
    before = _core.slice(before, (0, 0), states.shape, (1, 1))
    return states, _core.logical_and(
        _core.not_equal(states, blank), _core.not_equal(states, before)
    )


def _arrivals(forward: Tensor, skips: Tensor) -> Tensor:
    """Log-probabilities of coming to each state: by staying, by a step, or past a blank."""

    def shifted(by: int) -> Tensor:
        padded = pad(forward, ((0, 0), (by, 0)), constant_values=_NEVER)
        return _core.slice(padded, (0, 0), forward.shape, (1, 1))

    ways = _core.stack([forward, shifted(1), _core.where(skips, shifted(2), _NEVER)], 0)
    return _core.logsumexp(ways, 0, False)


def ctc_decode(
    inputs: ArrayLike,
    sequence_lengths: ArrayLike,
    strategy: str = "greedy",
    beam_width: int = 100,
    top_paths: int = 1,
    merge_repeated: bool = True,
    mask_index: int = 0,
) -> tuple[Tensor, Tensor]:
    """The likeliest label sequences for the outputs of a model trained with `ctc_loss`.

    Args:
        inputs: Logits, shape ``(batch, frames, classes)``.
        sequence_lengths: How many frames count, shape ``(batch,)``.
        strategy: "greedy" takes the best class of each frame; "beam_search" adds up the probabilities of
            all alignments of the best sequences.
        beam_width: How many sequences the beam search keeps at each frame.
        top_paths: How many sequences the beam search returns.
        merge_repeated: Whether the greedy strategy makes one label of equal neighbours.
        mask_index: The class that stands for no label.

    Returns:
        int32 labels ``(paths, batch, frames)``, filled up with -1, and scores ``(batch, paths)``: minus
        the sum of the best logits of the greedy strategy, log-probabilities of the beam search.

    Raises:
        ValueError: If the strategy is another.
        ShapeError: If the shapes do not fit.

    Example:
        >>> frames = [[[0.0, 5.0, 0.0], [0.0, 5.0, 0.0], [5.0, 0.0, 0.0], [0.0, 0.0, 5.0]]]
        >>> pydl.ops.ctc_decode(frames, [4])[0].tolist()
        [[[1, 2, -1, -1]]]
    """
    inputs = floating(inputs)
    lengths = array(sequence_lengths)
    if inputs.ndim != 3 or lengths.shape != inputs.shape[:1]:
        raise ShapeError(
            "[ctc_decode] expected logits (batch, frames, classes) and lengths (batch,), got "
            f"{inputs.shape} and {lengths.shape}"
        )
    if strategy not in ("greedy", "beam_search"):
        raise ValueError(
            f"[ctc_decode] expected strategy 'greedy' or 'beam_search', got {strategy!r}"
        )
    greedy = strategy == "greedy"
    frames = array(inputs if greedy else _core.log_softmax(inputs, -1)).astype("float64")
    count = 1 if greedy else top_paths
    labels = np.full((count, *inputs.shape[:2]), -1, "int32")
    scores = np.full((inputs.shape[0], count), -np.inf)
    for row, (sequence, length) in enumerate(zip(frames, lengths)):
        kept = sequence[:length]
        found = (
            [_greedy(kept, merge_repeated, mask_index)]
            if greedy
            else _beam_search(kept, beam_width, mask_index)[:count]
        )
        for path, (sequence_labels, score) in enumerate(found):
            labels[path, row, : len(sequence_labels)] = sequence_labels
            scores[row, path] = score
    return wrapped(labels), wrapped(scores, inputs.dtype)


def _greedy(frames: np.ndarray, merge: bool, blank: int) -> tuple[list[int], float]:
    best = frames.argmax(1)
    repeated = np.r_[False, best[1:] == best[:-1]] & merge
    return best[(best != blank) & ~repeated].tolist(), -frames.max(1).sum()


def _beam_search(frames: np.ndarray, width: int, blank: int) -> list[tuple[tuple, float]]:
    """The best label sequences with their log-probabilities, the best first."""
    never = -np.inf
    # Of each sequence, the log-probability of alignments that end with a blank, and of the others.
    beams = {(): (0.0, never)}
    for frame in frames:
        grown: dict[tuple, tuple[float, float]] = {}

        def add(labels: tuple, blanks: float, others: float) -> None:
            old = grown.get(labels, (never, never))
            grown[labels] = float(np.logaddexp(old[0], blanks)), float(np.logaddexp(old[1], others))

        for labels, (blanks, others) in beams.items():
            total = np.logaddexp(blanks, others)
            add(labels, total + frame[blank], never)
            for label, score in enumerate(frame):
                if label == blank:
                    continue
                if labels and labels[-1] == label:
                    add(labels, never, others + score)
                    add((*labels, label), never, blanks + score)
                else:
                    add((*labels, label), never, total + score)
        ordered = sorted(grown, key=lambda labels: -np.logaddexp(*grown[labels]))
        beams = {labels: grown[labels] for labels in ordered[:width]}
    return [(labels, float(np.logaddexp(*parts))) for labels, parts in beams.items()]
