"""Integers as rows of bits, and bools as one bit."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pydl import _core
from pydl._core import DTypeError, Tensor
from pydl.ops.host import computed, promoted
from pydl.typing import ArrayLike

__all__ = [
    "bitwise_and",
    "bitwise_invert",
    "bitwise_left_shift",
    "bitwise_not",
    "bitwise_or",
    "bitwise_right_shift",
    "bitwise_xor",
    "left_shift",
    "right_shift",
]


def bitwise_and(x: ArrayLike, y: ArrayLike) -> Tensor:
    """The bits that are set in `x` and in `y`, elementwise.

    Args:
        x: Integers or bools, any shape.
        y: Likewise, a shape that broadcasts with `x`.

    Raises:
        DTypeError: If one is floating.

    Example:
        >>> pydl.ops.bitwise_and([6, 5], 3)
        tensor([2, 1])
    """
    return _of_bits("bitwise_and", np.bitwise_and, x, y)


def bitwise_or(x: ArrayLike, y: ArrayLike) -> Tensor:
    """The bits that are set in `x` or in `y`; arguments as `bitwise_and`.

    Example:
        >>> pydl.ops.bitwise_or([4, 5], 3)
        tensor([7, 7])
    """
    return _of_bits("bitwise_or", np.bitwise_or, x, y)


def bitwise_xor(x: ArrayLike, y: ArrayLike) -> Tensor:
    """The bits that are set in exactly one of `x` and `y`; arguments as `bitwise_and`.

    Example:
        >>> pydl.ops.bitwise_xor([6, 5], 3)
        tensor([5, 6])
    """
    return _of_bits("bitwise_xor", np.bitwise_xor, x, y)


def bitwise_invert(x: ArrayLike) -> Tensor:
    """All bits of each element turned over.

    Example:
        >>> pydl.ops.bitwise_invert([0, 5])
        tensor([-1, -6])
    """
    return _of_bits("bitwise_invert", np.invert, x)


def bitwise_not(x: ArrayLike) -> Tensor:
    """The same as `bitwise_invert`."""
    return bitwise_invert(x)


def left_shift(x: ArrayLike, y: ArrayLike) -> Tensor:
    """The bits of `x` moved `y` places up; arguments as `bitwise_and`, but no bools.

    Example:
        >>> pydl.ops.left_shift([1, 3], 2)
        tensor([ 4, 12])
    """
    return _of_bits("left_shift", np.left_shift, x, y, bools=False)


def right_shift(x: ArrayLike, y: ArrayLike) -> Tensor:
    """The bits of `x` moved `y` places down, the sign kept; arguments as `left_shift`.

    Example:
        >>> pydl.ops.right_shift([8, -8], 2)
        tensor([ 2, -2])
    """
    return _of_bits("right_shift", np.right_shift, x, y, bools=False)


def bitwise_left_shift(x: ArrayLike, y: ArrayLike) -> Tensor:
    """The same as `left_shift`."""
    return left_shift(x, y)


def bitwise_right_shift(x: ArrayLike, y: ArrayLike) -> Tensor:
    """The same as `right_shift`."""
    return right_shift(x, y)


def _of_bits(op: str, function: Callable, *values: ArrayLike, bools: bool = True) -> Tensor:
    for value in values:
        dtype = _core.as_tensor(value).dtype
        if "float" in dtype or (dtype == "bool" and not bools):
            raise DTypeError(f"[{op}] expected integers{' or bools' * bools}, got {dtype}")
    return computed(function, *promoted(*values))
