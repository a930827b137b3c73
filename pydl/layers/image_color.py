"""Images of other colors, at random."""

from __future__ import annotations

from typing import Any

import numpy as np

from pydl import ops
from pydl.layers.image_layer import RandomImageLayer, factor_range, value_bounds
from pydl.ops import image as image_ops

__all__ = [
    "RandomBrightness",
    "RandomColorDegeneration",
    "RandomContrast",
    "RandomGrayscale",
    "RandomHue",
    "RandomSaturation",
]


class _Colored(RandomImageLayer):
    """A layer that draws one factor an image from a range."""

    _bounds = (0.0, 1.0)

    def __init__(self, factor: Any, value_range: Any, seed: Any, **kwargs):
        super().__init__(seed=seed, **kwargs)
        self.factor = factor_range(self.name, "factor", factor, self._bounds)
        self.value_range = value_bounds(self.name, value_range)

    def get_random_transformation(self, data, training=True, seed=None):
        return {"factor": self._uniform((data.shape[0],), *self.factor, seed)} if training else None

    def transform_images(self, images, transformation, training=True):
        images = self._floats(images)
        if transformation is None or not training:
            return images
        return self._color(images, transformation)

    def _color(self, images, transformation: dict):
        raise NotImplementedError

    def _clip(self, images):
        return ops.clip(images, *self.value_range)


class RandomBrightness(_Colored):
    """Makes images lighter or darker by random amounts while training.

    Args:
        factor: The largest amount as a share of the range of values, from -1 to 1; a number for
            both ways, or a pair.
        value_range: The smallest and largest value of a pixel.
        seed: An integer for amounts that can be had again.

    Call arguments:
        inputs: An image, a batch, or a dict with them.
        training: Whether to change anything.

    Returns:
        The same shape, in floating point, within `value_range`.

    Example:
        >>> import pydl
        >>> layer = pydl.layers.RandomBrightness((0.5, 0.5), value_range=(0, 1))
        >>> layer([[[0.25], [0.75]]], training=True).tolist()
        [[[0.75], [1.0]]]
    """

    _bounds = (-1.0, 1.0)

    def __init__(self, factor: Any, value_range: Any = (0, 255), seed: Any = None, **kwargs):
        super().__init__(factor, value_range, seed, **kwargs)

    def get_random_transformation(self, data, training=True, seed=None):
        if not training:
            return None
        low, high = self.value_range
        shares = self._uniform((data.shape[0], 1, 1, 1), *self.factor, seed)
        return {"rgb_delta": shares * (high - low)}

    def _color(self, images, transformation):
        return self._clip(images + self._per_image(transformation["rgb_delta"]))


class RandomContrast(_Colored):
    """Changes the contrast of images by random factors while training.

    Every channel is stretched about its mean by a factor from `1 - factor` to `1 + factor`.

    Args:
        factor: From 0 to 1; a pair for different bounds below and above 1.
        value_range: The smallest and largest value of a pixel.
        seed: An integer for factors that can be had again.

    Call arguments:
        inputs: An image, a batch, or a dict with them.
        training: Whether to change anything.

    Returns:
        The same shape, in floating point, within `value_range`.

    Example:
        >>> import pydl
        >>> layer = pydl.layers.RandomContrast(0.5, seed=3)
        >>> layer(np.full((1, 2, 2, 3), 7.0), training=True).numpy().max().item()
        7.0
    """

    def __init__(self, factor: Any, value_range: Any = (0, 255), seed: Any = None, **kwargs):
        super().__init__(factor, value_range, seed, **kwargs)

    def get_random_transformation(self, data, training=True, seed=None):
        if not training:
            return None
        low, high = 1.0 - self.factor[0], 1.0 + self.factor[1]
        shape = (data.shape[0], 1, 1, 1)
        return {"contrast_factor": self._uniform(shape, low, high, seed)}

    def _color(self, images, transformation):
        mean = ops.mean(images, axis=self._axes, keepdims=True)
        factor = self._per_image(transformation["contrast_factor"])
        return self._clip((images - mean) * factor + mean)


class RandomSaturation(_Colored):
    """Changes how strong the colors of images are while training.

    Args:
        factor: From 0 (gray) over 0.5 (no change) to 1 (the strongest); a number means from 0 on, a
            pair the range to draw from.
        value_range: The smallest and largest value of a pixel.
        data_format: "channels_last", also for None, or "channels_first".
        seed: An integer for factors that can be had again.

    Call arguments:
        inputs: Images of red, green and blue: one, a batch, or a dict with them.
        training: Whether to change anything.

    Returns:
        The same shape, in floating point.

    Example:
        >>> import pydl
        >>> layer = pydl.layers.RandomSaturation((0.0, 0.0))
        >>> layer([[[8.0, 2.0, 4.0]]], training=True).tolist()
        [[[8.0, 8.0, 8.0]]]
    """

    def __init__(
        self,
        factor: Any,
        value_range: Any = (0, 255),
        data_format: str | None = None,
        seed: Any = None,
        **kwargs,
    ):
        super().__init__(factor, value_range, seed, data_format=data_format, **kwargs)

    def get_random_transformation(self, data, training=True, seed=None):
        if not training:
            return None
        factor = self._uniform((data.shape[0],), *self.factor, seed)
        return {"factor": factor / (1 - factor + 1e-7)}

    def _color(self, images, transformation):
        factors = np.asarray(transformation["factor"])
        return image_ops.adjust_hue(images, 0.0, factors, self.value_range[1], self.data_format)


class RandomHue(_Colored):
    """Turns the hue of images while training.

    Args:
        factor: The largest turn, from 0 to 1, where 1 is half of the color wheel; a pair for the
            range to draw from. The direction is random.
        value_range: The smallest and largest value of a pixel.
        data_format: "channels_last", also for None, or "channels_first".
        seed: An integer for turns that can be had again.

    Call arguments:
        inputs: Images of red, green and blue: one, a batch, or a dict with them.
        training: Whether to change anything.

    Returns:
        The same shape, in floating point, within `value_range`.

    Example:
        >>> import pydl
        >>> layer = pydl.layers.RandomHue((1.0, 1.0), value_range=(0, 1))
        >>> layer([[[1.0, 0.0, 0.0]]], training=True).tolist()
        [[[0.0, 1.0, 1.0]]]
    """

    def __init__(
        self,
        factor: Any,
        value_range: Any = (0, 255),
        data_format: str | None = None,
        seed: Any = None,
        **kwargs,
    ):
        super().__init__(factor, value_range, seed, data_format=data_format, **kwargs)

    def get_random_transformation(self, data, training=True, seed=None):
        if not training:
            return None
        count = (data.shape[0],)
        sign = np.where(self._uniform(count, 0.0, 1.0, seed) > 0.5, -1.0, 1.0)
        return {"factor": sign * self._uniform(count, *self.factor, seed) * 0.5}

    def _color(self, images, transformation):
        low, high = self.value_range
        shares = (images - low) / (high - low)
        turns = np.asarray(transformation["factor"])
        shares = image_ops.adjust_hue(shares, turns, 1.0, 1.0, self.data_format)
        return ops.clip(shares, 0, 1) * (high - low) + low


class RandomGrayscale(RandomImageLayer):
    """Takes the color out of a random share of the images while training.

    Args:
        factor: The share, from 0 to 1.
        data_format: "channels_last", also for None, or "channels_first".
        seed: An integer for a choice that can be had again.

    Call arguments:
        inputs: Images of red, green and blue: one, a batch, or a dict with them.
        training: Whether to change anything.

    Returns:
        The same shape, in floating point; gray images have equal channels.

    Example:
        >>> import pydl
        >>> layer = pydl.layers.RandomGrayscale(factor=1.0)
        >>> layer([[[10.0, 10.0, 10.0]]], training=True).numpy().round(2).tolist()
        [[[10.0, 10.0, 10.0]]]
    """

    def __init__(
        self, factor: float = 0.5, data_format: str | None = None, seed: Any = None, **kwargs
    ):
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        if not isinstance(factor, (int, float)) or not 0 <= factor <= 1:
            raise ValueError(f"[{self.name}] expected factor from 0 to 1, got {factor!r}.")
        self.factor = factor

    def get_random_transformation(self, data, training=True, seed=None):
        if not training:
            return None
        return self._uniform((data.shape[0],), 0.0, 1.0, seed).reshape(-1, 1, 1, 1) < self.factor

    def transform_images(self, images, transformation, training=True):
        images = self._floats(images)
        if transformation is None or not training:
            return images
        gray = image_ops.rgb_to_grayscale(images, self.data_format)
        return ops.where(np.asarray(transformation), gray, images)


class RandomColorDegeneration(_Colored):
    """Takes a random part of the color out of images while training.

    Args:
        factor: From 0 (no change) to 1 (gray); a number means from 0 on, a pair the range.
        value_range: The smallest and largest value of a pixel.
        data_format: "channels_last", also for None, or "channels_first".
        seed: An integer for factors that can be had again.

    Call arguments:
        inputs: Images of red, green and blue: one, a batch, or a dict with them.
        training: Whether to change anything.

    Returns:
        The same shape, in floating point, within `value_range`.

    Example:
        >>> import pydl
        >>> layer = pydl.layers.RandomColorDegeneration((1.0, 1.0))
        >>> layer([[[100.0, 0.0, 0.0]]], training=True).numpy().round().tolist()
        [[[30.0, 30.0, 30.0]]]
    """

    def __init__(
        self,
        factor: Any,
        value_range: Any = (0, 255),
        data_format: str | None = None,
        seed: Any = None,
        **kwargs,
    ):
        super().__init__(factor, value_range, seed, data_format=data_format, **kwargs)

    def _color(self, images, transformation):
        gray = image_ops.rgb_to_grayscale(images, self.data_format)
        return self._clip(images + self._per_image(transformation["factor"]) * (gray - images))
