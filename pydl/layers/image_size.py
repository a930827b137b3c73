"""Images of another size."""

from __future__ import annotations

from typing import Any

import numpy as np

from pydl import ops
from pydl.layers.boxes import crop, pad
from pydl.layers.image_layer import ImageLayer, RandomImageLayer
from pydl.layers.keras_tensor import KerasTensor
from pydl.ops import image as image_ops

__all__ = ["CenterCrop", "RandomCrop", "Resizing"]

_LIMITS = {"uint8": (0, 255), "int8": (-128, 127)}


class _Sized(ImageLayer):
    """What the layers have in common whose outputs are `height` by `width`."""

    height: int
    width: int

    def _check_size(self) -> None:
        if min(self.height, self.width) < 1:
            raise ValueError(
                f"[{self.name}] expected a height and a width of at least 1, got {self.height} and "
                f"{self.width}."
            )

    def compute_output_shape(self, input_shape):
        shape = list(input_shape)
        shape[self._axes[0]], shape[self._axes[1]] = self.height, self.width
        return tuple(shape)

    def _resized_middle(self, images):
        size = (self.height, self.width)
        return image_ops.resize(
            images, size, crop_to_aspect_ratio=True, data_format=self.data_format
        )

    def _boxes_of_resized_middle(self, bounding_boxes: dict, size: tuple[int, int]) -> dict:
        height, width = size
        rows = max(min(height, int(width * self.height / self.width)), 1)
        columns = max(min(width, int(height * self.width / self.height)), 1)
        scale = np.array([self.width / columns, self.height / rows] * 2)

        def resize(boxes):
            middle = crop(boxes, (height - rows) // 2, (width - columns) // 2, rows, columns)
            return middle * ops.cast(scale, boxes.dtype)

        return self._moved_boxes(bounding_boxes, resize, size, (self.height, self.width))


class Resizing(_Sized):
    """Resizes images.

    Args:
        height: Pixels of the result.
        width: Pixels of the result.
        interpolation: "bilinear", "nearest", "bicubic", "lanczos3" or "lanczos5".
        crop_to_aspect_ratio: Whether to cut the middle out first, so that nothing is stretched.
        pad_to_aspect_ratio: Whether to pad first, so that nothing is stretched.
        fill_mode: How to pad; only "constant".
        fill_value: What to pad with.
        antialias: Whether every pixel of a smaller result is a mean over all that it covers.
        data_format: "channels_last", also for None, or "channels_first".

    Call arguments:
        inputs: An image, a batch, or a dict with them and `"segmentation_masks"`.

    Returns:
        The same in the new size. Integers stay integers, rounded.

    Example:
        >>> import pydl
        >>> pydl.layers.Resizing(2, 2)(np.ones((1, 6, 4, 3))).shape
        (1, 2, 2, 3)
    """

    def __init__(
        self,
        height: int,
        width: int,
        interpolation: str = "bilinear",
        crop_to_aspect_ratio: bool = False,
        pad_to_aspect_ratio: bool = False,
        fill_mode: str = "constant",
        fill_value: float = 0.0,
        antialias: bool = False,
        data_format: str | None = None,
        **kwargs,
    ):
        super().__init__(data_format=data_format, **kwargs)
        self.height = height
        self.width = width
        self._check_size()
        self.interpolation = interpolation
        self._how = {
            "crop_to_aspect_ratio": crop_to_aspect_ratio,
            "pad_to_aspect_ratio": pad_to_aspect_ratio,
            "fill_mode": fill_mode,
            "fill_value": fill_value,
            "antialias": antialias,
            "data_format": self.data_format,
        }

    def get_random_transformation(self, data, training=True, seed=None):
        return self._size(data)

    def transform_images(self, images, transformation=None, training=True):
        return self._resize(images, self.interpolation)

    def transform_bounding_boxes(self, bounding_boxes, transformation, training=True):
        height, width = transformation
        down, right = self.height / height, self.width / width
        if self._how["pad_to_aspect_ratio"]:
            down = right = min(down, right)
        elif self._how["crop_to_aspect_ratio"]:
            down = right = max(down, right)
        kept = ops.any(bounding_boxes["boxes"] + 1, axis=-1, keepdims=True)
        kept = ops.logical_and(kept, ops.any(bounding_boxes["boxes"], axis=-1, keepdims=True))

        def resize(boxes):
            scaled = boxes * ops.cast(np.array([right, down, right, down]), boxes.dtype)
            above, before = self.height - height * down, self.width - width * right
            return pad(scaled, int(above / 2), int(before / 2))

        size = self.height, self.width
        resized = self._moved_boxes(bounding_boxes, resize, (height, width), size)
        return {**resized, "boxes": ops.where(kept, resized["boxes"], 0.0)}

    def transform_segmentation_masks(self, segmentation_masks, transformation=None, training=True):
        return self._resize(segmentation_masks, "nearest")

    def compute_output_spec(self, inputs, training=True):
        spec = super().compute_output_spec(inputs, training)
        if not isinstance(inputs, KerasTensor) or "float" in inputs.dtype:
            return spec
        return KerasTensor(spec.shape, inputs.dtype)

    def _resize(self, images, interpolation: str):
        dtype = images.dtype
        floats = images if "float" in dtype else ops.cast(images, "float32")
        size = (self.height, self.width)
        floats = image_ops.resize(floats, size, interpolation, **self._how)
        if floats.dtype == dtype:
            return floats
        if interpolation != "nearest":
            floats = ops.round(floats)
        low, high = _LIMITS.get(dtype, (None, None))
        return ops.cast(floats if low is None else ops.clip(floats, low, high), dtype)


class CenterCrop(_Sized):
    """Cuts out the middle of images; smaller ones are resized, so that nothing is stretched.

    Args:
        height: Pixels of the result.
        width: Pixels of the result.
        data_format: "channels_last", also for None, or "channels_first".

    Call arguments:
        inputs: An image, a batch, or a dict with them and `"segmentation_masks"`.

    Returns:
        The same in the new size, in floating point.

    Example:
        >>> import pydl
        >>> pydl.layers.CenterCrop(1, 2)(np.arange(12.0).reshape(1, 3, 4, 1)).tolist()
        [[[[5.0], [6.0]]]]
    """

    def __init__(self, height: int, width: int, data_format: str | None = None, **kwargs):
        super().__init__(data_format=data_format, **kwargs)
        self.height = height
        self.width = width
        self._check_size()

    def get_random_transformation(self, data, training=True, seed=None):
        return {"input_shape": data.shape}

    def transform_bounding_boxes(self, bounding_boxes, transformation, training=True):
        height, width = size = self._input_size(transformation)
        if height < self.height or width < self.width:
            return self._boxes_of_resized_middle(bounding_boxes, size)
        top, left = (height - self.height) // 2, (width - self.width) // 2
        return self._moved_boxes(
            bounding_boxes, lambda boxes: pad(boxes, -top, -left), size, (self.height, self.width)
        )

    def transform_images(self, images, transformation=None, training=True):
        images = self._floats(images)
        height, width = self._size(images)
        top, left = (height - self.height) // 2, (width - self.width) // 2
        if top >= 0 and left >= 0 and height >= self.height and width >= self.width:
            return self._cut(images, top, left, self.height, self.width)
        return self._resized_middle(images)

    def transform_segmentation_masks(self, segmentation_masks, transformation=None, training=True):
        return self.transform_images(segmentation_masks, transformation, training)


class RandomCrop(_Sized, RandomImageLayer):
    """Cuts images out at a random place while training, the same one for a whole batch.

    Otherwise, and where images are not larger, the middle is cut out and resized.

    Args:
        height: Pixels of the result.
        width: Pixels of the result.
        seed: An integer for places that can be had again.
        data_format: "channels_last", also for None, or "channels_first".

    Call arguments:
        inputs: An image, a batch, or a dict with them and `"segmentation_masks"`.
        training: Whether the place is random.

    Returns:
        The same in the new size, in floating point.

    Example:
        >>> import pydl
        >>> pydl.layers.RandomCrop(2, 2, seed=1)(np.ones((5, 4, 4, 3)), training=True).shape
        (5, 2, 2, 3)
    """

    def __init__(
        self,
        height: int,
        width: int,
        seed: Any = None,
        data_format: str | None = None,
        **kwargs,
    ):
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.height = height
        self.width = width
        self._check_size()

    def get_random_transformation(self, data, training=True, seed=None):
        height, width = self._size(data)
        if not (training and height > self.height and width > self.width):
            return {"place": None, "input_shape": data.shape}
        share = self._uniform((2,), 0.0, 1.0, seed)
        top, left = share[0] * (height - self.height + 1), share[1] * (width - self.width + 1)
        return {"place": (int(top), int(left)), "input_shape": data.shape}

    def transform_images(self, images, transformation, training=True):
        images = self._floats(images)
        place = transformation["place"] if isinstance(transformation, dict) else transformation
        if place is None:
            return self._resized_middle(images)
        top, left = map(int, place)
        return self._cut(images, top, left, self.height, self.width)

    def transform_bounding_boxes(self, bounding_boxes, transformation, training=True):
        size, place = self._input_size(transformation), transformation["place"]
        if place is None:
            return self._boxes_of_resized_middle(bounding_boxes, size)
        return self._moved_boxes(
            bounding_boxes, lambda b: pad(b, -place[0], -place[1]), size, (self.height, self.width)
        )

    def transform_segmentation_masks(self, segmentation_masks, transformation, training=True):
        return self.transform_images(segmentation_masks, transformation, training)
