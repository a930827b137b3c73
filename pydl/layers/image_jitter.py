"""Images with several changes of color at once, and blurred ones."""

from __future__ import annotations

from typing import Any

import numpy as np

from pydl import ops
from pydl.layers.image_color import RandomBrightness, RandomContrast, RandomHue, RandomSaturation
from pydl.layers.image_layer import RandomImageLayer, factor_range, value_bounds

__all__ = ["RandomColorJitter", "RandomGaussianBlur"]


class RandomColorJitter(RandomImageLayer):
    """Changes brightness, contrast, saturation and hue of images at random while training.

    Args:
        value_range: The smallest and largest value of a pixel.
        brightness_factor: As in `RandomBrightness`; None leaves it.
        contrast_factor: As in `RandomContrast`; None leaves it.
        saturation_factor: As in `RandomSaturation`; None leaves it.
        hue_factor: As in `RandomHue`; None leaves it.
        seed: An integer for changes that can be had again.
        data_format: "channels_last", also for None, or "channels_first".

    Call arguments:
        inputs: Images of red, green and blue: one, a batch, or a dict with them.
        training: Whether to change anything.

    Returns:
        The same shape, in floating point.

    Example:
        >>> import pydl
        >>> layer = pydl.layers.RandomColorJitter((0, 1), brightness_factor=(0.5, 0.5))
        >>> layer([[[0.0, 0.25, 0.75]]], training=True).tolist()
        [[[0.5, 0.75, 1.0]]]
    """

    def __init__(
        self,
        value_range: Any = (0, 255),
        brightness_factor: Any = None,
        contrast_factor: Any = None,
        saturation_factor: Any = None,
        hue_factor: Any = None,
        seed: Any = None,
        data_format: str | None = None,
        **kwargs,
    ):
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.value_range = value_bounds(self.name, value_range)
        factors = {
            RandomBrightness: brightness_factor,
            RandomContrast: contrast_factor,
            RandomSaturation: saturation_factor,
            RandomHue: hue_factor,
        }
        common = {"data_format": data_format, "dtype": kwargs.get("dtype")}
        self._changes = [
            layer(factor, self.value_range, **common)
            for layer, factor in factors.items()
            if factor is not None
        ]

    def get_random_transformation(self, data, training=True, seed=None):
        if not training:
            return None
        generator = self.generator if seed is None else seed
        return [change.get_random_transformation(data, seed=generator) for change in self._changes]

    def transform_images(self, images, transformation, training=True):
        images = self._floats(images)
        for change, part in zip(self._changes, transformation or [] if training else []):
            images = change.transform_images(images, part)
        return images


class RandomGaussianBlur(RandomImageLayer):
    """Blurs a random share of the images while training.

    Args:
        factor: The share, from 0 to 1; a number draws it from 0 on for every image, a pair from that
            range.
        kernel_size: Pixels that a pixel is made of, an odd number, or one for each of width and
            height.
        sigma: The largest radius of the blur in pixels, up to 1; a pair for a range.
        value_range: The smallest and largest value of a pixel.
        data_format: "channels_last", also for None, or "channels_first".
        seed: An integer for a choice that can be had again.

    Call arguments:
        inputs: An image, a batch, or a dict with them.
        training: Whether to blur anything.

    Returns:
        The same shape, in floating point.

    Example:
        >>> import pydl
        >>> layer = pydl.layers.RandomGaussianBlur((1.0, 1.0), sigma=(1.0, 1.0))
        >>> x = np.zeros((1, 3, 3, 1))
        >>> x[0, 1, 1] = 100
        >>> layer(x, training=True).numpy()[0, 1, :, 0].round().tolist()
        [12.0, 20.0, 12.0]
    """

    def __init__(
        self,
        factor: Any = 1.0,
        kernel_size: Any = 3,
        sigma: Any = 1.0,
        value_range: Any = (0, 255),
        data_format: str | None = None,
        seed: Any = None,
        **kwargs,
    ):
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.factor = factor_range(self.name, "factor", factor, (0.0, 1.0))
        self.sigma = factor_range(self.name, "sigma", sigma, (0.0, 1.0))
        sizes = tuple(kernel_size) if isinstance(kernel_size, (tuple, list)) else (kernel_size,) * 2
        if len(sizes) != 2 or not all(isinstance(n, int) and n > 0 and n % 2 for n in sizes):
            raise ValueError(
                f"[{self.name}] expected kernel_size as one or two odd numbers, got {kernel_size!r}."
            )
        self.kernel_size = sizes
        self.value_range = value_bounds(self.name, value_range)

    def get_random_transformation(self, data, training=True, seed=None):
        if not training:
            return None
        count = (data.shape[0],)
        share = self._uniform(count, *self.factor, seed)
        return {
            "should_apply_blur": self._uniform(count, 0.0, 1.0, seed) < share,
            "blur_factor": self._uniform((2,), *self.sigma, seed) + 1e-6,
        }

    def transform_images(self, images, transformation, training=True):
        images = self._floats(images)
        if transformation is None or not training:
            return images
        across, down = (
            _bell(size, float(sigma))
            for size, sigma in zip(self.kernel_size, np.asarray(transformation["blur_factor"]))
        )
        channels = images.shape[1 if self.data_format == "channels_first" else -1]
        window = np.repeat(np.outer(down, across)[..., None, None], channels, axis=2)
        blurred = ops.depthwise_conv(
            images, ops.cast(window, images.dtype), padding="same", data_format=self.data_format
        )
        apply = np.asarray(transformation["should_apply_blur"]).reshape(-1, 1, 1, 1)
        return ops.clip(ops.where(apply, blurred, images), *self.value_range)


def _bell(size: int, sigma: float) -> np.ndarray:
    """The weights of a Gaussian, which add up to 1."""
    distance = np.arange(size) - (size - 1) / 2
    weights = np.exp(-0.5 * (distance / sigma) ** 2)
    return weights / weights.sum()
