"""Layers that tell a model where in a sequence each step stands."""

from __future__ import annotations

from typing import Any

import numpy as np

from pydl import ops
from pydl.errors import ShapeError
from pydl.layers.arguments import positive_int
from pydl.layers.embedding import Embedding
from pydl.layers.layer import Layer

__all__ = [
    "PositionEmbedding",
    "RotaryEmbedding",
    "SinePositionEncoding",
    "TokenAndPositionEmbedding",
]


class SinePositionEncoding(Layer):
    """Returns sines and cosines of the position, of wavelengths from `2 pi` up.

    Feature `2 i` of step `p` is `sin(p / max_wavelength ** (2 i / features))`, feature `2 i + 1`
    the cosine. Add the result to the inputs.

    Args:
        max_wavelength: The longest wavelength, over `2 pi`.

    Call arguments:
        inputs: A tensor of shape `(batch, steps, features)`.
        start_index: The position of the first step.

    Returns:
        The encodings, of the shape of the inputs.

    Example:
        >>> import pydl
        >>> x = pydl.ops.zeros((1, 3, 2))
        >>> (x + pydl.layers.SinePositionEncoding()(x)).numpy().round(2).tolist()[0][0]
        [0.0, 1.0]

    Source: Vaswani et al., 2017.
    """

    def __init__(self, max_wavelength: float = 10000, **kwargs):
        super().__init__(**kwargs)
        self.max_wavelength = max_wavelength

    def call(self, inputs, start_index=0):
        steps, features = inputs.shape[-2:]
        feature = np.arange(features)
        wavelengths = self.max_wavelength ** (2 * (feature // 2) / features)
        angles = (start_index + np.arange(steps))[:, None] / wavelengths
        table = np.where(feature % 2 == 0, np.sin(angles), np.cos(angles))
        return ops.broadcast_to(ops.cast(table, inputs.dtype), inputs.shape)

    def compute_output_shape(self, input_shape):
        return input_shape


class PositionEmbedding(Layer):
    """Returns a trained vector for every position. Add the result to the inputs.

    Args:
        sequence_length: The number of positions: no sequence may be longer.
        initializer: First values of the vectors.

    Call arguments:
        inputs: A tensor of shape `(batch, steps, features)`.
        start_index: The position of the first step.

    Returns:
        The vectors, of the shape of the inputs.

    Raises:
        ShapeError: a sequence with more steps than there are positions.

    Example:
        >>> import pydl
        >>> x = pydl.ops.ones((2, 5, 8))
        >>> (x + pydl.layers.PositionEmbedding(10)(x)).shape
        (2, 5, 8)
    """

    def __init__(self, sequence_length: int, initializer: Any = "glorot_uniform", **kwargs):
        super().__init__(**kwargs)
        self.sequence_length = positive_int("sequence_length", sequence_length, self.name)
        self.initializer = initializer

    def build(self, input_shape):
        self.embeddings = self.add_weight(
            (self.sequence_length, input_shape[-1]), self.initializer, name="embeddings"
        )

    def call(self, inputs, start_index=0):
        end = start_index + inputs.shape[-2]
        if end > self.sequence_length:
            raise ShapeError(
                f"[{self.name}] expected at most {self.sequence_length} positions, got {end} with "
                f"input shape {inputs.shape}. Hint: a larger sequence_length, or shorter sequences."
            )
        return ops.broadcast_to(self.embeddings[start_index:end], inputs.shape)

    def compute_output_shape(self, input_shape):
        return input_shape


class RotaryEmbedding(Layer):
    """Turns pairs of features by angles that grow with the position.

    The product of a turned query and a turned key then depends on their distance only. Feature
    `i` of the first half and feature `i` of the second are turned together, by
    `position / max_wavelength ** (2 i / features)`.

    Args:
        max_wavelength: The longest wavelength, over `2 pi`.
        scaling_factor: What positions are divided by, to use a model on longer sequences than it
            was trained on.

    Call arguments:
        inputs: Queries or keys of shape `(batch, steps, ..., features)`, features even.
        start_index: The position of the first step.

    Returns:
        A tensor of the same shape.

    Raises:
        ShapeError: an odd number of features.

    Example:
        >>> import pydl
        >>> x = pydl.tensor([[[1.0, 0.0], [1.0, 0.0]]])
        >>> pydl.layers.RotaryEmbedding()(x).numpy().round(2)[0, 1]
        array([0.54, 0.84], dtype=float32)

    Source: Su et al., 2021.
    """

    def __init__(self, max_wavelength: float = 10000, scaling_factor: float = 1.0, **kwargs):
        super().__init__(**kwargs)
        self.max_wavelength = max_wavelength
        self.scaling_factor = scaling_factor

    def build(self, input_shape):
        if input_shape[-1] % 2:
            raise ShapeError(
                f"[{self.name}] expected an even number of features, got shape {input_shape}."
            )

    def call(self, inputs, start_index=0):
        steps, half = inputs.shape[1], inputs.shape[-1] // 2
        positions = (start_index + np.arange(steps)) / self.scaling_factor
        angles = positions[:, None] / self.max_wavelength ** (np.arange(half) / half)
        angles = angles.reshape(steps, *(1,) * (inputs.ndim - 3), half)
        cos, sin = (ops.cast(table, inputs.dtype) for table in (np.cos(angles), np.sin(angles)))
        first, second = inputs[..., :half], inputs[..., half:]
        return ops.concatenate([first * cos - second * sin, second * cos + first * sin], axis=-1)

    def compute_output_shape(self, input_shape):
        return input_shape


class TokenAndPositionEmbedding(Layer):
    """Adds the trained vectors of tokens and of their positions.

    Args:
        vocabulary_size: The number of different tokens.
        sequence_length: The number of positions: no sequence may be longer.
        embedding_dim: The size of the vectors.
        embeddings_initializer: First values of the vectors.
        mask_zero: Whether token 0 stands for padding, which later layers then skip.

    Call arguments:
        inputs: A tensor of integers of shape `(batch, steps)`.
        start_index: The position of the first step.

    Returns:
        A tensor of shape `(batch, steps, embedding_dim)`.

    Raises:
        ShapeError: a sequence with more steps than there are positions.
        IndexError: a token below 0, or not below `vocabulary_size`.

    Example:
        >>> import pydl
        >>> pydl.layers.TokenAndPositionEmbedding(100, 10, 8)([[1, 2, 99]]).shape
        (1, 3, 8)
    """

    supports_masking = True

    def __init__(
        self,
        vocabulary_size: int,
        sequence_length: int,
        embedding_dim: int,
        embeddings_initializer: Any = "uniform",
        mask_zero: bool = False,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.mask_zero = mask_zero
        self.token_embedding = Embedding(
            vocabulary_size, embedding_dim, embeddings_initializer, dtype=self.dtype_policy
        )
        self.position_embedding = PositionEmbedding(
            sequence_length, embeddings_initializer, dtype=self.dtype_policy
        )

    def call(self, inputs, start_index=0):
        tokens = self.token_embedding(inputs)
        return tokens + self.position_embedding(tokens, start_index=start_index)

    def compute_mask(self, inputs, previous_mask):
        """False for token 0, if that stands for padding."""
        return ops.not_equal(inputs, 0) if self.mask_zero else None
