"""Elementwise operations with broadcasting."""

from __future__ import annotations

from pydl import _core
from pydl._core import Tensor
from pydl.typing import ArrayLike

__all__ = ["add", "multiply", "neg", "subtract"]


def add(x1: ArrayLike, x2: ArrayLike) -> Tensor:
    """``x1 + x2``, elementwise.

    Args:
        x1: Any shape.
        x2: A shape that broadcasts with that of `x1`.

    Returns:
        The broadcast shape, in the dtype that both promote to.

    Raises:
        ShapeError: If the shapes do not broadcast.

    Example:
        >>> pydl.ops.add([1.0, 2.0], 10)
        tensor([11., 12.])
    """
    return _core.add(x1, x2)


def subtract(x1: ArrayLike, x2: ArrayLike) -> Tensor:
    """``x1 - x2``, elementwise; arguments as `add`."""
    return _core.subtract(x1, x2)


def multiply(x1: ArrayLike, x2: ArrayLike) -> Tensor:
    """``x1 * x2``, elementwise; arguments as `add`."""
    return _core.multiply(x1, x2)


def neg(x: ArrayLike) -> Tensor:
    """``-x``, elementwise."""
    return _core.neg(x)
