"""Pictures: files, Pillow's images and arrays."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["array_to_img", "img_to_array", "load_img", "save_img"]

_MODES = {"grayscale": "L", "rgb": "RGB", "rgba": "RGBA"}
_INTERPOLATIONS = ("nearest", "bilinear", "bicubic", "hamming", "box", "lanczos")


def load_img(
    path: Any,
    color_mode: str = "rgb",
    target_size: tuple[int, int] | None = None,
    interpolation: str = "nearest",
    keep_aspect_ratio: bool = False,
) -> Any:
    """Reads a picture as an image of Pillow.

    Args:
        path: A path, or a file in memory (`io.BytesIO`).
        color_mode: `"grayscale"`, `"rgb"` or `"rgba"`.
        target_size: `(height, width)` to resize to; None leaves the size.
        interpolation: `"nearest"`, `"bilinear"`, `"bicubic"`, `"hamming"`, `"box"` or `"lanczos"`.
        keep_aspect_ratio: Whether to cut the middle out first instead of stretching the picture.

    Returns:
        A `PIL.Image.Image`.

    Raises:
        ImportError: Pillow is not installed.
        FileNotFoundError: there is no such file.
        ValueError: the file is no picture, or damaged; the message names it.

    Example:
        >>> import os, tempfile
        >>> path = os.path.join(tempfile.mkdtemp(), "grey.png")
        >>> save_img(path, np.full((4, 6, 1), 128.0), scale=False)
        >>> load_img(path, target_size=(2, 3)).size
        (3, 2)
    """
    pillow = _pillow("load_img")
    if color_mode not in _MODES:
        raise ValueError(f"[load_img] expected color_mode in {list(_MODES)}, got {color_mode!r}.")
    if interpolation not in _INTERPOLATIONS:
        raise ValueError(
            f"[load_img] expected interpolation in {list(_INTERPOLATIONS)}, got {interpolation!r}."
        )
    if not isinstance(path, (str, bytes, os.PathLike, io.BytesIO)):
        raise TypeError(f"[load_img] expected a path or io.BytesIO, got {type(path).__name__}.")
    try:
        with pillow.open(path) as file:
            wide_grey = color_mode == "grayscale" and file.mode in ("I", "I;16")
            image = file.copy() if wide_grey else file.convert(_MODES[color_mode])
    except FileNotFoundError:
        raise
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        # Pillow answers damaged files with any of these.
        raise ValueError(
            f"[load_img] expected a picture, got a file that cannot be read as one: {path}: {error}"
        ) from error
    if target_size is None or image.size == (target_size[1], target_size[0]):
        return image
    size, resampling = (target_size[1], target_size[0]), pillow.Resampling[interpolation.upper()]
    box = _middle(image.size, size) if keep_aspect_ratio else None
    return image.resize(size, resampling, box=box)


def img_to_array(img: Any, data_format: str | None = None, dtype: str | None = None) -> np.ndarray:
    """The pixels of an image of Pillow.

    Args:
        img: The image.
        data_format: `"channels_last"`, also for None, or `"channels_first"`.
        dtype: Of the array; None for float32.

    Returns:
        An array `(height, width, channels)`, or `(channels, height, width)`.

    Example:
        >>> img_to_array(array_to_img(np.zeros((2, 3, 1)))).shape
        (2, 3, 1)
    """
    first = _channels_first("img_to_array", data_format)
    array = np.asarray(img)
    if array.ndim not in (2, 3) or array.dtype.kind not in "biuf":
        raise ValueError(
            f"[img_to_array] expected an image, got {array.dtype} of shape {array.shape}."
        )
    array = array.astype(dtype or "float32")
    array = array[..., None] if array.ndim == 2 else array
    return array.transpose(2, 0, 1) if first else array


def array_to_img(
    x: Any, data_format: str | None = None, scale: bool = True, dtype: str | None = None
) -> Any:
    """Makes an image of Pillow from an array.

    Args:
        x: `(height, width, channels)` with 1, 3 or 4 channels, or channels first.
        data_format: `"channels_last"`, also for None, or `"channels_first"`.
        scale: Whether to stretch the values to 0 to 255; otherwise they are pixels already.
        dtype: To compute in; None for float32.

    Returns:
        A `PIL.Image.Image`.

    Raises:
        ImportError: Pillow is not installed.
        ValueError: another rank or number of channels.

    Example:
        >>> array_to_img(np.zeros((2, 3, 3))).mode
        'RGB'
    """
    pillow = _pillow("array_to_img")
    first = _channels_first("array_to_img", data_format)
    x = np.asarray(x, dtype or "float32")
    if x.ndim != 3:
        raise ValueError(f"[array_to_img] expected an array of 3 axes, got shape {x.shape}.")
    x = x.transpose(1, 2, 0) if first else x
    if x.shape[2] not in (1, 3, 4):
        raise ValueError(f"[array_to_img] expected 1, 3 or 4 channels, got shape {x.shape}.")
    if scale and x.size:
        x = x - x.min()
        x = (x / x.max() if x.max() else x) * 255
    if x.shape[2] == 1:
        wide = x.max(initial=0) > 255
        return pillow.fromarray(x[..., 0].astype("int32" if wide else "uint8"))
    return pillow.fromarray(np.ascontiguousarray(x.astype("uint8")))


def save_img(
    path: Any,
    x: Any,
    data_format: str | None = None,
    file_format: str | None = None,
    scale: bool = True,
    **kwargs,
) -> None:
    """Writes an array as a picture.

    Args:
        path: A path, or a file opened for writing.
        x: `(height, width, channels)` with 1, 3 or 4 channels, or channels first.
        data_format: `"channels_last"`, also for None, or `"channels_first"`.
        file_format: Such as `"png"`; None goes by the ending of the path.
        scale: Whether to stretch the values to 0 to 255.
        kwargs: For `PIL.Image.Image.save`.

    Example:
        >>> file = io.BytesIO()
        >>> save_img(file, np.zeros((2, 3, 3)), file_format="png")
        >>> file.getvalue()[1:4]
        b'PNG'
    """
    if file_format is None and isinstance(path, (str, os.PathLike)):
        file_format = Path(path).suffix[1:]
    file_format = {"jpg": "jpeg"}.get((file_format or "").lower(), file_format) or None
    image = array_to_img(x, data_format, scale)
    if image.mode == "RGBA" and (file_format or "").lower() == "jpeg":
        image = image.convert("RGB")  # JPEG has no alpha
    try:
        image.save(path, format=file_format, **kwargs)
    except KeyError:
        raise ValueError(
            f"[save_img] expected a format that Pillow writes, got {file_format!r}."
        ) from None


def _pillow(caller: str) -> Any:
    try:
        from PIL import Image
    except ImportError as error:
        raise ImportError(
            f"[{caller}] expected Pillow to be installed. Hint: pip install pillow"
        ) from error
    return Image


def _channels_first(caller: str, data_format: str | None) -> bool:
    if data_format not in (None, "channels_last", "channels_first"):
        raise ValueError(
            f"[{caller}] expected data_format 'channels_last' or 'channels_first', got "
            f"{data_format!r}."
        )
    return data_format == "channels_first"


def _middle(size: tuple[int, int], wanted: tuple[int, int]) -> tuple[int, int, int, int]:
    """The box in the middle of an image that has the proportions of another size."""
    (width, height), (new_width, new_height) = size, wanted
    crop_height = min(height, width * new_height // new_width)
    crop_width = min(width, height * new_width // new_height)
    left, top = (width - crop_width) // 2, (height - crop_height) // 2
    return left, top, left + crop_width, top + crop_height
