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
    model: Model,
    input_tensors: Any = None,
    clone_function: Callable[[Layer], Layer] | None = None,
    call_function: Callable[..., Any] | None = None,
    recursive: bool = False,
) -> Model:
    """Return a model of the same structure with new layers and newly initialized weights.

    Args:
        model: A functional model or a Sequential, or any model with `get_config`.
        input_tensors: Symbolic tensors to start from, instead of new inputs.
        clone_function: What to put in place of each layer; a layer of the same configuration when
            None.
        call_function: `f(layer, *args, **kwargs)`, what to do instead of calling each layer of a
            functional model, such as adding another layer after it.
        recursive: Whether the models inside are cloned layer by layer too.

    Returns:
        The new model.

    Raises:
        ValueError: any of these arguments for a class with its own `call`, or `call_function` for
            a Sequential.

    Example:
        >>> import pydl
        >>> model = pydl.Sequential([pydl.Input((2,)), pydl.layers.Dense(1)])
        >>> pydl.models.clone_model(model).count_params()
        3
    """
    plain = clone_function is None and input_tensors is None and call_function is None
    if plain and not recursive:
        return type(model).from_config(model.get_config())
    if not _is_graph(model):
        raise ValueError(
            f"[clone_model] expected a functional model or a built Sequential, got {model!r}."
        )
    if call_function is not None and isinstance(model, Sequential):
        raise ValueError(
            "[clone_model] expected call_function for a functional model only, got a Sequential."
        )
    return _cloned(model, input_tensors, _cloner(clone_function, call_function, recursive),
                   call_function)  # fmt: skip


def _cloned(model: Model, inputs: Any, clone: Callable, call_function: Callable | None) -> Model:
    if inputs is None:
        inputs = tree.map_structure(
            lambda t: InputLayer(batch_shape=t.shape, dtype=t.dtype, name=t.name).output,
            model._graph.inputs,
        )
    if isinstance(model, Sequential):
        return Sequential([inputs, *map(clone, model.layers)], name=model.name)

    def apply(layer, args, kwargs):
        if call_function is None:
            return clone(layer)(*args, **kwargs)
        return call_function(clone(layer), *args, **kwargs)

    return Model(inputs, model._graph.replay(inputs, apply), name=model.name)


def _cloner(
    clone_function: Callable | None, call_function: Callable | None, recursive: bool
) -> Callable[[Layer], Layer]:
    """Return a function that clones each layer once, however often it is met."""
    copies: dict[int, Layer] = {}

    def clone(layer: Layer) -> Layer:
        if id(layer) not in copies:
            if recursive and isinstance(layer, Model) and _is_graph(layer):
                copies[id(layer)] = _cloned(layer, None, clone, call_function)
            elif clone_function is not None:
                copies[id(layer)] = clone_function(layer)
            else:
                copies[id(layer)] = type(layer).from_config(layer.get_config())
        return copies[id(layer)]

    return clone


def _is_graph(model: Model) -> bool:
    return model._graph is not None and type(model).call is Model.call
