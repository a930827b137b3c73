"""Boxes around objects in images: how they are written, cut off, and moved with the pixels."""

from __future__ import annotations

from typing import Any

import numpy as np

from pydl import ops
from pydl._core import Tensor
from pydl.errors import ShapeError
from pydl.ops.host import array

__all__ = [
    "affine_transform",
    "around",
    "clip_to_image_size",
    "convert_format",
    "corners",
    "crop",
    "pad",
]

_FORMATS = (
    "xyxy", "yxyx", "xywh", "center_xywh", "center_yxhw", "rel_xyxy", "rel_yxyx", "rel_xywh",
    "rel_center_xywh",
)  # fmt: skip


def convert_format(
    boxes: Any,
    source: str,
    target: str,
    height: Any = None,
    width: Any = None,
    dtype: str = "float32",
) -> Any:
    """Boxes written in another way.

    The formats are "xyxy" (left, top, right, bottom), "yxyx", "xywh" (left, top, width, height),
    "center_xywh", "center_yxhw", in pixels, and "rel_xyxy", "rel_yxyx", "rel_xywh",
    "rel_center_xywh" in shares of the image.

    Args:
        boxes: Shape `(..., 4)`, or a dict with them as `"boxes"`, whose other entries stay.
        source: Their format.
        target: The format wanted.
        height: Of the images, where one format is relative: a number, or what broadcasts.
        width: Likewise.
        dtype: Of the result.

    Returns:
        Boxes like `boxes`.

    Raises:
        ValueError: an unknown format, or a relative one without the size of the images.
        ShapeError: a last axis of another size.

    Example:
        >>> import pydl
        >>> pydl.utils.bounding_boxes.convert_format([[10, 20, 30, 60]], "xyxy", "center_xywh").tolist()
        [[20.0, 40.0, 20.0, 40.0]]
    """
    if isinstance(boxes, dict):
        changed = convert_format(boxes["boxes"], source, target, height, width, dtype)
        return {**boxes, "boxes": changed}
    source, target = _known("convert_format", source), _known("convert_format", target)
    boxes = _checked("convert_format", boxes, dtype)
    if source == target:
        return boxes
    relative = source.startswith("rel_"), target.startswith("rel_")
    if any(relative) and (height is None or width is None):
        raise ValueError(
            f"[convert_format] expected height and width of the images for {source} to {target}."
        )
    parts = _to_corners(source.removeprefix("rel_"), boxes)
    if relative[0] != relative[1]:
        sizes = [_last(width, dtype), _last(height, dtype)] * 2
        parts = [p * s if relative[0] else p / s for p, s in zip(parts, sizes)]
    return ops.concatenate(_from_corners(target.removeprefix("rel_"), *parts), axis=-1)


def clip_to_image_size(
    bounding_boxes: dict[str, Any],
    height: Any = None,
    width: Any = None,
    bounding_box_format: str = "xyxy",
) -> dict[str, Any]:
    """Boxes cut off at the edges of their images; the labels of those with no area left become -1.

    Args:
        bounding_boxes: `"boxes"` `(..., 4)`, and maybe `"labels"` `(...)`.
        height: Of the images, for "xyxy".
        width: Likewise.
        bounding_box_format: "xyxy" or "rel_xyxy".

    Returns:
        Such a dict.

    Raises:
        ValueError: another format, or "xyxy" without the size of the images.

    Example:
        >>> import pydl
        >>> data = {"boxes": [[-5.0, 2.0, 5.0, 6.0], [12.0, 2.0, 15.0, 6.0]], "labels": [0, 1]}
        >>> cut = pydl.utils.bounding_boxes.clip_to_image_size(data, height=10, width=10)
        >>> cut["boxes"].tolist(), cut["labels"].tolist()
        ([[0.0, 2.0, 5.0, 6.0], [10.0, 2.0, 10.0, 6.0]], [0, -1])
    """
    if bounding_box_format not in ("xyxy", "rel_xyxy"):
        raise ValueError(
            f"[clip_to_image_size] expected format xyxy or rel_xyxy, got {bounding_box_format!r}."
        )
    boxes = _checked("clip_to_image_size", bounding_boxes["boxes"])
    if bounding_box_format == "xyxy":
        if height is None or width is None:
            raise ValueError("[clip_to_image_size] expected height and width with format xyxy.")
        height, width = _last(height, boxes.dtype), _last(width, boxes.dtype)
    else:
        height = width = 1.0
    x1, y1, x2, y2 = _within(boxes, height, width)
    result = {**bounding_boxes, "boxes": ops.concatenate([x1, y1, x2, y2], axis=-1)}
    if bounding_boxes.get("labels") is not None:
        labels = ops.convert_to_tensor(bounding_boxes["labels"])
        seen = (x2 - x1) * (y2 - y1) > 0
        seen = seen if labels.ndim == boxes.ndim else ops.squeeze(seen, axis=-1)
        result["labels"] = ops.where(seen, labels, -1)
    return result


def affine_transform(
    boxes: Any,
    angle: Any,
    translate_x: Any,
    translate_y: Any,
    scale: Any,
    shear_x: Any,
    shear_y: Any,
    height: Any,
    width: Any,
    center_x: Any = None,
    center_y: Any = None,
    bounding_box_format: str = "xyxy",
) -> Tensor:
    """The boxes around boxes that were turned, moved, scaled and sheared.

    Args:
        boxes: Shape `(batch, boxes, 4)`.
        angle: In degrees, counterclockwise; it and the next five are one number an image, or one for
            all.
        translate_x: To the left, as a share of the width.
        translate_y: Up, as a share of the height.
        scale: The factor of sizes.
        shear_x: An angle in degrees.
        shear_y: Likewise.
        height: Of the images.
        width: Of the images.
        center_x: The fixed point, as a share of the width; None for the middle.
        center_y: Likewise of the height.
        bounding_box_format: Only "xyxy".

    Returns:
        Boxes of the same shape.

    Raises:
        ValueError: another format.
        ShapeError: boxes of another shape.

    Example:
        >>> import pydl
        >>> boxes = np.array([[[0.0, 0.0, 2.0, 4.0]]], "float32")
        >>> turned = pydl.utils.bounding_boxes.affine_transform(boxes, 90, 0, 0, 1, 0, 0, 11, 11)
        >>> turned.numpy().round(3).tolist()
        [[[0.0, 8.0, 4.0, 10.0]]]
    """
    _only_corners("affine_transform", bounding_box_format)
    boxes = _checked("affine_transform", boxes)
    if boxes.ndim != 3:
        raise ShapeError(
            f"[affine_transform] expected boxes (batch, boxes, 4), got shape {boxes.shape}."
        )
    values = (angle, translate_x, translate_y, scale, shear_x, shear_y)
    values = (np.broadcast_to(array(v), boxes.shape[:1]).astype("float64") for v in values)
    angle, translate_x, translate_y, scale, shear_x, shear_y = values
    turn, lean_x, lean_y = (-np.deg2rad(v) for v in (angle, shear_x, shear_y))
    a = np.cos(turn - lean_y) / np.cos(lean_y)
    c = -np.sin(turn - lean_y) / np.cos(lean_y)
    b, d = a * np.tan(lean_x) + np.sin(turn), np.cos(turn) - c * np.tan(lean_x)
    rows = np.stack([d * scale, -b * scale, -c * scale, a * scale], axis=-1).reshape(-1, 2, 2)
    sizes = np.array([width - 1, height - 1], "float64")
    center = sizes * [0.5 if one is None else one for one in (center_x, center_y)]
    moved = center - sizes * np.stack([translate_x, translate_y], axis=-1)
    matrices = np.zeros((len(rows), 3, 3))
    matrices[:, :2, :2], matrices[:, 2, 2] = rows, 1
    matrices[:, :2, 2] = center - np.einsum("bij,bj->bi", rows, moved)
    return around(corners(boxes), matrices)


def crop(
    boxes: Any, top: Any, left: Any, height: Any, width: Any, bounding_box_format: str = "xyxy"
) -> Tensor:
    """Boxes in a part of their images, cut off at its edges.

    Args:
        boxes: Shape `(..., 4)`.
        top: Where the part begins.
        left: Likewise.
        height: Of the part.
        width: Of the part.
        bounding_box_format: Only "xyxy".

    Returns:
        Boxes of the same shape, from the corner of the part on.

    Raises:
        ValueError: another format.

    Example:
        >>> import pydl
        >>> pydl.utils.bounding_boxes.crop([[10, 20, 50, 60]], 10, 20, height=40, width=25).tolist()
        [[0.0, 10.0, 25.0, 40.0]]
    """
    _only_corners("crop", bounding_box_format)
    moved = pad(boxes, -top, -left)
    return ops.concatenate(list(_within(moved, height, width)), axis=-1)


def pad(
    boxes: Any,
    top: Any,
    left: Any,
    height: Any = None,
    width: Any = None,
    bounding_box_format: str = "xyxy",
) -> Tensor:
    """Boxes in images that got `top` rows above and `left` columns before.

    Args:
        boxes: Shape `(..., 4)`.
        top: How many rows.
        left: How many columns.
        height: Makes no difference.
        width: Makes no difference.
        bounding_box_format: Only "xyxy".

    Returns:
        Boxes of the same shape.

    Raises:
        ValueError: another format.

    Example:
        >>> import pydl
        >>> pydl.utils.bounding_boxes.pad([[10, 20, 50, 60]], top=1, left=2).tolist()
        [[12.0, 21.0, 52.0, 61.0]]
    """
    _only_corners("pad", bounding_box_format)
    boxes = _checked("pad", boxes)
    return boxes + ops.cast(np.array([left, top, left, top]), boxes.dtype)


def corners(boxes: Tensor) -> Tensor:
    """The corners `(..., 4, 2)` of boxes `(..., 4)` in "xyxy"."""
    points = ops.take(boxes, np.array([0, 1, 2, 1, 2, 3, 0, 3]), axis=-1)
    return ops.reshape(points, (*boxes.shape[:-1], 4, 2))


def around(points: Tensor, matrices: np.ndarray) -> Tensor:
    """The boxes around points `(batch, boxes, points, 2)` moved by a projection `(batch, 3, 3)` each."""
    matrices = ops.expand_dims(ops.cast(matrices, points.dtype), 1)
    ones = ops.ones((*points.shape[:-1], 1), dtype=points.dtype)
    moved = ops.matmul(ops.concatenate([points, ones], axis=-1), ops.swapaxes(matrices, -1, -2))
    moved = moved[..., :2] / moved[..., 2:]
    return ops.concatenate([ops.min(moved, axis=-2), ops.max(moved, axis=-2)], axis=-1)


def _to_corners(source: str, boxes: Tensor) -> list[Tensor]:
    a, b, c, d = ops.split(boxes, 4, axis=-1)
    if source in ("yxyx", "center_yxhw"):
        a, b, c, d = b, a, d, c
    if source.startswith("center"):
        return [a - c / 2, b - d / 2, a + c / 2, b + d / 2]
    return [a, b, a + c, b + d] if source == "xywh" else [a, b, c, d]


def _from_corners(target: str, x1: Tensor, y1: Tensor, x2: Tensor, y2: Tensor) -> list[Tensor]:
    parts = [x1, y1, x2, y2]
    if target.startswith("center"):
        parts = [x1 + (x2 - x1) / 2, y1 + (y2 - y1) / 2, x2 - x1, y2 - y1]
    elif target == "xywh":
        parts = [x1, y1, x2 - x1, y2 - y1]
    return [parts[i] for i in (1, 0, 3, 2)] if target in ("yxyx", "center_yxhw") else parts


def _within(boxes: Tensor, height: Any, width: Any) -> tuple[Tensor, ...]:
    x1, y1, x2, y2 = ops.split(boxes, 4, axis=-1)
    limits = (width, height, width, height)
    return tuple(
        ops.minimum(ops.maximum(part, 0), limit) for part, limit in zip((x1, y1, x2, y2), limits)
    )


def _checked(owner: str, boxes: Any, dtype: str | None = None) -> Tensor:
    boxes = ops.convert_to_tensor(boxes)
    if not boxes.ndim or boxes.shape[-1] != 4:
        raise ShapeError(f"[{owner}] expected boxes of shape (..., 4), got {boxes.shape}.")
    dtype = dtype or (boxes.dtype if "float" in boxes.dtype else "float32")
    return boxes if boxes.dtype == dtype else ops.cast(boxes, dtype)


def _known(owner: str, name: str) -> str:
    if name.lower() not in _FORMATS:
        raise ValueError(f"[{owner}] expected a format of {', '.join(_FORMATS)}, got {name!r}.")
    return name.lower()


def _only_corners(owner: str, bounding_box_format: str) -> None:
    if bounding_box_format != "xyxy":
        raise ValueError(
            f"[{owner}] expected format xyxy, got {bounding_box_format!r}. Hint: convert_format."
        )


def _last(size: Any, dtype: str) -> Any:
    return size if isinstance(size, (int, float)) else ops.cast(size, dtype)
