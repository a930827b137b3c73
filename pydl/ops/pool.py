"""Pooling of sequences, images and volumes: one value for each window and channel."""

from __future__ import annotations

from collections.abc import Sequence

from pydl import _core
from pydl._core import Tensor
from pydl.typing import ArrayLike, Shape

__all__ = ["average_pool", "global_average_pool", "global_max_pool", "max_pool"]


def max_pool(
    x: ArrayLike,
    pool_size: Shape,
    strides: Shape | None = None,
    padding: str | Sequence[tuple[int, int]] = "valid",
    data_format: str = "channels_last",
) -> Tensor:
    """The largest element of every window; NaN where the window holds one.

    The gradient goes to the first of equal elements.

    Args:
        x: A floating tensor of shape ``(batch, length, channels)``, ``(batch, height, width,
            channels)`` or ``(batch, depth, height, width, channels)``, or with the channels behind the
            batch.
        pool_size: The window's extent along each spatial axis; one integer for all.
        strides: The step from window to window, like `pool_size`; None for the window's extents.
        padding: "valid" for windows inside `x` only; "same" for as many windows as steps, the odd
            element of padding behind; or a pair (before, after) for each spatial axis, smaller than
            the window. Padding never wins.
        data_format: "channels_last" or "channels_first".

    Returns:
        Like `x`, with ``(size + before + after - pool_size) // strides + 1`` along each spatial axis.

    Raises:
        ShapeError: If `x` has another rank or is smaller than the window.
        ValueError: If a size is not positive, or the padding not smaller than the window.

    Example:
        >>> pydl.ops.max_pool([[[1.0], [3.0], [2.0], [4.0]]], pool_size=2)
        tensor([[[3.],
                 [4.]]])
    """
    return _core.max_pool(x, pool_size, strides, padding, data_format)


def average_pool(
    x: ArrayLike,
    pool_size: Shape,
    strides: Shape | None = None,
    padding: str | Sequence[tuple[int, int]] = "valid",
    data_format: str = "channels_last",
) -> Tensor:
    """The mean of every window, over its elements that are not padding; arguments as `max_pool`.

    Example:
        >>> pydl.ops.average_pool([[[1.0], [3.0], [2.0]]], pool_size=2, padding="same")
        tensor([[[2.],
                 [2.]]])
    """
    return _core.average_pool(x, pool_size, strides, padding, data_format)


def global_max_pool(
    x: ArrayLike, data_format: str = "channels_last", keepdims: bool = False
) -> Tensor:
    """The largest element of every channel of every sample.

    Args:
        x: A floating tensor of shape ``(batch, ..., channels)``, or with the channels behind the batch.
        data_format: "channels_last" or "channels_first".
        keepdims: Whether the spatial axes stay, with extent 1.

    Returns:
        Shape ``(batch, channels)``.

    Raises:
        ShapeError: If `x` has no spatial axis, or one of extent 0.

    Example:
        >>> pydl.ops.global_max_pool([[[1.0], [3.0], [2.0]]])
        tensor([[3.]])
    """
    return _core.global_max_pool(x, data_format, keepdims)


def global_average_pool(
    x: ArrayLike, data_format: str = "channels_last", keepdims: bool = False
) -> Tensor:
    """The mean of every channel of every sample; arguments as `global_max_pool`.

    Example:
        >>> pydl.ops.global_average_pool([[[1.0], [3.0], [2.0]]])
        tensor([[2.]])
    """
    return _core.global_average_pool(x, data_format, keepdims)
