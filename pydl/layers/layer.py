"""The base class of layers."""

from __future__ import annotations

import inspect
from typing import Any

from pydl import regularizers, tree
from pydl.layers.call import CallProtocol, default, map_shapes, scoped_build
from pydl.layers.dtype_policy import DTypePolicy, get_policy
from pydl.layers.keras_tensor import KerasTensor
from pydl.layers.node import Node
from pydl.layers.probe import infer_outputs
from pydl.layers.remat import current_scope
from pydl.layers.weights import WeightHolder
from pydl.naming import auto_name
from pydl.saving.configurable import Configurable

__all__ = ["Layer"]


class Layer(CallProtocol, WeightHolder, Configurable):
    """Base class of all layers and models.

    A subclass defines `call(inputs)`, and `build(input_shape)` if it has weights whose shape
    depends on the input. Everything else follows: arrays given to a layer become tensors,
    floating point inputs are cast to the layer's compute dtype, `build` runs before the first
    `call`, weights and inner layers are found in attributes, and `get_config` returns the
    arguments of the constructor.

    `call` may take `training` (whether this is a training call; inner layers get the value of the
    outermost call) and `mask` (the mask that came with the inputs).

    Args:
        activity_regularizer: Penalty on the output, added to `losses`.
        trainable: Whether the weights are trained.
        dtype: A dtype, or a DTypePolicy or its name such as "mixed_bfloat16".
        autocast: Whether floating point inputs are cast to the compute dtype.
        name: The layer's name; made from the class when None.

    Raises:
        TypeError: an unknown argument.

    Example:
        >>> import pydl
        >>> class Scale(pydl.layers.Layer):
        ...     def build(self, input_shape):
        ...         self.scale = self.add_weight(shape=input_shape[-1:], initializer="ones")
        ...     def call(self, inputs):
        ...         return inputs * self.scale
        >>> layer = Scale()
        >>> layer([[1.0, 2.0]]).tolist(), len(layer.weights)
        ([[1.0, 2.0]], 1)
    """

    supports_masking = False
    input_spec = None
    built = False
    _is_model = False  # a model leaves `remat` to its layers
    _keeps_dtype = False  # whether integer inputs give outputs of the same dtype

    def __new__(cls, *args, **kwargs):
        self = super().__new__(cls, *args, **kwargs)
        vars(self)["_holders"] = {"_weights": None}  # attributes that may hold layers or weights
        vars(self).update(_weights=[], _losses=[], _inbound_nodes=[], _remat=current_scope())
        return self

    def __init__(
        self,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        **kwargs,
    ):
        shape = kwargs.pop("input_shape", None)
        if "input_dim" in kwargs:
            shape = (kwargs.pop("input_dim"),)
        if kwargs:
            raise TypeError(
                f"[{type(self).__name__}] expected no argument named {', '.join(sorted(kwargs))}."
            )
        self._name = auto_name(type(self).__name__) if name is None else str(name)
        self._trainable = bool(trainable)
        self._policy = get_policy(dtype)
        self._activity_regularizer = regularizers.get(activity_regularizer)
        self.autocast = autocast
        self._input_shape_argument = shape

    @property
    def name(self) -> str:
        """The layer's name."""
        return self._name

    @name.setter
    def name(self, value: str) -> None:
        self._name = str(value)

    @property
    def dtype_policy(self) -> DTypePolicy:
        """The policy that gives the dtypes of weights and of computation."""
        return self._policy

    @property
    def variable_dtype(self) -> str:
        """The dtype of the weights."""
        return self._policy.variable_dtype

    dtype = variable_dtype

    @property
    def compute_dtype(self) -> str:
        """The dtype that floating point inputs are cast to."""
        return self._policy.compute_dtype

    @property
    def activity_regularizer(self) -> Any:
        """The penalty on the output, or None."""
        return self._activity_regularizer

    @property
    def input(self) -> Any:
        """The symbolic inputs of the first symbolic call."""
        args = self._first_node().args
        return args[0] if len(args) == 1 else list(args)

    @property
    def output(self) -> Any:
        """The symbolic outputs of the first symbolic call."""
        return self._first_node().outputs

    @default
    @scoped_build
    def build(self, input_shape: Any) -> None:
        """Create the weights; layers without an own `build` build the layers inside them.

        Args:
            input_shape: The shape of the inputs, None for sizes not known; a structure of shapes
                when the inputs are a structure. A layer whose `call` takes several tensors may
                name its parameters `<argument>_shape` to get each shape.
        """
        if self._contents()[1]:
            infer_outputs(self._call_with_weights, (self._symbolic(input_shape),), {})

    def call(self, *args, **kwargs):
        """Compute the outputs; every layer defines it."""
        raise NotImplementedError(
            f"[{self.name}] expected the class {type(self).__name__} to define call."
        )

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of the outputs for the shape of the inputs; None for unknown sizes."""
        outputs = self.compute_output_spec(self._symbolic(input_shape))
        return tree.map_structure(lambda output: output.shape, outputs)

    def compute_output_spec(self, *args, **kwargs) -> Any:
        """Return symbolic outputs for symbolic inputs, without recording a call.

        Uses `compute_output_shape` where the layer defines it, else runs `call` on zeros.
        """
        if type(self).compute_output_shape is Layer.compute_output_shape:
            return infer_outputs(self._call_with_weights, args, kwargs)
        shapes = self._shapes(args, kwargs, self.compute_output_shape)
        dtype = self.compute_dtype
        first = tree.flatten((args, kwargs))[0]
        if self._keeps_dtype and "float" not in first.dtype:
            dtype = first.dtype
        return map_shapes(lambda s: KerasTensor(s, dtype), self.compute_output_shape(**shapes))

    @default
    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        """Return the mask of the outputs, given that of the inputs."""
        return previous_mask

    def quantize(self, mode: Any = None, type_check: bool = True, config: Any = None) -> None:
        """Quantize the weights: for `Dense`, `EinsumDense` and `Embedding`."""
        raise NotImplementedError(
            f"[{self.name}] expected a Dense, EinsumDense or Embedding layer to quantize, got "
            f"{type(self).__name__}."
        )

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor, with the name and `trainable` of now."""
        config = super().get_config()
        parameters = inspect.signature(type(self).__init__).parameters
        open_ended = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
        base = {"name": self.name, "trainable": self.trainable, "dtype": self._policy.name}
        config.update({k: v for k, v in base.items() if open_ended or k in parameters})
        return config

    def get_build_config(self) -> dict[str, Any] | None:
        """Return what `build_from_config` needs to create the same weights; None if not built."""
        return self.__dict__.get("_build_shapes")

    def build_from_config(self, config: dict[str, Any]) -> None:
        """Build the layer as `get_build_config` says."""
        self.build(**{name: map_shapes(tuple, shape) for name, shape in config.items()})

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.__dict__.get('_name')}, built={self.built}>"

    def _symbolic(self, shapes: Any) -> Any:
        return map_shapes(lambda shape: KerasTensor(shape, self.compute_dtype), shapes)

    def _first_node(self) -> Node:
        if not self._inbound_nodes:
            raise AttributeError(
                f"[{self.name}] expected a layer that is part of a functional model, got one that "
                "was never called on pydl.Input or the output of another layer."
            )
        return self._inbound_nodes[0]
