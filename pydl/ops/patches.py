"""Blocks of images: taken out, put back, exchanged for channels; images compared."""

from __future__ import annotations

import math

import numpy as np

from pydl import _core
from pydl._core import ShapeError, Tensor
from pydl.ops.host import floating, promoted
from pydl.ops.indexing import scatter_add
from pydl.typing import ArrayLike

__all__ = ["depth_to_space", "fold", "psnr", "space_to_depth", "unfold"]


def _pair(value) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else tuple(value)


def _positions(shape, kernel_size, dilation, padding, stride) -> tuple[np.ndarray, tuple[int, int]]:
    """Where, in a padded and flattened picture, each element of each block is."""
    sizes = [s + 2 * p for s, p in zip(shape, _pair(padding))]
    rows, columns = (
        np.arange(0, size - d * (k - 1), s)[None] + d * np.arange(k)[:, None]
        for size, k, d, s in zip(sizes, _pair(kernel_size), _pair(dilation), _pair(stride))
    )
    flat = rows[:, None, :, None] * sizes[1] + columns[None, :, None, :]
    return flat.reshape(-1, rows.shape[1] * columns.shape[1]), tuple(sizes)


def unfold(
    x: ArrayLike,
    kernel_size: int | tuple[int, int],
    dilation: int | tuple[int, int] = 1,
    padding: int | tuple[int, int] = 0,
    stride: int | tuple[int, int] = 1,
) -> Tensor:
    """The blocks of images that a convolution would look at, as columns.

    Args:
        x: Images with the channels first, ``(batch, channels, height, width)``.
        kernel_size: Of the blocks; one number for both sides, as below.
        dilation: The distance of neighbours in a block.
        padding: Zeros put around the images.
        stride: The distance of neighbouring blocks.

    Returns:
        Shape ``(batch, channels * kernel height * kernel width, blocks)``.

    Raises:
        ShapeError: If `x` has another rank, or no block fits.

    Example:
        >>> pydl.ops.unfold(np.ones((1, 1, 3, 3), "float32"), 2).shape
        (1, 4, 4)
    """
    x = _core.as_tensor(x)
    if x.ndim != 4:
        raise ShapeError(f"[unfold] expected (batch, channels, height, width), got shape {x.shape}")
    where, sizes = _positions(x.shape[2:], kernel_size, dilation, padding, stride)
    if not where.size:
        raise ShapeError(f"[unfold] expected blocks that fit into {sizes}, got {kernel_size}")
    around = [0, 0, *_pair(padding)]
    x = _core.pad(x, around, around, "constant", 0) if any(around) else x
    batch, channels = x.shape[:2]
    blocks = _core.take(_core.reshape(x, (batch, channels, -1)), where, 2)
    return _core.reshape(blocks, (batch, -1, where.shape[1]))


def fold(
    x: ArrayLike,
    output_size: int | tuple[int, int],
    kernel_size: int | tuple[int, int],
    dilation: int | tuple[int, int] = 1,
    padding: int | tuple[int, int] = 0,
    stride: int | tuple[int, int] = 1,
) -> Tensor:
    """Images from blocks, which add up where they overlap: what takes `unfold`'s gradient back.

    Args:
        x: Blocks ``(batch, channels * kernel height * kernel width, blocks)``.
        output_size: Height and width of the images.
        kernel_size: As in `unfold`.
        dilation: As in `unfold`.
        padding: As in `unfold`.
        stride: As in `unfold`.

    Returns:
        Shape ``(batch, channels, height, width)``.

    Raises:
        ShapeError: If there is another number of blocks, or of elements in a block.

    Example:
        >>> pydl.ops.fold(np.ones((1, 4, 4), "float32"), 3, 2)[0, 0]
        tensor([[1., 2., 1.],
                [2., 4., 2.],
                [1., 2., 1.]])
    """
    x = _core.as_tensor(x)
    size = _pair(output_size)
    where, sizes = _positions(size, kernel_size, dilation, padding, stride)
    area = math.prod(_pair(kernel_size))
    if x.ndim != 3 or x.shape[1] % area or x.shape[2] != where.shape[1]:
        raise ShapeError(
            f"[fold] expected (batch, channels * {area}, {where.shape[1]}), got shape {x.shape}"
        )
    rows = _core.reshape(x, (-1, where.size))
    start = _core.full((rows.shape[0], math.prod(sizes)), 0, x.dtype)
    total = scatter_add(start, np.broadcast_to(where.reshape(-1), rows.shape), rows, 1)
    images = _core.reshape(total, (x.shape[0], x.shape[1] // area, *sizes))
    begin = (0, 0, *_pair(padding))
    return _core.slice(images, begin, (*images.shape[:2], *size), (1, 1, 1, 1))


def depth_to_space(x: ArrayLike, block_size: int, data_format: str = "channels_last") -> Tensor:
    """Larger images with fewer channels: each pixel's channels become a block of pixels.

    Args:
        x: A batch of images.
        block_size: Height and width of a block.
        data_format: "channels_last" or "channels_first".

    Raises:
        ShapeError: If the channels are not divisible by the area of a block.

    Example:
        >>> pydl.ops.depth_to_space([[[[1, 2, 3, 4]]]], 2).tolist()
        [[[[1], [2]], [[3], [4]]]]
    """
    x = _images("depth_to_space", x, data_format)
    last = data_format == "channels_last"
    channels, b = x.shape[-1 if last else 1], block_size
    if channels % b**2:
        raise ShapeError(f"[depth_to_space] expected channels divisible by {b**2}, got {x.shape}")
    channels //= b**2
    if last:
        n, h, w, _ = x.shape
        x = _core.permute(_core.reshape(x, (n, h, w, b, b, channels)), (0, 1, 3, 2, 4, 5))
        return _core.reshape(x, (n, h * b, w * b, channels))
    n, _, h, w = x.shape
    x = _core.permute(_core.reshape(x, (n, channels, b, b, h, w)), (0, 1, 4, 2, 5, 3))
    return _core.reshape(x, (n, channels, h * b, w * b))


def space_to_depth(x: ArrayLike, block_size: int, data_format: str = "channels_last") -> Tensor:
    """Smaller images with more channels: the inverse of `depth_to_space`.

    Raises:
        ShapeError: If height or width are not divisible by `block_size`.

    Example:
        >>> pydl.ops.space_to_depth([[[[1], [2]], [[3], [4]]]], 2).tolist()
        [[[[1, 2, 3, 4]]]]
    """
    x = _images("space_to_depth", x, data_format)
    last, b = data_format == "channels_last", block_size
    n, h, w, channels = x.shape if last else (x.shape[0], *x.shape[2:], x.shape[1])
    if h % b or w % b:
        raise ShapeError(f"[space_to_depth] expected sides divisible by {b}, got {h} and {w}")
    if last:
        x = _core.permute(_core.reshape(x, (n, h // b, b, w // b, b, channels)), (0, 1, 3, 2, 4, 5))
        return _core.reshape(x, (n, h // b, w // b, channels * b * b))
    x = _core.permute(_core.reshape(x, (n, channels, h // b, b, w // b, b)), (0, 1, 3, 5, 2, 4))
    return _core.reshape(x, (n, channels * b * b, h // b, w // b))


def _images(op: str, x: ArrayLike, data_format: str) -> Tensor:
    x = _core.as_tensor(x)
    if data_format not in ("channels_last", "channels_first"):
        raise ValueError(
            f"[{op}] expected data_format 'channels_last' or 'channels_first', got {data_format!r}"
        )
    if x.ndim != 4:
        raise ShapeError(f"[{op}] expected a batch of images, got shape {x.shape}")
    return x


def psnr(x1: ArrayLike, x2: ArrayLike, max_val: float) -> Tensor:
    """The peak signal-to-noise ratio of two tensors of one shape, in decibels.

    Args:
        x1: Images or anything else.
        x2: The same shape.
        max_val: The largest value there can be.

    Returns:
        One number, infinite where both are equal.

    Raises:
        ShapeError: If the shapes differ.

    Example:
        >>> pydl.ops.psnr([0.0, 0.0], [0.1, 0.1], 1.0).numpy().round(3).item()
        20.0
    """
    a, b = map(floating, promoted(x1, x2, broadcast=False))
    if a.shape != b.shape:
        raise ShapeError(f"[psnr] expected two tensors of one shape, got {a.shape} and {b.shape}")
    error = _core.mean(_core.square(a - b), None, False)
    return 20 * math.log10(max_val) - _core.log(error) * (10 / math.log(10))
