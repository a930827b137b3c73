"""Layers that only change the shape: flatten, reshape, permute, pad and repeat."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from pydl import ops
from pydl.errors import ShapeError
from pydl.layers.arguments import check_data_format, size_tuple
from pydl.layers.input_spec import InputSpec
from pydl.layers.layer import Layer

__all__ = ["Flatten", "Permute", "Reshape", "UpSampling2D", "ZeroPadding2D"]


class Flatten(Layer):
    """Makes every sample one-dimensional.

    Args:
        data_format: With "channels_first", channels are moved last before flattening.

    Call arguments:
        inputs: A tensor of shape `(batch, ...)`.

    Returns:
        A tensor of shape `(batch, size of a sample)`.

    Example:
        >>> import pydl
        >>> pydl.layers.Flatten()(pydl.ops.ones((2, 3, 4))).shape
        (2, 12)
    """

    _keeps_dtype = True

    def __init__(self, data_format: str | None = None, **kwargs):
        super().__init__(**kwargs)
        self.data_format = check_data_format(data_format, self.name)
        self.input_spec = InputSpec(min_ndim=1)

    def call(self, inputs):
        if self.data_format == "channels_first" and inputs.ndim > 2:
            inputs = ops.moveaxis(inputs, 1, -1)
        return ops.reshape(inputs, (inputs.shape[0], math.prod(inputs.shape[1:])))

    def compute_output_shape(self, input_shape):
        rest = input_shape[1:]
        return (input_shape[0], None if None in rest else math.prod(rest))


class Reshape(Layer):
    """Gives every sample another shape.

    Args:
        target_shape: The shape of a sample; one size may be -1, which is then computed.

    Call arguments:
        inputs: A tensor of shape `(batch, ...)`.

    Returns:
        A tensor of shape `(batch, *target_shape)`.

    Raises:
        ShapeError: the sizes of a sample and of `target_shape` differ.

    Example:
        >>> import pydl
        >>> pydl.layers.Reshape((2, -1))(pydl.ops.ones((5, 12))).shape
        (5, 2, 6)
    """

    _keeps_dtype = True

    def __init__(self, target_shape: Sequence[int], **kwargs):
        super().__init__(**kwargs)
        self.target_shape = tuple(target_shape)
        if self.target_shape.count(-1) > 1:
            raise ValueError(f"[{self.name}] expected at most one -1, got {self.target_shape}.")

    def call(self, inputs):
        return ops.reshape(inputs, self.compute_output_shape(inputs.shape))

    def compute_output_shape(self, input_shape):
        rest = input_shape[1:]
        if None in rest:
            return (input_shape[0], *(None if n == -1 else n for n in self.target_shape))
        size, known = math.prod(rest), math.prod(n for n in self.target_shape if n != -1)
        fits = known and size % known == 0 if -1 in self.target_shape else size == known
        if not fits:
            raise ShapeError(
                f"[{self.name}] expected samples of as many elements as {self.target_shape}, "
                f"got shape {tuple(input_shape)}."
            )
        return (input_shape[0], *(size // known if n == -1 else n for n in self.target_shape))


class Permute(Layer):
    """Changes the order of the axes of every sample.

    Args:
        dims: The axes in their new order, counted from 1 (0 is the batch).

    Call arguments:
        inputs: A tensor of shape `(batch, ...)`.

    Returns:
        A tensor with the axes permuted.

    Raises:
        ValueError: `dims` is not a permutation of 1, 2, ...

    Example:
        >>> import pydl
        >>> pydl.layers.Permute((2, 1))(pydl.ops.ones((5, 3, 4))).shape
        (5, 4, 3)
    """

    _keeps_dtype = True

    def __init__(self, dims: Sequence[int], **kwargs):
        super().__init__(**kwargs)
        self.dims = tuple(dims)
        if sorted(self.dims) != list(range(1, len(self.dims) + 1)):
            raise ValueError(
                f"[{self.name}] expected a permutation of 1 to {len(self.dims)}, got {self.dims}."
            )
        self.input_spec = InputSpec(ndim=len(self.dims) + 1)

    def call(self, inputs):
        return ops.transpose(inputs, (0, *self.dims))

    def compute_output_shape(self, input_shape):
        return (input_shape[0], *(input_shape[axis] for axis in self.dims))


class ZeroPadding2D(Layer):
    """Adds rows and columns of zeros around images.

    Args:
        padding: One number for all sides, `(rows, columns)`, or `((top, bottom), (left, right))`.
        data_format: "channels_last", which is the default, or "channels_first".

    Call arguments:
        inputs: A tensor of shape `(batch, height, width, channels)`.

    Returns:
        A tensor with larger height and width.

    Raises:
        ValueError: `padding` has another form, or a negative number.

    Example:
        >>> import pydl
        >>> pydl.layers.ZeroPadding2D(((1, 0), (2, 2)))(pydl.ops.ones((1, 4, 4, 3))).shape
        (1, 5, 8, 3)
    """

    _keeps_dtype = True

    def __init__(self, padding: Any = (1, 1), data_format: str | None = None, **kwargs):
        super().__init__(**kwargs)
        self.padding = _paddings(padding, self.name)
        self.data_format = check_data_format(data_format, self.name)
        self.input_spec = InputSpec(ndim=4)

    def call(self, inputs):
        none = ((0, 0),)
        if self.data_format == "channels_last":
            return ops.pad(inputs, none + self.padding + none)
        return ops.pad(inputs, none + none + self.padding)

    def compute_output_shape(self, input_shape):
        shape = list(input_shape)
        first = 1 if self.data_format == "channels_last" else 2
        for axis, (before, after) in enumerate(self.padding, first):
            shape[axis] = None if shape[axis] is None else shape[axis] + before + after
        return tuple(shape)


class UpSampling2D(Layer):
    """Repeats the rows and columns of images.

    Args:
        size: How often to repeat rows and columns; an integer for both.
        data_format: "channels_last", which is the default, or "channels_first".
        interpolation: "nearest" repeats pixels, "bilinear" interpolates between them.

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

    _keeps_dtype = True

    def __init__(
        self,
        size: Any = (2, 2),
        data_format: str | None = None,
        interpolation: str = "nearest",
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.size = size_tuple("size", size, 2, self.name)
        self.data_format = check_data_format(data_format, self.name)
        self.interpolation = interpolation
        if interpolation not in ("nearest", "bilinear"):
            raise ValueError(
                f"[{self.name}] expected interpolation to be nearest or bilinear, "
                f"got {interpolation!r}."
            )
        self.input_spec = InputSpec(ndim=4)

    def call(self, inputs):
        first = 1 if self.data_format == "channels_last" else 2
        grow = ops.repeat if self.interpolation == "nearest" else _interpolate
        for axis, factor in enumerate(self.size, first):
            if factor > 1:
                inputs = grow(inputs, factor, axis)
        return inputs

    def compute_output_shape(self, input_shape):
        shape = list(input_shape)
        first = 1 if self.data_format == "channels_last" else 2
        for axis, factor in enumerate(self.size, first):
            shape[axis] = None if shape[axis] is None else shape[axis] * factor
        return tuple(shape)


def _interpolate(x, factor: int, axis: int):
    """Resize one axis linearly, with the centers of pixels half a pixel from the border."""
    size = x.shape[axis]
    place = (ops.arange(size * factor, dtype="float32") + 0.5) / factor - 0.5
    place = ops.clip(place, 0, size - 1)
    below = ops.floor(place)
    above = ops.minimum(below + 1, size - 1)
    shape = [1] * x.ndim
    shape[axis] = size * factor
    weight = ops.cast(ops.reshape(place - below, shape), x.dtype)
    first = ops.take(x, ops.cast(below, "int32"), axis=axis)
    second = ops.take(x, ops.cast(above, "int32"), axis=axis)
    return first + (second - first) * weight


def _paddings(value: Any, layer: str) -> tuple[tuple[int, int], tuple[int, int]]:
    pair = (value, value) if isinstance(value, int) else tuple(value)
    sides = tuple((one, one) if isinstance(one, int) else tuple(one) for one in pair)
    if len(sides) != 2 or any(len(side) != 2 or min(side) < 0 for side in sides):
        raise ValueError(
            f"[{layer}] expected padding to be a number, (rows, columns) or "
            f"((top, bottom), (left, right)), none negative, got {value!r}."
        )
    return sides
