"""Texts as sequences of the numbers of their words, cut to what a model should see."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["as_objects", "limit_words", "mark_start", "shuffled", "without_long"]


def shuffled(
    xs: np.ndarray, labels: np.ndarray, random: np.random.RandomState
) -> tuple[list[list[int]], np.ndarray]:
    """Sequences and labels in one random order."""
    order = np.arange(len(xs))
    random.shuffle(order)
    return [list(xs[i]) for i in order], labels[order]


def mark_start(
    xs: list[list[int]], start_char: int | None, index_from: int | None
) -> list[list[int]]:
    """Sequences with words numbered from `index_from` on, after `start_char`."""
    shift, start = index_from or 0, [] if start_char is None else [start_char]
    return [start + [word + shift for word in x] for x in xs]


def without_long(
    name: str, xs: list[list[int]], labels: np.ndarray, maxlen: int | None
) -> tuple[list[list[int]], np.ndarray]:
    """The sequences shorter than `maxlen`.

    Raises:
        ValueError: there are none.
    """
    if not maxlen:
        return xs, labels
    kept = [i for i, x in enumerate(xs) if len(x) < maxlen]
    if not kept:
        raise ValueError(
            f"[datasets.{name}] expected sequences shorter than maxlen={maxlen}, got none. "
            "Hint: a larger maxlen."
        )
    return [xs[i] for i in kept], labels[kept]


def limit_words(
    xs: list[list[int]], num_words: int | None, skip_top: int, oov_char: int | None
) -> list[list[int]]:
    """Sequences whose words from `num_words` on or below `skip_top` become `oov_char` or nothing."""
    limit = num_words or max(max(x, default=0) for x in xs)
    if oov_char is None:
        return [[word for word in x if skip_top <= word < limit] for x in xs]
    return [[word if skip_top <= word < limit else oov_char for word in x] for x in xs]


def as_objects(xs: list[list[int]]) -> np.ndarray:
    """An object array of lists."""
    array: Any = np.empty(len(xs), dtype=object)
    array[:] = xs
    return array
