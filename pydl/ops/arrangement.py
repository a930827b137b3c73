"""Tensors joined, cut, turned and laid out, named as in NumPy."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pydl import _core
from pydl._core import ShapeError, Tensor
from pydl.ops.host import wrapped
from pydl.ops.shape import concatenate, split, stack
from pydl.typing import ArrayLike, DTypeLike

__all__ = [
    "append",
    "array_split",
    "diag",
    "diagflat",
    "dsplit",
    "dstack",
    "fliplr",
    "flipud",
    "hsplit",
    "hstack",
    "meshgrid",
    "ndim",
    "rot90",
    "size",
    "tri",
    "vander",
    "vsplit",
    "vstack",
]


def ndim(x: ArrayLike) -> int:
    """The number of axes, a Python int."""
    return _core.as_tensor(x).ndim


def size(x: ArrayLike) -> int:
    """The number of elements, a Python int."""
    return _core.as_tensor(x).size


def append(x1: ArrayLike, x2: ArrayLike, axis: int | None = None) -> Tensor:
    """`x2` joined behind `x1` along an axis; both flattened if it is None.

    Example:
        >>> pydl.ops.append([1, 2], [[3], [4]])
        tensor([1, 2, 3, 4])
    """
    parts = [_core.as_tensor(x1), _core.as_tensor(x2)]
    return concatenate([_core.reshape(p, -1) for p in parts] if axis is None else parts, axis or 0)


def vstack(xs: Sequence[ArrayLike]) -> Tensor:
    """Joins tensors along the first axis; vectors become rows.

    Example:
        >>> pydl.ops.vstack([[1, 2], [3, 4]])
        tensor([[1, 2],
                [3, 4]])
    """
    return concatenate([_at_least(x, 2) for x in xs], 0)


def hstack(xs: Sequence[ArrayLike]) -> Tensor:
    """Joins tensors along the second axis, vectors along their only one.

    Example:
        >>> pydl.ops.hstack([[1, 2], [3]])
        tensor([1, 2, 3])
    """
    parts = [_at_least(x, 1) for x in xs]
    return concatenate(parts, 0 if parts and parts[0].ndim == 1 else 1)


def dstack(xs: Sequence[ArrayLike]) -> Tensor:
    """Joins tensors along the third axis; vectors and matrices get the axes they lack.

    Example:
        >>> pydl.ops.dstack([[1, 2], [3, 4]])
        tensor([[[1, 3],
                 [2, 4]]])
    """
    return concatenate([_at_least(x, 3) for x in xs], 2)


def _at_least(x: ArrayLike, rank: int) -> Tensor:
    """With axes as ``numpy.atleast_2d`` and its like add them."""
    x = _core.as_tensor(x)
    if x.ndim >= rank:
        return x
    if x.ndim == 0:
        return _core.reshape(x, (1,) * rank)
    if rank == 2:
        return _core.expand_dims(x, 0)
    return _core.expand_dims(x, (0, 2) if x.ndim == 1 else 2)


def array_split(
    x: ArrayLike, indices_or_sections: int | Sequence[int], axis: int = 0
) -> list[Tensor]:
    """As `split`, but the first parts are longer by one where equal ones do not fit.

    Raises:
        ValueError: If the number of parts is not positive.

    Example:
        >>> [part.tolist() for part in pydl.ops.array_split([1, 2, 3], 2)]
        [[1, 2], [3]]
    """
    x = _core.as_tensor(x)
    if not isinstance(indices_or_sections, int):
        return split(x, indices_or_sections, axis)
    if indices_or_sections < 1:
        raise ValueError(f"[array_split] expected at least one part, got {indices_or_sections}")
    each, longer = divmod(x.shape[axis], indices_or_sections)
    sizes = [each + 1] * longer + [each] * (indices_or_sections - longer)
    return split(x, np.cumsum(sizes)[:-1].tolist(), axis)


def vsplit(x: ArrayLike, indices_or_sections: int | Sequence[int]) -> list[Tensor]:
    """As `split` along the first axis."""
    return split(x, indices_or_sections, 0)


def hsplit(x: ArrayLike, indices_or_sections: int | Sequence[int]) -> list[Tensor]:
    """As `split` along the second axis, or the only one."""
    return split(x, indices_or_sections, 1 if ndim(x) > 1 else 0)


def dsplit(x: ArrayLike, indices_or_sections: int | Sequence[int]) -> list[Tensor]:
    """As `split` along the third axis."""
    return split(x, indices_or_sections, 2)


def flipud(x: ArrayLike) -> Tensor:
    """A view with the first axis reversed.

    Example:
        >>> pydl.ops.flipud([[1, 2], [3, 4]])
        tensor([[3, 4],
                [1, 2]])
    """
    return _core.flip(x, 0)


def fliplr(x: ArrayLike) -> Tensor:
    """A view with the second axis reversed.

    Example:
        >>> pydl.ops.fliplr([[1, 2], [3, 4]])
        tensor([[2, 1],
                [4, 3]])
    """
    return _core.flip(x, 1)


def rot90(array: ArrayLike, k: int = 1, axes: tuple[int, int] = (0, 1)) -> Tensor:
    """Turns a tensor by right angles in the plane of two axes.

    Args:
        array: At least two axes.
        k: How many right angles, from the first of `axes` towards the second.
        axes: Two different axes.

    Raises:
        ValueError: If there are not two different axes.

    Example:
        >>> pydl.ops.rot90([[1, 2], [3, 4]])
        tensor([[2, 4],
                [1, 3]])
    """
    x = _core.as_tensor(array)
    if len(axes) != 2 or x.ndim < 2 or axes[0] % x.ndim == axes[1] % x.ndim:
        raise ValueError(f"[rot90] expected two different axes of shape {x.shape}, got {axes}")
    first, second = (a % x.ndim for a in axes)
    if k % 4 == 0:
        return x
    if k % 4 == 2:
        return _core.flip(x, (first, second))
    order = list(range(x.ndim))
    order[first], order[second] = second, first
    if k % 4 == 1:
        return _core.permute(_core.flip(x, second), order)
    return _core.flip(_core.permute(x, order), second)


def meshgrid(*x: ArrayLike, indexing: str = "xy") -> list[Tensor]:
    """The coordinates of all points of a grid, one tensor for each axis.

    Args:
        *x: Vectors: the coordinates along each axis.
        indexing: "xy" gives shape ``(len(x[1]), len(x[0]), ...)``, "ij" ``(len(x[0]), len(x[1]), ...)``.

    Raises:
        ValueError: If `indexing` is another.

    Example:
        >>> pydl.ops.meshgrid([1, 2, 3], [4, 5])[1]
        tensor([[4, 4, 4],
                [5, 5, 5]])
    """
    if indexing not in ("xy", "ij"):
        raise ValueError(f"[meshgrid] expected indexing 'xy' or 'ij', got {indexing!r}")
    vectors = [_core.reshape(v, -1) for v in x]
    shape = [v.size for v in vectors]
    grids = []
    for i, vector in enumerate(vectors):
        along = [1] * len(vectors)
        along[i] = -1
        grids.append(_core.broadcast_to(_core.reshape(vector, along), shape))
    if indexing == "xy" and len(grids) > 1:
        order = [1, 0, *range(2, len(grids))]
        grids = [_core.permute(grid, order) for grid in grids]
    return grids


def diag(x: ArrayLike, k: int = 0) -> Tensor:
    """The diagonal of a matrix, or the matrix that has a vector as its diagonal.

    Args:
        x: A matrix or a vector.
        k: Which diagonal: 0 is the main one, 1 the one above it.

    Raises:
        ShapeError: If `x` has another rank.

    Example:
        >>> pydl.ops.diag([1, 2])
        tensor([[1, 0],
                [0, 2]])
    """
    x = _core.as_tensor(x)
    if x.ndim == 2:
        return _core.diagonal(x, k, 0, 1)
    if x.ndim != 1:
        raise ShapeError(f"[diag] expected a vector or a matrix, got shape {x.shape}")
    extent = x.size + abs(k)
    columns = _core.pad(x, (max(k, 0),), (max(-k, 0),), "constant", 0)
    spread = _core.broadcast_to(_core.expand_dims(columns, 0), (extent, extent))
    on_diagonal = np.eye(extent, k=k, dtype=bool)
    return _core.where(wrapped(on_diagonal), spread, 0)


def diagflat(x: ArrayLike, k: int = 0) -> Tensor:
    """The matrix that has the elements of `x`, flattened, as a diagonal; arguments as `diag`.

    Example:
        >>> pydl.ops.diagflat([[5], [7]])
        tensor([[5, 0],
                [0, 7]])
    """
    return diag(_core.reshape(x, -1), k)


def tri(N: int, M: int | None = None, k: int = 0, dtype: DTypeLike | None = None) -> Tensor:
    """A matrix of ones on and below a diagonal, zeros above.

    Args:
        N: Rows.
        M: Columns; None is `N`.
        k: Which diagonal: 0 is the main one, 1 the one above it.
        dtype: The dtype; None is float32.

    Example:
        >>> pydl.ops.tri(2, 3)
        tensor([[1., 0., 0.],
                [1., 1., 0.]])
    """
    return _core.tril(_core.full((N, N if M is None else M), 1, dtype or "float32"), k)


def vander(x: ArrayLike, N: int | None = None, increasing: bool = False) -> Tensor:
    """Powers of the elements of a vector, as columns.

    Args:
        x: A vector.
        N: The number of columns; None is as many as elements.
        increasing: Whether the exponents rise from left to right.

    Raises:
        ShapeError: If `x` is no vector.

    Example:
        >>> pydl.ops.vander([2, 3], 3)
        tensor([[4, 2, 1],
                [9, 3, 1]])
    """
    x = _core.as_tensor(x)
    if x.ndim != 1:
        raise ShapeError(f"[vander] expected a vector, got shape {x.shape}")
    count = x.size if N is None else N
    room = _core.empty((x.size, count), x.dtype)  # or an error before a long loop
    columns = [_core.power(x, i) for i in range(count)]
    if not columns:
        return room
    return stack(columns if increasing else columns[::-1], 1)
