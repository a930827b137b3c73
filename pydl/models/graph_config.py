"""Functional models as values that JSON can hold: their layers, and how each is called."""

from __future__ import annotations

from typing import Any

from pydl import tree
from pydl.layers.input_layer import InputLayer
from pydl.layers.keras_tensor import KerasTensor
from pydl.layers.node import node_of
from pydl.models.graph import Graph
from pydl.saving.serialize import deserialize_keras_object, serialize_keras_object

__all__ = ["graph_from_config", "graph_to_config"]


def graph_to_config(graph: Graph) -> dict[str, Any]:
    """Describe a graph.

    Returns:
        `layers`: a description of every layer, with its name.
        `nodes`: every call in an order in which they can be made: the name of the layer, and its
        arguments. A tensor is `{"tensor": [number of the call, number of its result]}`.
        `inputs`, `outputs`: the structures of tensors.
    """
    numbers = {id(node): number for number, node in enumerate(graph.nodes)}

    def describe(value: Any) -> Any:
        if isinstance(value, KerasTensor):
            return {"tensor": [numbers[id(node_of(value))], value._keras_history[2]]}
        if isinstance(value, (list, tuple)):
            return [describe(item) for item in value]
        if isinstance(value, dict):
            return {key: describe(item) for key, item in value.items()}
        return serialize_keras_object(value)

    return {
        "layers": [{**serialize_keras_object(layer), "name": layer.name} for layer in graph.layers],
        "nodes": [
            {"layer": n.layer.name, "args": describe(n.args), "kwargs": describe(n.kwargs)}
            for n in graph.nodes
        ],
        "inputs": describe(graph.inputs),
        "outputs": describe(graph.outputs),
    }


def graph_from_config(config: dict[str, Any]) -> tuple[Any, Any]:
    """Return the symbolic inputs and outputs of new layers, called as `config` describes."""
    layers = {}
    for entry in config["layers"]:
        layer = deserialize_keras_object({k: v for k, v in entry.items() if k != "name"})
        layer.name = entry["name"]
        layers[layer.name] = layer
    results: list[list[KerasTensor]] = []

    def restore(value: Any) -> Any:
        if isinstance(value, list):
            return [restore(item) for item in value]
        if isinstance(value, dict) and value.keys() == {"tensor"}:
            number, index = value["tensor"]
            return results[number][index]
        if isinstance(value, dict) and "class_name" not in value:
            return {key: restore(item) for key, item in value.items()}
        return deserialize_keras_object(value)

    for node in config["nodes"]:
        layer = layers[node["layer"]]
        if isinstance(layer, InputLayer):
            results.append([layer.output])
        else:
            outputs = layer(*restore(node["args"]), **restore(node["kwargs"]))
            results.append(tree.flatten(outputs))
    return restore(config["inputs"]), restore(config["outputs"])
