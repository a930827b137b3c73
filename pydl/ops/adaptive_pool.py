"""Pooling to a given size, whatever the size of the input."""

from __future__ import annotations

import math
from collections.abc import Callable

from pydl import _core
from pydl._core import Tensor
from pydl.errors import ShapeError
from pydl.ops.pool import average_pool, max_pool
from pydl.ops.shape import moveaxis
from pydl.typing import ArrayLike, Shape

__all__ = ["adaptive_average_pool", "adaptive_max_pool"]

_MOST_WINDOWS = 2**16  # along an axis; each is pooled by itself


def adaptive_average_pool(
    inputs: ArrayLike, output_size: Shape, data_format: str = "channels_last"
) -> Tensor:
    """The means of windows that divide each spatial axis as evenly as can be.

    The i-th of n windows along an axis of `size` elements goes from ``floor(i * size / n)`` to
    ``ceil((i + 1) * size / n)``, as in PyTorch.

    Args:
        inputs: A floating tensor of shape ``(batch, ..., channels)`` with one to three spatial axes,
            or with the channels behind the batch.
        output_size: How many windows along each spatial axis; one integer for all.
        data_format: "channels_last" or "channels_first".

    Returns:
        Shape ``(batch, *output_size, channels)``, or with the channels behind the batch.

    Raises:
        ShapeError: If `inputs` has another rank than `output_size` asks for, or an empty axis.

    Example:
        >>> pydl.ops.adaptive_average_pool([[[1.0], [2.0], [3.0]]], 2)
        tensor([[[1.5],
                 [2.5]]])
    """
    return _adaptive_pool("adaptive_average_pool", average_pool, inputs, output_size, data_format)


def adaptive_max_pool(
    inputs: ArrayLike, output_size: Shape, data_format: str = "channels_last"
) -> Tensor:
    """The largest elements of such windows; arguments as `adaptive_average_pool`.

    Example:
        >>> pydl.ops.adaptive_max_pool([[[1.0], [2.0], [3.0]]], 2)
        tensor([[[2.],
                 [3.]]])
    """
    return _adaptive_pool("adaptive_max_pool", max_pool, inputs, output_size, data_format)


def _adaptive_pool(
    name: str, pool: Callable, inputs: ArrayLike, output_size: Shape, data_format: str
) -> Tensor:
    """Pool one axis after the other: means of means and maxima of maxima."""
    x = _core.as_tensor(inputs)
    if data_format == "channels_first":
        return moveaxis(_adaptive_pool(name, pool, moveaxis(x, 1, -1), output_size, ""), -1, 1)
    axes = x.ndim - 2
    sizes = (output_size,) * axes if isinstance(output_size, int) else tuple(output_size)
    if axes < 1 or len(sizes) != axes or 0 in x.shape[1:-1] or min(sizes) < 1:
        raise ShapeError(
            f"[{name}] expected (batch, ..., channels) with as many spatial axes as output_size has "
            f"sizes, none 0, got shape {x.shape} and {output_size}"
        )
    if max(sizes) > _MOST_WINDOWS:
        raise ShapeError(
            f"[{name}] expected at most {_MOST_WINDOWS} windows along an axis, got {output_size}"
        )
    for axis, parts in enumerate(sizes, 1):
        x = _pool_axis(pool, x, axis, parts)
    return x


def _pool_axis(pool: Callable, x: Tensor, axis: int, parts: int) -> Tensor:
    shape = x.shape
    before, size, behind = shape[:axis], shape[axis], shape[axis + 1 :]
    columns = _core.reshape(x, (math.prod(before), size, 1, math.prod(behind)))
    if size % parts == 0:
        pooled = pool(columns, (size // parts, 1))
    else:
        windows = [(i * size // parts, -(-(i + 1) * size // parts)) for i in range(parts)]
        pooled = _core.concatenate(
            [pool(columns[:, start:end], (end - start, 1)) for start, end in windows], 1
        )
    return _core.reshape(pooled, (*before, parts, *behind))
