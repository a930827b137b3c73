"""The graph of a functional model: which layer is called on what, in which order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydl import tree
from pydl.layers.input_layer import InputLayer
from pydl.layers.keras_tensor import KerasTensor
from pydl.layers.node import Node, node_of
from pydl.models.folding import Chain, find_chains
from pydl.models.graph_inputs import GraphInputs

__all__ = ["Graph"]


class Graph:
    """Everything between symbolic inputs and outputs, ready to run on data.

    Args:
        inputs: A KerasTensor, or a list or dict of them, from `pydl.Input`.
        outputs: A KerasTensor, or a structure of them, computed from the inputs.

    Raises:
        ValueError: something that is not a KerasTensor, an input given twice, or outputs that
            depend on an input that is not among `inputs`.

    Example:
        >>> import pydl
        >>> from pydl.models.graph import Graph
        >>> x = pydl.Input((2,))
        >>> Graph(x, x * 2).run(pydl.tensor([[1.0, 2.0]])).tolist()
        [[2.0, 4.0]]
    """

    def __init__(self, inputs: Any, outputs: Any):
        _check_tensors("inputs", inputs)
        _check_tensors("outputs", outputs)
        if not all(_is_input(tensor) for tensor in tree.flatten(inputs)):
            inputs, outputs = _with_new_inputs(inputs, outputs)
        self.inputs = inputs
        self.outputs = outputs
        self.nodes = _sorted_nodes(tree.flatten(inputs), tree.flatten(outputs))
        self.layers = _ordered_layers(self.nodes, tree.flatten(inputs), tree.flatten(outputs))
        self._inputs = GraphInputs(inputs)
        self._plan()

    @property
    def input_names(self) -> list[str]:
        """The names of the inputs."""
        return self._inputs.names

    def input_dtypes(self, data: Any) -> list[str | None]:
        """Return the dtype declared for every array in `data`, in order; None where there is none."""
        return self._inputs.dtypes(data)

    @property
    def output_names(self) -> list[str]:
        """The names of the layers that make the outputs."""
        return [tensor._keras_history[0].name for tensor in tree.flatten(self.outputs)]

    def run(self, inputs: Any) -> Any:
        """Return the outputs for `inputs`: tensors of data, or symbolic ones.

        Args:
            inputs: Arranged as the inputs of the graph, or a dict by their names.

        Raises:
            ValueError: another number of inputs.
            ShapeError: an input of another shape.
        """
        if self._sequence is not None:
            (value,) = self._inputs.standardize(inputs)
            for layer in self._sequence:
                value = layer(value)
            return value
        values: list[Any] = [None] * self._slots
        for slot, value in zip(self._input_slots, self._inputs.standardize(inputs)):
            values[slot] = value
        for layer, source, target, node, finished in self._steps:
            if source is not None:
                values[target] = layer(values[source])
            else:
                self._call(layer, node, target, values)
            for slot in finished:
                values[slot] = None
        if self._output_slot is not None:
            return values[self._output_slot]
        return tree.map_structure(lambda tensor: values[self._slot[id(tensor)]], self.outputs)

    def infer(self, inputs: Any) -> Any:
        """Return the symbolic outputs for other symbolic inputs, without recording any call."""

        def infer_layer(layer, args, kwargs):
            return layer.compute_output_spec(*args, **kwargs)

        return self.replay(self._inputs.standardize(inputs), infer_layer)

    def replay(self, inputs: Any, apply: Callable) -> Any:
        """Walk through the graph from other symbolic inputs.

        Args:
            inputs: Arranged as the inputs of the graph.
            apply: What to do with every layer: a function of the layer, its positional and its
                keyword arguments that returns the symbolic results.

        Returns:
            The results, arranged as the outputs of the graph.
        """
        made = dict(zip(map(id, tree.flatten(self.inputs)), tree.flatten(inputs)))
        for node in self.nodes:
            targets = list(map(id, tree.flatten(node.outputs)))
            if not made.keys() >= set(targets):
                args, kwargs = tree.map_structure(
                    lambda leaf: made.get(id(leaf), leaf), (node.args, node.kwargs)
                )
                results = apply(node.layer, args, kwargs)
                made.update(zip(targets, tree.flatten(results)))
        return tree.map_structure(lambda tensor: made[id(tensor)], self.outputs)

    def _call(self, layer: Any, node: Node | Chain, targets: Any, values: list) -> None:
        """Run a step with several arguments or results."""

        def value_of(leaf):
            return values[self._slot[id(leaf)]] if isinstance(leaf, KerasTensor) else leaf

        args, kwargs = tree.map_structure(value_of, (node.args, node.kwargs))
        for target, result in zip(targets, tree.flatten(layer(*args, **kwargs))):
            values[target] = result

    def _plan(self) -> None:
        """Give every tensor a slot, and note after which step it is needed no more."""
        tensors = [t for node in self.nodes for t in tree.flatten(node.outputs)]
        self._slot = {id(tensor): slot for slot, tensor in enumerate(tensors)}
        self._slots = len(tensors)
        self._input_slots = [self._slot[id(tensor)] for tensor in tree.flatten(self.inputs)]
        single = isinstance(self.outputs, KerasTensor)
        self._output_slot = self._slot[id(self.outputs)] if single else None
        needed = {self._slot[id(tensor)] for tensor in tree.flatten(self.outputs)}
        chains = find_chains(self.nodes, tree.flatten(self.outputs))
        inside = {id(node) for chain in chains.values() for node in chain.nodes[1:]}
        steps = []
        for node in reversed(self.nodes):
            if id(node) in inside:
                continue
            call = chains.get(id(node), node)
            used = {self._slot[id(tensor)] for tensor in call.inputs}
            if not isinstance(call.layer, InputLayer):
                steps.append((*self._step(call), call, tuple(used - needed)))
            needed |= used
        self._steps = steps[::-1]
        self._sequence = self._layers_in_sequence()

    def _layers_in_sequence(self) -> list | None:
        """The layers that are called, if each gets what the one before it returns."""
        layers, last = [], self._input_slots[0] if len(self._input_slots) == 1 else None
        for layer, source, target, _, _ in self._steps:
            if source is None or source != last:
                return None
            layers.append(layer)
            last = target
        return layers if last is not None and last == self._output_slot else None

    def _step(self, node: Node | Chain) -> tuple:
        """Return (layer, source, target) for calls from tensor to tensor, else None as source."""
        one_result = isinstance(node.outputs, KerasTensor)
        if len(node.args) == 1 and not node.kwargs and one_result:
            if isinstance(node.args[0], KerasTensor):
                return node.layer, self._slot[id(node.args[0])], self._slot[id(node.outputs)]
        return node.layer, None, [self._slot[id(t)] for t in tree.flatten(node.outputs)]


def _is_input(tensor: KerasTensor) -> bool:
    return isinstance(node_of(tensor).layer, InputLayer)


def _with_new_inputs(inputs: Any, outputs: Any) -> tuple[Any, Any]:
    """Return equal inputs and outputs that start from input layers, not amid another graph."""

    def new_input(tensor):
        if _is_input(tensor):
            return tensor
        return InputLayer(batch_shape=tensor.shape, dtype=tensor.dtype, name=tensor.name).output

    fresh = tree.map_structure(new_input, inputs)
    part = object.__new__(Graph)
    part.inputs, part.outputs = inputs, outputs
    part.nodes = _sorted_nodes(tree.flatten(inputs), tree.flatten(outputs))
    return fresh, part.replay(fresh, lambda layer, args, kwargs: layer(*args, **kwargs))


def _sorted_nodes(inputs: list[KerasTensor], outputs: list[KerasTensor]) -> list[Node]:
    """Return the nodes between inputs and outputs, each after those it depends on."""
    starts = {id(node_of(tensor)) for tensor in inputs}
    found, done = [], set()
    stack = [(node_of(tensor), False) for tensor in reversed(outputs)]
    while stack:
        node, expanded = stack.pop()
        if id(node) in done:
            continue
        if expanded:
            done.add(id(node))
            found.append(node)
            continue
        stack.append((node, True))
        if id(node) not in starts:
            if isinstance(node.layer, InputLayer):
                raise ValueError(
                    f"[Model] expected the input {node.layer.name!r} among the inputs, because an "
                    "output depends on it, and it was not there."
                )
            stack += [
                (parent, False) for parent in reversed(node.parents) if id(parent) not in done
            ]
    found += [node for node in map(node_of, inputs) if id(node) not in done]
    return found


def _ordered_layers(nodes: list[Node], inputs: list, outputs: list) -> list:
    """Return the layers in the order of Keras: those furthest from the outputs first.

    Layers equally far keep the order in which a walk from the outputs meets them.
    """
    depth: dict[int, int] = {}
    layer_depth: dict[int, int] = {}
    members = {id(node) for node in nodes}
    for node in reversed(nodes):
        here = max(depth.get(id(node), 0), layer_depth.get(id(node.layer), 0))
        depth[id(node)] = layer_depth[id(node.layer)] = here
        for parent in node.parents:
            depth[id(parent)] = max(depth.get(id(parent), 0), here + 1)
    met: dict[int, Any] = {}
    stack = [node_of(tensor) for tensor in reversed(outputs)]
    seen = set()
    while stack:
        node = stack.pop()
        if id(node) not in seen and id(node) in members:
            seen.add(id(node))
            met.setdefault(id(node.layer), node.layer)
            stack += reversed(node.parents)
    unused = {id(node_of(t).layer): node_of(t).layer for t in inputs}
    layers = [*(layer for key, layer in unused.items() if key not in met), *met.values()]
    _check_names(layers)
    return sorted(layers, key=lambda layer: -layer_depth[id(layer)])


def _check_names(layers: list) -> None:
    names = [layer.name for layer in layers]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise ValueError(f"[Model] expected layers of different names, got {sorted(twice)} twice.")


def _check_tensors(what: str, structure: Any) -> None:
    leaves = tree.flatten(structure)
    for leaf in leaves:
        if not isinstance(leaf, KerasTensor):
            raise ValueError(
                f"[Model] expected {what} to be symbolic tensors, got {leaf!r}. "
                "Hint: start from pydl.Input(shape) and call layers on it."
            )
    if what == "inputs" and len({id(leaf) for leaf in leaves}) != len(leaves):
        raise ValueError("[Model] expected different inputs, got the same one twice.")
    if not leaves:
        raise ValueError(f"[Model] expected at least one tensor as {what}, got none.")
