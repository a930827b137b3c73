"""One call of a layer on symbolic tensors: an edge of the graph of a functional model."""

from __future__ import annotations

from typing import Any

from pydl import tree
from pydl.layers.keras_tensor import KerasTensor

__all__ = ["Node"]


class Node:
    """Remembers the arguments and the results of a call.

    Making one marks every result with where it came from: `_keras_history` is
    `(layer, index of the node in the layer, index of the result in the node)`.

    Args:
        layer: The layer that was called.
        args: The positional arguments, KerasTensors anywhere in them.
        kwargs: The keyword arguments.
        outputs: One KerasTensor, or a structure of them.
    """

    def __init__(self, layer: Any, args: tuple, kwargs: dict, outputs: Any):
        self.layer = layer
        self.args = args
        self.kwargs = kwargs
        self.outputs = outputs
        self.index = len(layer._inbound_nodes)
        for i, output in enumerate(tree.flatten(outputs)):
            output._keras_history = (layer, self.index, i)
        layer._inbound_nodes.append(self)

    @property
    def inputs(self) -> list[KerasTensor]:
        """The symbolic tensors among the arguments."""
        leaves = tree.flatten((self.args, self.kwargs))
        return [leaf for leaf in leaves if isinstance(leaf, KerasTensor)]

    @property
    def parents(self) -> list[Node]:
        """The nodes that made the inputs."""
        return [node_of(tensor) for tensor in self.inputs]


def node_of(tensor: KerasTensor) -> Node:
    """Return the node that made a symbolic tensor.

    Raises:
        ValueError: no layer made it.
    """
    if tensor._keras_history is None:
        raise ValueError(
            f"[KerasTensor] expected a result of a layer or of pydl.Input, got {tensor}."
        )
    layer, index, _ = tensor._keras_history
    return layer._inbound_nodes[index]
