"""Further logarithms, exponentials, roots and special functions. Integers become float32."""

from __future__ import annotations

import math

import numpy as np

from pydl import _core
from pydl._core import Tensor
from pydl.ops.host import floating, on_host, promoted
from pydl.typing import ArrayLike

__all__ = [
    "cbrt",
    "erfc",
    "erfinv",
    "exp2",
    "i0",
    "log10",
    "log2",
    "logaddexp",
    "logaddexp2",
]

_LN2 = math.log(2.0)


def exp2(x: ArrayLike) -> Tensor:
    """``2 ** x``, elementwise.

    Example:
        >>> pydl.ops.exp2([3.0, -1.0])
        tensor([8. , 0.5])
    """
    return _core.power(2.0, floating(x))


def log2(x: ArrayLike) -> Tensor:
    """The logarithm of base 2.

    Example:
        >>> pydl.ops.log2([8.0, 0.5])
        tensor([ 3., -1.])
    """
    return on_host(_silent(np.log2), [lambda x: 1 / (x * _LN2)], floating(x))


def log10(x: ArrayLike) -> Tensor:
    """The logarithm of base 10.

    Example:
        >>> pydl.ops.log10([1000.0, 0.1])
        tensor([ 3., -1.])
    """
    return on_host(_silent(np.log10), [lambda x: 1 / (x * math.log(10.0))], floating(x))


def _silent(function):
    def silent(x):
        with np.errstate(all="ignore"):
            return function(x)

    return silent


def logaddexp(x1: ArrayLike, x2: ArrayLike) -> Tensor:
    """``log(exp(x1) + exp(x2))`` without overflow, elementwise.

    Example:
        >>> pydl.ops.logaddexp([0.0, 1000.0], [0.0, 0.0])
        tensor([6.931472e-01, 1.000000e+03])
    """
    a, b = map(floating, promoted(x1, x2))
    larger = _core.maximum(a, b)
    rest = _core.softplus(-_core.abs(a - b))
    return _core.where(_core.isfinite(larger), larger + rest, larger)


def logaddexp2(x1: ArrayLike, x2: ArrayLike) -> Tensor:
    """``log2(2**x1 + 2**x2)`` without overflow, elementwise.

    Example:
        >>> pydl.ops.logaddexp2([1.0, 100.0], [1.0, 0.0])
        tensor([  2., 100.])
    """
    a, b = map(floating, promoted(x1, x2))
    return logaddexp(a * _LN2, b * _LN2) / _LN2


def cbrt(x: ArrayLike) -> Tensor:
    """The cube root, also of negative numbers.

    Example:
        >>> pydl.ops.cbrt([8.0, -27.0])
        tensor([ 2., -3.])
    """
    return on_host(np.cbrt, [lambda x: 1 / (3 * _core.square(cbrt(x)))], floating(x))


def erfc(x: ArrayLike) -> Tensor:
    """``1 - erf(x)`` without losing small results where `x` is large.

    Example:
        >>> pydl.ops.erfc([0.0, 1.0])
        tensor([1.       , 0.1572992])
    """
    slope = lambda x: _core.exp(-x * x) * (-2 / math.sqrt(math.pi))
    return on_host(np.vectorize(math.erfc, otypes=["float64"]), [slope], floating(x))


def erfinv(x: ArrayLike) -> Tensor:
    """The number whose error function is `x`; infinite at -1 and 1, NaN beyond.

    Example:
        >>> pydl.ops.erfinv([0.0, 0.5])
        tensor([0.        , 0.47693628])
    """
    slope = lambda x: _core.exp(_core.square(erfinv(x))) * (math.sqrt(math.pi) / 2)
    return on_host(_erfinv, [slope], floating(x))


def _erfinv(x: np.ndarray) -> np.ndarray:
    """Winitzki's approximation, made exact by steps of Halley's method in float64."""
    with np.errstate(all="ignore"):
        y = np.abs(x).astype("float64")
        logs = np.log1p(-y * y)
        first = 2 / (math.pi * 0.147) + logs / 2
        root = np.sqrt(np.sqrt(first * first - logs / 0.147) - first)
        for _ in range(3):
            # In terms of erfc, so that no digits are lost where y is nearly 1.
            complement = np.vectorize(math.erfc, otypes=["float64"])(root)
            error = ((1 - y) - complement) / (2 / math.sqrt(math.pi) * np.exp(-root * root))
            root = root - error / (1 + root * error)
        root = np.where(y < 1, root, np.where(y == 1, np.inf, np.nan))
    return np.copysign(root, x)


def i0(x: ArrayLike) -> Tensor:
    """The modified Bessel function of the first kind and order 0.

    Example:
        >>> pydl.ops.i0([0.0, 1.0])
        tensor([1.       , 1.2660658])
    """
    return on_host(np.i0, [_i1], floating(x))


def _i1(x: Tensor) -> Tensor:
    """The derivative of `i0`: the mean of ``cos(t) exp(x cos(t))``, which few points give exactly."""
    cosines = np.cos((np.arange(200) + 0.5) * math.pi / 200)
    return on_host(lambda x: (np.exp(x[..., None] * cosines) * cosines).mean(-1), [_i1_slope], x)


def _i1_slope(x: Tensor) -> Tensor:
    return i0(x) - _core.where(
        _core.equal(x, 0), 0.5, _i1(x) / _core.where(_core.equal(x, 0), 1, x)
    )
