"""Reductions that pass over NaN."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pydl import _core
from pydl._core import Tensor
from pydl.ops.host import array, floating
from pydl.ops.reduce import cumprod, cumsum
from pydl.ops.statistics import quantile
from pydl.typing import ArrayLike, Axis, DTypeLike

__all__ = [
    "nanargmax",
    "nanargmin",
    "nancumprod",
    "nancumsum",
    "nanmax",
    "nanmean",
    "nanmedian",
    "nanmin",
    "nanpercentile",
    "nanprod",
    "nanquantile",
    "nanstd",
    "nansum",
    "nanvar",
]

_INFINITY = float("inf")


def _filled(x: ArrayLike, value: float) -> Tensor:
    x = _core.as_tensor(x)
    return _core.where(_core.isnan(x), value, x) if "float" in x.dtype else x


def _count(x: Tensor, axis: Axis, keepdims: bool) -> Tensor:
    """How many elements are numbers, in the dtype of `x`."""
    return _core.sum(_core.cast(_core.logical_not(_core.isnan(x)), x.dtype), axis, keepdims)


def nansum(x: ArrayLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The sum of the elements that are not NaN; arguments as `sum`.

    Example:
        >>> pydl.ops.nansum([1.0, float("nan"), 3.0])
        tensor(4.)
    """
    return _core.sum(_filled(x, 0.0), axis, keepdims)


def nanprod(x: ArrayLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The product of the elements that are not NaN; arguments as `prod`.

    Example:
        >>> pydl.ops.nanprod([2.0, float("nan"), 3.0])
        tensor(6.)
    """
    return _core.prod(_filled(x, 1.0), axis, keepdims)


def nanmean(x: ArrayLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The mean of the elements that are not NaN; NaN where there are none. Arguments as `mean`.

    Example:
        >>> pydl.ops.nanmean([1.0, float("nan"), 3.0])
        tensor(2.)
    """
    x = floating(x)
    return _core.divide(nansum(x, axis, keepdims), _count(x, axis, keepdims))


def nanvar(x: ArrayLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The variance of the elements that are not NaN; arguments as `var`.

    Example:
        >>> pydl.ops.nanvar([1.0, float("nan"), 3.0])
        tensor(1.)
    """
    x = floating(x)
    distance = _core.subtract(_filled(x, 0.0), nanmean(x, axis, True))
    distance = _core.where(
        _core.isnan(x), 0.0, distance
    )  # before squaring, for the gradient's sake
    total = _core.sum(_core.square(distance), axis, keepdims)
    return _core.divide(total, _count(x, axis, keepdims))


def nanstd(x: ArrayLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The standard deviation of the elements that are not NaN; arguments as `std`.

    Example:
        >>> pydl.ops.nanstd([1.0, float("nan"), 3.0])
        tensor(1.)
    """
    return _core.sqrt(nanvar(x, axis, keepdims))


def nanmax(x: ArrayLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The largest element that is not NaN; NaN where there is none. Arguments as `max`.

    Example:
        >>> pydl.ops.nanmax([1.0, float("nan"), 3.0])
        tensor(3.)
    """
    return _extreme(_core.max, -_INFINITY, x, axis, keepdims)


def nanmin(x: ArrayLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The smallest element that is not NaN; NaN where there is none. Arguments as `min`.

    Example:
        >>> pydl.ops.nanmin([1.0, float("nan"), 3.0])
        tensor(1.)
    """
    return _extreme(_core.min, _INFINITY, x, axis, keepdims)


def _extreme(reduce: Callable, worst: float, x: ArrayLike, axis: Axis, keepdims: bool) -> Tensor:
    x = _core.as_tensor(x)
    result = reduce(_filled(x, worst), axis, keepdims)
    if "float" not in x.dtype:
        return result
    return _core.where(_core.all(_core.isnan(x), axis, keepdims), float("nan"), result)


def nanargmax(x: ArrayLike, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """Where the largest element that is not NaN is; -1 where there is none. Arguments as `argmax`.

    Example:
        >>> pydl.ops.nanargmax([1.0, float("nan"), 3.0])
        tensor(2)
    """
    return _position(_core.argmax, -_INFINITY, x, axis, keepdims)


def nanargmin(x: ArrayLike, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """Where the smallest element that is not NaN is; -1 where there is none. Arguments as `argmin`.

    Example:
        >>> pydl.ops.nanargmin([4.0, float("nan"), 3.0])
        tensor(2)
    """
    return _position(_core.argmin, _INFINITY, x, axis, keepdims)


def _position(
    search: Callable, worst: float, x: ArrayLike, axis: int | None, keepdims: bool
) -> Tensor:
    x = _core.as_tensor(x)
    result = search(_filled(x, worst), axis, keepdims)
    if "float" not in x.dtype:
        return result
    return _core.where(_core.all(_core.isnan(x), axis, keepdims), -1, result)


def nancumsum(x: ArrayLike, axis: int | None = None, dtype: DTypeLike | None = None) -> Tensor:
    """Running sums in which NaN counts as 0; arguments as `cumsum`.

    Example:
        >>> pydl.ops.nancumsum([1.0, float("nan"), 3.0])
        tensor([1., 1., 4.])
    """
    return cumsum(_filled(x, 0.0), axis, dtype)


def nancumprod(x: ArrayLike, axis: int | None = None, dtype: DTypeLike | None = None) -> Tensor:
    """Running products in which NaN counts as 1; arguments as `cumprod`.

    Example:
        >>> pydl.ops.nancumprod([2.0, float("nan"), 3.0])
        tensor([2., 2., 6.])
    """
    return cumprod(_filled(x, 1.0), axis, dtype)


def nanquantile(
    x: ArrayLike,
    q: ArrayLike,
    axis: Axis = None,
    method: str = "linear",
    keepdims: bool = False,
) -> Tensor:
    """As `quantile` of the elements that are not NaN; NaN where there are none.

    Example:
        >>> pydl.ops.nanquantile([1.0, float("nan"), 3.0], 0.5)
        tensor(2.)
    """
    x = floating(x)
    axes = range(x.ndim) if axis is None else (axis,) if isinstance(axis, int) else axis
    axes = sorted(a % x.ndim for a in axes)
    rest = [a for a in range(x.ndim) if a not in axes]
    shape = [x.shape[a] for a in rest]
    rows = _core.reshape(_core.permute(x, [*rest, *axes]), [int(np.prod(shape)), -1])
    several = np.ndim(array(q)) == 1
    results = []
    for row, missing in zip(_core.unstack(rows, 0), array(_core.isnan(rows))):
        kept = _core.take(row, np.flatnonzero(~missing), 0) if not missing.all() else row
        results.append(quantile(kept, q, None, method))
    result = _core.stack(results, 1 if several else 0)
    shape = [1 if a in axes else s for a, s in enumerate(x.shape)] if keepdims else shape
    return _core.reshape(result, [*result.shape[:1], *shape] if several else shape)


def nanpercentile(
    x: ArrayLike,
    q: ArrayLike,
    axis: Axis = None,
    method: str = "linear",
    keepdims: bool = False,
) -> Tensor:
    """As `nanquantile`, with `q` in percent."""
    return nanquantile(x, np.asarray(array(q), "float64") / 100, axis, method, keepdims)


def nanmedian(x: ArrayLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """As `median` of the elements that are not NaN.

    Example:
        >>> pydl.ops.nanmedian([1.0, float("nan"), 3.0])
        tensor(2.)
    """
    return nanquantile(x, 0.5, axis, "linear", keepdims)
