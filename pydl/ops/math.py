"""Functions of one tensor, element by element.

Each returns the shape of its argument. Functions whose values are not integers, such as `exp`, turn
integers and bools into float32; the others keep the dtype.
"""

from __future__ import annotations

from pydl import _core
from pydl._core import Tensor
from pydl.typing import ArrayLike

__all__ = [
    "abs",
    "absolute",
    "ceil",
    "clip",
    "cos",
    "erf",
    "exp",
    "expm1",
    "floor",
    "isfinite",
    "isinf",
    "isnan",
    "log",
    "log1p",
    "neg",
    "negative",
    "reciprocal",
    "round",
    "rsqrt",
    "sign",
    "sin",
    "sqrt",
    "square",
    "tan",
]

_INFINITY = float("inf")


def abs(x: ArrayLike) -> Tensor:
    """``|x|``, elementwise.

    Example:
        >>> pydl.ops.abs([-1.5, 2.0])
        tensor([1.5, 2. ])
    """
    return _core.abs(x)


def absolute(x: ArrayLike) -> Tensor:
    """The same as `abs`."""
    return _core.abs(x)


def neg(x: ArrayLike) -> Tensor:
    """``-x``, elementwise."""
    return _core.neg(x)


def negative(x: ArrayLike) -> Tensor:
    """The same as `neg`."""
    return _core.neg(x)


def sign(x: ArrayLike) -> Tensor:
    """-1, 0 or 1 as `x` is negative, zero or positive; NaN where it is NaN. Its gradient is 0."""
    return _core.sign(x)


def exp(x: ArrayLike) -> Tensor:
    """The exponential function, within 1 unit in the last place.

    Example:
        >>> pydl.ops.exp([0.0, 1.0])
        tensor([1.       , 2.7182817])
    """
    return _core.exp(x)


def expm1(x: ArrayLike) -> Tensor:
    """``exp(x) - 1`` without the loss of digits where `x` is small."""
    return _core.expm1(x)


def log(x: ArrayLike) -> Tensor:
    """The natural logarithm; minus infinity at 0 and NaN below.

    Example:
        >>> pydl.ops.log([1.0, 0.0])
        tensor([  0., -inf])
    """
    return _core.log(x)


def log1p(x: ArrayLike) -> Tensor:
    """``log(1 + x)`` without the loss of digits where `x` is small."""
    return _core.log1p(x)


def sqrt(x: ArrayLike) -> Tensor:
    """The square root; NaN below 0.

    Example:
        >>> pydl.ops.sqrt([4, 9])
        tensor([2., 3.])
    """
    return _core.sqrt(x)


def rsqrt(x: ArrayLike) -> Tensor:
    """``1 / sqrt(x)``, elementwise."""
    return _core.rsqrt(x)


def square(x: ArrayLike) -> Tensor:
    """``x * x``, elementwise.

    Example:
        >>> pydl.ops.square([3, -4])
        tensor([ 9, 16])
    """
    return _core.square(x)


def reciprocal(x: ArrayLike) -> Tensor:
    """``1 / x``, elementwise."""
    return _core.reciprocal(x)


def sin(x: ArrayLike) -> Tensor:
    """The sine of an angle in radians, exact to the last place for large angles too."""
    return _core.sin(x)


def cos(x: ArrayLike) -> Tensor:
    """The cosine of an angle in radians, exact to the last place for large angles too."""
    return _core.cos(x)


def tan(x: ArrayLike) -> Tensor:
    """The tangent of an angle in radians."""
    return _core.tan(x)


def erf(x: ArrayLike) -> Tensor:
    """The error function: the chance that a normal variable of variance 1/2 lies in [-x, x].

    Example:
        >>> pydl.ops.erf([0.0, 10.0])
        tensor([0., 1.])
    """
    return _core.erf(x)


def floor(x: ArrayLike) -> Tensor:
    """The largest integer not above `x`, in the dtype of `x`. Its gradient is 0."""
    return _core.floor(x)


def ceil(x: ArrayLike) -> Tensor:
    """The smallest integer not below `x`, in the dtype of `x`. Its gradient is 0."""
    return _core.ceil(x)


def round(x: ArrayLike, decimals: int = 0) -> Tensor:
    """`x` rounded to so many decimals, halves to the even neighbour. Its gradient is 0.

    Args:
        x: Any shape.
        decimals: How many digits after the point stay; negative numbers round to tens and so on.

    Example:
        >>> pydl.ops.round([0.5, 1.5, 2.5])
        tensor([0., 2., 2.])
    """
    if decimals == 0:
        return _core.round(x)
    scale = 10.0 ** decimals
    return _core.divide(_core.round(_core.multiply(x, scale)), scale)


def clip(x: ArrayLike, x_min: ArrayLike | None, x_max: ArrayLike | None) -> Tensor:
    """`x` brought into [x_min, x_max], elementwise.

    Args:
        x: Any shape.
        x_min: The lower bound, a number or a tensor that broadcasts with `x`; None for none.
        x_max: The upper bound, likewise.

    Returns:
        The shape of `x`, or what it and the bounds broadcast to. NaN stays NaN.

    Example:
        >>> pydl.ops.clip([-1.0, 0.5, 2.0], 0, 1)
        tensor([0. , 0.5, 1. ])
    """
    bounds = (x_min, x_max)
    if all(b is None or _is_double(b) for b in bounds):
        x = _core.as_tensor(x)
        if any(isinstance(b, float) for b in bounds) and "float" not in x.dtype:
            x = _core.cast(x, "float32")
        low, high = (-_INFINITY if x_min is None else x_min), (_INFINITY if x_max is None else x_max)
        return _core.clip(x, low, high)
    if x_min is not None:
        x = _core.maximum(x, x_min)
    return x if x_max is None else _core.minimum(x, x_max)


def _is_double(bound: ArrayLike) -> bool:
    """Whether it is a number that the kernel's floats hold exactly."""
    if isinstance(bound, int):
        return -(2**53) <= bound <= 2**53
    return isinstance(bound, float)


def isnan(x: ArrayLike) -> Tensor:
    """Whether each element is NaN, as bools."""
    return _core.isnan(x)


def isinf(x: ArrayLike) -> Tensor:
    """Whether each element is infinite, as bools."""
    return _core.isinf(x)


def isfinite(x: ArrayLike) -> Tensor:
    """Whether each element is neither infinite nor NaN, as bools.

    Example:
        >>> pydl.ops.isfinite([1.0, float("inf"), float("nan")])
        tensor([ True, False, False])
    """
    return _core.isfinite(x)
