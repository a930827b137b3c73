"""An embedding that also turns vectors back into scores of tokens."""

from __future__ import annotations

from typing import Any

from pydl import ops
from pydl.layers.embedding import Embedding
from pydl.layers.keras_tensor import KerasTensor

__all__ = ["ReversibleEmbedding"]


class ReversibleEmbedding(Embedding):
    """An Embedding whose vectors also give the scores of the next token.

    Args:
        input_dim: The number of different integers.
        output_dim: The size of the vectors.
        tie_weights: Whether the way back uses the same vectors, and not others of its own.
        embeddings_initializer: First values of the vectors.
        embeddings_regularizer: Penalty on the vectors.
        embeddings_constraint: Projection of the vectors after every step.
        mask_zero: Whether 0 stands for padding, which later layers then skip.
        reverse_dtype: The dtype of the scores; the layer's compute dtype when None.
        logit_soft_cap: Scores become `cap * tanh(score / cap)`; they are not limited when None.

    Call arguments:
        inputs: Integers of any shape; with `reverse`, vectors of shape `(..., output_dim)`.
        reverse: Whether to return scores for vectors instead of vectors for integers.

    Returns:
        A tensor of shape `(*inputs.shape, output_dim)`; with `reverse` scores of shape
        `(..., input_dim)`.

    Raises:
        ValueError: a size that is not a positive integer.
        IndexError: an input below 0, or not below `input_dim`.

    Example:
        >>> import pydl
        >>> layer = pydl.layers.ReversibleEmbedding(100, 8)
        >>> layer(layer([[1, 2, 99]]), reverse=True).shape
        (1, 3, 100)

    Source: Press and Wolf, 2017.
    """

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        tie_weights: bool = True,
        embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None,
        embeddings_constraint: Any = None,
        mask_zero: bool = False,
        reverse_dtype: str | None = None,
        logit_soft_cap: float | None = None,
        **kwargs,
    ):
        self.tie_weights = tie_weights
        super().__init__(
            input_dim,
            output_dim,
            embeddings_initializer,
            embeddings_regularizer,
            embeddings_constraint,
            mask_zero,
            **kwargs,
        )
        self.reverse_dtype = reverse_dtype
        self.logit_soft_cap = logit_soft_cap

    def build(self, input_shape=None):
        super().build(input_shape)
        if not self.tie_weights:
            self.reverse_embeddings = self.add_weight(
                (self.output_dim, self.input_dim),
                self.embeddings_initializer,
                name="reverse_embeddings",
            )

    def call(self, inputs, reverse=False):
        if not reverse:
            return super().call(inputs)
        kernel = ops.transpose(self.embeddings) if self.tie_weights else self.reverse_embeddings
        dtype = self.reverse_dtype or self.compute_dtype
        logits = ops.matmul(ops.cast(inputs, dtype), ops.cast(kernel, dtype))
        if self.logit_soft_cap is not None:
            logits = ops.tanh(logits / self.logit_soft_cap) * self.logit_soft_cap
        return logits

    def compute_mask(self, inputs, previous_mask):
        """Only integers have padding."""
        return super().compute_mask(inputs, previous_mask) if "int" in inputs.dtype else None

    def compute_output_spec(self, inputs, reverse=False):
        if reverse:
            dtype = self.reverse_dtype or self.compute_dtype
            return KerasTensor((*inputs.shape[:-1], self.input_dim), dtype)
        return KerasTensor((*inputs.shape, self.output_dim), self.compute_dtype)
