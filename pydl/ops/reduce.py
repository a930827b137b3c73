"""Reductions over any axes, and running sums and products."""

from __future__ import annotations

import math

from pydl import _core
from pydl._core import Tensor
from pydl.typing import ArrayLike, Axis, DTypeLike

__all__ = [
    "all",
    "any",
    "argmax",
    "argmin",
    "count_nonzero",
    "cumprod",
    "cumsum",
    "logsumexp",
    "max",
    "mean",
    "min",
    "norm",
    "prod",
    "std",
    "sum",
    "var",
]


def sum(x: ArrayLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The sum of elements over axes.

    Floating sums are accurate (many partial sums, halves in float32) and bitwise the same for any
    number of threads and on every instruction set.

    Args:
        x: Any shape.
        axis: The axis or axes to sum over; None sums everything.
        keepdims: Whether summed axes stay, with extent 1.

    Returns:
        The shape of `x` without the summed axes, in the dtype of `x`; int32 for bool, int8 and
        uint8. Integers wrap around where they overflow. The sum of nothing is 0.

    Raises:
        ValueError: If an axis is outside the rank or given twice.

    Example:
        >>> pydl.ops.sum([[1.0, 2.0], [3.0, 4.0]], axis=0)
        tensor([4., 6.])
    """
    return _core.sum(x, axis, keepdims)


def mean(x: ArrayLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The mean of elements over axes; arguments as `sum`.

    Returns:
        The dtype of `x`; float32 for integers and bool. The mean of nothing is NaN.

    Example:
        >>> pydl.ops.mean([[1, 2], [3, 6]], axis=1)
        tensor([1.5, 4.5])
    """
    return _core.mean(x, axis, keepdims)


def prod(x: ArrayLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The product of elements over axes; arguments and dtypes as `sum`.

    The gradient is right where elements are 0, too. The product of nothing is 1.

    Example:
        >>> pydl.ops.prod([[1.0, 2.0], [3.0, 4.0]], axis=1)
        tensor([ 2., 12.])
    """
    return _core.prod(x, axis, keepdims)


def max(x: ArrayLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The largest element over axes; arguments as `sum`. NaN wins.

    Elements that tie share the gradient equally.

    Raises:
        ValueError: If there is no element to choose from.

    Example:
        >>> pydl.ops.max([[1, 5], [7, 3]], axis=0)
        tensor([7, 5])
    """
    return _core.max(x, axis, keepdims)


def min(x: ArrayLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The smallest element over axes; all else as `max`.

    Example:
        >>> pydl.ops.min([[1, 5], [7, 3]], axis=0)
        tensor([1, 3])
    """
    return _core.min(x, axis, keepdims)


def argmax(x: ArrayLike, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """Where the largest element is: the first of equal ones, the first NaN if there is one.

    Args:
        x: Any shape.
        axis: The axis to search; None searches the flattened tensor.
        keepdims: Whether the axis stays, with extent 1.

    Returns:
        int32 positions along the axis.

    Raises:
        ValueError: If `axis` is outside the rank, or there is no element along it.

    Example:
        >>> pydl.ops.argmax([[1.0, 5.0, 2.0], [7.0, 3.0, 7.0]], axis=1)
        tensor([1, 0])
    """
    return _core.argmax(x, axis, keepdims)


def argmin(x: ArrayLike, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """Where the smallest element is; all else as `argmax`.

    Example:
        >>> pydl.ops.argmin([3.0, 1.0, 2.0])
        tensor(1)
    """
    return _core.argmin(x, axis, keepdims)


def any(x: ArrayLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Whether any element is not 0 (NaN is not); arguments as `sum`.

    Returns:
        bool; False for no elements.

    Example:
        >>> pydl.ops.any([[True, False], [False, False]], axis=1)
        tensor([ True, False])
    """
    return _core.any(x, axis, keepdims)


def all(x: ArrayLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Whether no element is 0; arguments as `sum`.

    Returns:
        bool; True for no elements.

    Example:
        >>> pydl.ops.all([[True, False], [True, True]], axis=1)
        tensor([False,  True])
    """
    return _core.all(x, axis, keepdims)


def count_nonzero(x: ArrayLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """How many elements are not 0; arguments as `sum`.

    Returns:
        int32.

    Example:
        >>> pydl.ops.count_nonzero([[0.0, 1.0], [2.0, 3.0]], axis=0)
        tensor([1, 2])
    """
    return _core.count_nonzero(x, axis, keepdims)


def var(x: ArrayLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The variance over axes: the mean squared distance from the mean; arguments as `sum`.

    Divides by the number of elements, not by one less. Means and distances are taken per block and
    merged, so nothing cancels where the mean is large beside the spread (Chan, Golub and LeVeque,
    "Updating formulae and a pairwise algorithm for computing sample variances", 1979).

    Returns:
        The dtype of `x`; float32 for integers and bool. NaN for no elements.

    Example:
        >>> pydl.ops.var([1.0, 2.0, 3.0, 4.0])
        tensor(1.25)
    """
    return _core.var(x, axis, keepdims)


def std(x: ArrayLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The square root of `var`. Its gradient is 0 where all elements are equal.

    Example:
        >>> pydl.ops.std([1.0, 1.0, 5.0, 5.0])
        tensor(2.)
    """
    return _core.std(x, axis, keepdims)


def logsumexp(x: ArrayLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """``log(sum(exp(x)))`` over axes, without overflow; arguments as `sum`.

    Returns:
        The dtype of `x`; float32 for integers and bool. -inf for no elements.

    Example:
        >>> round(pydl.ops.logsumexp([1000.0, 1000.0]).item(), 3)
        1000.693
    """
    return _core.logsumexp(x, axis, keepdims)


def norm(
    x: ArrayLike, ord: int | float | str | None = None, axis: Axis = None, keepdims: bool = False
) -> Tensor:
    """The norm of vectors or matrices, as ``numpy.linalg.norm``.

    Args:
        x: Any shape.
        ord: For vectors: None or 2 is Euclidean, 1 the sum of magnitudes, inf and -inf the largest
            and smallest magnitude, 0 the number of nonzeros, another number p is
            ``sum(abs(x) ** p) ** (1 / p)``. For matrices: None or "fro" is Euclidean over all
            elements, 1 and -1 the largest and smallest column sum of magnitudes, inf and -inf that
            of rows.
        axis: One axis for vectors, two for matrices. None takes everything: as one vector when
            `ord` is None, else `x` must have 1 or 2 axes.
        keepdims: Whether the axes stay, with extent 1.

    Returns:
        The dtype of `x`; float32 for integers and bool. The gradient of the Euclidean norm at 0 is 0.

    Raises:
        ValueError: If `ord` is none of these, or does not fit the number of axes.

    Example:
        >>> pydl.ops.norm([3.0, 4.0])
        tensor(5.)
    """
    if ord is None:
        return _core.norm(x, axis, keepdims)
    x = _floating(x)
    axes = _norm_axes(x, axis)
    if len(axes) == 1:
        return _vector_norm(x, ord, axes[0], keepdims)
    return _matrix_norm(x, ord, axes, keepdims)


def _floating(x: ArrayLike) -> Tensor:
    tensor = _core.as_tensor(x)
    return tensor if tensor.dtype.startswith(("float", "bfloat")) else _core.cast(tensor, "float32")


def _norm_axes(x: Tensor, axis: Axis) -> tuple[int, ...]:
    axes = tuple(range(x.ndim)) if axis is None else (axis,) if isinstance(axis, int) else tuple(axis)
    if len(axes) not in (1, 2):
        raise ValueError(
            f"[norm] expected 1 axis for vectors or 2 for matrices when ord is given, got {len(axes)} "
            f"for shape {x.shape}. Hint: pass axis"
        )
    return axes


def _vector_norm(x: Tensor, ord: int | float | str, axis: int, keepdims: bool) -> Tensor:
    if isinstance(ord, str):
        raise ValueError(f"[norm] expected a number as the order of a vector's norm, got {ord!r}")
    if ord == 2:
        return _core.norm(x, axis, keepdims)
    if ord == 1:
        return _core.sum_abs(x, axis, keepdims)
    if ord == 0:
        return _core.cast(_core.count_nonzero(x, axis, keepdims), x.dtype)
    magnitude = _core.abs(x)
    if math.isinf(ord):
        return (_core.max if ord > 0 else _core.min)(magnitude, axis, keepdims)
    return _core.power(_core.sum(_core.power(magnitude, float(ord)), axis, keepdims), 1.0 / ord)


def _matrix_norm(x: Tensor, ord: int | float | str, axes: tuple[int, ...], keepdims: bool) -> Tensor:
    if ord == "fro":
        return _core.norm(x, axes, keepdims)
    if ord not in (1, -1, math.inf, -math.inf):
        raise ValueError(
            f"[norm] expected None, 'fro', 1, -1, inf or -inf as the order of a matrix's norm, got "
            f"{ord!r}. Hint: norms of singular values are in numpy.linalg.norm"
        )
    rows, columns = axes if abs(ord) == 1 else axes[::-1]
    sums = _core.sum_abs(x, rows, True)
    result = (_core.max if ord > 0 else _core.min)(sums, columns, True)
    return result if keepdims else _core.sum(result, axes)


def cumsum(x: ArrayLike, axis: int | None = None, dtype: DTypeLike | None = None) -> Tensor:
    """Running sums along an axis: ``y[i] = x[0] + ... + x[i]``.

    Args:
        x: Any shape.
        axis: The axis; None takes the flattened tensor.
        dtype: What to convert `x` to before summing; None keeps its dtype (int32 for bool, int8 and
            uint8). Floating sums accumulate in float64 whatever the dtype.

    Returns:
        The shape of `x`, or one axis where `axis` is None.

    Raises:
        ValueError: If `axis` is outside the rank.

    Example:
        >>> pydl.ops.cumsum([1.0, 2.0, 3.0])
        tensor([1., 3., 6.])
    """
    return _core.cumsum(*_along(x, axis, dtype))


def cumprod(x: ArrayLike, axis: int | None = None, dtype: DTypeLike | None = None) -> Tensor:
    """Running products along an axis: ``y[i] = x[0] * ... * x[i]``; arguments as `cumsum`.

    Example:
        >>> pydl.ops.cumprod([1.0, 2.0, 3.0])
        tensor([1., 2., 6.])
    """
    return _core.cumprod(*_along(x, axis, dtype))


def _along(x: ArrayLike, axis: int | None, dtype: DTypeLike | None) -> tuple[Tensor, int]:
    tensor = _core.as_tensor(x)
    if dtype is not None:
        tensor = _core.cast(tensor, dtype)
    return (_core.reshape(tensor, -1), 0) if axis is None else (tensor, axis)
