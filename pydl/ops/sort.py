"""Sorting along an axis."""

from __future__ import annotations

from pydl import _core
from pydl._core import Tensor
from pydl.typing import ArrayLike

__all__ = ["argsort", "sort", "top_k"]


def sort(x: ArrayLike, axis: int | None = -1) -> Tensor:
    """The elements in ascending order along an axis; NaN comes last.

    Args:
        x: Any shape and dtype.
        axis: The axis to sort along; None sorts the flattened tensor.

    Returns:
        The shape of `x`, or one axis where `axis` is None.

    Raises:
        ValueError: If `axis` is outside the rank.

    Example:
        >>> pydl.ops.sort([[3.0, 1.0, 2.0], [0.0, 5.0, 4.0]])
        tensor([[1., 2., 3.],
                [0., 4., 5.]])
    """
    return _core.sort(*_along(x, axis))


def argsort(x: ArrayLike, axis: int | None = -1) -> Tensor:
    """The positions that sort a tensor along an axis. Equal elements stay in order.

    Args:
        x: Any shape and dtype.
        axis: The axis to sort along; None sorts the flattened tensor.

    Returns:
        int32 positions along the axis, in the shape that `sort` returns.

    Example:
        >>> pydl.ops.argsort([3.0, 1.0, 2.0])
        tensor([1, 2, 0])
    """
    return _core.argsort(*_along(x, axis))


def top_k(x: ArrayLike, k: int, sorted: bool = True) -> tuple[Tensor, Tensor]:
    """The `k` largest elements along the last axis, and where they are.

    Args:
        x: Shape ``(..., n)``.
        k: How many, from 0 to n.
        sorted: Whether the caller needs them largest first; they come so in either case. Equal
            elements come by position, and NaN counts as the largest value.

    Returns:
        ``(values, indices)`` of shape ``(..., k)``; the indices are int32.

    Raises:
        ValueError: If `k` is negative or above n.
        ShapeError: If `x` has no axis.

    Example:
        >>> values, indices = pydl.ops.top_k([1.0, 5.0, 3.0], k=2)
        >>> values, indices
        (tensor([5., 3.]), tensor([1, 2]))
    """
    return _core.top_k(x, k)


def _along(x: ArrayLike, axis: int | None) -> tuple[Tensor, int]:
    tensor = _core.as_tensor(x)
    return (_core.reshape(tensor, -1), 0) if axis is None else (tensor, axis)
