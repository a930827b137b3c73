"""Reductions over any axes."""

from __future__ import annotations

from pydl import _core
from pydl._core import Tensor
from pydl.typing import ArrayLike, Axis

__all__ = ["mean", "sum"]


def sum(x: ArrayLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The sum of elements over axes.

    Args:
        x: Any shape.
        axis: The axis or axes to sum over; None sums everything.
        keepdims: Whether summed axes stay, with extent 1.

    Returns:
        The shape of `x` without the summed axes.

    Example:
        >>> pydl.ops.sum([[1.0, 2.0], [3.0, 4.0]], axis=0)
        tensor([4., 6.])
    """
    return _core.sum(x, axis, keepdims)


def mean(x: ArrayLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The mean of elements over axes; arguments as `sum`."""
    return _core.mean(x, axis, keepdims)
