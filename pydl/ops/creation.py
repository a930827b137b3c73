"""Tensors made from a rule.

Where a dtype is None it is float32, or that of the tensor which the result shall be like.
"""

from __future__ import annotations

from typing import Any

from pydl import _core
from pydl._core import Tensor
from pydl.typing import ArrayLike, DTypeLike, Shape

__all__ = [
    "arange",
    "empty",
    "empty_like",
    "eye",
    "full",
    "full_like",
    "identity",
    "linspace",
    "one_hot",
    "ones",
    "ones_like",
    "tril",
    "triu",
    "zeros",
    "zeros_like",
]


def empty(shape: Shape, dtype: DTypeLike | None = None) -> Tensor:
    """A tensor of arbitrary values, for code that writes all of them."""
    return _core.empty(shape, dtype or "float32")


def full(shape: Shape, fill_value: ArrayLike, dtype: DTypeLike | None = None) -> Tensor:
    """A tensor with one value everywhere.

    Args:
        shape: The extents.
        fill_value: A number, or an array that broadcasts to `shape`.
        dtype: The element type; None is float32.

    Raises:
        ValueError: If an extent is negative or the value does not fit the dtype.

    Example:
        >>> pydl.ops.full((2, 2), 7.0)
        tensor([[7., 7.],
                [7., 7.]])
    """
    dtype = dtype or "float32"
    if isinstance(fill_value, int):
        return _core.full_integer(shape, fill_value, dtype)
    if isinstance(fill_value, float):
        return _core.full(shape, fill_value, dtype)
    return _core.copy(_core.broadcast_to(_core.cast(fill_value, dtype), shape))


def zeros(shape: Shape, dtype: DTypeLike | None = None) -> Tensor:
    """A tensor of zeros; arguments as `full`."""
    return _core.full_integer(shape, 0, dtype or "float32")


def ones(shape: Shape, dtype: DTypeLike | None = None) -> Tensor:
    """A tensor of ones; arguments as `full`."""
    return _core.full_integer(shape, 1, dtype or "float32")


def full_like(x: ArrayLike, fill_value: ArrayLike, dtype: DTypeLike | None = None) -> Tensor:
    """As `full`, with the shape and, where `dtype` is None, the dtype of `x`."""
    x = _core.as_tensor(x)
    return full(x.shape, fill_value, dtype or x.dtype)


def empty_like(x: ArrayLike, dtype: DTypeLike | None = None) -> Tensor:
    """A tensor with the shape and, where `dtype` is None, the dtype of `x`; its elements are any."""
    x = _core.as_tensor(x)
    return _core.empty(x.shape, dtype or x.dtype)


def zeros_like(x: ArrayLike, dtype: DTypeLike | None = None) -> Tensor:
    """Zeros with the shape and, where `dtype` is None, the dtype of `x`."""
    return full_like(x, 0, dtype)


def ones_like(x: ArrayLike, dtype: DTypeLike | None = None) -> Tensor:
    """Ones with the shape and, where `dtype` is None, the dtype of `x`."""
    return full_like(x, 1, dtype)


def arange(
    start: float, stop: float | None = None, step: float = 1, dtype: DTypeLike | None = None
) -> Tensor:
    """``start, start + step, ...`` up to but not including `stop`.

    Args:
        start: The first value; with no `stop`, the result is ``0 .. start - 1``.
        stop: The end, which does not belong to the result.
        step: The difference of neighbours, not 0.
        dtype: None is int32 for integers (int64 where they need it) and float32 for floats.

    Raises:
        ValueError: If `step` is 0.

    Example:
        >>> pydl.ops.arange(1, 10, 3)
        tensor([1, 4, 7])
    """
    if stop is None:
        start, stop = 0, start
    step = 1 if step is None else step
    start, stop, step = (_plain_number("arange", value) for value in (start, stop, step))
    if all(isinstance(value, int) for value in (start, stop, step)):
        if dtype is None:
            dtype = "int32" if max(abs(start), abs(stop)) < 2**31 else "int64"
        return _core.arange_integer(start, stop, step, dtype)
    return _core.arange(start, stop, step, dtype or "float32")


def _plain_number(op: str, value: Any) -> int | float:
    if hasattr(value, "item"):
        value = value.item()
    if not isinstance(value, (int, float)):
        raise _core.DTypeError(f"[{op}] expected numbers, got {value!r}")
    return value


def linspace(
    start: ArrayLike,
    stop: ArrayLike,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: DTypeLike | None = None,
    axis: int = 0,
) -> Tensor | tuple[Tensor, Any]:
    """`num` values at even distances from `start` to `stop`.

    Args:
        start: The first value, or a tensor of first values.
        stop: The last value, or a tensor that broadcasts with `start`.
        num: How many values.
        endpoint: Whether `stop` itself is the last one.
        retstep: Whether to return the distance too.
        dtype: A floating dtype; None is float32.
        axis: Where the axis of values goes, for tensors.

    Returns:
        The values, or a pair of the values and the distance.

    Example:
        >>> pydl.ops.linspace(0, 1, 5)
        tensor([0.  , 0.25, 0.5 , 0.75, 1.  ])
    """
    steps = max(num - 1 if endpoint else num, 1)
    if isinstance(start, (int, float)) and isinstance(stop, (int, float)):
        values = _core.linspace(start, stop, num, endpoint, dtype or "float32")
        return (values, (stop - start) / steps) if retstep else values
    dtype = dtype or "float32"
    start, stop = _core.cast(start, dtype), _core.cast(stop, dtype)
    difference = _core.subtract(stop, start)
    share = _core.linspace(0.0, 1.0 if endpoint else (num - 1) / steps, num, True, dtype)
    share = _core.reshape(share, (num,) + (1,) * difference.ndim)
    # Weights of both ends, so that the last value is `stop` itself.
    rest = _core.subtract(1.0, share)
    values = _core.add(_core.multiply(start, rest), _core.multiply(stop, share))
    if axis != 0:
        axes = list(range(1, values.ndim))
        axes.insert(axis if axis >= 0 else axis + values.ndim, 0)
        values = _core.permute(values, axes)
    return (values, _core.multiply(difference, 1.0 / steps)) if retstep else values


def eye(N: int, M: int | None = None, k: int = 0, dtype: DTypeLike | None = None) -> Tensor:
    """An ``(N, M)`` matrix with ones on a diagonal and zeros elsewhere.

    Args:
        N: The number of rows.
        M: The number of columns; None is `N`.
        k: The diagonal: 0 is the main one, 1 the one above it.
        dtype: The element type; None is float32.

    Example:
        >>> pydl.ops.eye(2, 3, k=1)
        tensor([[0., 1., 0.],
                [0., 0., 1.]])
    """
    return _core.eye(N, N if M is None else M, k, dtype or "float32")


def identity(n: int, dtype: DTypeLike | None = None) -> Tensor:
    """The ``(n, n)`` identity matrix."""
    return eye(n, dtype=dtype)


def one_hot(
    x: ArrayLike, num_classes: int, axis: int = -1, dtype: DTypeLike | None = None
) -> Tensor:
    """Rows that are 1 at an index and 0 elsewhere.

    Args:
        x: Integer class indices, any shape. A negative index gives a row of zeros.
        num_classes: The extent of the new axis.
        axis: Where the new axis goes.
        dtype: The element type; None is float32.

    Raises:
        IndexError: If an index is `num_classes` or more.
        DTypeError: If `x` is not of integers.

    Example:
        >>> pydl.ops.one_hot([0, 2], 3)
        tensor([[1., 0., 0.],
                [0., 0., 1.]])
    """
    rows = _core.one_hot(x, num_classes, dtype or "float32")
    if not -rows.ndim <= axis < rows.ndim:
        raise ValueError(
            f"[one_hot] expected an axis in [{-rows.ndim}, {rows.ndim}), got {axis}"
        )
    if axis % rows.ndim == rows.ndim - 1:
        return rows
    axes = list(range(rows.ndim - 1))
    axes.insert(axis % rows.ndim, rows.ndim - 1)
    return _core.permute(rows, axes)


def tril(x: ArrayLike, k: int = 0) -> Tensor:
    """The elements on and below a diagonal; the others become 0.

    Args:
        x: Shape ``(..., rows, columns)``.
        k: The diagonal: 0 is the main one, 1 the one above it.

    Raises:
        ShapeError: If `x` has fewer than two axes.
    """
    return _core.tril(x, k)


def triu(x: ArrayLike, k: int = 0) -> Tensor:
    """The elements on and above a diagonal; the others become 0. Arguments as `tril`."""
    return _core.triu(x, k)
