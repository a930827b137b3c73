"""The densely connected layer."""

from __future__ import annotations

from typing import Any

from pydl import activations, ops
from pydl.layers.arguments import positive_int
from pydl.layers.input_spec import InputSpec
from pydl.layers.layer import Layer
from pydl.layers.lora import LowRankAdaptation
from pydl.layers.quantized import Quantizable
from pydl.ops.product import linear

__all__ = ["Dense"]


class Dense(Quantizable, LowRankAdaptation, Layer):
    """A densely connected layer: `activation(inputs @ kernel + bias)`.

    The product, the bias and the usual activations run as one fused operation.

    Args:
        units: The size of the last axis of the output.
        activation: A name or a function; none when None.
        use_bias: Whether to add a bias.
        kernel_initializer: First values of the kernel.
        bias_initializer: First values of the bias.
        kernel_regularizer: Penalty on the kernel.
        bias_regularizer: Penalty on the bias.
        activity_regularizer: Penalty on the output.
        kernel_constraint: Projection of the kernel after every step.
        bias_constraint: Projection of the bias after every step.
        lora_rank: The rank of a low-rank adaptation, which trains two small matrices beside the frozen
            kernel; none when None. See `enable_lora`.
        lora_alpha: How much the adaptation counts; `lora_rank` when None.
        quantization_config: How to quantize where the dtype policy says int8; None for the default.

    Call arguments:
        inputs: A tensor of shape `(batch, ..., inputs)`.

    Returns:
        A tensor of shape `(batch, ..., units)`.

    Raises:
        ValueError: `units` is not a positive integer.

    Example:
        >>> import pydl
        >>> layer = pydl.layers.Dense(4, activation="relu")
        >>> layer(pydl.ops.ones((2, 3))).shape
        (2, 4)
        >>> [w.shape for w in layer.weights]
        [(3, 4), (4,)]
    """

    supports_masking = True

    def __init__(
        self,
        units: int,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        lora_rank: int | None = None,
        lora_alpha: float | None = None,
        quantization_config: Any = None,
        **kwargs,
    ):
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.units = positive_int("units", units, self.name)
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = kernel_initializer
        self.bias_initializer = bias_initializer
        self.kernel_regularizer = kernel_regularizer
        self.bias_regularizer = bias_regularizer
        self.kernel_constraint = kernel_constraint
        self.bias_constraint = bias_constraint
        self._fused, self._unfused = activations.split_fused(self.activation)
        self._prepare_lora(lora_rank, lora_alpha)
        self._prepare_quantization(quantization_config)
        self.input_spec = InputSpec(min_ndim=2)

    def build(self, input_shape):
        shape = (input_shape[-1], self.units)
        if self.quantization_mode is not None:
            self._build_quantized(shape)
        else:
            self.kernel = self.add_weight(
                shape=shape,
                initializer=self.kernel_initializer,
                regularizer=self.kernel_regularizer,
                constraint=self.kernel_constraint,
                name="kernel",
            )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                shape=(self.units,),
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
                name="bias",
            )
        self.input_spec = InputSpec(min_ndim=2, axes={-1: input_shape[-1]})
        self._build_lora()

    def call(self, inputs):
        if self.quantization_mode is not None:
            return self._quantized_call(inputs)
        kernel = self._adapted_weight() if self.lora_enabled else self.kernel
        outputs = linear(inputs, kernel, self.bias, self._fused)
        return outputs if self._unfused is None else self._unfused(outputs)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.units)

    def _summed_axes_of_weight(self) -> int:
        return 0

    def _summed_axes_of_inputs(self, ndim: int) -> int:
        return -1

    def _scale_shape(self, shape: tuple) -> tuple:
        return shape[1:]

    def _laid_out(self, scale, of: str):
        return scale

    def _sums_last_axes(self) -> bool:
        return True

    def _quantized_linear(self, inputs, kernel, scale):
        return ops.quantized_linear(inputs, kernel, scale)

    def _multiply(self, inputs, kernel):
        return ops.matmul(inputs, kernel)

    def _multiply_back(self, grad, kernel):
        return ops.matmul(grad, ops.transpose(kernel))
