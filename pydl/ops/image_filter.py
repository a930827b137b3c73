"""Images looked at through windows: blur, edges, likeness, patches; and their colours as hue."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pydl import _core
from pydl._core import ShapeError, Tensor
from pydl.ops.conv import conv
from pydl.ops.host import floating, wrapped
from pydl.ops.image_batch import on_batch
from pydl.typing import ArrayLike

__all__ = [
    "extract_patches",
    "extract_patches_3d",
    "gaussian_blur",
    "hsv_to_rgb",
    "rgb_to_hsv",
    "sobel_edges",
    "ssim",
]


def gaussian_blur(
    images: ArrayLike,
    kernel_size: tuple[int, int] = (3, 3),
    sigma: tuple[float, float] = (1.0, 1.0),
    data_format: str | None = None,
) -> Tensor:
    """Images whose pixels are weighted means of those around; beyond the edge are zeros.

    Args:
        images: A floating image or a batch.
        kernel_size: The number of columns and of rows of the window.
        sigma: The standard deviations of the weights along both.
        data_format: "channels_last", also for None, or "channels_first".

    Returns:
        Like `images`.

    Raises:
        ValueError: If a size or a deviation is not positive.

    Example:
        >>> from pydl.ops import image
        >>> image.gaussian_blur([[[1.0], [1.0], [1.0]]], (3, 1))[0, 1].numpy().round(4).tolist()
        [1.0]
    """
    if min(kernel_size) < 1 or min(sigma) <= 0:
        raise ValueError(
            f"[gaussian_blur] expected positive sizes and deviations, got {kernel_size} and {sigma}"
        )
    columns, rows = (_bell(n, s) for n, s in zip(kernel_size, sigma))
    return on_batch(
        "gaussian_blur",
        lambda x: _filtered(x, np.outer(rows, columns), "same"),
        images,
        data_format,
    )


def _bell(size: int, sigma: float) -> np.ndarray:
    weights = np.exp(-0.5 * ((np.arange(size) - (size - 1) / 2) / sigma) ** 2)
    return weights / weights.sum()


def _filtered(batch: Tensor, kernel: np.ndarray, padding: str) -> Tensor:
    """A convolution of every channel with one window."""
    weights = wrapped(np.repeat(kernel[:, :, None, None], batch.shape[-1], 2), batch.dtype)
    return _core.depthwise_conv(
        batch, weights, None, (1, 1), padding, "channels_last", (1, 1), None
    )


_SOBEL = np.array([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]])


def sobel_edges(images: ArrayLike, data_format: str | None = None) -> Tensor:
    """How much the brightness changes from row to row and from column to column.

    Args:
        images: A batch of floating images; beyond their edges are zeros.
        data_format: "channels_last", also for None, or "channels_first".

    Returns:
        The shape of `images` and a last axis with both changes.

    Raises:
        ShapeError: If `images` is no batch.

    Example:
        >>> from pydl.ops import image
        >>> image.sobel_edges([[[[0.0], [1.0], [2.0]]] * 3])[0, 1, 1, 0]
        tensor([0., 8.])
    """
    images = _core.as_tensor(images)
    if images.ndim != 4:
        raise ShapeError(f"[sobel_edges] expected a batch of images, got shape {images.shape}")
    parts = [
        on_batch("sobel_edges", lambda x: _filtered(x, kernel, "same"), images, data_format)
        for kernel in (_SOBEL.T, _SOBEL)
    ]
    return _core.stack(parts, -1)


def ssim(
    image1: ArrayLike,
    image2: ArrayLike,
    max_val: float = 1.0,
    filter_size: int = 11,
    filter_sigma: float = 1.5,
    k1: float = 0.01,
    k2: float = 0.03,
    data_format: str | None = None,
) -> Tensor:
    """The structural similarity of images: 1 for equal ones, less for others.

    Wang et al. (2004), "Image quality assessment: from error visibility to structural similarity".

    Args:
        image1: An image or a batch.
        image2: Likewise, of the same shape.
        max_val: The largest value that pixels can have.
        filter_size: Rows and columns of the window that local statistics are taken over.
        filter_sigma: The standard deviation of its weights.
        k1: Keeps the comparison of brightness from dividing by 0.
        k2: Keeps the comparison of contrast from dividing by 0.
        data_format: "channels_last", also for None, or "channels_first".

    Returns:
        One number, or one an image.

    Raises:
        ShapeError: If the shapes differ or are smaller than the window.

    Example:
        >>> from pydl.ops import image
        >>> picture = np.random.default_rng(0).random((12, 12, 1))
        >>> round(image.ssim(picture, picture).item(), 4)
        1.0
    """
    x, y = floating(image1), floating(image2)
    if x.shape != y.shape or x.ndim not in (3, 4):
        raise ShapeError(f"[ssim] expected two images of one shape, got {x.shape} and {y.shape}")
    if x.ndim == 3:
        x, y = x[None], y[None]
    if data_format == "channels_first":
        x, y = x.transpose(0, 2, 3, 1), y.transpose(0, 2, 3, 1)
    bell = _bell(filter_size, filter_sigma)

    def mean(values: Tensor) -> Tensor:
        return _filtered(values, np.outer(bell, bell), "valid")

    c1, c2 = (k1 * max_val) ** 2, (k2 * max_val) ** 2
    of_x, of_y = mean(x), mean(y)
    both = of_x * of_x + of_y * of_y
    covariance = mean(x * y) - of_x * of_y
    variances = mean(x * x) + mean(y * y) - both
    likeness = (2.0 * of_x * of_y + c1) * (2.0 * covariance + c2)
    result = _core.mean(likeness / ((both + c1) * (variances + c2)), (1, 2, 3), False)
    return result[0] if len(np.shape(image1)) == 3 else result


def extract_patches(
    images: ArrayLike,
    size: int | Sequence[int],
    strides: int | Sequence[int] | None = None,
    dilation_rate: int | Sequence[int] = 1,
    padding: str = "valid",
    data_format: str | None = None,
) -> Tensor:
    """Blocks of images, each as one vector of channels.

    Args:
        images: A floating image or a batch; with three sizes, volumes as in `extract_patches_3d`.
        size: Rows and columns of a block.
        strides: The distance of neighbouring blocks; None is `size`.
        dilation_rate: The distance of neighbours in a block.
        padding: "valid", or "same" with zeros around.
        data_format: "channels_last", also for None, or "channels_first".

    Returns:
        Shape ``(batch, rows of blocks, columns of blocks, rows * columns * channels)``.

    Example:
        >>> from pydl.ops import image
        >>> image.extract_patches(np.ones((4, 4, 3), "float32"), 2).shape
        (2, 2, 12)
    """
    if not isinstance(size, int) and len(size) == 3:
        return extract_patches_3d(images, size, strides, dilation_rate, padding, data_format)
    return _patches(
        "extract_patches", images, size, strides, dilation_rate, padding, data_format, 2
    )


def extract_patches_3d(
    volumes: ArrayLike,
    size: int | Sequence[int],
    strides: int | Sequence[int] | None = None,
    dilation_rate: int | Sequence[int] = 1,
    padding: str = "valid",
    data_format: str | None = None,
) -> Tensor:
    """Blocks of volumes, each as one vector of channels; arguments as `extract_patches`.

    Example:
        >>> from pydl.ops import image
        >>> image.extract_patches_3d(np.ones((4, 4, 4, 1), "float32"), 2).shape
        (2, 2, 2, 8)
    """
    return _patches(
        "extract_patches_3d", volumes, size, strides, dilation_rate, padding, data_format, 3
    )


def _patches(op, images, size, strides, dilation_rate, padding, data_format, rank) -> Tensor:
    x = floating(images)
    window = (size,) * rank if isinstance(size, int) else tuple(size)
    if len(window) != rank or x.ndim not in (rank + 1, rank + 2):
        raise ShapeError(
            f"[{op}] expected {rank} sizes and {rank + 1} or {rank + 2} axes, got {size} and shape "
            f"{x.shape}"
        )
    batch = x if x.ndim == rank + 2 else x[None]
    channels = batch.shape[1 if data_format == "channels_first" else -1]
    count = int(np.prod(window)) * channels
    kernel = wrapped(np.eye(count).reshape(*window, channels, count), x.dtype)
    result = conv(
        batch, kernel, strides=strides or window, padding=padding, dilation_rate=dilation_rate,
        data_format=data_format or "channels_last",
    )  # fmt: skip
    return result if x.ndim == rank + 2 else result[0]


def rgb_to_hsv(images: ArrayLike, data_format: str | None = None) -> Tensor:
    """Red, green and blue in [0, 1] as hue (in turns), saturation and value.

    Args:
        images: A floating image or a batch with 3 channels.
        data_format: "channels_last", also for None, or "channels_first".

    Raises:
        ShapeError: If there are not 3 channels.

    Example:
        >>> from pydl.ops import image
        >>> image.rgb_to_hsv([[[0.0, 1.0, 0.0]]]).numpy().round(4).tolist()
        [[[0.33329999446868896, 1.0, 1.0]]]
    """

    def run(batch: Tensor) -> Tensor:
        r, g, b = _channels("rgb_to_hsv", batch)
        value, least = _core.max(batch, -1, False), _core.min(batch, -1, False)
        span = value - least
        norm = 1 / (6 * _core.where(_core.greater(span, 0), span, 1))
        hue = _core.where(_core.equal(value, g), norm * (b - r) + 1 / 3, norm * (r - g) + 2 / 3)
        hue = _core.where(_core.equal(value, r), norm * (g - b), hue)
        hue = _core.where(_core.less(hue, 0), hue + 1, hue)
        saturation = span / _core.where(_core.greater(value, 0), value, 1)
        return _core.stack([_core.where(_core.greater(span, 0), hue, 0), saturation, value], -1)

    return on_batch("rgb_to_hsv", run, floating(images), data_format)


def hsv_to_rgb(images: ArrayLike, data_format: str | None = None) -> Tensor:
    """The inverse of `rgb_to_hsv`.

    Example:
        >>> from pydl.ops import image
        >>> image.hsv_to_rgb([[[0.5, 1.0, 1.0]]]).tolist()
        [[[0.0, 1.0, 1.0]]]
    """

    def run(batch: Tensor) -> Tensor:
        hue, saturation, value = _channels("hsv_to_rgb", batch)
        sixth = _core.mod(hue, 1.0) * 6.0
        shares = (
            _core.abs(sixth - 3.0) - 1.0,
            2.0 - _core.abs(sixth - 2.0),
            2.0 - _core.abs(sixth - 4.0),
        )
        colours = [value * (1 - saturation + saturation * _core.clip(s, 0.0, 1.0)) for s in shares]
        return _core.stack(colours, -1)

    return on_batch("hsv_to_rgb", run, floating(images), data_format)


def _channels(op: str, batch: Tensor) -> list[Tensor]:
    if batch.shape[-1] != 3:
        raise ShapeError(f"[{op}] expected 3 channels, got shape {batch.shape}")
    return _core.unstack(batch, -1)
