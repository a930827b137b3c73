"""Models that are a chain of layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydl.layers.input_layer import InputLayer
from pydl.layers.keras_tensor import KerasTensor
from pydl.layers.layer import Layer
from pydl.layers.node import node_of
from pydl.models.graph import Graph
from pydl.models.model import Model
from pydl.naming import name_scope
from pydl.saving.serialize import deserialize_keras_object, serialize_keras_object

__all__ = ["Sequential"]


class Sequential(Model):
    """A model in which every layer takes the output of the one before it.

    With a `pydl.Input` first the model is built at once; otherwise by the first data it gets.

    Args:
        layers: The layers.
        trainable: Whether the weights are trained.
        name: The name.

    Raises:
        TypeError: something that is not a layer.
        ValueError: two layers of the same name.

    Example:
        >>> import pydl
        >>> model = pydl.Sequential([pydl.Input((4,)), pydl.layers.Dense(2)])
        >>> model.add(pydl.layers.Activation("relu"))
        >>> model.output_shape, len(model.layers)
        ((None, 2), 2)
    """

    def __init__(
        self, layers: Sequence[Any] | None = None, trainable: bool = True, name: str | None = None
    ):
        super().__init__(name=name, trainable=trainable)
        self._chain: list[Layer] = []
        self._tensors: list[KerasTensor] = []
        for layer in layers or []:
            self.add(layer)

    @property
    def layers(self) -> list[Layer]:
        """The layers, without the input."""
        return list(self._chain)

    operations = layers

    def add(self, layer: Any, rebuild: bool = True) -> None:
        """Put a layer at the end.

        Args:
            layer: A layer, or the result of `pydl.Input` as the first.
            rebuild: Taken for the sake of Keras programs; the model is always kept built.

        Raises:
            TypeError: `layer` is not a layer.
            ValueError: an input that is not first, or a layer of a name there is already.
        """
        if isinstance(layer, KerasTensor):
            layer = node_of(layer).layer
        if not isinstance(layer, Layer):
            raise TypeError(f"[{self.name}] add expected a layer, got {layer!r}.")
        if isinstance(layer, InputLayer):
            self._add_input(layer)
            return
        if any(layer.name == other.name for other in self._chain):
            raise ValueError(
                f"[{self.name}] add expected a layer with a name of its own, got a second "
                f"{layer.name!r}. Hint: pass name=... to one of them."
            )
        if self._tensors:
            with name_scope(self.name):  # before the layer is in the chain: it may not fit
                self._tensors = [*self._tensors, layer(self._tensors[-1])]
        self._chain = [*self._chain, layer]
        if self._tensors:
            self._finish()
        elif len(self._chain) == 1:
            shape, dtype = _declared_input(layer)
            if shape is not None:
                self._build_for(shape, dtype)

    def pop(self, rebuild: bool = True) -> Layer:
        """Remove the last layer and return it.

        Raises:
            IndexError: there is none.
        """
        if not self._chain:
            raise IndexError(f"[{self.name}] pop expected at least one layer, got none.")
        *self._chain, layer = self._chain
        if self._tensors:
            self._tensors = self._tensors[:-1]
            self._finish()
        return layer

    def build(self, input_shape: Any = None) -> None:
        """Create the weights for inputs of a shape.

        Args:
            input_shape: The shape with the batch, which may be None.
        """
        if not self._tensors:
            self._build_for(input_shape, None)

    def get_config(self) -> dict[str, Any]:
        config = {
            "name": self.name,
            "trainable": self.trainable,
            "layers": [serialize_keras_object(layer) for layer in self._chain],
        }
        if self._tensors:
            config["input"] = self._input_layer().get_config()
        return config

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None
    ) -> Sequential:
        from pydl.saving import custom_object_scope

        with custom_object_scope(custom_objects):
            model = cls(name=config.get("name"), trainable=config.get("trainable", True))
            if "input" in config:
                model.add(InputLayer.from_config(config["input"]))
            for layer in config["layers"]:
                model.add(deserialize_keras_object(layer))
        return model

    def get_build_config(self) -> None:
        """The input in the configuration says it all."""
        return None

    def _prepare(self, args: tuple, kwargs: dict) -> None:
        if not self.built:
            x = self._first_argument(args, kwargs)
            if not hasattr(x, "shape"):
                raise ValueError(f"[{self.name}] expected one tensor or array, got {x!r}.")
            dtype = x.dtype if isinstance(x.dtype, str) else "string"  # an array of text
            self._build_for((None, *x.shape[1:]), None if "float" in dtype else dtype)

    def _build_for(self, shape: Any, dtype: str | None) -> None:
        if not self._chain:
            raise ValueError(
                f"[{self.name}] expected at least one layer, got none. Hint: model.add(layer)."
            )
        if not isinstance(shape, (list, tuple)):
            raise ValueError(f"[{self.name}] build expected the shape of the inputs, got {shape!r}.")
        layers, self._chain = self._chain, []
        try:
            self._add_input(InputLayer(batch_shape=tuple(shape), dtype=dtype))
            for layer in layers:
                self.add(layer)
        except BaseException:  # the model stays what it was, to be called on other data
            self._chain, self._tensors = layers, []
            self._finish()
            raise

    def _add_input(self, layer: InputLayer) -> None:
        if self._chain or self._tensors:
            raise ValueError(f"[{self.name}] expected the input before all layers, got it later.")
        self._tensors = [layer.output]

    def _input_layer(self) -> InputLayer:
        return node_of(self._tensors[0]).layer

    def _finish(self) -> None:
        self._graph = None
        self.built = False
        self._seen = None
        if self._chain and self._tensors:
            self._set_graph(Graph(self._tensors[0], self._tensors[-1]))


def _declared_input(layer: Layer) -> tuple[tuple | None, str | None]:
    """Return the shape and dtype of the input that a first layer says it takes, if it does."""
    if layer._input_shape_argument is not None:
        return (None, *layer._input_shape_argument), None
    if isinstance(layer, Model) and isinstance(layer.inputs, list) and len(layer.inputs) == 1:
        return layer.inputs[0].shape, layer.inputs[0].dtype
    return None, None
