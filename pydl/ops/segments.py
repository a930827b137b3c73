"""Scattering to positions, and reductions of segments; memberships among the largest."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pydl import _core
from pydl._core import DTypeError, ShapeError, Tensor
from pydl.ops.creation import one_hot
from pydl.ops.host import array, floating
from pydl.ops.indexing import scatter_add
from pydl.typing import ArrayLike, DTypeLike

__all__ = [
    "in_top_k",
    "multi_hot",
    "scatter",
    "scatter_update",
    "segment_max",
    "segment_min",
    "segment_prod",
    "segment_sum",
]


def segment_sum(
    data: ArrayLike, segment_ids: ArrayLike, num_segments: int | None = None, sorted: bool = False
) -> Tensor:
    """Sums of the entries of the first axis that have the same number.

    Args:
        data: Shape ``(n, ...)``.
        segment_ids: The number of each entry, from 0, shape ``(n,)``; those outside are left out.
        num_segments: How many numbers there are; None is one more than the largest.
        sorted: Whether the numbers ascend, which changes nothing here.

    Returns:
        Shape ``(num_segments, ...)``.

    Raises:
        ShapeError: If there is not one number for each entry.

    Example:
        >>> pydl.ops.segment_sum([1.0, 2.0, 3.0], [0, 1, 0])
        tensor([4., 2.])
    """
    return _segments("segment_sum", data, segment_ids, num_segments, None)


def segment_max(
    data: ArrayLike, segment_ids: ArrayLike, num_segments: int | None = None, sorted: bool = False
) -> Tensor:
    """The largest of the entries that have the same number; arguments as `segment_sum`.

    For a number without entries it is minus infinity, or the dtype's smallest integer.

    Example:
        >>> pydl.ops.segment_max([1.0, 2.0, 3.0], [0, 1, 0])
        tensor([3., 2.])
    """
    return _segments("segment_max", data, segment_ids, num_segments, "max")


def segment_min(
    data: ArrayLike, segment_ids: ArrayLike, num_segments: int | None = None, sorted: bool = False
) -> Tensor:
    """The smallest of the entries that have the same number; arguments as `segment_sum`.

    For a number without entries it is infinity, or the dtype's largest integer.

    Example:
        >>> pydl.ops.segment_min([1.0, 2.0, 3.0], [0, 1, 0])
        tensor([1., 2.])
    """
    return _segments("segment_min", data, segment_ids, num_segments, "min")


def segment_prod(
    data: ArrayLike, segment_ids: ArrayLike, num_segments: int | None = None, sorted: bool = False
) -> Tensor:
    """Products of the entries that have the same number; arguments as `segment_sum`.

    Example:
        >>> pydl.ops.segment_prod([2.0, 5.0, 3.0], [0, 1, 0])
        tensor([6., 5.])
    """
    return _segments("segment_prod", data, segment_ids, num_segments, "mul")


def _segments(
    op: str, data: ArrayLike, segment_ids: ArrayLike, count: int | None, reduction: str | None
) -> Tensor:
    data, numbers = _core.as_tensor(data), array(segment_ids).astype("int64")
    if data.ndim < 1 or numbers.shape != data.shape[:1]:
        raise ShapeError(
            f"[{op}] expected a number for each of the entries of shape {data.shape}, got numbers of "
            f"shape {numbers.shape}"
        )
    count = count if count is not None else int(numbers.max(initial=-1)) + 1
    inside = np.flatnonzero((numbers >= 0) & (numbers < count))
    data, numbers = _core.take(data, inside, 0), numbers[inside]
    shape = (count, *data.shape[1:])
    if reduction is None:
        start = _core.full(shape, 0, data.dtype)
        where = np.broadcast_to(numbers.reshape(-1, *[1] * (data.ndim - 1)), data.shape)
        return scatter_add(start, where, data, 0) if data.size else start
    start = {"mul": 1, "max": _limit(data.dtype, -1), "min": _limit(data.dtype, 1)}[reduction]
    full = _core.full_integer if isinstance(start, int) else _core.full
    return scatter_update(full(shape, start, data.dtype), numbers[:, None], data, reduction)


def _limit(dtype: str, sign: int) -> float | int:
    if "float" in dtype:
        return sign * float("inf")
    limits = np.iinfo(dtype)
    return int(limits.max if sign > 0 else limits.min)


def scatter(indices: ArrayLike, values: ArrayLike, shape: Sequence[int]) -> Tensor:
    """A tensor of zeros with values added at positions.

    Args:
        indices: Positions ``(..., axes)`` along the first axes of the result.
        values: What to add there: the batch of `indices`, then the other axes of the result.
        shape: Of the result.

    Example:
        >>> pydl.ops.scatter([[0], [2], [2]], [1.0, 5.0, 1.0], (4,))
        tensor([1., 0., 6., 0.])
    """
    values = _core.as_tensor(values)
    return scatter_update(_core.full(tuple(shape), 0, values.dtype), indices, values, "add")


def scatter_update(
    inputs: ArrayLike, indices: ArrayLike, updates: ArrayLike, reduction: str | None = None
) -> Tensor:
    """A copy of a tensor with other values at positions.

    Args:
        inputs: Any shape.
        indices: Positions ``(..., axes)`` along the first axes of `inputs`.
        updates: The batch of `indices`, then the other axes of `inputs`.
        reduction: None puts the values in place of the old ones (the last of those at one position);
            "add", "mul", "max" and "min" combine old ones and all new ones.

    Raises:
        IndexError: If a position is outside.
        ShapeError: If the shapes do not fit.
        ValueError: If `reduction` is another.

    Example:
        >>> pydl.ops.scatter_update([0.0, 0.0, 0.0], [[2], [0]], [5.0, 7.0])
        tensor([7., 0., 5.])
    """
    if reduction not in (None, "add", "mul", "max", "min"):
        raise ValueError(
            f"[scatter_update] expected reduction None, 'add', 'mul', 'max' or 'min', got {reduction!r}"
        )
    inputs, positions = _core.as_tensor(inputs), array(indices)
    if positions.dtype.kind not in "iu":
        raise DTypeError(f"[scatter_update] expected integer indices, got {positions.dtype}")
    axes = positions.shape[-1] if positions.ndim else 0
    if not 1 <= axes <= inputs.ndim:
        raise ShapeError(
            f"[scatter_update] expected indices (..., up to {inputs.ndim}), got {positions.shape}"
        )
    leading, rest = inputs.shape[:axes], inputs.shape[axes:]
    outside = (positions < -np.array(leading)) | (positions >= np.array(leading))
    if outside.any():
        raise IndexError(
            f"[scatter_update] expected positions within {leading}, got {positions[outside.any(-1)][0]}"
        )
    wanted = (*positions.shape[:-1], *rest)
    updates = _core.cast(_core.as_tensor(updates), inputs.dtype)
    updates = _core.broadcast_to(updates, wanted) if updates.shape != wanted else updates
    flat = np.ravel_multi_index(
        tuple(
            np.moveaxis(np.where(positions < 0, positions + np.array(leading), positions), -1, 0)
        ),
        leading,
    ).reshape(-1)
    rows = _core.reshape(inputs, (int(np.prod(leading)), -1))
    new = _core.reshape(updates, (flat.size, -1))
    return _core.reshape(_scattered(rows, flat, new, reduction), inputs.shape)


def _scattered(rows: Tensor, where: np.ndarray, new: Tensor, reduction: str | None) -> Tensor:
    if not new.size:
        return rows
    if reduction == "add":
        return scatter_add(rows, np.broadcast_to(where[:, None], new.shape), new, 0)
    # Rows that are hit as often as each other are combined at once; the last is put over all.
    order = np.argsort(where, kind="stable")
    turns = np.empty_like(order)
    starts = np.r_[True, np.diff(where[order]) > 0]
    turns[order] = np.arange(where.size) - np.maximum.accumulate(
        np.where(starts, np.arange(where.size), 0)
    )
    combine = {"mul": _core.multiply, "max": _core.maximum, "min": _core.minimum}.get(reduction)
    for turn in range(int(turns.max()) + 1):
        picked = np.flatnonzero(turns == turn)
        value = _core.take(new, picked, 0)
        if combine is not None:
            value = combine(_core.take(rows, where[picked], 0), value)
        source = np.arange(rows.shape[0])
        source[where[picked]] = rows.shape[0] + np.arange(picked.size)
        rows = _core.take(_core.concatenate([rows, value], 0), source, 0)
    return rows


def multi_hot(
    inputs: ArrayLike,
    num_classes: int | None = None,
    axis: int = -1,
    dtype: DTypeLike | None = None,
    sparse: bool = False,
) -> Tensor:
    """Which classes come in each row, as ones and zeros.

    Args:
        inputs: Class numbers ``(batch, n)`` or ``(n,)``; numbers outside count nothing.
        num_classes: The number of classes.
        axis: Where the axis of classes goes.
        dtype: The dtype; None is float32.
        sparse: Only False: pydl has no sparse tensors.

    Raises:
        ValueError: If `num_classes` is missing or `sparse` is True.

    Example:
        >>> pydl.ops.multi_hot([[0, 2], [1, 1]], 3)
        tensor([[1., 0., 1.],
                [0., 1., 0.]])
    """
    if num_classes is None or sparse:
        raise ValueError(
            f"[multi_hot] expected num_classes and sparse=False, got {num_classes} and {sparse}"
        )
    inputs = _core.as_tensor(inputs)
    encoded = one_hot(_core.cast(inputs, "int32"), num_classes, axis, dtype)
    return _core.max(encoded, 1 if inputs.ndim > 1 else 0, False)


def in_top_k(targets: ArrayLike, predictions: ArrayLike, k: int) -> Tensor:
    """Whether the target is among the `k` classes with the largest predictions, as bools.

    Args:
        targets: Class numbers ``(batch,)``.
        predictions: Scores ``(batch, classes)``.
        k: How many; a class that ties with the last of them counts too.

    Raises:
        ShapeError: If the shapes do not fit.

    Example:
        >>> pydl.ops.in_top_k([1, 0], [[0.1, 0.9], [0.2, 0.8]], k=1)
        tensor([ True, False])
    """
    targets, predictions = _core.as_tensor(targets), floating(predictions)
    if predictions.ndim != 2 or targets.shape != predictions.shape[:1]:
        raise ShapeError(
            f"[in_top_k] expected targets (batch,) and predictions (batch, classes), got shapes "
            f"{targets.shape} and {predictions.shape}"
        )
    own = _core.take_along_axis(predictions, _core.expand_dims(targets, 1), 1)
    better = _core.sum(_core.cast(_core.greater(predictions, own), "int32"), 1, False)
    finite = _core.isfinite(_core.squeeze(own, 1))
    return _core.logical_and(_core.less(better, k), finite)
