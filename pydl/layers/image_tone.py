"""Images with another distribution of values: sharper, flatter, in fewer steps, inverted."""

from __future__ import annotations

from typing import Any

import numpy as np

from pydl import ops
from pydl.layers.image_layer import ImageLayer, RandomImageLayer, factor_range, value_bounds

__all__ = [
    "AutoContrast",
    "Equalization",
    "RandomInvert",
    "RandomPosterization",
    "RandomSharpness",
    "Solarization",
]


def _scaled(images, source: tuple[float, float], target: tuple[float, float]):
    """Values of one range moved to another."""
    if tuple(source) == tuple(target):
        return images
    shares = (images - source[0]) / (source[1] - source[0])
    return shares * (target[1] - target[0]) + target[0]


class RandomSharpness(RandomImageLayer):
    """Blurs or sharpens images by random amounts while training.

    Args:
        factor: From 0 (blurred) over 0.5 (no change) to 1 (sharp); a number means from 0 on, a pair
            the range to draw from.
        value_range: The smallest and largest value of a pixel.
        data_format: "channels_last", also for None, or "channels_first".
        seed: An integer for amounts that can be had again.

    Call arguments:
        inputs: An image, a batch, or a dict with them.
        training: Whether to change anything.

    Returns:
        The same shape, in floating point, within `value_range`.

    Example:
        >>> import pydl
        >>> x = np.arange(9.0).reshape(1, 3, 3, 1)
        >>> layer = pydl.layers.RandomSharpness((0.5, 0.5))
        >>> bool((layer(x, training=True).numpy() == x).all())
        True
    """

    def __init__(
        self,
        factor: Any,
        value_range: Any = (0, 255),
        data_format: str | None = None,
        seed: Any = None,
        **kwargs,
    ):
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.factor = factor_range(self.name, "factor", factor, (0.0, 1.0))
        self.value_range = value_bounds(self.name, value_range)

    def get_random_transformation(self, data, training=True, seed=None):
        return {"factor": self._uniform((data.shape[0],), *self.factor, seed)} if training else None

    def transform_images(self, images, transformation, training=True):
        images = self._floats(images)
        if transformation is None or not training:
            return images
        channels = images.shape[1 if self.data_format == "channels_first" else -1]
        window = np.full((3, 3, channels, 1), 1 / 13)
        window[1, 1] = 5 / 13
        smooth = ops.depthwise_conv(
            images, ops.cast(window, images.dtype), padding="same", data_format=self.data_format
        )
        amount = 1 - 2 * self._per_image(transformation["factor"])
        return ops.clip(images + amount * (smooth - images), *self.value_range)


class RandomPosterization(RandomImageLayer):
    """Keeps only a random number of bits of every value while training.

    Args:
        factor: The most bits, from 1 to 8; a pair for the range to draw from, its end excluded.
        value_range: The smallest and largest value of a pixel.
        data_format: "channels_last", also for None, or "channels_first".
        seed: An integer for numbers that can be had again.

    Call arguments:
        inputs: An image, a batch, or a dict with them.
        training: Whether to change anything.

    Returns:
        The same shape, in floating point.

    Example:
        >>> import pydl
        >>> layer = pydl.layers.RandomPosterization((1, 1))
        >>> layer([[[100.0], [200.0]]], training=True).tolist()
        [[[0.0], [128.0]]]
    """

    def __init__(
        self,
        factor: Any,
        value_range: Any = (0, 255),
        data_format: str | None = None,
        seed: Any = None,
        **kwargs,
    ):
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.factor = factor_range(self.name, "factor", factor, (1, 8))
        self.value_range = value_bounds(self.name, value_range)

    def get_random_transformation(self, data, training=True, seed=None):
        if not training:
            return None
        low, high = self.factor
        shares = self._uniform((data.shape[0],), 0.0, 1.0, seed)
        bits = low + np.floor(shares * (high - low))
        return {"shift_factor": (8 - bits).astype("uint8")}

    def transform_images(self, images, transformation, training=True):
        images = self._floats(images)
        if transformation is None or not training:
            return images
        values = ops.floor(_scaled(images, self.value_range, (0, 255)))
        step = self._per_image(2.0 ** np.asarray(transformation["shift_factor"], "float64"))
        return _scaled(ops.floor(values / step) * step, (0, 255), self.value_range)


class Solarization(RandomImageLayer):
    """Inverts all values above a random threshold while training.

    Args:
        addition_factor: The most that is added before, as a share of the range.
        threshold_factor: The highest threshold, as a share of the range; a pair gives the range to
            draw from.
        value_range: The smallest and largest value of a pixel.
        seed: An integer for thresholds that can be had again.

    Call arguments:
        inputs: An image, a batch, or a dict with them.
        training: Whether to change anything.

    Returns:
        The same shape, in floating point.

    Example:
        >>> import pydl
        >>> layer = pydl.layers.Solarization(threshold_factor=(0.5, 0.5))
        >>> layer([[[100.0], [200.0]]], training=True).tolist()
        [[[100.0], [55.0]]]
    """

    def __init__(
        self,
        addition_factor: Any = 0.0,
        threshold_factor: Any = 0.0,
        value_range: Any = (0, 255),
        seed: Any = None,
        **kwargs,
    ):
        super().__init__(seed=seed, **kwargs)
        bounds = (0.0, 1.0)
        self.addition_factor = factor_range(self.name, "addition_factor", addition_factor, bounds)
        self.threshold_factor = factor_range(self.name, "threshold_factor", threshold_factor, bounds)
        self.value_range = value_bounds(self.name, value_range)

    def get_random_transformation(self, data, training=True, seed=None):
        if not training:
            return None
        shape = (data.shape[0], 1, 1, 1)
        return {
            "additions": self._uniform(shape, *self.addition_factor, seed) * 255,
            "thresholds": self._uniform(shape, *self.threshold_factor, seed) * 255,
        }

    def transform_images(self, images, transformation, training=True):
        images = self._floats(images)
        if transformation is None or not training:
            return images
        values = _scaled(images, self.value_range, (0, 255))
        values = ops.clip(values + self._per_image(transformation["additions"]), 0, 255)
        thresholds = self._per_image(transformation["thresholds"])
        values = ops.where(values < thresholds, values, 255 - values)
        return _scaled(values, (0, 255), self.value_range)


class AutoContrast(ImageLayer):
    """Stretches the values of every channel of an image over the whole range.

    Args:
        value_range: The smallest and largest value of a pixel.

    Call arguments:
        inputs: An image, a batch, or a dict with them.

    Returns:
        The same shape, in floating point; a channel of one value stays as it is.

    Example:
        >>> import pydl
        >>> pydl.layers.AutoContrast()([[[100.0], [150.0]]]).tolist()
        [[[0.0], [255.0]]]
    """

    def __init__(self, value_range: Any = (0, 255), **kwargs):
        super().__init__(**kwargs)
        self.value_range = value_bounds(self.name, value_range)

    def transform_images(self, images, transformation=None, training=True):
        images = self._floats(images)
        low = ops.min(images, axis=self._axes, keepdims=True)
        gap = ops.max(images, axis=self._axes, keepdims=True) - low
        scale = (self.value_range[1] - self.value_range[0]) / ops.where(gap > 0, gap, 1)
        stretched = ops.clip((images - low) * scale + self.value_range[0], *self.value_range)
        return ops.where(gap > 0, stretched, images)


class Equalization(ImageLayer):
    """Makes all values of every channel of an image about equally frequent.

    Args:
        value_range: The smallest and largest value of a pixel.
        bins: How many values are told apart.
        data_format: "channels_last", also for None, or "channels_first".

    Call arguments:
        inputs: An image, a batch, or a dict with them.

    Returns:
        The same shape, in floating point.

    Example:
        >>> import pydl
        >>> pydl.layers.Equalization()([[[10.0], [20.0], [30.0]]]).tolist()
        [[[0.0], [128.0], [255.0]]]
    """

    def __init__(
        self,
        value_range: Any = (0, 255),
        bins: int = 256,
        data_format: str | None = None,
        **kwargs,
    ):
        super().__init__(data_format=data_format, **kwargs)
        self.value_range = value_bounds(self.name, value_range)
        self.bins = bins

    def transform_images(self, images, transformation=None, training=True):
        images = self._floats(images)
        values = _scaled(images, self.value_range, (0, 255)).numpy()
        first = self.data_format == "channels_first"
        planes = values if first else values.transpose(0, 3, 1, 2)
        equal = np.stack([[self._equalize(plane) for plane in image] for image in planes])
        equal = equal if first else equal.transpose(0, 2, 3, 1)
        return ops.cast(_scaled(equal, (0, 255), self.value_range), self.compute_dtype)

    def _equalize(self, plane: np.ndarray) -> np.ndarray:
        places = (plane * (self.bins - 1) / 255).astype("int64").clip(0, self.bins - 1)
        counts = np.bincount(places.ravel(), minlength=self.bins)
        below = counts.cumsum()
        rest = below[-1] - counts[counts > 0][0]
        if rest == 0:
            return plane
        levels = np.round((below - counts[counts > 0][0]) * 255 / rest).clip(0, 255)
        return levels[places].astype(plane.dtype)


class RandomInvert(RandomImageLayer):
    """Inverts a random share of the images while training.

    Args:
        factor: The share, from 0 to 1; a pair draws it anew for every image.
        value_range: The smallest and largest value of a pixel.
        seed: An integer for a choice that can be had again.
        data_format: "channels_last", also for None, or "channels_first".

    Call arguments:
        inputs: An image, a batch, or a dict with them.
        training: Whether to change anything.

    Returns:
        The same shape, in floating point.

    Example:
        >>> import pydl
        >>> pydl.layers.RandomInvert((1.0, 1.0))([[[55.0]]], training=True).tolist()
        [[[200.0]]]
    """

    def __init__(
        self,
        factor: Any = 1.0,
        value_range: Any = (0, 255),
        seed: Any = None,
        data_format: str | None = None,
        **kwargs,
    ):
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.factor = factor_range(self.name, "factor", factor, (0.0, 1.0))
        self.value_range = value_bounds(self.name, value_range)

    def get_random_transformation(self, data, training=True, seed=None):
        if not training:
            return None
        count = (data.shape[0],)
        share = self._uniform(count, *self.factor, seed)
        return {"apply_inversion": self._uniform(count, 0.0, 1.0, seed) < share}

    def transform_images(self, images, transformation, training=True):
        images = self._floats(images)
        if transformation is None or not training:
            return images
        apply = np.asarray(transformation["apply_inversion"]).reshape(-1, 1, 1, 1)
        return ops.where(apply, self.value_range[1] - images, images)
