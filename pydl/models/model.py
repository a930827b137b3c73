"""Models: layers that can be trained, shown, saved and loaded."""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Callable, Sequence
from typing import Any

from pydl import _core, tree
from pydl.layers.layer import Layer
from pydl.layers.operation import Operation
from pydl.models.graph import Graph
from pydl.models.graph_config import graph_from_config, graph_to_config
from pydl.models.trainer import Trainer
from pydl.saving.serialize import serialize_keras_object

__all__ = ["Model"]


class Model(Trainer, Layer):
    """A model: either the layers between symbolic inputs and outputs, or a class with a `call`.

    Args:
        inputs: A tensor from `pydl.Input`, or a list or dict of them; nothing in a subclass that
            defines `call`.
        outputs: A symbolic tensor computed from the inputs, or a list or dict of them.
        name: The name.
        **kwargs: `trainable` and `dtype`, as for every layer.

    Raises:
        ValueError: only one of `inputs` and `outputs`, or outputs that depend on other inputs.

    Example:
        >>> import pydl
        >>> x = pydl.Input((3,))
        >>> model = pydl.Model(x, pydl.layers.Dense(2)(x))
        >>> model(pydl.ops.ones((4, 3))).shape
        (4, 2)

        >>> class Twice(pydl.Model):
        ...     def call(self, x):
        ...         return 2 * x
        >>> Twice()(pydl.tensor([1.0])).tolist()
        [2.0]
    """

    supports_masking = True
    _is_model = True
    _graph: Graph | None = None

    def __init__(self, inputs: Any = None, outputs: Any = None, name: str | None = None, **kwargs):
        super().__init__(name=name, **kwargs)
        if (inputs is None) != (outputs is None):
            raise ValueError(f"[{self.name}] expected both inputs and outputs, or neither.")
        if inputs is not None:
            self._set_graph(Graph(inputs, outputs))

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """Compute the outputs. Subclasses without inputs and outputs define it."""
        if self._graph is None:
            return super().call(inputs)
        return self._graph.run(inputs)

    def compute_output_spec(self, *args, **kwargs) -> Any:
        """Return symbolic outputs for symbolic inputs, without recording a call."""
        if self._graph is None or type(self).call is not Model.call:
            return super().compute_output_spec(*args, **kwargs)
        return self._graph.infer(*args)

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        """The layers inside see to masks."""
        return None

    @property
    def layers(self) -> list[Layer]:
        """The layers directly in the model, in order, without functions of `pydl.ops`."""
        return [layer for layer in self.operations if not isinstance(layer, Operation)]

    @property
    def operations(self) -> list[Layer]:
        """The steps directly in the model: its layers, and functions of `pydl.ops` as layers."""
        return list({id(layer): layer for layer in self._contents()[1]}.values())

    @property
    def inputs(self) -> list | None:
        """The symbolic inputs; None for a subclass with its own `call`."""
        return None if self._graph is None else tree.flatten(self._graph.inputs)

    @property
    def outputs(self) -> list | None:
        """The symbolic outputs; None for a subclass with its own `call`."""
        return None if self._graph is None else tree.flatten(self._graph.outputs)

    @property
    def input(self) -> Any:
        """The symbolic inputs as they were given."""
        return super().input if self._graph is None else self._graph.inputs

    @property
    def output(self) -> Any:
        """The symbolic outputs as they were given."""
        return super().output if self._graph is None else self._graph.outputs

    @property
    def input_names(self) -> list[str] | None:
        """The names of the inputs; None for a subclass with its own `call`."""
        return None if self._graph is None else self._graph.input_names

    @property
    def output_names(self) -> list[str] | None:
        """The names of the layers that make the outputs; likewise."""
        return None if self._graph is None else self._graph.output_names

    @property
    def input_shape(self) -> Any:
        """The shapes of the inputs, None for the batch."""
        return tree.map_structure(lambda tensor: tensor.shape, self.input)

    @property
    def output_shape(self) -> Any:
        """The shapes of the outputs, None for the batch."""
        return tree.map_structure(lambda tensor: tensor.shape, self.output)

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """Return a layer by name or by its place in `layers`.

        Args:
            name: The name of the layer.
            index: Its place, instead of a name.

        Raises:
            ValueError: there is no such layer, or neither or both arguments are given.
        """
        if (name is None) == (index is None):
            raise ValueError(f"[{self.name}] get_layer expected either a name or an index.")
        layers = self.layers
        if index is not None:
            if not -len(layers) <= index < len(layers):
                raise ValueError(
                    f"[{self.name}] get_layer expected an index below {len(layers)}, got {index}."
                )
            return layers[index]
        for layer in layers:
            if layer.name == name:
                return layer
        raise ValueError(
            f"[{self.name}] get_layer expected one of {[layer.name for layer in layers]}, "
            f"got {name!r}."
        )

    def to(self, device: str) -> Model:
        """Moves the weights and the optimizer's state to a device, where the model computes from now on.

        Args:
            device: "cpu", "gpu" or "gpu:" and an index.

        Returns:
            The model.

        Raises:
            DeviceError: There is no such device.

        Example:
            >>> model = pydl.Sequential([pydl.Input((2,)), pydl.layers.Dense(1)])
            >>> model.to("cpu").weights[0].device
            'cpu'
        """
        for variable in self.weights:
            _core.move_(variable, device)
        if self.optimizer is not None:
            self.optimizer.to(device)
        if self.compiled:
            self._captured.clear()
        return self

    def quantize(
        self,
        mode: str | None = None,
        config: Any = None,
        filters: Any = None,
        type_check: bool = True,
    ) -> None:
        """Quantize the large weights of `Dense`, `EinsumDense` and `Embedding` layers to int8.

        They take a quarter of the memory, on disk too, and are trained no more. Compile the model
        again to train what is left.

        Args:
            mode: "int8"; None is that of `config`.
            config: A `quantizers.Int8QuantizationConfig`; None for the default.
            filters: Which layers: a regular expression that their names hold, a list of such, or a
                function of a layer; None for all.
            type_check: Whether to leave subclasses of those layers alone, with a warning.

        Raises:
            ValueError: another mode, or a model that is not built.

        Example:
            >>> model = pydl.Sequential([pydl.Input((64,)), pydl.layers.Dense(32)])
            >>> model.quantize("int8")
            >>> [w.dtype for w in model.weights]
            ['float32', 'int8', 'float32']
        """
        chosen = [layer for layer, _ in self._walk() if layer is not self and _matches(layer, filters)]
        for layer in chosen:
            if type(layer).quantize is not Layer.quantize and not layer._is_model:
                try:
                    layer.quantize(mode, type_check, config)
                except NotImplementedError as error:
                    warnings.warn(str(error), stacklevel=2)
        if self.compiled:
            self._captured.clear()

    def summary(
        self,
        line_length: int | None = None,
        positions: Sequence[float] | None = None,
        print_fn: Callable[[str], Any] | None = None,
        expand_nested: bool = False,
        show_trainable: bool = False,
        layer_range: tuple[str, str] | None = None,
    ) -> None:
        """Print a table of the layers, their output shapes and their numbers of parameters.

        Args:
            line_length: The width of the table in characters; chosen to fit when None.
            positions: Where each column ends, as shares of the line; chosen to fit when None.
            print_fn: What to call with the text, instead of `print`.
            expand_nested: Whether to show the layers of models inside the model too.
            show_trainable: Whether to show which layers are trained.
            layer_range: Regular expressions for the names of the first and the last layer to show.

        Raises:
            ValueError: no layer matches, or `positions` are not one a column.
        """
        from pydl.models.summary import print_summary

        print_summary(
            self, line_length, positions, print_fn, expand_nested, show_trainable, layer_range
        )

    def save(self, filepath: Any, overwrite: bool = True) -> None:
        """Save the model, its weights and the state of its optimizer in one file.

        Args:
            filepath: A path that ends in `.pydl` or `.keras`.
            overwrite: Whether an existing file may be replaced.

        Raises:
            ValueError: another ending.
            FileExistsError: the file exists and `overwrite` is False.
        """
        from pydl.saving import save_model

        save_model(self, filepath, overwrite=overwrite)

    def save_weights(self, filepath: Any, overwrite: bool = True) -> None:
        """Save only the weights, as a `.safetensors` file; see `save`."""
        from pydl.saving import save_weights

        save_weights(self, filepath, overwrite=overwrite)

    def load_weights(
        self, filepath: Any, skip_mismatch: bool = False, by_name: bool = False
    ) -> None:
        """Load weights that `save_weights` or `save` wrote for a model of the same structure.

        Args:
            filepath: The path of the file; of Keras's own files those that end in `.h5`.
            skip_mismatch: Whether to leave weights that are missing or of another shape alone.
            by_name: Whether weights go to the layers of the same names; for files of Keras 2.

        Raises:
            ValueError: weights that are missing, left over or of another shape; nothing is changed.
        """
        from pydl.saving import load_weights

        load_weights(self, filepath, skip_mismatch=skip_mismatch, by_name=by_name)

    def to_json(self, **kwargs) -> str:
        """Return the structure of the model, without weights, as JSON; see `model_from_json`."""
        return json.dumps(serialize_keras_object(self), **kwargs)

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` needs to make a model of the same structure."""
        if type(self) is Model and self._graph is not None:
            base = {"name": self.name, "trainable": self.trainable, "dtype": self._policy.name}
            return {**base, **graph_to_config(self._graph)}
        return super().get_config()

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None
    ) -> Model:
        """Return a new model of the structure that `get_config` described, with new weights."""
        from pydl.saving import custom_object_scope

        with custom_object_scope(custom_objects):
            if "nodes" not in config:
                return super().from_config(config)
            base = {k: config[k] for k in ("name", "trainable", "dtype") if k in config}
            return cls(*graph_from_config(config), **base)

    def _set_graph(self, graph: Graph) -> None:
        self._graph = graph
        self.autocast = False  # the graph casts data to the dtypes of its inputs
        self.built = True

    def _contents(self) -> tuple[list, list[Layer]]:
        variables, held = super()._contents()
        if self._graph is None:
            return variables, held
        layers = self._graph.layers
        known = {id(layer) for layer in layers}
        return variables, layers + [layer for layer in held if id(layer) not in known]


def _matches(layer: Layer, filters: Any) -> bool:
    if filters is None or callable(filters):
        return filters is None or bool(filters(layer))
    patterns = [filters] if isinstance(filters, str) else filters
    if not isinstance(patterns, (list, tuple)):
        raise ValueError(f"[quantize] expected filters as text or a function, got {filters!r}.")
    return any(re.search(pattern, layer.name) for pattern in patterns)
