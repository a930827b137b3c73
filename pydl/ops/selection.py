"""Elements chosen by position, by condition or by being different, named as in NumPy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pydl import _core
from pydl._core import Tensor
from pydl.ops.host import array, promoted, refuse_gradient, wrapped
from pydl.typing import ArrayLike

__all__ = ["argpartition", "get_item", "nonzero", "select", "unique", "unravel_index"]


def get_item(x: ArrayLike, key: Any) -> Tensor:
    """``x[key]``.

    Example:
        >>> pydl.ops.get_item([1, 2, 3], slice(1, None))
        tensor([2, 3])
    """
    return _core.as_tensor(x)[key]


def nonzero(x: ArrayLike) -> tuple[Tensor, ...]:
    """Where the elements are not zero: for each axis, their int32 indices.

    Example:
        >>> pydl.ops.nonzero([0, 5, 0, 7])
        (tensor([1, 3]),)
    """
    return tuple(wrapped(found, "int32") for found in np.nonzero(array(x)))


def unravel_index(indices: ArrayLike, shape: Sequence[int]) -> tuple[Tensor, ...]:
    """The index along every axis of positions in the flattened tensor.

    Args:
        indices: Integers of any shape; negative ones count from the end.
        shape: Of the tensor.

    Returns:
        For each axis, integers of the shape and dtype of `indices`.

    Raises:
        IndexError: If a position is outside.

    Example:
        >>> pydl.ops.unravel_index([3, 5], (2, 3))
        (tensor([1, 1]), tensor([0, 2]))
    """
    indices = _core.as_tensor(indices)
    flat, total = array(indices), int(np.prod(shape))
    if flat.size and not -total <= flat.min() <= flat.max() < total:
        raise IndexError(f"[unravel_index] expected positions in shape {tuple(shape)}, got {flat}")
    found = np.unravel_index(np.where(flat < 0, flat + total, flat), tuple(shape))
    return tuple(wrapped(index, indices.dtype) for index in found)


def argpartition(x: ArrayLike, kth: int, axis: int = -1) -> Tensor:
    """Positions that bring the `kth` smallest element to its place, smaller ones before it.

    Args:
        x: Any shape.
        kth: The position that is to be right.
        axis: The axis.

    Returns:
        int32 positions in the shape of `x`.

    Example:
        >>> pydl.ops.argpartition([3.0, 1.0, 2.0], 0)[0]
        tensor(1)
    """
    values = array(x)
    if not -values.shape[axis] <= kth < values.shape[axis]:
        raise ValueError(f"[argpartition] expected kth within {values.shape[axis]}, got {kth}")
    return wrapped(np.argpartition(values, kth, axis), "int32")


def select(
    condlist: Sequence[ArrayLike], choicelist: Sequence[ArrayLike], default: ArrayLike = 0
) -> Tensor:
    """For each element, the choice that belongs to the first condition which holds.

    Args:
        condlist: Bools.
        choicelist: As many tensors; all broadcast together.
        default: Where no condition holds.

    Raises:
        ValueError: If there is no condition, or not as many choices.

    Example:
        >>> x = pydl.tensor([1, 5, 9])
        >>> pydl.ops.select([x < 3, x < 7], [x, 10 * x], 0)
        tensor([ 1, 50,  0])
    """
    if not condlist or len(condlist) != len(choicelist):
        raise ValueError(
            f"[select] expected as many choices as conditions, at least one, got {len(condlist)} "
            f"conditions and {len(choicelist)} choices"
        )
    *choices, result = promoted(*choicelist, default)
    for condition, choice in list(zip(condlist, choices))[::-1]:
        result = _core.where(condition, choice, result)
    return result


def unique(
    x: ArrayLike,
    sorted: bool = True,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: int | None = None,
    size: int | None = None,
    fill_value: float | None = None,
) -> Tensor | tuple[Tensor, ...]:
    """The different elements, or entries of an axis, in ascending order.

    Args:
        x: Any shape.
        sorted: Whether the caller needs the order; they come ordered in either case.
        return_index: Whether to return where each comes first.
        return_inverse: Whether to return, for each element, which of the different ones it is.
        return_counts: Whether to return how often each comes.
        axis: The axis whose entries are compared; None compares elements.
        size: How many to return: further ones are cut off, missing ones filled up.
        fill_value: What to fill up with; None is the smallest.

    Returns:
        The different elements; with what else was asked for, as int32, a tuple.

    Raises:
        AutogradError: If a gradient is wanted; it has none.

    Example:
        >>> pydl.ops.unique([3, 1, 3], return_counts=True)
        (tensor([1, 3]), tensor([1, 2]))
    """
    x = _core.as_tensor(x)
    refuse_gradient("unique", x)
    found = np.unique(array(x), True, True, True, axis)
    values, index, inverse, counts = found
    along = axis or 0
    if size is not None:
        kept, missing = min(size, values.shape[along]), size - values.shape[along]
        values, index, counts = np.take(values, range(kept), along), index[:kept], counts[:kept]
        if missing > 0:
            widths = [(0, missing if a == along % values.ndim else 0) for a in range(values.ndim)]
            filler = values.min() if fill_value is None else fill_value
            values = np.pad(values, widths, constant_values=filler)
            index, counts = np.pad(index, (0, missing)), np.pad(counts, (0, missing))
    results = [wrapped(values, x.dtype)]
    for wanted, result in (
        (return_index, index),
        (return_inverse, inverse),
        (return_counts, counts),
    ):
        results += [wrapped(result, "int32")] if wanted else []
    return results[0] if len(results) == 1 else tuple(results)
