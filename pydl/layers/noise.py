"""Random noise while training."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from pydl import ops, random
from pydl.layers.layer import Layer

__all__ = ["AlphaDropout", "GaussianDropout", "GaussianNoise"]


class BaseNoise(Layer):
    """What layers share that change their inputs at random while training.

    Args:
        amount: How much noise, from 0 to 1.
        seed: An integer, a SeedGenerator or None.
    """

    supports_masking = True

    def __init__(self, amount, seed, **kwargs):
        super().__init__(**kwargs)
        if not isinstance(amount, (int, float)) or not 0 <= amount <= 1:
            raise ValueError(f"[{self.name}] expected a number from 0 to 1, got {amount!r}.")
        self.seed = seed
        given = isinstance(seed, random.SeedGenerator)
        self.seed_generator = seed if given else random.SeedGenerator(seed)

    def compute_output_shape(self, input_shape):
        return input_shape


class GaussianNoise(BaseNoise):
    """Adds normal noise of mean 0 while training.

    Args:
        stddev: The standard deviation of the noise, from 0 to 1.
        seed: An integer for a fixed sequence of noise; None takes one from the global stream.

    Call arguments:
        inputs: A tensor of any shape.
        training: Whether to add noise.

    Returns:
        A tensor of the same shape.

    Raises:
        ValueError: a standard deviation outside of 0 to 1.

    Example:
        >>> import pydl
        >>> layer = pydl.layers.GaussianNoise(0.5, seed=1)
        >>> noise = layer(pydl.ops.zeros((10000,)), training=True).numpy()
        >>> bool(abs(noise.mean()) < 0.02), bool(abs(noise.std() - 0.5) < 0.02)
        (True, True)
    """

    def __init__(self, stddev: float, seed: Any = None, **kwargs):
        super().__init__(stddev, seed, **kwargs)
        self.stddev = stddev

    def call(self, inputs, training=False):
        if not training or self.stddev == 0:
            return inputs
        return inputs + random.normal(
            inputs.shape, 0.0, self.stddev, inputs.dtype, self.seed_generator
        )


class GaussianDropout(BaseNoise):
    """Multiplies by normal noise of mean 1 while training, of the variance that dropout has.

    Args:
        rate: The rate of the dropout; the standard deviation is `sqrt(rate / (1 - rate))`.
        seed: An integer for a fixed sequence of noise; None takes one from the global stream.

    Call arguments:
        inputs: A tensor of any shape.
        training: Whether to multiply by noise.

    Returns:
        A tensor of the same shape, with the same expected values.

    Raises:
        ValueError: a rate below 0, or not below 1.

    Source: Srivastava et al., 2014.
    """

    def __init__(self, rate: float, seed: Any = None, **kwargs):
        super().__init__(rate, seed, **kwargs)
        self.rate = rate
        if rate == 1:
            raise ValueError(f"[{self.name}] expected a rate below 1, got {rate}.")

    def call(self, inputs, training=False):
        if not training or self.rate == 0:
            return inputs
        stddev = math.sqrt(self.rate / (1 - self.rate))
        return inputs * random.normal(inputs.shape, 1.0, stddev, inputs.dtype, self.seed_generator)


# Where the scaled exponential linear unit ends on the left, which stands for a dropped unit.
_LOWEST = -1.6732632423543772848170429916717 * 1.0507009873554804934193349852946


class AlphaDropout(BaseNoise):
    """Dropout that keeps mean 0 and variance 1, for networks with `selu`.

    Args:
        rate: The share of elements dropped, from 0 to 1.
        noise_shape: The shape of the random choice, 1 for axes that share it; that of the inputs
            when None. None for the sizes of the inputs.
        seed: An integer for a fixed sequence of choices; None takes one from the global stream.

    Call arguments:
        inputs: A tensor of any shape.
        training: Whether to drop anything.

    Returns:
        A tensor of the same shape.

    Raises:
        ValueError: a rate outside of 0 to 1.

    Example:
        >>> import pydl
        >>> x = pydl.random.normal((10000,), seed=1)
        >>> y = pydl.layers.AlphaDropout(0.3, seed=2)(x, training=True).numpy()
        >>> bool(abs(y.mean()) < 0.05), bool(abs(y.std() - 1) < 0.05)
        (True, True)

    Source: Klambauer et al., 2017.
    """

    def __init__(
        self,
        rate: float,
        noise_shape: Sequence[int | None] | None = None,
        seed: Any = None,
        **kwargs,
    ):
        super().__init__(rate, seed, **kwargs)
        self.rate = rate
        self.noise_shape = None if noise_shape is None else tuple(noise_shape)

    def call(self, inputs, training=False):
        if not training or self.rate == 0:
            return inputs
        shape = inputs.shape
        if self.noise_shape is not None:
            shape = tuple(m if n is None else n for m, n in zip(shape, self.noise_shape))
        kept = random.uniform(shape, seed=self.seed_generator) >= self.rate
        scale = ((1 - self.rate) * (1 + self.rate * _LOWEST**2)) ** -0.5 if self.rate < 1 else 0.0
        return ops.where(kept, inputs, _LOWEST) * scale - scale * _LOWEST * self.rate
