"""Where elements come from: arrays in memory, generators, other data sets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from pydl._core import Tensor
from pydl.data.elements import map_leaves

__all__ = ["Rows", "read_generator"]


class Rows:
    """Arrays whose rows are the elements: any row, or any rows as a batch, by number.

    Args:
        arrays: A structure of arrays, tensors, lists, or pandas objects of one length.

    Raises:
        ValueError: different lengths, or a single number.
    """

    def __init__(self, arrays: Any) -> None:
        self._arrays = map_leaves(_as_array, arrays)
        lengths: list[int | None] = []
        map_leaves(lambda a: lengths.append(len(a) if a.ndim else None), self._arrays)
        if None in lengths:
            raise ValueError("[Dataset.from_arrays] expected arrays, got a single number.")
        if len(set(lengths)) != 1:
            raise ValueError(
                "[Dataset.from_arrays] expected arrays of one length, whose rows are the elements, "
                f"got lengths {lengths}."
            )
        self.count = lengths[0]

    def row(self, index: int) -> Any:
        """The element of that number."""
        return map_leaves(lambda array: array[index], self._arrays)

    def batch(self, indices: list[int]) -> Any:
        """The elements of those numbers, stacked."""
        first, count = indices[0], len(indices)
        if indices == list(range(first, first + count)):
            return map_leaves(lambda array: array[first : first + count], self._arrays)
        return map_leaves(lambda array: array[indices], self._arrays)


def read_generator(generator: Callable, args: tuple) -> Iterator[Any]:
    """The elements of `generator(*args)`, in a new iteration.

    Raises:
        TypeError: what it returned is no iterable.
    """
    made = generator(*args)
    if not hasattr(made, "__iter__"):
        raise TypeError(
            "[Dataset.from_generator] expected a function that returns an iterable, such as a "
            f"generator function, got one that returned {type(made).__name__}."
        )
    return iter(made)


def _as_array(value: Any) -> np.ndarray:
    return value.numpy() if isinstance(value, Tensor) else np.asarray(value)
