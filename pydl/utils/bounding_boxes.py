"""Boxes around objects in images: formats, changes, overlaps, and offsets from anchors."""

from __future__ import annotations

import math
from typing import Any

from pydl import ops
from pydl._core import Tensor
from pydl.errors import ShapeError
from pydl.layers.boxes import affine_transform, clip_to_image_size, convert_format, crop, pad

__all__ = [
    "affine_transform",
    "clip_to_image_size",
    "compute_ciou",
    "compute_iou",
    "convert_format",
    "crop",
    "decode_deltas_to_boxes",
    "encode_box_to_deltas",
    "pad",
]

_EPSILON = 1e-7


def compute_iou(
    boxes1: Any,
    boxes2: Any,
    bounding_box_format: str,
    use_masking: bool = False,
    mask_val: float = -1,
    image_shape: tuple | None = None,
) -> Tensor:
    """How much every box overlaps every other: the area of the intersection over that of the union.

    Args:
        boxes1: Shape `(m, 4)` or `(batch, m, 4)`.
        boxes2: Shape `(n, 4)` or `(batch, n, 4)`.
        bounding_box_format: The format of both; see `convert_format`.
        use_masking: Whether boxes with only negative numbers stand for no box.
        mask_val: The result for those.
        image_shape: `(height, width, channels)`, for relative formats.

    Returns:
        Shape `(m, n)`, or `(batch, m, n)` where one of the two has batches.

    Raises:
        ShapeError: boxes of another rank.
        ValueError: an unknown format, or a relative one without `image_shape`.

    Example:
        >>> import pydl
        >>> boxes = [[0.0, 0.0, 2.0, 2.0]], [[1.0, 0.0, 3.0, 2.0], [5.0, 5.0, 6.0, 6.0]]
        >>> (pydl.utils.bounding_boxes.compute_iou(*boxes, "xyxy") * 100).numpy().astype(int).tolist()
        [[33, 0]]
    """
    size = _image_size(image_shape)
    first, second = (convert_format(b, bounding_box_format, "xyxy", *size) for b in (boxes1, boxes2))
    for boxes in (first, second):
        if boxes.ndim not in (2, 3):
            raise ShapeError(
                f"[compute_iou] expected boxes (n, 4) or (batch, n, 4), got shape {boxes.shape}."
            )
    first, second = ops.expand_dims(first, -2), ops.expand_dims(second, -3)
    overlap = _intersection(first, second)
    union = _area(first) + _area(second) - overlap
    iou = ops.squeeze(overlap / (union + _EPSILON), axis=-1)
    if not use_masking:
        return iou
    missing = ops.logical_or(*(ops.max(boxes, axis=-1) < 0 for boxes in (first, second)))
    return ops.where(missing, float(mask_val), iou)


def compute_ciou(
    boxes1: Any, boxes2: Any, bounding_box_format: str, image_shape: tuple | None = None
) -> Tensor:
    """The complete IoU of pairs of boxes: less for centers apart and for other proportions.

    Args:
        boxes1: Shape `(..., 4)`.
        boxes2: Shape `(..., 4)`.
        bounding_box_format: The format of both; see `convert_format`.
        image_shape: `(height, width, channels)`, for relative formats.

    Returns:
        Shape `(...)`; at most 1, for equal boxes.

    Raises:
        ValueError: an unknown format, or a relative one without `image_shape`.

    Example:
        >>> import pydl
        >>> box = [[0.0, 0.0, 2.0, 2.0]]
        >>> pydl.utils.bounding_boxes.compute_ciou(box, box, "xyxy").numpy().round(3).tolist()
        [1.0]

    Source: Zheng et al., 2020.
    """
    size = _image_size(image_shape)
    first, second = (convert_format(b, bounding_box_format, "xyxy", *size) for b in (boxes1, boxes2))
    overlap = _intersection(first, second)
    (w1, h1), (w2, h2) = (_sides(boxes) for boxes in (first, second))
    h1, h2 = h1 + _EPSILON, h2 + _EPSILON
    iou = overlap / (w1 * h1 + w2 * h2 - overlap + 2 * _EPSILON)
    low, high = ops.minimum(first, second), ops.maximum(first, second)
    whole = ops.square(high[..., 2:] - low[..., :2])
    diagonal = ops.sum(whole, axis=-1, keepdims=True) + _EPSILON
    between = (first[..., :2] + first[..., 2:] - second[..., :2] - second[..., 2:]) / 2
    distance = ops.sum(ops.square(between), axis=-1, keepdims=True)
    v = (4 / math.pi**2) * ops.square(ops.arctan(w2 / h2) - ops.arctan(w1 / h1))
    alpha = v / (v - iou + (1 + _EPSILON))
    return ops.squeeze(iou - (distance / diagonal + v * alpha), axis=-1)


def encode_box_to_deltas(
    anchors: Any,
    boxes: Any,
    anchor_format: str,
    box_format: str,
    encoding_format: str = "center_yxhw",
    variance: Any = None,
    image_shape: tuple | None = None,
) -> Tensor:
    """Boxes as offsets from anchors: those of the centers in sizes of anchors, and logs of sizes.

    Args:
        anchors: Shape `(n, 4)`.
        boxes: Shape `(n, 4)` or `(batch, n, 4)`.
        anchor_format: The format of anchors; see `convert_format`.
        box_format: The format of boxes.
        encoding_format: "center_yxhw" or "center_xywh": the order of the offsets.
        variance: Four numbers that the offsets are divided by.
        image_shape: `(height, width, channels)`, for relative formats.

    Returns:
        Offsets of the shape of `boxes`.

    Raises:
        ValueError: another encoding, or a variance of another length.

    Example:
        >>> import pydl
        >>> anchors, boxes = [[0.0, 0.0, 4.0, 4.0]], [[1.0, 2.0, 5.0, 6.0]]
        >>> pydl.utils.bounding_boxes.encode_box_to_deltas(anchors, boxes, "xyxy", "xyxy").tolist()
        [[0.5, 0.25, 0.0, 0.0]]
    """
    variance = _check_deltas("encode_box_to_deltas", encoding_format, variance)
    size = _image_size(image_shape)
    anchors = convert_format(anchors, anchor_format, encoding_format, *size)
    boxes = convert_format(boxes, box_format, encoding_format, *size)
    anchor_sizes = ops.maximum(anchors[..., 2:], _EPSILON)
    sizes = ops.maximum(boxes[..., 2:], _EPSILON)
    moves = (boxes[..., :2] - anchors[..., :2]) / anchor_sizes
    deltas = ops.concatenate([moves, ops.log(sizes / anchor_sizes)], axis=-1)
    return deltas if variance is None else deltas / variance


def decode_deltas_to_boxes(
    anchors: Any,
    boxes_delta: Any,
    anchor_format: str,
    box_format: str,
    encoded_format: str = "center_yxhw",
    variance: Any = None,
    image_shape: tuple | None = None,
) -> Any:
    """The boxes that are offsets from anchors: the inverse of `encode_box_to_deltas`.

    Args:
        anchors: Shape `(n, 4)`, or a dict of such.
        boxes_delta: Offsets `(n, 4)` or `(batch, n, 4)`, or a dict with the keys of `anchors`.
        anchor_format: The format of anchors; see `convert_format`.
        box_format: The format wanted.
        encoded_format: "center_yxhw" or "center_xywh": the order of the offsets.
        variance: Four numbers that the offsets are multiplied by.
        image_shape: `(height, width, channels)`, for relative formats.

    Returns:
        Boxes of the shape of `boxes_delta`, or a dict of such.

    Raises:
        ValueError: another encoding, or a variance of another length.

    Example:
        >>> import pydl
        >>> decode = pydl.utils.bounding_boxes.decode_deltas_to_boxes
        >>> decode([[0.0, 0.0, 4.0, 4.0]], [[0.5, 0.25, 0.0, 0.0]], "xyxy", "xyxy").tolist()
        [[1.0, 2.0, 5.0, 6.0]]
    """
    if isinstance(anchors, dict) and isinstance(boxes_delta, dict):
        formats = (anchor_format, box_format, encoded_format, variance, image_shape)
        return {
            level: decode_deltas_to_boxes(anchor, boxes_delta[level], *formats)
            for level, anchor in anchors.items()
        }
    variance = _check_deltas("decode_deltas_to_boxes", encoded_format, variance)
    size = _image_size(image_shape)
    anchors = convert_format(anchors, anchor_format, encoded_format, *size)
    deltas = ops.convert_to_tensor(boxes_delta)
    deltas = deltas if variance is None else deltas * variance
    centers = deltas[..., :2] * anchors[..., 2:] + anchors[..., :2]
    sizes = ops.exp(deltas[..., 2:]) * anchors[..., 2:]
    boxes = ops.concatenate([centers, sizes], axis=-1)
    return convert_format(boxes, encoded_format, box_format, *size)


def _image_size(image_shape: tuple | None) -> tuple:
    return (None, None) if image_shape is None else tuple(image_shape[:2])


def _sides(boxes: Tensor) -> tuple[Tensor, Tensor]:
    x1, y1, x2, y2 = ops.split(boxes, 4, axis=-1)
    return x2 - x1, y2 - y1


def _area(boxes: Tensor) -> Tensor:
    width, height = _sides(boxes)
    return width * height


def _intersection(first: Tensor, second: Tensor) -> Tensor:
    low = ops.maximum(first[..., :2], second[..., :2])
    sides = ops.maximum(ops.minimum(first[..., 2:], second[..., 2:]) - low, 0)
    return sides[..., :1] * sides[..., 1:]


def _check_deltas(owner: str, encoding: str, variance: Any) -> Tensor | None:
    if encoding not in ("center_xywh", "center_yxhw"):
        raise ValueError(f"[{owner}] expected center_xywh or center_yxhw, got {encoding!r}.")
    if variance is None:
        return None
    variance = ops.cast(variance, "float32")
    if variance.shape != (4,):
        raise ValueError(f"[{owner}] expected a variance of 4 numbers, got shape {variance.shape}.")
    return variance
