"""A few random changes of images out of many."""

from __future__ import annotations

from typing import Any

import numpy as np

from pydl.layers.image_color import RandomBrightness, RandomColorDegeneration, RandomContrast
from pydl.layers.image_geometry import RandomRotation, RandomShear, RandomTranslation
from pydl.layers.image_layer import RandomImageLayer, factor_range, value_bounds
from pydl.layers.image_tone import (
    AutoContrast,
    Equalization,
    RandomPosterization,
    RandomSharpness,
    Solarization,
)

__all__ = ["RandAugment"]


class RandAugment(RandomImageLayer):
    """Changes each batch by a few layers drawn at random while training.

    They are drawn from: shear, translation, rotation, brightness, loss of color, contrast, sharpness,
    posterization, solarization, auto contrast and equalization.

    Args:
        value_range: The smallest and largest value of a pixel.
        num_ops: How many layers are drawn for a batch.
        factor: How strong they are, from 0 to 1; a number, or a pair for a range.
        interpolation: "bilinear" or "nearest".
        seed: An integer for changes that can be had again.
        data_format: "channels_last", also for None, or "channels_first".

    Call arguments:
        inputs: Images of red, green and blue: one, a batch, or a dict with them.
        training: Whether to change anything.

    Returns:
        The same shape, in floating point.

    Example:
        >>> import pydl
        >>> layer = pydl.layers.RandAugment(seed=1)
        >>> layer(np.ones((2, 8, 8, 3)), training=True).shape
        (2, 8, 8, 3)

    Source: Cubuk et al., "RandAugment: Practical automated data augmentation with a reduced search
    space", 2019.
    """

    def __init__(
        self,
        value_range: Any = (0, 255),
        num_ops: int = 2,
        factor: Any = 0.5,
        interpolation: str = "bilinear",
        seed: Any = None,
        data_format: str | None = None,
        **kwargs,
    ):
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        if num_ops < 1:
            raise ValueError(f"[{self.name}] expected num_ops of at least 1, got {num_ops}.")
        self.num_ops = num_ops
        self.factor = factor_range(self.name, "factor", factor, (0.0, 1.0))
        self.value_range = value_bounds(self.name, value_range)
        common = {"dtype": kwargs.get("dtype"), "data_format": data_format}
        f, values = self.factor, {"value_range": self.value_range, **common}
        common["bounding_box_format"] = self.bounding_box_format
        moved = {"interpolation": interpolation, **common}
        bits = max(1, int(8 * f[1]))
        self._changes = [
            RandomShear(f, f, **moved),
            RandomTranslation(f, f, **moved),
            RandomRotation(f, **moved),
            RandomBrightness(f, **values),
            RandomColorDegeneration(f, **values),
            RandomContrast(f, **values),
            RandomSharpness(f, **values),
            RandomPosterization(bits, **values),
            Solarization(f, f, **values),
            AutoContrast(**values),
            Equalization(**values),
        ]

    def get_random_transformation(self, data, training=True, seed=None):
        if not training:
            return None
        generator = self.generator if seed is None else seed
        shares = self._uniform((self.num_ops,), 0.0, 1.0, seed)
        drawn = np.minimum(shares * len(self._changes), len(self._changes) - 1).astype(int).tolist()
        return [
            (i, self._changes[i].get_random_transformation(data, training=True, seed=generator))
            for i in drawn
        ]

    def transform_images(self, images, transformation, training=True):
        return self._apply("transform_images", self._floats(images), transformation, training)

    def transform_segmentation_masks(self, segmentation_masks, transformation, training=True):
        return self._apply(
            "transform_segmentation_masks", segmentation_masks, transformation, training
        )

    def transform_bounding_boxes(self, bounding_boxes, transformation, training=True):
        return self._apply("transform_bounding_boxes", bounding_boxes, transformation, training)

    def _apply(self, method: str, values, transformation, training: bool):
        for i, part in transformation or [] if training else []:
            values = getattr(self._changes[i], method)(values, part, training=True)
        return values
