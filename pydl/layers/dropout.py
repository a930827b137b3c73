"""Dropout of elements, or of whole channels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydl.layers.arguments import check_data_format
from pydl.layers.input_spec import InputSpec
from pydl.layers.layer import Layer
from pydl.random import SeedGenerator, dropout

__all__ = ["Dropout", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D"]


class Dropout(Layer):
    """Sets a random share of the inputs to zero while training, and scales up the rest.

    Args:
        rate: The share set to zero, from 0 to 1.
        noise_shape: The shape of the random choice, 1 for axes that share it; that of the inputs
            when None. None for the sizes of the inputs.
        seed: An integer for a fixed sequence of choices; None takes one from the global stream.

    Call arguments:
        inputs: A tensor of any shape.
        training: Whether to drop anything.

    Returns:
        A tensor of the same shape, with the same expected values.

    Raises:
        ValueError: a rate outside of 0 to 1.

    Example:
        >>> import pydl
        >>> layer = pydl.layers.Dropout(0.5, seed=1)
        >>> layer(pydl.ops.ones((3,))).tolist()
        [1.0, 1.0, 1.0]
        >>> set(layer(pydl.ops.ones((100,)), training=True).tolist())
        {0.0, 2.0}

    Source: Srivastava et al., 2014.
    """

    supports_masking = True

    def __init__(
        self,
        rate: float,
        noise_shape: Sequence[int | None] | None = None,
        seed: Any = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if not isinstance(rate, (int, float)) or not 0 <= rate <= 1:
            raise ValueError(f"[{self.name}] expected a rate from 0 to 1, got {rate!r}.")
        self.rate = rate
        self.noise_shape = None if noise_shape is None else tuple(noise_shape)
        self.seed = seed
        self.seed_generator = seed if isinstance(seed, SeedGenerator) else SeedGenerator(seed)

    def call(self, inputs, training=False):
        if not training or self.rate == 0:
            return inputs
        return dropout(inputs, self.rate, self._noise_shape(inputs), self.seed_generator)

    def compute_output_shape(self, input_shape):
        return input_shape

    def _noise_shape(self, inputs) -> tuple[int, ...] | None:
        if self.noise_shape is None:
            return None
        return tuple(m if n is None else n for m, n in zip(inputs.shape, self.noise_shape))


class BaseSpatialDropout(Dropout):
    """What dropouts of channels share; `rank` is the number of spatial axes."""

    rank = 2

    def __init__(self, rate, data_format, seed, name, dtype):
        super().__init__(rate, seed=seed, name=name, dtype=dtype)
        self.data_format = check_data_format(data_format, self.name)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def _noise_shape(self, inputs):
        ones = (1,) * self.rank
        if self.data_format == "channels_last":
            return (inputs.shape[0], *ones, inputs.shape[-1])
        return (*inputs.shape[:2], *ones)


class SpatialDropout1D(BaseSpatialDropout):
    """Sets random channels of sequences to zero while training, at all steps together.

    Args:
        rate: The share of channels set to zero, from 0 to 1.
        seed: An integer for a fixed sequence of choices; None takes one from the global stream.

    Call arguments:
        inputs: A tensor of shape `(batch, steps, channels)`.
        training: Whether to drop anything.

    Returns:
        A tensor of the same shape, with the same expected values.

    Raises:
        ValueError: a rate outside of 0 to 1.

    Example:
        >>> import pydl
        >>> layer = pydl.layers.SpatialDropout1D(0.5, seed=1)
        >>> y = layer(pydl.ops.ones((1, 2, 100)), training=True).numpy()
        >>> bool((y[0, 0] == y[0, 1]).all()), sorted(set(y[0, 0].tolist()))
        (True, [0.0, 2.0])

    Source: Tompson et al., 2014.
    """

    rank = 1

    def __init__(self, rate: float, seed: Any = None, name: str | None = None, dtype: Any = None):
        super().__init__(rate, None, seed, name, dtype)


class SpatialDropout2D(BaseSpatialDropout):
    """Sets random channels of images to zero while training, at all pixels together.

    Args:
        rate: The share of channels set to zero, from 0 to 1.
        data_format: "channels_last", which is the default, or "channels_first".
        seed: An integer for a fixed sequence of choices; None takes one from the global stream.

    Call arguments:
        inputs: A tensor of shape `(batch, height, width, channels)`.
        training: Whether to drop anything.

    Returns:
        A tensor of the same shape, with the same expected values.

    Raises:
        ValueError: a rate outside of 0 to 1.

    Source: Tompson et al., 2014.
    """

    def __init__(
        self,
        rate: float,
        data_format: str | None = None,
        seed: Any = None,
        name: str | None = None,
        dtype: Any = None,
    ):
        super().__init__(rate, data_format, seed, name, dtype)


class SpatialDropout3D(BaseSpatialDropout):
    """Sets random channels of volumes to zero while training, at all places together.

    Args:
        rate: The share of channels set to zero, from 0 to 1.
        data_format: "channels_last", which is the default, or "channels_first".
        seed: An integer for a fixed sequence of choices; None takes one from the global stream.

    Call arguments:
        inputs: A tensor of shape `(batch, depth, height, width, channels)`.
        training: Whether to drop anything.

    Returns:
        A tensor of the same shape, with the same expected values.

    Raises:
        ValueError: a rate outside of 0 to 1.

    Source: Tompson et al., 2014.
    """

    rank = 3

    def __init__(
        self,
        rate: float,
        data_format: str | None = None,
        seed: Any = None,
        name: str | None = None,
        dtype: Any = None,
    ):
        super().__init__(rate, data_format, seed, name, dtype)
