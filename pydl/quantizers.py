"""Numbers in 8 bits: how layers quantize weights and inputs, under the names of `keras.quantizers`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydl import ops
from pydl._core import Tensor
from pydl.saving.configurable import Configurable
from pydl.saving.lookup import Lookup

__all__ = [
    "AbsMaxQuantizer",
    "Int8QuantizationConfig",
    "QuantizationConfig",
    "Quantizer",
    "abs_max_quantize",
    "deserialize",
    "get",
    "serialize",
]


def abs_max_quantize(
    inputs: Any,
    axis: int | Sequence[int],
    value_range: tuple[float, float] = (-127, 127),
    dtype: str = "int8",
    epsilon: float = 1e-7,
    to_numpy: bool = False,
) -> tuple[Tensor, Tensor]:
    """Integers in proportion to `inputs`, the largest magnitude being the end of the range.

    Args:
        inputs: Floating point numbers.
        axis: The axis or axes along which numbers share a scale.
        value_range: The least and the largest integer.
        dtype: Of the integers.
        epsilon: Added to the largest magnitude.
        to_numpy: Makes no difference: the memory is the same.

    Returns:
        The integers, and the scale that `inputs` were multiplied by, of size 1 along `axis`.

    Example:
        >>> import pydl
        >>> integers, scale = pydl.quantizers.abs_max_quantize([[0.25, -1.0], [3.0, 2.0]], axis=1)
        >>> integers.tolist(), scale.shape
        ([[32, -127], [127, 85]], (2, 1))
    """
    inputs = ops.convert_to_tensor(inputs)
    low, high = value_range
    axis = axis if isinstance(axis, int) else tuple(axis)
    scale = high / (ops.max(ops.abs(inputs), axis=axis, keepdims=True) + epsilon)
    return ops.cast(ops.clip(ops.round(inputs * scale), low, high), dtype), scale


class Quantizer(Configurable):
    """Base class: a function of a tensor that returns integers and their scale.

    Args:
        output_dtype: The dtype of the integers.
    """

    def __init__(self, output_dtype: str = "int8"):
        self.output_dtype = output_dtype

    def __call__(self, x: Any) -> Any:
        """Return the quantized tensor."""
        return x


class AbsMaxQuantizer(Quantizer):
    """Quantizes in proportion to the largest magnitude; see `abs_max_quantize`.

    Args:
        axis: The axis or axes along which numbers share a scale; the last when None.
        value_range: The least and the largest integer.
        epsilon: Added to the largest magnitude.
        output_dtype: The dtype of the integers.

    Raises:
        ValueError: a range beyond int8.

    Example:
        >>> import pydl
        >>> integers, scale = pydl.quantizers.AbsMaxQuantizer(axis=0)([[1.0, -8.0], [2.0, 4.0]])
        >>> integers.tolist()
        [[64, -127], [127, 64]]
    """

    def __init__(
        self,
        axis: int | Sequence[int] | None = None,
        value_range: tuple[float, float] = (-127, 127),
        epsilon: float = 1e-7,
        output_dtype: str = "int8",
    ):
        super().__init__(output_dtype)
        self.axis = (axis,) if isinstance(axis, int) else axis if axis is None else tuple(axis)
        self.value_range = tuple(value_range)
        self.epsilon = epsilon
        if output_dtype == "int8" and (value_range[0] < -128 or value_range[1] > 127):
            raise ValueError(
                f"[AbsMaxQuantizer] expected a value_range from -128 to 127, got {value_range}."
            )

    def __call__(
        self, x: Any, axis: int | Sequence[int] | None = None, to_numpy: bool = False
    ) -> tuple[Tensor, Tensor]:
        """Return integers and their scale; `axis` counts instead of that of the constructor."""
        axis = next((one for one in (axis, self.axis) if one is not None), -1)
        return abs_max_quantize(x, axis, self.value_range, self.output_dtype, self.epsilon)


class QuantizationConfig(Configurable):
    """Base class: how a layer is quantized.

    Args:
        weight_quantizer: For the weight; that of the layer when None.
        activation_quantizer: For the inputs; None leaves them in floating point.
    """

    def __init__(self, weight_quantizer: Any = None, activation_quantizer: Any = None):
        self.weight_quantizer = weight_quantizer
        self.activation_quantizer = activation_quantizer

    @property
    def mode(self) -> str:
        """The mode of `quantize`."""
        raise NotImplementedError("[QuantizationConfig] expected a class that defines mode.")


class Int8QuantizationConfig(QuantizationConfig):
    """Weights in int8, and inputs, too, while they are multiplied.

    Args:
        weight_quantizer: For the weight; that of the layer when None.
        activation_quantizer: For the inputs; "default" is `AbsMaxQuantizer()`, None leaves them in
            floating point.

    Raises:
        ValueError: a weight quantizer of another dtype.

    Example:
        >>> import pydl
        >>> model = pydl.Sequential([pydl.Input((4,)), pydl.layers.Dense(3)])
        >>> config = pydl.quantizers.Int8QuantizationConfig(activation_quantizer=None)
        >>> model.quantize(config=config)
        >>> model.layers[0].kernel.dtype
        'int8'
    """

    def __init__(self, weight_quantizer: Any = None, activation_quantizer: Any = "default"):
        if activation_quantizer == "default":
            activation_quantizer = AbsMaxQuantizer()
        super().__init__(weight_quantizer, activation_quantizer)
        if weight_quantizer is not None and weight_quantizer.output_dtype != "int8":
            raise ValueError(
                "[Int8QuantizationConfig] expected a weight_quantizer with output_dtype int8, got "
                f"{weight_quantizer.output_dtype!r}."
            )

    @property
    def mode(self) -> str:
        """"int8"."""
        return "int8"


_lookup = Lookup(
    "quantizers",
    {
        name: cls
        for cls in (AbsMaxQuantizer, Int8QuantizationConfig)
        for name in (cls.__name__, {"AbsMaxQuantizer": "abs_max_quantizer"}.get(cls.__name__, "int8"))
    },
    (Quantizer, QuantizationConfig),
)


def get(identifier: Any) -> Any:
    """Return a quantizer or a configuration: itself, or that of a name or a description.

    Example:
        >>> import pydl
        >>> pydl.quantizers.get("abs_max_quantizer").value_range
        (-127, 127)
    """
    return _lookup.get(identifier)


def serialize(initializer: Any) -> Any:
    """Return a description of a quantizer that JSON can hold."""
    return _lookup.serialize(initializer)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """Return the quantizer that `serialize` described."""
    return _lookup.deserialize(config, custom_objects)
