"""A data set in two parts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from pydl import random
from pydl._core import Tensor
from pydl.data.dataset import Dataset
from pydl.data.elements import stack

__all__ = ["split_dataset"]


def split_dataset(
    dataset: Any,
    left_size: float | int | None = None,
    right_size: float | int | None = None,
    shuffle: bool = False,
    seed: int | None = None,
) -> tuple[Dataset, Dataset]:
    """Splits a data set into a left and a right part, such as for training and testing.

    The elements are read once and kept in memory.

    Args:
        dataset: A Dataset, another iterable of elements, an array, or a tuple, list or dict of
            arrays of one length.
        left_size: Elements of the left part, or their share for a float; None for the rest.
        right_size: The same of the right part. One of both is needed.
        shuffle: Whether to shuffle before the split.
        seed: Of the shuffle; None takes one from the global stream.

    Returns:
        Two Datasets.

    Raises:
        ValueError: no size, a share outside of (0, 1), or more elements wanted than there are.

    Example:
        >>> left, right = split_dataset(np.arange(10), left_size=0.8)
        >>> len(left), [int(x) for x in right]
        (8, [8, 9])
    """
    whole = _as_dataset(dataset)
    elements = list(whole)
    left, right = _sizes(len(elements), left_size, right_size)
    if shuffle:
        seed = random.randint((), 0, 2**31, dtype="int64").item() if seed is None else seed
        order = np.random.default_rng(seed % 2**64).permutation(len(elements))
        elements = [elements[i] for i in order]
    parts = elements[:left], elements[len(elements) - right :]
    return tuple(_dataset_of(part) for part in parts)


def _as_dataset(data: Any) -> Dataset:
    if isinstance(data, Dataset):
        return data
    if isinstance(data, list) and data and hasattr(data[0], "__len__"):
        return Dataset.from_arrays(tuple(data))
    if isinstance(data, (tuple, dict, list, Tensor)) or hasattr(data, "__array__"):
        return Dataset.from_arrays(data)
    if not isinstance(data, Iterable):
        raise TypeError(
            f"[split_dataset] expected a data set, arrays or an iterable, got {type(data).__name__}."
        )
    return Dataset.from_generator(lambda: iter(data))


def _dataset_of(elements: list[Any]) -> Dataset:
    try:
        return Dataset.from_arrays(stack(elements))  # rows of arrays are faster to put in batches
    except ValueError:  # elements of different shapes, such as a last batch
        return Dataset(lambda: iter(elements), len(elements))


def _sizes(count: int, left: Any, right: Any) -> tuple[int, int]:
    if left is None and right is None:
        raise ValueError("[split_dataset] expected left_size or right_size, got neither.")
    for name, size in (("left_size", left), ("right_size", right)):
        if isinstance(size, float) and not 0 < size < 1:
            raise ValueError(f"[split_dataset] expected {name} as a share in (0, 1), got {size}.")
        if isinstance(size, int) and not 0 < size < count:
            raise ValueError(f"[split_dataset] expected {name} from 1 to {count - 1}, got {size}.")
    if isinstance(left, float):
        left = round(left * count)
    if isinstance(right, float):
        right = round(right * count)
    left = count - right if left is None else left
    right = count - left if right is None else right
    if left + right > count or left < 1 or right < 1:
        raise ValueError(
            f"[split_dataset] expected parts that {count} elements are enough for and that are not "
            f"empty, got {left} and {right}."
        )
    return left, right
