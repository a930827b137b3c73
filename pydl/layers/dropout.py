"""Dropout."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydl.layers.layer import Layer
from pydl.random import SeedGenerator, dropout

__all__ = ["Dropout"]


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
