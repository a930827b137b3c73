"""Layers whose weight may be in 8 bits: quantized after training, to take a quarter of the memory."""

from __future__ import annotations

from typing import Any

from pydl import ops
from pydl._core import Tensor
from pydl.autograd import Function
from pydl.layers.dtype_policy import DTypePolicy
from pydl.quantizers import AbsMaxQuantizer, QuantizationConfig
from pydl.quantizers import get as get_config

__all__ = ["Quantizable"]


class Quantizable:
    """The part of a layer with one large weight, `_adapted`, that can be quantized to int8.

    The class says along which axes of weight and inputs products are summed, how scales are laid out
    beside the outputs, and how inputs and weight are multiplied. Its constructor calls
    `_prepare_quantization`, its `build` `_build_quantized` in place of adding the weight where
    `quantization_mode` is set, and its `call` then returns `_quantized_call`.
    """

    _adapted = "kernel"

    def _prepare_quantization(self, config: Any) -> None:
        self.quantization_config = get_config(config)

    @property
    def quantization_mode(self) -> str | None:
        """"int8" for a quantized layer, else None."""
        return self._policy.quantization_mode

    def quantize(
        self,
        mode: str | None = None,
        type_check: bool = True,
        config: QuantizationConfig | None = None,
    ) -> None:
        """Quantize the weight, which is trained no more.

        The products of quantized inputs and weight are summed exactly: in int32 by `ops.quantized_linear`
        where they are products of matrices, elsewhere in float32, up to sums of 2**24. The gradients of
        the inputs are those with the quantized weight. A CPU that is called with few inputs again and
        again keeps a second copy of the weight, in the order in which it reads it.

        Args:
            mode: "int8"; None is that of `config`.
            type_check: Whether to refuse subclasses, whose `call` may do something else.
            config: How to quantize.

        Raises:
            ValueError: another mode, or a layer that is not built or quantized already.
            NotImplementedError: a subclass.

        Example:
            >>> import pydl
            >>> layer = pydl.layers.Dense(3)
            >>> layer.build((None, 4))
            >>> layer.quantize("int8")
            >>> layer.kernel.dtype, layer.dtype_policy.name
            ('int8', 'int8_from_float32')
        """
        if type_check and Quantizable not in type(self).__bases__:
            raise NotImplementedError(
                f"[{self.name}] expected no subclass to quantize, got {type(self).__name__}. Hint: "
                "type_check=False, if its call computes as that of its parent."
            )
        mode = config.mode if mode is None and config is not None else mode
        if mode != "int8" or (config is not None and config.mode != mode):
            raise ValueError(f"[{self.name}] expected mode int8 and a config of it, got {mode!r}.")
        weight = getattr(self, self._adapted, None)
        if weight is None or self.quantization_mode is not None:
            raise ValueError(f"[{self.name}] expected a built layer that is not quantized yet.")
        self.quantization_config = config
        quantizer = None if config is None else config.weight_quantizer
        quantizer = quantizer or AbsMaxQuantizer(axis=self._summed_axes_of_weight())
        integers, scale = quantizer(weight.detach())
        self._weights = [variable for variable in self._weights if variable is not weight]
        self._policy = DTypePolicy(f"int8_from_{self._policy.name}")
        self._build_quantized(weight.shape, weight._path)
        getattr(self, self._adapted).assign(integers)
        self._scale.assign(ops.reshape(self._laid_out(scale, "kernel"), self._scale.shape))

    def _build_quantized(self, shape: tuple, path: str | None = None) -> None:
        config, name = self.quantization_config, self._adapted
        quantizer = AbsMaxQuantizer() if config is None else config.activation_quantizer
        self._inputs_quantizer = quantizer
        weight = self.add_weight(shape, "zeros", "int8", trainable=False, name=name)
        scale = self.add_weight(
            self._scale_shape(shape), "ones", trainable=False, autocast=False, name=f"{name}_scale"
        )
        if path is not None:
            weight._path, scale._path = path, f"{path}_scale"
        setattr(self, name, weight)
        setattr(self, f"{name}_scale", scale)

    @property
    def _scale(self) -> Any:
        return getattr(self, f"{self._adapted}_scale")

    def _multiplies_integers(self, inputs: Tensor) -> bool:
        """Return whether `_quantized_linear` does what the quantizer of the inputs and `_multiply` do."""
        quantizer = self._inputs_quantizer
        return (
            type(quantizer) is AbsMaxQuantizer
            and (quantizer.value_range, quantizer.epsilon) == ((-127, 127), 1e-7)
            and inputs.dtype != "float64"
            and self._sums_last_axes()
        )

    def _quantized_call(self, inputs: Tensor) -> Tensor:
        outputs = _QuantizedProduct.apply(inputs, getattr(self, self._adapted), self._scale, self)
        if self.lora_enabled:
            a, b = self._lora_parts()
            change = self._multiply(inputs, ops.cast(ops.matmul(a, b), inputs.dtype))
            outputs = outputs + change * (self.lora_alpha / self.lora_rank)
        if self.bias is not None:
            outputs = outputs + self.bias
        return outputs if self.activation is None else self.activation(outputs)


class _QuantizedProduct(Function):
    """Inputs times a quantized weight, with the gradient of the inputs."""

    @staticmethod
    def forward(ctx, inputs, weight, scale, layer):
        ctx.save(weight, scale)
        ctx.layer, ctx.dtype = layer, inputs.dtype
        exact = "float64" if inputs.dtype == "float64" else "float32"
        if layer._multiplies_integers(inputs):
            return layer._quantized_linear(inputs, weight, scale)
        inputs = ops.cast(inputs, exact)
        if layer._inputs_quantizer is not None:
            inputs, own = layer._inputs_quantizer(inputs, axis=layer._summed_axes_of_inputs(inputs.ndim))
            inputs, scale = ops.cast(inputs, exact), scale * layer._laid_out(own, "inputs")
        return ops.cast(layer._multiply(inputs, ops.cast(weight, exact)) / scale, ctx.dtype)

    @staticmethod
    def backward(ctx, grad):
        weight, scale = ctx.saved
        grad = ops.cast(grad, scale.dtype) / scale
        inputs = ctx.layer._multiply_back(grad, ops.cast(weight, grad.dtype))
        return ops.cast(inputs, ctx.dtype), None, None
