"""ArrayData: arrays in memory, cut into batches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pydl import ops, random, tree
from pydl._core import Tensor
from pydl.device import device


class ArrayData:
    """Batches of tensors, and of NumPy arrays of text, that share their first axis.

    One op gathers the rows of a shuffled batch; without shuffling a batch is a view.

    Args:
        name: of the method that was called, for error messages.
        batch: `(x,)`, `(x, y)` or `(x, y, sample_weight)` of all samples.
        batch_size: samples a batch; the last one may be smaller.
        shuffle: whether to shuffle the samples anew each epoch; `"batch"` shuffles whole batches.

    Raises:
        ValueError: no samples, or arrays of different lengths.
    """

    restarts = True

    def __init__(self, name: str, batch: tuple, batch_size: int, shuffle: bool | str) -> None:
        if not isinstance(batch_size, int) or batch_size < 1:
            raise ValueError(f"[{name}] expected a batch_size of at least 1, got {batch_size!r}")
        self._structure = batch
        self._leaves: list[Tensor | np.ndarray] = tree.flatten(batch)
        self._flat = all(isinstance(part, (Tensor, np.ndarray)) for part in batch)
        self._size = batch_size
        self._shuffle = shuffle
        self.num_samples = _common_length(name, batch)

    @property
    def num_batches(self) -> int:
        """Batches an epoch."""
        return -(-self.num_samples // self._size)

    def __iter__(self) -> Iterator[tuple]:
        if self._shuffle and self._shuffle != "batch":
            yield from self._shuffled()
            return
        starts = range(0, self.num_samples, self._size)
        if self._shuffle == "batch":
            starts = [i * self._size for i in random.permutation(self.num_batches).tolist()]
        for start in starts:
            yield self._pack([leaf[start : start + self._size] for leaf in self._leaves])

    def _shuffled(self) -> Iterator[tuple]:
        with device("cpu"):
            order = random.permutation(self.num_samples)
        for start in range(0, self.num_samples, self._size):
            rows = order[start : start + self._size]
            yield self._pack([_take(leaf, rows) for leaf in self._leaves])

    def _pack(self, leaves: list[Tensor | np.ndarray]) -> tuple:
        if self._flat:
            return tuple(leaves)
        return tree.pack_sequence_as(self._structure, leaves)


def _take(leaf: Tensor | np.ndarray, rows: Tensor) -> Tensor | np.ndarray:
    if not isinstance(leaf, Tensor):
        return leaf[rows.numpy()]
    return ops.take(leaf, rows.to(leaf.device), axis=0)


def _common_length(name: str, batch: tuple) -> int:
    lengths = {
        part: [leaf.shape[0] if leaf.ndim else None for leaf in tree.flatten(value)]
        for part, value in zip(("x", "y", "sample_weight"), batch)
        if value is not None
    }
    found: set[Any] = {length for part in lengths.values() for length in part}
    if None in found:
        raise ValueError(f"[{name}] expected arrays with an axis of samples, got a single number")
    if len(found) != 1:
        described = ", ".join(
            f"{part}: {values[0] if len(values) == 1 else values}"
            for part, values in lengths.items()
        )
        raise ValueError(
            f"[{name}] expected as many samples in every array, got {described}. "
            "The first axis of x, y and sample_weight counts samples"
        )
    (length,) = found
    if length == 0:
        raise ValueError(f"[{name}] expected at least one sample, got arrays of length 0")
    return length
