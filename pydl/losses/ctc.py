"""Connectionist temporal classification: labels whose places in a sequence are not known."""

from __future__ import annotations

from typing import Any

from pydl import ops
from pydl._convert import as_tensor
from pydl._core import Tensor
from pydl.errors import ShapeError
from pydl.losses.loss import FunctionLoss

__all__ = ["CTC", "ctc"]

_NEVER = -1e30  # logarithm of a probability of 0; finite, so that gradients are too
_BLANK = 0


def ctc(y_true: Any, y_pred: Any) -> Tensor:
    """Minus the log-probability of label sequences, over all their alignments with the frames.

    Args:
        y_true: integer labels from 1, padded with 0 at the end, shape `(batch, labels)`.
        y_pred: logits, shape `(batch, frames, classes)`; class 0 is the blank.

    Returns:
        Losses of shape `(batch,)`; infinite where there are too few frames for the labels.

    Raises:
        ShapeError: the shapes are not those.

    Source: Graves et al., Connectionist Temporal Classification, 2006.

    Example:
        >>> loss = pydl.losses.ctc([[1]], np.zeros((1, 2, 2), "float32"))
        >>> round(float(loss[0]), 4)  # 3 of 4 paths are the label: 1-, -1 and 11
        0.2877
    """
    labels, logits = as_tensor(y_true), as_tensor(y_pred)
    if labels.ndim != 2 or logits.ndim != 3 or labels.shape[0] != logits.shape[0]:
        raise ShapeError(
            "[ctc] expected labels (batch, labels) and logits (batch, frames, classes), "
            f"got {labels.shape} and {logits.shape}"
        )
    labels = labels.astype("int64")
    states, skips = _states(labels)
    batch, frames, _ = logits.shape
    count = states.shape[1]
    where = ops.broadcast_to(ops.expand_dims(states, 1), (batch, frames, count))
    emitted = ops.take_along_axis(ops.log_softmax(logits), where, axis=-1)
    emitted = ops.unstack(emitted, axis=1)
    start = ops.less(ops.arange(count), 2)
    forward = ops.where(start, emitted[0], _NEVER)
    for step in emitted[1:]:
        forward = step + _arrivals(forward, skips)
    length = ops.sum(ops.not_equal(labels, _BLANK).astype("int64"), axis=1, keepdims=True)
    ends = ops.concatenate([2 * length, 2 * length - 1], axis=1)
    last = ops.take_along_axis(forward, ops.maximum(ends, 0), axis=1)
    losses = -ops.logsumexp(ops.where(ends >= 0, last, _NEVER), axis=1)
    return ops.where(ops.greater(losses, -0.5 * _NEVER), float("inf"), losses)


def _states(labels: Tensor) -> tuple[Tensor, Tensor]:
    """Labels with blanks around each, and where the blank before a label may be left out."""
    batch, count = labels.shape
    blanks = ops.zeros((batch, count), labels.dtype)
    pairs = ops.stack([blanks, labels], axis=2).reshape((batch, 2 * count))
    states = ops.pad(pairs, ((0, 0), (0, 1)))
    before = ops.pad(states[:, :-2], ((0, 0), (2, 0)))
    return states, ops.logical_and(states != _BLANK, states != before)


def _arrivals(forward: Tensor, skips: Tensor) -> Tensor:
    """Log-probabilities of coming to each state: by staying, by a step, or past a blank."""
    step = ops.pad(forward[:, :-1], ((0, 0), (1, 0)), constant_values=_NEVER)
    skip = ops.pad(forward[:, :-2], ((0, 0), (2, 0)), constant_values=_NEVER)
    ways = ops.stack([forward, step, ops.where(skips, skip, _NEVER)], axis=0)
    return ops.logsumexp(ways, axis=0)


class CTC(FunctionLoss):
    """Connectionist temporal classification of logits. Arguments are those of `Loss`.

    Example:
        >>> round(float(pydl.losses.CTC()([[1]], np.zeros((1, 2, 2), "float32"))), 4)
        0.2877
    """

    function = staticmethod(ctc)
