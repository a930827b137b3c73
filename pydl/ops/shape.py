"""Views of a tensor under another shape, and ops that move blocks."""

from __future__ import annotations

from typing import Sequence

from pydl import _core
from pydl._core import Tensor
from pydl.typing import ArrayLike, Shape

__all__ = ["broadcast_to", "permute", "reshape", "stack"]


def reshape(x: ArrayLike, newshape: Shape) -> Tensor:
    """The same elements in another shape; a view where `x` is contiguous.

    Args:
        x: Any shape.
        newshape: The extents; one of them may be -1 and is then computed.

    Raises:
        ShapeError: If the element counts differ.

    Example:
        >>> pydl.ops.reshape([1.0, 2.0, 3.0, 4.0], (2, -1)).shape
        (2, 2)
    """
    return _core.reshape(x, newshape)


def permute(x: ArrayLike, axes: Sequence[int]) -> Tensor:
    """A view with its axes in another order: axis `i` of the result is `axes[i]` of `x`."""
    return _core.permute(x, axes)


def broadcast_to(x: ArrayLike, shape: Shape) -> Tensor:
    """A view of `x` stretched to `shape`; stretched axes take no memory."""
    return _core.broadcast_to(x, shape)


def stack(x: Sequence[ArrayLike], axis: int = 0) -> Tensor:
    """Joins tensors of one shape along a new axis."""
    return _core.stack(x, axis)
