"""Conversion of a layer's inputs, and of its weights under a mixed dtype policy."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Any

from pydl import ops, tree
from pydl._core import Tensor, tensor
from pydl.layers.keras_tensor import KerasTensor
from pydl.variable import Variable

__all__ = ["are_plain", "cast_inputs", "tensor_from_numbers", "with_cast_weights"]

_FLOATS = ("float32", "float64", "float16", "bfloat16")


def are_plain(values: Iterable, dtype: str | None) -> bool:
    """Return whether `values` are all tensors that need no cast to `dtype`, or no data at all.

    Nothing among them is symbolic or a structure, and no tensor carries a mask.
    """
    for value in values:
        if type(value) is Tensor:
            if dtype is not None and value.dtype != dtype and value.dtype in _FLOATS:
                return False
        elif _may_hold_data(type(value)):
            return False
    return True


@functools.lru_cache
def _may_hold_data(cls: type) -> bool:
    return issubclass(cls, (Tensor, KerasTensor, list, tuple, dict)) or hasattr(cls, "__array__")


def cast_inputs(values: Any, dtype: str | None) -> Any:
    """Return `values` with arrays made tensors, floating point ones cast to `dtype` if given."""

    def convert(x):
        if not isinstance(x, Tensor):
            if isinstance(x, KerasTensor) or not hasattr(x, "__array__"):
                return x
            if getattr(getattr(x, "dtype", None), "kind", None) in ("U", "S", "O"):
                return x  # strings, for layers that take them
            x = tensor(x)
        if dtype is None or x.dtype == dtype or x.dtype not in _FLOATS:
            return x
        return ops.cast(x, dtype)

    return tree.map_structure(convert, values)


def tensor_from_numbers(value: Any) -> Any:
    """Return a tensor if `value` is a list of plain numbers, nested or not, else `value`."""
    if isinstance(value, (list, tuple)):
        leaves = tree.flatten(value)
        if leaves and all(isinstance(leaf, (bool, int, float)) for leaf in leaves):
            return tensor(value)
    return value


def with_cast_weights(layer: Any) -> Any:
    """Return a view of `layer` whose floating point weights are casts to its compute dtype.

    The view is a shallow copy, so other threads may use the layer meanwhile. Gradients flow
    through the casts to the weights.
    """
    dtype = layer.compute_dtype
    view = object.__new__(type(layer))
    for name, value in vars(layer).items():
        if isinstance(value, Variable) and value.autocast and value.dtype in _FLOATS:
            value = ops.cast(value, dtype)
        vars(view)[name] = value
    return view
