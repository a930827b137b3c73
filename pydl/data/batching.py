"""Batches out of elements and elements out of batches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

import numpy as np

from pydl.data.elements import map_leaves, pad, stack

__all__ = ["batches", "padded_batches", "unbatched"]


def batches(dataset: Any, size: int, drop_remainder: bool) -> Callable[[], Iterator[Any]]:
    """What starts an iteration over batches of a data set."""
    rows = dataset._rows
    if rows is None:
        return lambda: _combined(dataset, size, drop_remainder, stack)
    return lambda: _combined(dataset._start(), size, drop_remainder, rows.batch)


def padded_batches(
    dataset: Any, size: int, shapes: Any, values: Any, drop_remainder: bool
) -> Callable[[], Iterator[Any]]:
    """What starts an iteration over padded batches of a data set."""

    def combine(elements: list[Any]) -> Any:
        return pad(elements, shapes, values)

    return lambda: _combined(dataset, size, drop_remainder, combine)


def unbatched(dataset: Iterable[Any]) -> Iterator[Any]:
    """The rows of every batch."""
    for batch in dataset:
        lengths: list[int] = []
        map_leaves(lambda leaf: lengths.append(_length(leaf)), batch)
        for i in range(min(lengths)):
            yield map_leaves(lambda leaf: leaf[i], batch)


def _length(leaf: Any) -> int:
    if not np.ndim(leaf):
        raise ValueError(f"[Dataset.unbatch] expected batches, got the single value {leaf!r}.")
    return len(leaf)


def _combined(
    items: Iterable[Any], size: int, drop_remainder: bool, combine: Callable
) -> Iterator[Any]:
    remaining = iter(items)
    while chunk := list(islice(remaining, size)):
        if len(chunk) == size or not drop_remainder:
            yield combine(chunk)
