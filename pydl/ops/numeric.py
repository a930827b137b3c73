"""Further functions of elements: signs, neighbours, comparisons within a tolerance, integers."""

from __future__ import annotations

import numpy as np

from pydl import _core
from pydl._core import DTypeError, Tensor
from pydl.ops.host import array, computed, floating, on_host, promoted, refuse_gradient, wrapped
from pydl.typing import ArrayLike

__all__ = [
    "allclose",
    "conj",
    "conjugate",
    "copy",
    "divide_no_nan",
    "fabs",
    "fmax",
    "fmin",
    "fmod",
    "gcd",
    "heaviside",
    "imag",
    "isclose",
    "isin",
    "isneginf",
    "isposinf",
    "isreal",
    "lcm",
    "ldexp",
    "nan_to_num",
    "nextafter",
    "real",
    "signbit",
    "trunc",
]

_INFINITY = float("inf")


def copy(x: ArrayLike) -> Tensor:
    """A tensor of its own with the elements of `x`."""
    return _core.copy(x)


def real(x: ArrayLike) -> Tensor:
    """The real part: `x` itself, since pydl has no complex numbers."""
    return _core.as_tensor(x)


def imag(x: ArrayLike) -> Tensor:
    """The imaginary part: zeros, since pydl has no complex numbers."""
    x = _core.as_tensor(x)
    return _core.full(x.shape, 0, x.dtype)


def conj(x: ArrayLike) -> Tensor:
    """The complex conjugate: `x` itself, since pydl has no complex numbers."""
    return _core.as_tensor(x)


def conjugate(x: ArrayLike) -> Tensor:
    """The same as `conj`."""
    return conj(x)


def isreal(x: ArrayLike) -> Tensor:
    """Whether each element is real: True, since pydl has no complex numbers."""
    return _core.full(_core.as_tensor(x).shape, 1, "bool")


def fabs(x: ArrayLike) -> Tensor:
    """``|x|`` as floating numbers, elementwise."""
    return _core.abs(floating(x))


def signbit(x: ArrayLike) -> Tensor:
    """Whether the sign of each element is minus, also of -0, as bools.

    Example:
        >>> pydl.ops.signbit([-1.0, -0.0, 0.0])
        tensor([ True,  True, False])
    """
    return computed(np.signbit, _core.as_tensor(x), dtype="bool")


def trunc(x: ArrayLike) -> Tensor:
    """`x` without its fraction, in the dtype of `x`. Its gradient is 0.

    Example:
        >>> pydl.ops.trunc([1.7, -1.7])
        tensor([ 1., -1.])
    """
    x = _core.as_tensor(x)
    return x if "float" not in x.dtype else _core.multiply(_core.sign(x), _core.floor(_core.abs(x)))


def isposinf(x: ArrayLike) -> Tensor:
    """Whether each element is plus infinity, as bools.

    Example:
        >>> pydl.ops.isposinf([1.0, float("inf"), float("-inf")])
        tensor([False,  True, False])
    """
    return _core.equal(floating(x), _INFINITY)


def isneginf(x: ArrayLike) -> Tensor:
    """Whether each element is minus infinity, as bools."""
    return _core.equal(floating(x), -_INFINITY)


def nan_to_num(
    x: ArrayLike, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None
) -> Tensor:
    """`x` with numbers in place of NaN and infinities, where the gradient is 0.

    Args:
        x: Any shape.
        nan: For NaN.
        posinf: For plus infinity; None is the largest number of the dtype.
        neginf: For minus infinity; None is the smallest number of the dtype.

    Example:
        >>> pydl.ops.nan_to_num([1.0, float("nan"), float("inf")], posinf=9.0)
        tensor([1., 0., 9.])
    """
    x = _core.as_tensor(x)
    if "float" not in x.dtype:
        return x
    largest = 3.3895313892515355e38 if x.dtype == "bfloat16" else float(np.finfo(x.dtype).max)
    for condition, value in (
        (_core.isnan(x), nan),
        (isposinf(x), largest if posinf is None else posinf),
        (isneginf(x), -largest if neginf is None else neginf),
    ):
        x = _core.where(condition, float(value), x)
    return x


def divide_no_nan(x1: ArrayLike, x2: ArrayLike) -> Tensor:
    """``x1 / x2``, and 0 where `x2` is 0; there the gradient is 0 too.

    Example:
        >>> pydl.ops.divide_no_nan([1.0, 2.0], [0.0, 4.0])
        tensor([0. , 0.5])
    """
    a, b = promoted(x1, x2)
    zero = _core.equal(b, 0)
    return _core.where(zero, 0, _core.divide(a, _core.where(zero, 1, b)))


def fmax(x1: ArrayLike, x2: ArrayLike) -> Tensor:
    """The larger of `x1` and `x2`, elementwise; where one is NaN, the other.

    Example:
        >>> pydl.ops.fmax([1.0, float("nan")], [2.0, 3.0])
        tensor([2., 3.])
    """
    return _unless_nan(_core.maximum, x1, x2)


def fmin(x1: ArrayLike, x2: ArrayLike) -> Tensor:
    """The smaller of `x1` and `x2`, elementwise; where one is NaN, the other."""
    return _unless_nan(_core.minimum, x1, x2)


def _unless_nan(choose, x1: ArrayLike, x2: ArrayLike) -> Tensor:
    a, b = promoted(x1, x2)
    return choose(_core.where(_core.isnan(a), b, a), _core.where(_core.isnan(b), a, b))


def fmod(x1: ArrayLike, x2: ArrayLike) -> Tensor:
    """The remainder of ``x1 / x2`` with the sign of `x1`, elementwise.

    Example:
        >>> pydl.ops.fmod([7.0, -7.0], 3.0)
        tensor([ 1., -1.])
    """
    a, b = promoted(x1, x2)

    def remainder(a, b):
        with np.errstate(all="ignore"):
            return np.fmod(a, b)

    return on_host(remainder, [lambda a, b: a * 0 + 1, lambda a, b: -trunc(a / b)], a, b)


def heaviside(x1: ArrayLike, x2: ArrayLike) -> Tensor:
    """The step function: 0 where `x1` is negative, 1 where it is positive, `x2` where it is 0.

    Example:
        >>> pydl.ops.heaviside([-1.0, 0.0, 2.0], 0.5)
        tensor([0. , 0.5, 1. ])
    """
    a, b = map(floating, promoted(x1, x2))
    step = _core.where(_core.greater(a, 0), 1.0, _core.where(_core.equal(a, 0), b, 0.0))
    return _core.where(_core.isnan(a), a, step)


def ldexp(x1: ArrayLike, x2: ArrayLike) -> Tensor:
    """``x1 * 2**x2``, elementwise.

    Args:
        x1: Any shape.
        x2: Integers, a shape that broadcasts with `x1`.

    Raises:
        DTypeError: If `x2` is not of integers.

    Example:
        >>> pydl.ops.ldexp([1.0, 3.0], [3, -1])
        tensor([8. , 1.5])
    """
    _check_integers("ldexp", x2)
    x1 = floating(x1)
    return _core.multiply(x1, _core.power(2.0, _core.cast(x2, x1.dtype)))


def nextafter(x1: ArrayLike, x2: ArrayLike) -> Tensor:
    """The next number of the dtype from `x1` towards `x2`, elementwise.

    Raises:
        DTypeError: For numbers of 16 bits.
        AutogradError: If a gradient is wanted; it has none.

    Example:
        >>> pydl.ops.nextafter([1.0], [2.0])
        tensor([1.0000001])
    """
    a, b = map(floating, promoted(x1, x2))
    refuse_gradient("nextafter", a, b)
    if a.dtype not in ("float32", "float64"):
        raise DTypeError(f"[nextafter] expected float32 or float64, got {a.dtype}")
    return computed(np.nextafter, a, b)


def gcd(x1: ArrayLike, x2: ArrayLike) -> Tensor:
    """The greatest common divisor of integers, elementwise.

    Raises:
        DTypeError: If one is not of integers.

    Example:
        >>> pydl.ops.gcd([12, 18], 8)
        tensor([4, 2])
    """
    return _of_integers("gcd", np.gcd, x1, x2)


def lcm(x1: ArrayLike, x2: ArrayLike) -> Tensor:
    """The least common multiple of integers, elementwise.

    Raises:
        DTypeError: If one is not of integers.

    Example:
        >>> pydl.ops.lcm([4, 3], 6)
        tensor([12,  6])
    """
    return _of_integers("lcm", np.lcm, x1, x2)


def _of_integers(op: str, function, x1: ArrayLike, x2: ArrayLike) -> Tensor:
    _check_integers(op, x1, x2)
    return computed(function, *promoted(x1, x2))


def _check_integers(op: str, *values: ArrayLike) -> None:
    for value in values:
        dtype = _core.as_tensor(value).dtype
        if "int" not in dtype:
            raise DTypeError(f"[{op}] expected integers, got {dtype}")


def isclose(
    x1: ArrayLike, x2: ArrayLike, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
) -> Tensor:
    """Whether ``|x1 - x2| <= atol + rtol * |x2|``, elementwise, as bools.

    Args:
        x1: Any shape.
        x2: A shape that broadcasts with `x1`.
        rtol: The relative tolerance.
        atol: The absolute tolerance.
        equal_nan: Whether NaN is close to NaN.

    Example:
        >>> pydl.ops.isclose([1.0, 2.0], [1.0, 2.1])
        tensor([ True, False])
    """
    a, b = map(floating, promoted(x1, x2))
    within = _core.less_equal(_core.abs(a - b), atol + rtol * _core.abs(b))
    finite = _core.logical_and(_core.isfinite(a), _core.isfinite(b))
    close = _core.logical_or(_core.logical_and(within, finite), _core.equal(a, b))
    if equal_nan:
        close = _core.logical_or(close, _core.logical_and(_core.isnan(a), _core.isnan(b)))
    return close


def allclose(
    x1: ArrayLike, x2: ArrayLike, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
) -> Tensor:
    """Whether all elements are close, as a bool; arguments as `isclose`.

    Example:
        >>> pydl.ops.allclose([1.0, 2.0], [1.0, 2.0])
        tensor(True)
    """
    return _core.all(isclose(x1, x2, rtol, atol, equal_nan))


def isin(x1: ArrayLike, x2: ArrayLike, assume_unique: bool = False, invert: bool = False) -> Tensor:
    """Whether each element of `x1` is among those of `x2`, as bools of the shape of `x1`.

    Args:
        x1: Any shape.
        x2: Any shape.
        assume_unique: Whether no element comes twice in either, which saves time.
        invert: Whether to tell which are not.

    Example:
        >>> pydl.ops.isin([1, 2, 3], [3, 1])
        tensor([ True, False,  True])
    """
    a, b = promoted(x1, x2, broadcast=False)
    return wrapped(np.isin(array(a), array(b), assume_unique=assume_unique, invert=invert))
