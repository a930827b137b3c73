"""Copies of models with new weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydl import tree
from pydl.layers.input_layer import InputLayer
from pydl.layers.layer import Layer
from pydl.models.model import Model
from pydl.models.sequential import Sequential

__all__ = ["clone_model"]


def clone_model(
    model: Model, input_tensors: Any = None, clone_function: Callable[[Layer], Layer] | None = None
) -> Model:
    """Return a model of the same structure with new layers and newly initialized weights.

    Args:
        model: A functional model or a Sequential, or any model with `get_config`.
        input_tensors: Symbolic tensors to start from, instead of new inputs.
        clone_function: What to put in place of each layer; a layer of the same configuration when
            None.

    Returns:
        The new model.

    Raises:
        ValueError: `input_tensors` or `clone_function` for a class with its own `call`.

    Example:
        >>> import pydl
        >>> model = pydl.Sequential([pydl.Input((2,)), pydl.layers.Dense(1)])
        >>> pydl.models.clone_model(model).count_params()
        3
    """
    if clone_function is None and input_tensors is None:
        return type(model).from_config(model.get_config())
    if model._graph is None or type(model).call is not Model.call:
        raise ValueError(
            f"[clone_model] expected a functional model or a built Sequential, got {model!r}."
        )
    clone = clone_function or (lambda layer: type(layer).from_config(layer.get_config()))
    copies = {id(x): clone(x) for x in model._graph.layers if not isinstance(x, InputLayer)}
    if input_tensors is None:
        input_tensors = tree.map_structure(
            lambda t: InputLayer(batch_shape=t.shape, dtype=t.dtype, name=t.name).output,
            model._graph.inputs,
        )
    if isinstance(model, Sequential):
        return Sequential(
            [input_tensors, *(copies[id(layer)] for layer in model.layers)], name=model.name
        )
    outputs = model._graph.replay(
        input_tensors, lambda layer, args, kwargs: copies[id(layer)](*args, **kwargs)
    )
    return Model(input_tensors, outputs, name=model.name)
