"""Boxes and masks drawn into images."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pydl import ops
from pydl.errors import ShapeError
from pydl.utils.bounding_boxes import convert_format

__all__ = ["as_images", "draw_bounding_boxes", "draw_segmentation_masks", "need"]


def draw_bounding_boxes(
    images: Any,
    bounding_boxes: Mapping[str, Any],
    bounding_box_format: str,
    class_mapping: Mapping[int, str] | None = None,
    color: Sequence[int] = (128, 128, 128),
    line_thickness: int = 2,
    text_thickness: int = 1,
    font_scale: float = 1.0,
    data_format: str | None = None,
) -> np.ndarray:
    """Images with boxes drawn into them, and the names of their classes.

    Args:
        images: Shape `(batch, height, width, 3)`; floats up to 1 count as shares of 255.
        bounding_boxes: `"boxes"` `(batch, boxes, 4)`, `"labels"` `(batch, boxes)`, of which -1 is no
            box, and maybe `"confidences"` `(batch, boxes)`.
        bounding_box_format: Such as "xyxy"; see `utils.bounding_boxes.convert_format`.
        class_mapping: Names by labels; they are written with Pillow.
        color: Red, green and blue from 0 to 255.
        line_thickness: Pixels.
        text_thickness: How bold the names are.
        font_scale: The size of the names; 1 is 12 pixels.
        data_format: "channels_last", also for None, or "channels_first".

    Returns:
        A uint8 array of the shape of `images`.

    Raises:
        ShapeError: images of another rank.
        ValueError: boxes or labels are missing.
        ImportError: `class_mapping` without Pillow.

    Example:
        >>> import pydl
        >>> boxes = {"boxes": [[[1, 1, 4, 3]]], "labels": [[0]]}
        >>> pictures = pydl.visualization.draw_bounding_boxes(
        ...     np.zeros((1, 5, 6, 3)), boxes, "xyxy", color=(255, 0, 0), line_thickness=1)
        >>> (pictures[0, :, :, 0] // 255).tolist()
        [[0, 0, 0, 0, 0, 0], [0, 1, 1, 1, 1, 0], [0, 1, 0, 0, 1, 0], [0, 1, 1, 1, 1, 0], [0, 0, 0, 0, 0, 0]]
    """
    if not isinstance(bounding_boxes, Mapping) or not {"boxes", "labels"} <= set(bounding_boxes):
        raise ValueError("[draw_bounding_boxes] expected bounding_boxes with boxes and labels.")
    pictures = as_images("draw_bounding_boxes", images, data_format)
    pictures = _as_bytes(pictures).copy()
    boxes = convert_format(bounding_boxes["boxes"], bounding_box_format, "xyxy", *pictures.shape[1:3])
    boxes = boxes.numpy().astype(int)
    labels = np.asarray(bounding_boxes["labels"]).astype(int)
    sure = bounding_boxes.get("confidences")
    for i, picture in enumerate(pictures):
        for j in np.flatnonzero(labels[i] != -1):
            _draw_box(picture, boxes[i, j], color, line_thickness)
        for j in np.flatnonzero(labels[i] != -1) if class_mapping else ():
            text = class_mapping.get(int(labels[i, j]))
            if text is not None:
                text = text if sure is None else f"{text} | {float(np.asarray(sure)[i, j]):.2f}"
                _write(picture, text, boxes[i, j], color, font_scale, text_thickness)
    return np.moveaxis(pictures, -1, 1) if data_format == "channels_first" else pictures


def draw_segmentation_masks(
    images: Any,
    segmentation_masks: Any,
    num_classes: int | None = None,
    color_mapping: Mapping[int, Sequence[int]] | None = None,
    alpha: float = 0.8,
    blend: bool = True,
    ignore_index: int = -1,
    data_format: str | None = None,
) -> np.ndarray:
    """Images with the colors of classes laid over their pixels.

    Args:
        images: Shape `(batch, height, width, 3)`, values from 0 to 255.
        segmentation_masks: Integers `(batch, height, width)` or `(batch, height, width, 1)`: the
            class of every pixel.
        num_classes: Classes from this number on are not drawn; None draws all.
        color_mapping: Colors by classes; others are not drawn. None for colors of their own.
        alpha: How much the colors cover.
        blend: Whether the images shine through.
        ignore_index: A class that is not drawn.
        data_format: "channels_last", also for None, or "channels_first".

    Returns:
        A uint8 array `(batch, height, width, 3)`.

    Raises:
        ShapeError: images of another rank, or masks of another shape.
        TypeError: masks that are no integers.

    Example:
        >>> import pydl
        >>> masks = np.array([[[0, 1], [1, 2]]])
        >>> pydl.visualization.draw_segmentation_masks(
        ...     np.zeros((1, 2, 2, 3)), masks, color_mapping={1: (100, 0, 0)}, alpha=0.5)[..., 0].tolist()
        [[[0, 50], [50, 0]]]
    """
    pictures = as_images("draw_segmentation_masks", images, data_format).astype("float32")
    masks = np.asarray(segmentation_masks)
    if data_format == "channels_first" and masks.ndim == 4:
        masks = np.moveaxis(masks, 1, -1)
    masks = masks[..., 0] if masks.ndim == 4 else masks
    if masks.dtype.kind not in "iu":
        raise TypeError(
            f"[draw_segmentation_masks] expected masks of integers, got {masks.dtype}."
        )
    if masks.shape != pictures.shape[:3]:
        raise ShapeError(
            f"[draw_segmentation_masks] expected masks of shape {pictures.shape[:3]}, got "
            f"{masks.shape}."
        )
    count = int(masks.max(initial=0)) + 1 if num_classes is None else num_classes
    colors = _palette(count) if color_mapping is None else color_mapping
    drawn = pictures.copy()
    for number, color in colors.items():
        if number < count and number != ignore_index:
            drawn[masks == number] = np.asarray(color, "float32")
    if blend:
        drawn = pictures * (1 - alpha) + drawn * alpha
        drawn = np.where((masks != ignore_index)[..., None], drawn, pictures)
    return drawn.astype("uint8")


def as_images(owner: str, images: Any, data_format: str | None) -> np.ndarray:
    """A batch of images as an array, the channels last.

    Raises:
        ShapeError: another rank.
        ValueError: an unknown data format.
    """
    if data_format not in (None, "channels_last", "channels_first"):
        raise ValueError(f"[{owner}] expected channels_last or channels_first, got {data_format!r}.")
    pictures = ops.convert_to_numpy(images)
    if pictures.ndim != 4:
        raise ShapeError(f"[{owner}] expected a batch of images of 4 axes, got {pictures.shape}.")
    return np.moveaxis(pictures, 1, -1) if data_format == "channels_first" else pictures


def need(module: str, package: str, owner: str) -> Any:
    """Import a module that pydl does not depend on.

    Raises:
        ImportError: it is not installed; the message names the package.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ImportError(
            f"[{owner}] expected the package {package!r}, which is not installed. Install it with: "
            f"pip install {package}"
        ) from error


def _as_bytes(pictures: np.ndarray) -> np.ndarray:
    if pictures.dtype.kind == "f" and pictures.size:
        pictures = np.clip(pictures, 0, 1) * 255 if pictures.max() <= 1 else np.clip(pictures, 0, 255)
    return pictures.astype("uint8")


def _draw_box(picture: np.ndarray, box: np.ndarray, color: Sequence[int], thickness: int) -> None:
    height, width = picture.shape[:2]
    out, into = (thickness - 1) // 2, thickness // 2

    def fill(x1: int, y1: int, x2: int, y2: int) -> None:
        rows, columns = slice(max(y1, 0), max(y2 + 1, 0)), slice(max(x1, 0), max(x2 + 1, 0))
        picture[rows, columns] = color

    x1, y1, x2, y2 = (int(np.clip(v, -thickness, m + thickness)) for v, m in zip(box, (width, height) * 2))
    fill(x1 - out, y1 - out, x2 + out, y1 + into)
    fill(x1 - out, y2 - into, x2 + out, y2 + out)
    fill(x1 - out, y1 - out, x1 + into, y2 + out)
    fill(x2 - into, y1 - out, x2 + out, y2 + out)


def _write(
    picture: np.ndarray, text: str, box: np.ndarray, color: Sequence[int], scale: float, bold: int
) -> None:
    """Write above the box, or inside where there is no room."""
    need("PIL", "pillow", "draw_bounding_boxes")
    from PIL import Image, ImageDraw, ImageFont

    size = max(1, round(12 * scale))
    font = ImageFont.load_default(size)
    x, y = int(box[0]), int(box[1])
    place = (x, y - size - 4) if y - size - 4 >= 0 else (x + 3, y + 3)
    canvas = Image.fromarray(picture)
    width = max(0, (bold or 1) - 1)
    ImageDraw.Draw(canvas).text(place, text, tuple(color), font, stroke_width=width)
    picture[:] = np.asarray(canvas)


def _palette(count: int) -> dict[int, list[int]]:
    """Colors that Keras gives classes: multiples of three large numbers, cut to bytes."""
    large = np.array([2**25 - 1, 2**15 - 1, 2**21 - 1])
    return {number: (number * large % 255).tolist() for number in range(count)}
