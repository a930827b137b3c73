"""Reading and writing at positions.

Indices are integers; negative ones count from the end of the axis. One outside the axis raises an
IndexError that names it. NumPy's indexing itself is on tensors: ``t[key]`` and ``t[key] = value``.
"""

from __future__ import annotations

from pydl import _core
from pydl._core import Tensor
from pydl.typing import ArrayLike, Shape

__all__ = [
    "diagonal",
    "embedding",
    "gather",
    "scatter_add",
    "slice",
    "slice_update",
    "take",
    "take_along_axis",
    "trace",
]


def take(x: ArrayLike, indices: ArrayLike, axis: int | None = None) -> Tensor:
    """Entries of an axis, as ``numpy.take``.

    Args:
        x: Any shape.
        indices: Integers of any shape.
        axis: The axis to take from; None takes elements of the flattened `x`.

    Returns:
        The shape of `x` with the axis replaced by the shape of `indices`.

    Raises:
        IndexError: If an index is outside the axis.

    Example:
        >>> pydl.ops.take([[1.0, 2.0], [3.0, 4.0]], [1, 1, 0], axis=0)
        tensor([[3., 4.],
                [3., 4.],
                [1., 2.]])
    """
    return _core.take(x, indices, axis)


def embedding(weights: ArrayLike, indices: ArrayLike) -> Tensor:
    """The rows of a matrix that `indices` name.

    The gradient sums into the rows that were used; their order, and so the sum, does not depend on
    the number of threads.

    Args:
        weights: Shape ``(vocabulary, features)``.
        indices: Integers of any shape, in ``[0, vocabulary)``.

    Returns:
        Shape ``(*indices.shape, features)``.

    Raises:
        IndexError: If an index is negative or not below the vocabulary.
        ShapeError: If `weights` is no matrix.

    Example:
        >>> pydl.ops.embedding([[1.0, 2.0], [3.0, 4.0]], [1, 0])
        tensor([[3., 4.],
                [1., 2.]])
    """
    return _core.embedding(weights, indices)


def take_along_axis(x: ArrayLike, indices: ArrayLike, axis: int | None = None) -> Tensor:
    """One element of the axis for each index, as ``numpy.take_along_axis``.

    Args:
        x: Any shape.
        indices: Integers with as many axes as `x`; the axes but `axis` broadcast with those of `x`.
        axis: The axis; None uses the flattened `x`.

    Example:
        >>> pydl.ops.take_along_axis([[1.0, 2.0], [3.0, 4.0]], [[1], [0]], axis=1)
        tensor([[2.],
                [3.]])
    """
    if axis is None:
        x, axis = _core.reshape(x, -1), 0
    return _core.take_along_axis(x, indices, axis)


def gather(x: ArrayLike, indices: ArrayLike, axis: int) -> Tensor:
    """``y[.., j, ..] = x[.., indices[.., j, ..], ..]``; the inverse of `scatter_add`.

    Args:
        x: Any shape.
        indices: Integers with as many axes as `x`, none but `axis` longer than there.
        axis: The axis that `indices` count along.

    Returns:
        The shape of `indices`.

    Raises:
        IndexError: If an index is outside the axis.
        ShapeError: If the shapes do not fit.
    """
    return _core.gather(x, indices, axis)


def scatter_add(x: ArrayLike, indices: ArrayLike, updates: ArrayLike, axis: int) -> Tensor:
    """A copy of `x` with `updates` added at the positions that `gather` would read.

    Equal indices add up, in the same order for any number of threads.

    Args:
        x: Any shape.
        indices: Integers with as many axes as `x`, none but `axis` longer than there.
        updates: A shape that broadcasts to that of `indices`.
        axis: The axis that `indices` count along.

    Raises:
        IndexError: If an index is outside the axis.
        ShapeError: If the shapes do not fit.
        DTypeError: If the dtype of `x` cannot hold `updates`.

    Example:
        >>> pydl.ops.scatter_add([1.0, 1.0, 1.0], [2, 0, 2], [5.0, 6.0, 7.0], axis=0)
        tensor([ 7.,  1., 13.])
    """
    return _core.scatter_add(x, indices, updates, axis)


def slice(inputs: ArrayLike, start_indices: Shape, shape: Shape) -> Tensor:
    """The block of a given shape that begins at `start_indices`: a view.

    Args:
        inputs: Any shape.
        start_indices: Where the block begins, one index an axis.
        shape: The extents of the block.

    Raises:
        IndexError: If the block is not inside.

    Example:
        >>> pydl.ops.slice([[1, 2, 3], [4, 5, 6]], (0, 1), (2, 2))
        tensor([[2, 3],
                [5, 6]])
    """
    inputs = _core.as_tensor(inputs)
    return _core.slice(inputs, start_indices, shape, (1,) * inputs.ndim)


def slice_update(inputs: ArrayLike, start_indices: Shape, updates: ArrayLike) -> Tensor:
    """A copy of `inputs` with the block that begins at `start_indices` replaced by `updates`.

    Raises:
        IndexError: If the block is not inside.
        DTypeError: If the dtype of `inputs` cannot hold `updates`.

    Example:
        >>> pydl.ops.slice_update([1.0, 2.0, 3.0], (1,), [9.0])
        tensor([1., 9., 3.])
    """
    return _core.slice_update(inputs, start_indices, updates)


def diagonal(x: ArrayLike, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    """The diagonal of two axes, as a new last axis: a view.

    Args:
        x: At least two axes.
        offset: The diagonal: 0 is the main one, 1 the one above it.
        axis1: The axis of rows.
        axis2: The axis of columns.
    """
    return _core.diagonal(x, offset, axis1, axis2)


def trace(x: ArrayLike, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    """The sum of `diagonal`."""
    return _core.sum(_core.diagonal(x, offset, axis1, axis2), -1, False)
