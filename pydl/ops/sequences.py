"""Numbers in a row: window functions, geometric sequences, differences and areas."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pydl import _core
from pydl._core import Tensor
from pydl.ops.creation import linspace
from pydl.ops.host import floating, wrapped
from pydl.typing import ArrayLike, DTypeLike

__all__ = [
    "bartlett",
    "blackman",
    "diff",
    "geomspace",
    "hamming",
    "hanning",
    "kaiser",
    "logspace",
    "trapezoid",
]


def bartlett(x: int) -> Tensor:
    """The triangular window of `x` points, from 0 to 1 to 0.

    Example:
        >>> pydl.ops.bartlett(5)
        tensor([0. , 0.5, 1. , 0.5, 0. ])
    """
    return _window("bartlett", np.bartlett, x)


def blackman(x: int) -> Tensor:
    """Blackman's window of `x` points: a sum of three cosines."""
    return _window("blackman", np.blackman, x)


def hamming(x: int) -> Tensor:
    """Hamming's window of `x` points: a raised cosine that does not reach 0."""
    return _window("hamming", np.hamming, x)


def hanning(x: int) -> Tensor:
    """Von Hann's window of `x` points: a raised cosine from 0 to 1 to 0.

    Example:
        >>> pydl.ops.hanning(5)
        tensor([0. , 0.5, 1. , 0.5, 0. ])
    """
    return _window("hanning", np.hanning, x)


def kaiser(x: int, beta: float) -> Tensor:
    """Kaiser's window of `x` points; the larger `beta`, the narrower."""
    return _window("kaiser", lambda count: np.kaiser(count, float(beta)), x)


def _window(op: str, function: Callable, x: ArrayLike) -> Tensor:
    count = int(_core.as_tensor(x).item())
    if count < 0:
        raise ValueError(f"[{op}] expected a number of points of at least 0, got {count}")
    return wrapped(function(count), "float32")


def logspace(
    start: ArrayLike,
    stop: ArrayLike,
    num: int = 50,
    endpoint: bool = True,
    base: float = 10,
    dtype: DTypeLike | None = None,
    axis: int = 0,
) -> Tensor:
    """`num` powers of `base`, with exponents at even distances from `start` to `stop`.

    The other arguments are those of `linspace`.

    Example:
        >>> pydl.ops.logspace(0.0, 2.0, 3)
        tensor([  1.,  10., 100.])
    """
    exponents = linspace(start, stop, num, endpoint, dtype="float64", axis=axis)
    return _core.cast(_core.power(float(base), exponents), dtype or "float32")


def geomspace(
    start: ArrayLike,
    stop: ArrayLike,
    num: int = 50,
    endpoint: bool = True,
    dtype: DTypeLike | None = None,
    axis: int = 0,
) -> Tensor:
    """`num` numbers from `start` to `stop` of which each is the last one times the same factor.

    The other arguments are those of `linspace`.

    Raises:
        ValueError: If an end is 0, or both have different signs.

    Example:
        >>> pydl.ops.geomspace(1.0, 8.0, 4)
        tensor([1., 2., 4., 8.])
    """
    ends = [_core.cast(_core.as_tensor(end), "float64") for end in (start, stop)]
    signs = [_core.sign(end) for end in ends]
    same = _core.equal(_core.multiply(*signs), 1.0)
    if not _core.all(same).item():
        raise ValueError(
            f"[geomspace] expected two ends of one sign, not 0, got {start} and {stop}"
        )
    logs = [_core.log(_core.abs(end)) for end in ends]
    values = _core.exp(linspace(*logs, num, endpoint, dtype="float64", axis=0))
    values = _core.multiply(values, signs[0])
    if axis != 0:
        order = list(range(1, values.ndim))
        order.insert(axis if axis >= 0 else axis + values.ndim, 0)
        values = _core.permute(values, order)
    return _core.cast(values, dtype or "float32")


def diff(a: ArrayLike, n: int = 1, axis: int = -1) -> Tensor:
    """Differences of neighbours along an axis.

    Args:
        a: Any shape.
        n: How often to take differences.
        axis: The axis, which gets shorter by `n`.

    Raises:
        ValueError: If `n` is negative.

    Example:
        >>> pydl.ops.diff([1, 4, 9, 16])
        tensor([3, 5, 7])
    """
    a = _core.as_tensor(a)
    if n < 0 or not -a.ndim <= axis < a.ndim:
        raise ValueError(
            f"[diff] expected n of at least 0 and an axis of {a.shape}, got {n}, {axis}"
        )
    minus = _core.not_equal if a.dtype == "bool" else _core.subtract
    for _ in range(min(n, a.shape[axis])):
        after, before = _neighbours(a, axis)
        a = minus(after, before)
    return a


def _neighbours(x: Tensor, axis: int) -> tuple[Tensor, Tensor]:
    """All entries of an axis but the first, and all but the last."""
    axis %= x.ndim
    shape = [max(s - 1, 0) if a == axis else s for a, s in enumerate(x.shape)]
    first = [1 if a == axis and x.shape[a] else 0 for a in range(x.ndim)]
    step = [1] * x.ndim
    return _core.slice(x, first, shape, step), _core.slice(x, [0] * x.ndim, shape, step)


def trapezoid(y: ArrayLike, x: ArrayLike | None = None, dx: float = 1.0, axis: int = -1) -> Tensor:
    """The area below the line through given points.

    Args:
        y: Heights.
        x: Where they are, a vector or the shape of `y`; None puts them `dx` apart.
        dx: Their distance.
        axis: The axis to add along.

    Example:
        >>> pydl.ops.trapezoid([1.0, 2.0, 3.0])
        tensor(4.)
    """
    y = floating(y)
    after, before = _neighbours(y, axis)
    widths = dx
    if x is not None:
        x = floating(x)
        widths = diff(x, 1, axis if x.ndim > 1 else 0)
        if x.ndim == 1:
            shape = [1] * y.ndim
            shape[axis] = -1
            widths = _core.reshape(widths, shape)
    return _core.sum(_core.multiply(_core.add(after, before), widths) * 0.5, axis, False)
