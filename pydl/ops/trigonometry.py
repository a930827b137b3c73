"""Angles: inverse and hyperbolic functions, and conversions. Integers become float32."""

from __future__ import annotations

import math

import numpy as np

from pydl import _core
from pydl._core import Tensor
from pydl.ops.host import computed, floating, on_host, promoted
from pydl.typing import ArrayLike

__all__ = [
    "angle",
    "arccos",
    "arccosh",
    "arcsin",
    "arcsinh",
    "arctan",
    "arctan2",
    "arctanh",
    "cosh",
    "deg2rad",
    "hypot",
    "rad2deg",
    "sinc",
    "sinh",
]


def _quietly(function):
    """Values outside of the domain give NaN without a warning, as in kernels."""

    def quiet(*arrays):
        with np.errstate(all="ignore"):
            return function(*arrays)

    return quiet


def arcsin(x: ArrayLike) -> Tensor:
    """The angle in [-pi/2, pi/2] whose sine is `x`; NaN outside of [-1, 1].

    Example:
        >>> pydl.ops.arcsin([0.0, 1.0])
        tensor([0.       , 1.5707964])
    """
    return on_host(_quietly(np.arcsin), [lambda x: _core.rsqrt(1 - x * x)], floating(x))


def arccos(x: ArrayLike) -> Tensor:
    """The angle in [0, pi] whose cosine is `x`; NaN outside of [-1, 1].

    Example:
        >>> pydl.ops.arccos([1.0, 0.0])
        tensor([0.       , 1.5707964])
    """
    return on_host(_quietly(np.arccos), [lambda x: -_core.rsqrt(1 - x * x)], floating(x))


def arctan(x: ArrayLike) -> Tensor:
    """The angle in (-pi/2, pi/2) whose tangent is `x`.

    Example:
        >>> pydl.ops.arctan([0.0, 1.0])
        tensor([0.       , 0.7853982])
    """
    return on_host(np.arctan, [lambda x: 1 / (1 + x * x)], floating(x))


def arctan2(x1: ArrayLike, x2: ArrayLike) -> Tensor:
    """The angle in [-pi, pi] of the point with ordinate `x1` and abscissa `x2`.

    Args:
        x1: Ordinates, any shape.
        x2: Abscissas, a shape that broadcasts with `x1`.

    Example:
        >>> pydl.ops.arctan2([1.0, -1.0], [0.0, -1.0])
        tensor([ 1.5707964, -2.3561945])
    """
    y, x = map(floating, promoted(x1, x2))
    by_y, by_x = lambda y, x: x / (x * x + y * y), lambda y, x: -y / (x * x + y * y)
    return on_host(np.arctan2, [by_y, by_x], y, x)


def sinh(x: ArrayLike) -> Tensor:
    """The hyperbolic sine.

    Example:
        >>> pydl.ops.sinh([0.0, 1.0])
        tensor([0.       , 1.1752012])
    """
    return on_host(_quietly(np.sinh), [cosh], floating(x))


def cosh(x: ArrayLike) -> Tensor:
    """The hyperbolic cosine.

    Example:
        >>> pydl.ops.cosh([0.0, 1.0])
        tensor([1.       , 1.5430807])
    """
    return on_host(_quietly(np.cosh), [sinh], floating(x))


def arcsinh(x: ArrayLike) -> Tensor:
    """The number whose hyperbolic sine is `x`.

    Example:
        >>> pydl.ops.arcsinh([0.0, 1.0])
        tensor([0.       , 0.8813736])
    """
    return on_host(np.arcsinh, [lambda x: _core.rsqrt(x * x + 1)], floating(x))


def arccosh(x: ArrayLike) -> Tensor:
    """The number of at least 0 whose hyperbolic cosine is `x`; NaN below 1.

    Example:
        >>> pydl.ops.arccosh([1.0, 2.0])
        tensor([0.       , 1.316958])
    """
    return on_host(_quietly(np.arccosh), [lambda x: _core.rsqrt(x * x - 1)], floating(x))


def arctanh(x: ArrayLike) -> Tensor:
    """The number whose hyperbolic tangent is `x`; NaN outside of [-1, 1].

    Example:
        >>> pydl.ops.arctanh([0.0, 0.5])
        tensor([0.       , 0.54930615])
    """
    return on_host(_quietly(np.arctanh), [lambda x: 1 / (1 - x * x)], floating(x))


def hypot(x1: ArrayLike, x2: ArrayLike) -> Tensor:
    """``sqrt(x1**2 + x2**2)`` without overflow, elementwise.

    Example:
        >>> pydl.ops.hypot([3.0, 5.0], [4.0, 12.0])
        tensor([ 5., 13.])
    """
    a, b = map(floating, promoted(x1, x2))
    by_a, by_b = lambda a, b: a / hypot(a, b), lambda a, b: b / hypot(a, b)
    return on_host(np.hypot, [by_a, by_b], a, b)


def sinc(x: ArrayLike) -> Tensor:
    """``sin(pi x) / (pi x)``, and 1 at 0.

    Example:
        >>> pydl.ops.sinc([0.0, 0.5])
        tensor([1.        , 0.63661975])
    """
    return on_host(np.sinc, [_sinc_slope], floating(x))


def _sinc_slope(x: Tensor) -> Tensor:
    away = _core.not_equal(x, 0)
    safe = _core.where(away, x, 1)
    slope = (_core.cos(math.pi * safe) - sinc(safe)) / safe
    return _core.where(away, slope, 0)


def deg2rad(x: ArrayLike) -> Tensor:
    """Degrees to radians.

    Example:
        >>> pydl.ops.deg2rad([180.0])
        tensor([3.1415927])
    """
    return _core.multiply(floating(x), math.pi / 180)


def rad2deg(x: ArrayLike) -> Tensor:
    """Radians to degrees.

    Example:
        >>> pydl.ops.rad2deg([np.pi / 2])
        tensor([90.])
    """
    return _core.multiply(floating(x), 180 / math.pi)


def angle(x: ArrayLike) -> Tensor:
    """The angle of real numbers in the complex plane: 0, or pi for negative ones. Its gradient is 0.

    Example:
        >>> pydl.ops.angle([2.0, -2.0])
        tensor([0.       , 3.1415927])
    """
    return computed(np.angle, floating(x))
