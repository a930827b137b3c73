"""Repeating the elements of sequences, images and volumes, or interpolating between them."""

from __future__ import annotations

from typing import Any

import numpy as np

from pydl import ops
from pydl.layers.arguments import size_tuple
from pydl.layers.spatial import SpatialLayer

__all__ = ["UpSampling1D", "UpSampling2D", "UpSampling3D"]


class BaseUpSampling(SpatialLayer):
    """What up-samplings of every rank share."""

    interpolation = "nearest"

    def __init__(self, size, data_format=None, **kwargs):
        super().__init__(data_format, **kwargs)
        self.size = size_tuple("size", size, self.rank, self.name)

    def call(self, inputs):
        for factor, axis in zip(self.size, self._spatial_axes):
            if factor > 1 and self.interpolation == "nearest":
                inputs = ops.repeat(inputs, factor, axis)
            elif factor > 1:
                inputs = _interpolate(inputs, factor, axis, self.interpolation)
        return inputs

    def _output_size(self, i, size):
        return size * self.size[i]


class UpSampling1D(BaseUpSampling):
    """Repeats the steps of sequences.

    Args:
        size: How often to repeat every step.

    Call arguments:
        inputs: A tensor of shape `(batch, steps, channels)`.

    Returns:
        A tensor of shape `(batch, steps * size, channels)`.

    Raises:
        ValueError: `size` is not a positive integer.

    Example:
        >>> import pydl
        >>> pydl.layers.UpSampling1D(2)(pydl.ops.ones((1, 4, 3))).shape
        (1, 8, 3)
    """

    rank = 1

    def __init__(self, size: int = 2, **kwargs):
        super().__init__(size, **kwargs)


class UpSampling2D(BaseUpSampling):
    """Repeats the rows and columns of images.

    Args:
        size: How often to repeat rows and columns; an integer for both.
        data_format: "channels_last", which is the default, or "channels_first".
        interpolation: "nearest" repeats pixels; "bilinear", "bicubic", "lanczos3" and "lanczos5"
            interpolate between 2, 4, 6 or 10 of them along each axis.

    Call arguments:
        inputs: A tensor of shape `(batch, height, width, channels)`.

    Returns:
        A tensor of shape `(batch, height * size[0], width * size[1], channels)`.

    Raises:
        ValueError: an argument outside the values listed.

    Example:
        >>> import pydl
        >>> pydl.layers.UpSampling2D(2)(pydl.ops.ones((1, 4, 4, 3))).shape
        (1, 8, 8, 3)
    """

    def __init__(
        self,
        size: Any = (2, 2),
        data_format: str | None = None,
        interpolation: str = "nearest",
        **kwargs,
    ):
        super().__init__(size, data_format, **kwargs)
        self.interpolation = interpolation.lower()
        if self.interpolation not in ("nearest", *_FILTERS):
            raise ValueError(
                f"[{self.name}] expected interpolation to be one of nearest, "
                f"{', '.join(_FILTERS)}, got {interpolation!r}."
            )


class UpSampling3D(BaseUpSampling):
    """Repeats the elements of volumes.

    Args:
        size: How often to repeat along depth, height and width; an integer for all.
        data_format: "channels_last", which is the default, or "channels_first".

    Call arguments:
        inputs: A tensor of shape `(batch, depth, height, width, channels)`.

    Returns:
        A tensor whose depth, height and width are `size` times as large.

    Raises:
        ValueError: `size` is not a positive integer or three of them.

    Example:
        >>> import pydl
        >>> pydl.layers.UpSampling3D((1, 2, 3))(pydl.ops.ones((1, 4, 4, 4, 3))).shape
        (1, 4, 8, 12, 3)
    """

    rank = 3

    def __init__(self, size: Any = (2, 2, 2), data_format: str | None = None, **kwargs):
        super().__init__(size, data_format, **kwargs)


def _cubic(x):
    """Keys's cubic convolution with a = -0.5."""
    near = ((1.5 * x - 2.5) * x) * x + 1
    far = ((-0.5 * x + 2.5) * x - 4) * x + 2
    return np.where(x <= 1, near, np.where(x < 2, far, 0))


def _lanczos(radius: int):
    return lambda x: np.where(x < radius, np.sinc(x) * np.sinc(x / radius), 0)


# Weight of a pixel by its distance, and up to what distance there is any.
_FILTERS = {
    "bilinear": (lambda x: np.maximum(1 - x, 0), 1),
    "bicubic": (_cubic, 2),
    "lanczos3": (_lanczos(3), 3),
    "lanczos5": (_lanczos(5), 5),
}


def _interpolate(x, factor: int, axis: int, interpolation: str):
    """Resize one axis, with the centers of pixels half a pixel from the border."""
    weight_of, radius = _FILTERS[interpolation]
    size = x.shape[axis]
    place = (np.arange(size * factor) + 0.5) / factor - 0.5
    indices = np.floor(place) + np.arange(1 - radius, radius + 1)[:, None]
    weights = weight_of(np.abs(place - indices)) * ((indices >= 0) & (indices < size))
    weights /= weights.sum(axis=0)
    indices = np.clip(indices, 0, size - 1).astype("int32")
    shape = [1] * x.ndim
    shape[axis] = size * factor
    total = 0.0
    for index, weight in zip(indices, weights):
        weight = ops.cast(weight.reshape(shape), x.dtype)
        total = ops.take(x, index, axis=axis) * weight + total
    return total
