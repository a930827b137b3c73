"""The base of layers that change images, and how their factors are given."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from pydl import ops, random, tree
from pydl.errors import ShapeError
from pydl.layers.boxes import clip_to_image_size, convert_format
from pydl.layers.keras_tensor import KerasTensor
from pydl.layers.layer import Layer
from pydl.random import SeedGenerator

__all__ = ["ImageLayer", "RandomImageLayer", "factor_range", "value_bounds"]


def factor_range(
    owner: str, name: str, factor: Any, bounds: tuple[float, float] = (-1.0, 1.0)
) -> tuple[float, float]:
    """The range that random factors come from: `factor` itself, or `-factor` to `factor`.

    Raises:
        ValueError: no number or pair of numbers, or outside of `bounds`.
    """
    pair = list(factor) if isinstance(factor, (tuple, list)) else [factor]
    numbers = all(isinstance(f, (int, float, np.number)) for f in pair)
    if not numbers or len(pair) > 2 or not all(bounds[0] <= f <= bounds[1] for f in pair):
        raise ValueError(
            f"[{owner}] expected {name} as a number or a pair of numbers from {bounds[0]} to "
            f"{bounds[1]}, got {factor!r}."
        )
    if len(pair) == 2:
        return min(pair), max(pair)
    return max(-abs(pair[0]), bounds[0]), abs(pair[0])


def value_bounds(owner: str, value_range: Any) -> tuple[float, float]:
    """The smallest and largest value of a pixel.

    Raises:
        ValueError: no pair.
    """
    if not isinstance(value_range, (tuple, list)) or len(value_range) != 2:
        raise ValueError(f"[{owner}] expected value_range as a pair, got {value_range!r}.")
    return min(value_range), max(value_range)


class ImageLayer(Layer):
    """A layer of images: one, a batch, or a dict with them and what belongs to them.

    A dict has `"images"` and may have `"labels"`, `"segmentation_masks"` and `"bounding_boxes"` (a
    dict of `"boxes"` and `"labels"`, written as `bounding_box_format` says), which are changed
    along. Subclasses define `transform_images`, and `get_random_transformation` where chance plays
    a part.
    """

    def __init__(
        self, data_format: str | None = None, bounding_box_format: str | None = None, **kwargs
    ):
        super().__init__(**kwargs)
        self.bounding_box_format = bounding_box_format
        if data_format not in (None, "channels_last", "channels_first"):
            raise ValueError(
                f"[{self.name}] expected data_format 'channels_last' or 'channels_first', got "
                f"{data_format!r}."
            )
        self.data_format = data_format or "channels_last"

    def call(self, inputs, training=True):
        data = inputs if isinstance(inputs, dict) else {"images": inputs}
        images = data["images"]
        if images.ndim not in (3, 4):
            raise ShapeError(
                f"[{self.name}] expected an image of 3 axes or a batch of 4, got shape "
                f"{images.shape}."
            )
        single = images.ndim == 3
        if "bounding_boxes" in data:
            data = {**data, "bounding_boxes": self._checked_boxes(data["bounding_boxes"])}
        parts = tree.map_structure(lambda value: value[None], data) if single else data
        transformation = self.get_random_transformation(parts["images"], training=training)
        changed = {
            key: getattr(self, f"transform_{key}")(value, transformation, training=training)
            for key, value in parts.items()
        }
        if single:
            changed = tree.map_structure(lambda value: value[0], changed)
        return changed if isinstance(inputs, dict) else changed["images"]

    def get_random_transformation(self, data, training=True, seed=None):
        """What is to be done with each image of a batch; None for layers without chance."""
        return None

    def transform_images(self, images, transformation, training=True):
        """A batch of images, changed."""
        raise NotImplementedError(f"[{self.name}] expected the class to define transform_images.")

    def transform_labels(self, labels, transformation, training=True):
        """The labels that belong to the changed images."""
        return labels

    def transform_bounding_boxes(self, bounding_boxes, transformation, training=True):
        """Boxes around objects, moved as their images are; by most layers not at all."""
        return bounding_boxes

    def transform_segmentation_masks(self, segmentation_masks, transformation, training=True):
        """Masks, changed as their images are."""
        return segmentation_masks

    def compute_output_shape(self, input_shape):
        return input_shape

    def compute_output_spec(self, inputs, training=True):
        if isinstance(inputs, dict):
            return {key: self._spec(key, value) for key, value in inputs.items()}
        return self._spec("images", inputs)

    def _spec(self, key: str, tensor: Any) -> Any:
        if isinstance(tensor, dict):
            return {name: self._spec(name, value) for name, value in tensor.items()}
        if key != "images":
            return KerasTensor(tensor.shape, tensor.dtype)
        return KerasTensor(self.compute_output_shape(tensor.shape), self.compute_dtype)

    def _floats(self, images):
        return images if images.dtype == self.compute_dtype else ops.cast(images, self.compute_dtype)

    @property
    def _axes(self) -> tuple[int, int]:
        """The axes of height and width."""
        return (-2, -1) if self.data_format == "channels_first" else (-3, -2)

    def _size(self, images) -> tuple[int, int]:
        height, width = self._axes
        return images.shape[height], images.shape[width]

    def _input_size(self, transformation: dict) -> tuple[int, int]:
        """Height and width of the images that a transformation was made for."""
        shape = transformation["input_shape"]
        return int(shape[self._axes[0]]), int(shape[self._axes[1]])

    def _checked_boxes(self, bounding_boxes: Any) -> dict[str, Any]:
        """Boxes in float32, and their labels, as tensors."""
        if not self.bounding_box_format:
            raise ValueError(
                f"[{self.name}] expected a bounding_box_format for inputs with bounding_boxes, got "
                "none. Hint: bounding_box_format='xyxy'."
            )
        if not isinstance(bounding_boxes, dict) or not {"boxes", "labels"} <= set(bounding_boxes):
            raise ValueError(f"[{self.name}] expected bounding_boxes with boxes and labels.")
        found = {key: ops.convert_to_tensor(value) for key, value in bounding_boxes.items()}
        if found["boxes"].ndim not in (2, 3) or found["boxes"].shape[-1] != 4:
            raise ShapeError(
                f"[{self.name}] expected boxes (boxes, 4) or (batch, boxes, 4), got shape "
                f"{found['boxes'].shape}."
            )
        return {**found, "boxes": ops.cast(found["boxes"], "float32")}

    def _moved_boxes(self, bounding_boxes: dict, move: Callable, size: tuple, new_size: tuple) -> dict:
        """Boxes changed by `move`, a function of those in "xyxy", and cut off at the new edges."""
        form = self.bounding_box_format or "xyxy"
        boxes = move(convert_format(bounding_boxes["boxes"], form, "xyxy", *size))
        clipped = clip_to_image_size({**bounding_boxes, "boxes": boxes}, *new_size)
        return convert_format(clipped, "xyxy", form, *new_size)

    def _cut(self, images, top: int, left: int, height: int, width: int):
        rows, columns = slice(top, top + height), slice(left, left + width)
        if self.data_format == "channels_first":
            return images[..., rows, columns]
        return images[..., rows, columns, :]


class RandomImageLayer(ImageLayer):
    """An image layer with a random stream of its own: the same seed, the same images."""

    def __init__(self, seed: Any = None, data_format: str | None = None, **kwargs):
        super().__init__(data_format=data_format, **kwargs)
        self.seed = seed
        self.generator = seed if isinstance(seed, SeedGenerator) else SeedGenerator(seed)

    def _uniform(self, shape: Any, low: float, high: float, seed: Any) -> np.ndarray:
        generator = self.generator if seed is None else seed
        return random.uniform(shape, low, high, seed=generator).numpy()

    def _per_image(self, values: Any):
        """One number an image, to be broadcast over its pixels."""
        return ops.cast(np.asarray(values).reshape(-1, 1, 1, 1), self.compute_dtype)
