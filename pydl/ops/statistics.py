"""What describes a set of numbers: averages, quantiles, counts, correlations."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from pydl import _core
from pydl._core import DTypeError, ShapeError, Tensor
from pydl.ops.host import array, floating, promoted, wrapped
from pydl.typing import ArrayLike, Axis

__all__ = [
    "amax",
    "amin",
    "average",
    "bincount",
    "corrcoef",
    "correlate",
    "digitize",
    "histogram",
    "median",
    "moments",
    "percentile",
    "ptp",
    "quantile",
    "searchsorted",
]


def amax(x: ArrayLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The same as `max`."""
    return _core.max(x, axis, keepdims)


def amin(x: ArrayLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The same as `min`."""
    return _core.min(x, axis, keepdims)


def ptp(x: ArrayLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The largest element minus the smallest, over axes; arguments as `max`.

    Example:
        >>> pydl.ops.ptp([[1.0, 5.0], [2.0, 9.0]], axis=1)
        tensor([4., 7.])
    """
    return _core.subtract(_core.max(x, axis, keepdims), _core.min(x, axis, keepdims))


def average(x: ArrayLike, axis: Axis = None, weights: ArrayLike | None = None) -> Tensor:
    """The mean over axes, each element counted by its weight.

    Args:
        x: Any shape.
        axis: The axis or axes; None for all.
        weights: The shape of `x`, or as many as `axis` has entries; None counts all alike.

    Raises:
        ShapeError: If the weights have another shape.

    Example:
        >>> pydl.ops.average([1.0, 4.0], weights=[3.0, 1.0])
        tensor(1.75)
    """
    x = floating(x)
    if weights is None:
        return _core.mean(x, axis, False)
    weights = floating(weights)
    if weights.shape != x.shape:
        if not isinstance(axis, int) or weights.shape != (x.shape[axis],):
            raise ShapeError(
                f"[average] expected weights of the shape {x.shape} of x, or one for each entry of "
                f"one axis, got shape {weights.shape} and axis {axis}"
            )
        shape = [1] * x.ndim
        shape[axis] = -1
        weights = _core.reshape(weights, shape)
    total = _core.sum(_core.broadcast_to(weights, x.shape), axis, False)
    return _core.divide(_core.sum(_core.multiply(x, weights), axis, False), total)


def moments(
    x: ArrayLike, axes: Axis, keepdims: bool = False, synchronized: bool = False
) -> tuple[Tensor, Tensor]:
    """Mean and variance over axes.

    Args:
        x: Any shape.
        axes: The axis or axes; None for all.
        keepdims: Whether they stay, with extent 1.
        synchronized: Only False: there is one process.

    Returns:
        ``(mean, variance)``.

    Raises:
        ValueError: If `synchronized` is True.

    Example:
        >>> pydl.ops.moments([1.0, 3.0], axes=0)
        (tensor(2.), tensor(1.))
    """
    if synchronized:
        raise ValueError("[moments] expected synchronized=False, got True")
    x = floating(x)
    return _core.mean(x, axes, keepdims), _core.var(x, axes, keepdims)


def quantile(
    x: ArrayLike,
    q: ArrayLike,
    axis: Axis = None,
    method: str = "linear",
    keepdims: bool = False,
) -> Tensor:
    """The values below which given shares of the elements lie.

    Args:
        x: Any shape; NaN makes the result NaN.
        q: Shares in [0, 1], one or a vector.
        axis: The axis or axes to look along; None for all.
        method: Between two elements: "linear", "lower", "higher", "midpoint" or "nearest".
        keepdims: Whether the axes stay, with extent 1.

    Returns:
        The shape of `x` without the axes; before it, if `q` is a vector, an axis for it.

    Raises:
        ValueError: If a share is outside of [0, 1], `method` is none of these, or there is no element.

    Example:
        >>> pydl.ops.quantile([1.0, 2.0, 4.0], [0.5, 0.75])
        tensor([2., 3.])
    """
    x, shares = floating(x), np.asarray(array(q), "float64")
    if shares.ndim > 1 or not ((shares >= 0) & (shares <= 1)).all():
        raise ValueError(f"[quantile] expected q in [0, 1], a number or a vector, got {q}")
    if method not in ("linear", "lower", "higher", "midpoint", "nearest"):
        raise ValueError(
            f"[quantile] expected method linear, lower, higher, midpoint or nearest, got {method!r}"
        )
    axes = range(x.ndim) if axis is None else (axis,) if isinstance(axis, int) else axis
    axes = sorted(a % x.ndim for a in axes)
    rest = [a for a in range(x.ndim) if a not in axes]
    flat = _core.reshape(_core.permute(x, [*rest, *axes]), [*(x.shape[a] for a in rest), -1])
    count = flat.shape[-1]
    if not count:
        raise ValueError(f"[quantile] expected at least one element, got shape {x.shape}")
    ordered = _core.sort(flat, -1)  # NaN last: the last one tells whether there is any
    spoilt = _core.isnan(_core.slice(ordered, [0] * len(rest) + [count - 1],
                                     [*flat.shape[:-1], 1], [1] * flat.ndim))  # fmt: skip
    results = []
    for share in shares.reshape(-1):
        value = _between(ordered, float(share) * (count - 1), method)
        value = _core.where(_core.reshape(spoilt, value.shape), math.nan, value)
        if keepdims:
            value = _core.reshape(value, [1 if a in axes else s for a, s in enumerate(x.shape)])
        results.append(value)
    return _core.stack(results, 0) if shares.ndim else results[0]


def _between(ordered: Tensor, position: float, method: str) -> Tensor:
    """The element of the last axis at a position that may lie between two."""
    below, above = math.floor(position), math.ceil(position)
    if method == "nearest":
        below = above = math.ceil(position - 0.5)  # of two as near, the lower one
    below = above if method == "higher" else below
    above = below if method == "lower" else above
    low, high = (_core.take(ordered, i, -1) for i in (below, above))
    share = 0.5 if method == "midpoint" else position - below
    return (
        low if below == above else _core.add(low, _core.multiply(_core.subtract(high, low), share))
    )


def percentile(
    x: ArrayLike,
    q: ArrayLike,
    axis: Axis = None,
    method: str = "linear",
    keepdims: bool = False,
) -> Tensor:
    """As `quantile`, with `q` in percent.

    Example:
        >>> pydl.ops.percentile([1.0, 2.0, 4.0], 50.0)
        tensor(2.)
    """
    return quantile(x, np.asarray(array(q), "float64") / 100, axis, method, keepdims)


def median(x: ArrayLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The value in the middle: as many elements are smaller as larger.

    Example:
        >>> pydl.ops.median([[1.0, 9.0, 2.0], [4.0, 5.0, 0.0]], axis=1)
        tensor([2., 4.])
    """
    return quantile(x, 0.5, axis, "linear", keepdims)


def bincount(
    x: ArrayLike, weights: ArrayLike | None = None, minlength: int = 0, sparse: bool = False
) -> Tensor:
    """How often each integer from 0 comes in the last axis.

    Args:
        x: Integers of at least 0, shape ``(n,)`` or ``(batch, n)``.
        weights: What each counts, in the shape of `x`; None counts 1.
        minlength: The least size of the result's last axis.
        sparse: Only False: pydl has no sparse tensors.

    Returns:
        Shape ``(count,)`` or ``(batch, count)``, where `count` is one more than the largest integer,
        or `minlength`; int32, or the dtype of the weights.

    Raises:
        ValueError: If an integer is negative, or `sparse` is True.
        DTypeError: If `x` is not of integers.

    Example:
        >>> pydl.ops.bincount([1, 1, 3])
        tensor([0, 2, 0, 1])
    """
    if sparse:
        raise ValueError("[bincount] expected sparse=False, got True: pydl has no sparse tensors")
    x = _core.as_tensor(x)
    if "int" not in x.dtype:
        raise DTypeError(f"[bincount] expected integers, got {x.dtype}")
    values = array(x)
    if values.ndim not in (1, 2) or (values.size and values.min() < 0):
        raise ValueError(
            f"[bincount] expected integers of at least 0, of shape (n,) or (batch, n), got shape "
            f"{x.shape} and smallest {values.min() if values.size else None}"
        )
    weighted = None if weights is None else _core.as_tensor(weights)
    rows = values.reshape(-1, values.shape[-1])
    shares = [None] * len(rows) if weights is None else array(weighted).reshape(rows.shape)
    length = max(minlength, int(values.max()) + 1 if values.size else 0)
    counts = [np.bincount(row, w, length) for row, w in zip(rows, shares)]
    result = np.stack(counts) if values.ndim == 2 else counts[0]
    return wrapped(result, "int32" if weighted is None else weighted.dtype)


def histogram(
    x: ArrayLike, bins: int = 10, range: tuple[float, float] | None = None
) -> tuple[Tensor, Tensor]:
    """How many elements lie in each of several intervals of equal width.

    Args:
        x: Any shape.
        bins: The number of intervals.
        range: Where the first begins and the last ends; None takes the smallest and largest element.

    Returns:
        The int32 counts and the ``bins + 1`` borders.

    Raises:
        ValueError: If `bins` is not positive or the range is empty.

    Example:
        >>> counts, borders = pydl.ops.histogram([1.0, 2.0, 5.0], bins=2)
        >>> counts, borders
        (tensor([2, 1]), tensor([1., 3., 5.]))
    """
    if not isinstance(bins, int) or bins < 1 or (range is not None and not range[0] < range[1]):
        raise ValueError(
            f"[histogram] expected a positive number of bins and an ascending range, got {bins} "
            f"and {range}"
        )
    x = floating(x)
    counts, borders = np.histogram(array(x), bins, range)
    return wrapped(counts, "int32"), wrapped(borders, x.dtype)


def searchsorted(sorted_sequence: ArrayLike, values: ArrayLike, side: str = "left") -> Tensor:
    """Where values would have to be put into an ascending sequence to keep it ascending.

    Args:
        sorted_sequence: A vector in ascending order.
        values: Any shape.
        side: Before ("left") or behind ("right") equal elements.

    Returns:
        int32 positions in the shape of `values`.

    Raises:
        ValueError: If `side` is another.
        ShapeError: If the sequence is no vector.

    Example:
        >>> pydl.ops.searchsorted([1.0, 2.0, 3.0], [2.0, 9.0])
        tensor([1, 3])
    """
    if side not in ("left", "right"):
        raise ValueError(f"[searchsorted] expected side 'left' or 'right', got {side!r}")
    sequence, values = promoted(sorted_sequence, values, broadcast=False)
    if sequence.ndim != 1:
        raise ShapeError(f"[searchsorted] expected a vector to search, got shape {sequence.shape}")
    return wrapped(np.searchsorted(array(sequence), array(values), side), "int32")


def digitize(x: ArrayLike, bins: Sequence[float] | ArrayLike) -> Tensor:
    """The number of the interval that each element lies in.

    Args:
        x: Any shape.
        bins: The ascending borders; the first interval ends before the first of them.

    Returns:
        int32 numbers from 0 to ``len(bins)``.

    Example:
        >>> pydl.ops.digitize([0.5, 1.0, 7.0], [1.0, 5.0])
        tensor([0, 1, 2])
    """
    return searchsorted(bins, x, "right")


def corrcoef(x: ArrayLike) -> Tensor:
    """Pearson's correlation coefficients of rows.

    Args:
        x: Shape ``(variables, observations)``, or one variable.

    Returns:
        Shape ``(variables, variables)``.

    Example:
        >>> pydl.ops.corrcoef([[1.0, 2.0, 3.0], [2.0, 1.0, 0.0]])
        tensor([[ 1., -1.],
                [-1.,  1.]])
    """
    x = floating(x)
    if x.ndim > 2:
        raise ShapeError(f"[corrcoef] expected one or two axes, got shape {x.shape}")
    centred = _core.subtract(x, _core.mean(x, -1, True))
    if x.ndim < 2:
        return _core.divide(_core.dot(centred, centred), _core.dot(centred, centred))
    lengths = _core.sqrt(_core.sum(_core.square(centred), -1, True))
    products = _core.matmul(centred, _core.permute(centred, (1, 0)))
    scale = _core.matmul(lengths, _core.permute(lengths, (1, 0)))
    return _core.clip(_core.divide(products, scale), -1.0, 1.0)


def correlate(x1: ArrayLike, x2: ArrayLike, mode: str = "valid") -> Tensor:
    """Sums of products of one vector with shifts of another.

    Args:
        x1: A vector.
        x2: A vector.
        mode: "valid": where they fully overlap; "same": as many as the longer has; "full": all.

    Raises:
        ValueError: If `mode` is another.
        ShapeError: If one is no vector, or is empty.

    Example:
        >>> pydl.ops.correlate([1.0, 2.0, 3.0], [0.0, 1.0], mode="valid")
        tensor([2., 3.])
    """
    a, b = map(floating, promoted(x1, x2, broadcast=False))
    if a.ndim != 1 or b.ndim != 1 or not a.size or not b.size:
        raise ShapeError(f"[correlate] expected two vectors, got shapes {a.shape} and {b.shape}")
    if mode not in ("valid", "same", "full"):
        raise ValueError(f"[correlate] expected mode 'valid', 'same' or 'full', got {mode!r}")
    swapped = b.size > a.size
    a, b = (b, a) if swapped else (a, b)
    reach = {"valid": 0, "full": b.size - 1}.get(mode, 0)
    before, after = (reach, reach) if mode != "same" else (b.size // 2, (b.size - 1) // 2)
    padded = _core.pad(a, (before,), (after,), "constant", 0)
    windows = np.arange(padded.size - b.size + 1)[:, None] + np.arange(b.size)
    result = _core.matmul(_core.take(padded, windows, 0), b)
    return _core.flip(result, 0) if swapped else result
