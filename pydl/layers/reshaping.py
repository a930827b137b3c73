"""Layers that only change the shape: flatten, reshape, permute, repeat."""

from __future__ import annotations

import math
from collections.abc import Sequence

from pydl import ops
from pydl.errors import ShapeError
from pydl.layers.arguments import check_data_format, positive_int
from pydl.layers.input_spec import InputSpec
from pydl.layers.layer import Layer

__all__ = ["Flatten", "Permute", "RepeatVector", "Reshape"]


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


class RepeatVector(Layer):
    """Makes a sequence of `n` equal steps of every sample.

    Args:
        n: The number of steps.

    Call arguments:
        inputs: A tensor of shape `(batch, features)`.

    Returns:
        A tensor of shape `(batch, n, features)`.

    Raises:
        TypeError: `n` is not an integer.
        ValueError: `n` is not positive.

    Example:
        >>> import pydl
        >>> pydl.layers.RepeatVector(3)(pydl.ops.ones((2, 5))).shape
        (2, 3, 5)
    """

    _keeps_dtype = True

    def __init__(self, n: int, **kwargs):
        super().__init__(**kwargs)
        if not hasattr(n, "__index__"):
            raise TypeError(f"[{self.name}] expected n to be an integer, got {n!r}.")
        self.n = positive_int("n", n, self.name)
        self.input_spec = InputSpec(ndim=2)

    def call(self, inputs):
        return ops.repeat(ops.expand_dims(inputs, 1), self.n, axis=1)

    def compute_output_shape(self, input_shape):
        return (input_shape[0], self.n, input_shape[1])
