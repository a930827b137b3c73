"""The embedding of integers, such as word numbers, as vectors."""

from __future__ import annotations

from typing import Any

from pydl import ops
from pydl.layers.arguments import positive_int
from pydl.layers.layer import Layer
from pydl.layers.lora import LowRankAdaptation
from pydl.layers.quantized import Quantizable

__all__ = ["Embedding"]


class Embedding(Quantizable, LowRankAdaptation, Layer):
    """Replaces every integer by a trained vector.

    Args:
        input_dim: The number of different integers: all inputs are at least 0 and below it.
        output_dim: The size of the vectors.
        embeddings_initializer: First values of the vectors.
        embeddings_regularizer: Penalty on the vectors.
        embeddings_constraint: Projection of the vectors after every step.
        mask_zero: Whether 0 stands for padding, which later layers then skip.
        weights: First values as an array of shape `(input_dim, output_dim)`.
        lora_rank: The rank of a low-rank adaptation, which trains two small matrices beside the frozen
            vectors; none when None. See `enable_lora`.
        lora_alpha: How much the adaptation counts; `lora_rank` when None.
        quantization_config: How to quantize where the dtype policy says int8; None for the default.

    Call arguments:
        inputs: A tensor of integers of any shape.

    Returns:
        A tensor of shape `(*inputs.shape, output_dim)`.

    Raises:
        ValueError: a size that is not a positive integer.
        IndexError: an input below 0, or not below `input_dim`.

    Example:
        >>> import pydl
        >>> layer = pydl.layers.Embedding(100, 8)
        >>> layer([[1, 2, 99]]).shape
        (1, 3, 8)
    """

    _adapted = "embeddings"

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None,
        embeddings_constraint: Any = None,
        mask_zero: bool = False,
        weights: Any = None,
        lora_rank: int | None = None,
        lora_alpha: float | None = None,
        quantization_config: Any = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.input_dim = positive_int("input_dim", input_dim, self.name)
        self.output_dim = positive_int("output_dim", output_dim, self.name)
        self.embeddings_initializer = embeddings_initializer
        self.embeddings_regularizer = embeddings_regularizer
        self.embeddings_constraint = embeddings_constraint
        self.mask_zero = mask_zero
        self.supports_masking = mask_zero
        self.autocast = False
        self._prepare_lora(lora_rank, lora_alpha)
        self._prepare_quantization(quantization_config)
        if weights is not None:
            self.build(None)
            self.set_weights(weights if isinstance(weights, (list, tuple)) else [weights])

    def build(self, input_shape=None):
        shape = (self.input_dim, self.output_dim)
        if self.quantization_mode is not None:
            self._build_quantized(shape)
        else:
            self.embeddings = self.add_weight(
                shape=shape,
                initializer=self.embeddings_initializer,
                regularizer=self.embeddings_regularizer,
                constraint=self.embeddings_constraint,
                name="embeddings",
            )
        self._build_lora()

    def call(self, inputs):
        if inputs.dtype not in ("int32", "int64"):
            inputs = ops.cast(inputs, "int32")
        if self.quantization_mode is None:
            outputs = ops.embedding(self.embeddings, inputs)
        else:
            scale = ops.expand_dims(ops.take(self.embeddings_scale, inputs, axis=0), -1)
            rows = ops.cast(ops.take(self.embeddings, inputs, axis=0), scale.dtype)
            outputs = ops.cast(rows / scale, self.compute_dtype)
        if not self.lora_enabled:
            return outputs
        a, b = self._lora_parts()
        change = ops.matmul(ops.embedding(a, inputs), b) * (self.lora_alpha / self.lora_rank)
        return outputs + ops.cast(change, outputs.dtype)

    def _summed_axes_of_weight(self) -> int:
        return -1

    def _scale_shape(self, shape: tuple) -> tuple:
        return shape[:1]

    def _laid_out(self, scale, of: str):
        return scale

    def compute_mask(self, inputs, previous_mask):
        return ops.not_equal(inputs, 0) if self.mask_zero else None

    def compute_output_shape(self, input_shape):
        return (*input_shape, self.output_dim)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "weights": None}
