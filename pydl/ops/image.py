"""Images: resized, transformed, recoloured; under the names of ``keras.ops.image``.

An image is ``(height, width, channels)``, a batch ``(batch, height, width, channels)``; with
``data_format="channels_first"`` the channels come before the height.
"""

from __future__ import annotations

import numpy as np

from pydl import _core
from pydl._core import Tensor
from pydl.errors import ShapeError
from pydl.ops.image_batch import on_batch
from pydl.ops.image_filter import (
    extract_patches,
    extract_patches_3d,
    gaussian_blur,
    hsv_to_rgb,
    rgb_to_hsv,
    sobel_edges,
    ssim,
)
from pydl.ops.image_warp import (
    crop_images,
    elastic_transform,
    map_coordinates,
    pad_images,
    perspective_transform,
    scale_and_translate,
)
from pydl.ops.symbolic import public_op
from pydl.typing import ArrayLike

__all__ = [
    "adjust_hue",
    "affine_transform",
    "crop_images",
    "elastic_transform",
    "extract_patches",
    "extract_patches_3d",
    "gaussian_blur",
    "hsv_to_rgb",
    "map_coordinates",
    "pad_images",
    "perspective_transform",
    "resize",
    "rgb_to_grayscale",
    "rgb_to_hsv",
    "scale_and_translate",
    "sobel_edges",
    "ssim",
]

_GRAY = (0.2989, 0.5870, 0.1140)  # ITU-R 601


def resize(
    images: ArrayLike,
    size: tuple[int, int],
    interpolation: str = "bilinear",
    antialias: bool = False,
    crop_to_aspect_ratio: bool = False,
    pad_to_aspect_ratio: bool = False,
    fill_mode: str = "constant",
    fill_value: float = 0.0,
    data_format: str | None = None,
) -> Tensor:
    """Images of another size.

    Args:
        images: A floating image or a batch.
        size: ``(height, width)`` of the result.
        interpolation: "nearest", "bilinear", "bicubic" (Keys), "lanczos3" or "lanczos5".
        antialias: Whether every pixel of a smaller result is a mean over all that it covers.
        crop_to_aspect_ratio: Whether to cut the middle out first, so that nothing is stretched.
        pad_to_aspect_ratio: Whether to pad first, so that nothing is stretched.
        fill_mode: How to pad; only "constant".
        fill_value: What to pad with.
        data_format: "channels_last", also for None, or "channels_first".

    Returns:
        The images in the new size, of the same dtype.

    Raises:
        ShapeError: If `images` has another rank or no pixels.
        ValueError: If an argument has another value.

    Example:
        >>> from pydl.ops import image
        >>> image.resize([[[1.0], [3.0]]], (1, 4)).tolist()
        [[[1.0], [1.5], [2.5], [3.0]]]
    """
    if len(size) != 2:
        raise ValueError(f"[resize] expected size as (height, width), got {size}")
    if crop_to_aspect_ratio and pad_to_aspect_ratio:
        raise ValueError("[resize] expected crop_to_aspect_ratio or pad_to_aspect_ratio, got both")
    if fill_mode != "constant":
        raise ValueError(f"[resize] expected fill_mode 'constant', got {fill_mode!r}")
    height, width = map(int, size)

    def run(batch: Tensor) -> Tensor:
        if crop_to_aspect_ratio:
            batch = _cut_to_ratio(batch, height, width)
        elif pad_to_aspect_ratio:
            batch = _pad_to_ratio(batch, height, width, fill_value)
        return _core.resize(batch, height, width, interpolation, antialias)

    return on_batch("resize", run, images, data_format)


def affine_transform(
    images: ArrayLike,
    transform: ArrayLike,
    interpolation: str = "bilinear",
    fill_mode: str = "constant",
    fill_value: float = 0,
    data_format: str | None = None,
) -> Tensor:
    """Images moved, turned, scaled, sheared or seen in perspective.

    The pixel of the result at column x and row y comes from column
    ``(a0 x + a1 y + a2) / k`` and row ``(b0 x + b1 y + b2) / k``, where ``k = c0 x + c1 y + 1``.

    Args:
        images: A floating image or a batch.
        transform: ``(8,)`` or ``(batch, 8)``: a0, a1, a2, b0, b1, b2, c0, c1.
        interpolation: "bilinear" or "nearest".
        fill_mode: What is outside of an image: "constant", "nearest", "wrap", "mirror" (the edge
            once) or "reflect" (the edge twice).
        fill_value: For "constant".
        data_format: "channels_last", also for None, or "channels_first".

    Returns:
        Like `images`.

    Example:
        >>> from pydl.ops import image
        >>> image.affine_transform([[[1.0], [2.0], [3.0]]], [1, 0, 1, 0, 1, 0, 0, 0]).tolist()
        [[[2.0], [3.0], [0.0]]]
    """
    if not isinstance(transform, Tensor):
        transform = np.asarray(transform, "float64")
    return on_batch(
        "affine_transform",
        lambda batch: _core.affine_transform(
            batch, transform, interpolation, fill_mode, float(fill_value)
        ),
        images,
        data_format,
    )


def adjust_hue(
    images: ArrayLike,
    hue: ArrayLike,
    saturation: ArrayLike = 1.0,
    largest_saturation: float = 1.0,
    data_format: str | None = None,
) -> Tensor:
    """Images of red, green and blue with another hue and saturation. It has no gradient.

    Args:
        images: A floating image or a batch with 3 channels.
        hue: Added to the hue, in turns; one number, or one an image.
        saturation: A factor, likewise.
        largest_saturation: Saturations above it are set to it.
        data_format: "channels_last", also for None, or "channels_first".

    Returns:
        Like `images`.

    Example:
        >>> from pydl.ops import image
        >>> image.adjust_hue([[[1.0, 0.0, 0.0]]], 0.5).tolist()
        [[[0.0, 1.0, 1.0]]]
    """
    hue, saturation = np.atleast_1d(np.asarray(hue)), np.atleast_1d(np.asarray(saturation))
    return on_batch(
        "adjust_hue",
        lambda batch: _core.adjust_hue(batch, hue, saturation, largest_saturation),
        images,
        data_format,
    )


def rgb_to_grayscale(images: ArrayLike, data_format: str | None = None) -> Tensor:
    """The brightness of images of red, green and blue, in one channel.

    Args:
        images: A floating image or a batch with 3 channels; with 1 channel it comes back.
        data_format: "channels_last", also for None, or "channels_first".

    Example:
        >>> from pydl.ops import image
        >>> round(image.rgb_to_grayscale([[[1.0, 1.0, 0.0]]]).item(), 4)
        0.8859
    """

    def run(batch: Tensor) -> Tensor:
        if batch.shape[-1] == 1:
            return batch
        if batch.shape[-1] != 3:
            raise ShapeError(f"[rgb_to_grayscale] expected 1 or 3 channels, got {batch.shape}")
        weights = _core.as_tensor(np.array(_GRAY, "float64").reshape(3, 1)).astype(batch.dtype)
        return _core.matmul(batch, weights)

    return on_batch("rgb_to_grayscale", run, images, data_format)


def _cut_to_ratio(batch: Tensor, height: int, width: int) -> Tensor:
    _, rows, columns, _ = batch.shape
    kept_rows = max(min(rows, int(columns * height / width)), 1)
    kept_columns = max(min(columns, int(rows * width / height)), 1)
    top, left = (rows - kept_rows) // 2, (columns - kept_columns) // 2
    return batch[:, top : top + kept_rows, left : left + kept_columns]


def _pad_to_ratio(batch: Tensor, height: int, width: int, value: float) -> Tensor:
    _, rows, columns, _ = batch.shape
    above = (max(rows, int(columns * height / width)) - rows) // 2
    beside = (max(columns, int(rows * width / height)) - columns) // 2
    if above == beside == 0:
        return batch
    n, _, _, channels = batch.shape
    padded = _core.full((n, rows + 2 * above, columns + 2 * beside, channels), value, batch.dtype)
    padded[:, above : above + rows, beside : beside + columns] = batch
    return padded


for _name in __all__:  # so that they are steps of functional models, too
    globals()[_name] = public_op(globals()[_name], f"image.{_name}")
