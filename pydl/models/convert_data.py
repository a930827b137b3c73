"""Arrays of every kind to tensors of the dtype that a model computes in."""

from __future__ import annotations

import numbers
from collections.abc import Callable
from typing import Any

import numpy as np

from pydl import tree
from pydl._core import Tensor
from pydl.tensor import from_numpy, tensor


def is_array_like(value: Any) -> bool:
    """Whether `value` is an array, or a number or text (so that nested lists are arrays)."""
    kinds = (Tensor, np.ndarray, numbers.Number, str)
    return isinstance(value, kinds) or hasattr(value, "__array__")


def split_batch(batch: Any) -> tuple[Any, Any, Any]:
    """`x`, `y` and `sample_weight` of what a generator yielded; absent ones are None.

    Raises:
        ValueError: a tuple of more than three items.
    """
    if not isinstance(batch, tuple):
        return batch, None, None
    if not 1 <= len(batch) <= 3:
        raise ValueError(
            f"[data] expected batches (x,), (x, y) or (x, y, sample_weight), "
            f"got a tuple of {len(batch)}. Several inputs go in a list: ([x1, x2], y)"
        )
    return (*batch, None, None)[:3]


def join(batch: tuple[Any, Any, Any]) -> tuple:
    """`(x, y, sample_weight)` without the Nones at its end."""
    x, y, sample_weight = batch
    if sample_weight is not None:
        if y is None:
            raise ValueError("[data] expected targets y beside sample_weight, got None")
        return x, y, sample_weight
    return (x,) if y is None else (x, y)


class Converter:
    """Makes tensors of a batch.

    Floating arrays become `dtype`, so that float64 data trains a float32 model; integers stay
    integers, except as inputs that the model declares to be floating. Text stays a NumPy array, for
    inputs that the model declares to be text.

    Args:
        dtype: floating dtype that the model computes in.
        declared: gives the declared dtype of each array of inputs, where known.
    """

    def __init__(self, dtype: str, declared: Callable[[Any], list] | None = None) -> None:
        self._dtype = dtype
        self._declared = declared or (lambda x: [])

    def __call__(self, batch: tuple[Any, Any, Any]) -> tuple:
        x, y, sample_weight = batch
        x = lists_to_arrays(x)
        leaves = tree.flatten(x)
        if not leaves:
            raise ValueError(f"[data] expected at least one array of inputs, got {x!r}")
        declared = self._declared(x)
        if len(declared) != len(leaves):
            declared = [None] * len(leaves)
        inputs = [self._convert(leaf, dtype) for leaf, dtype in zip(leaves, declared)]
        return join(
            (
                inputs[0] if leaves[0] is x else tree.pack_sequence_as(x, inputs),
                tree.map_structure(self._convert_target, lists_to_arrays(y)),
                tree.map_structure(self._convert_target, lists_to_arrays(sample_weight)),
            )
        )

    def _convert(self, array: Any, declared: str | None = None) -> Any:
        if isinstance(array, Tensor):
            value = array
        else:
            array = np.asarray(array)
            if declared == "string" and array.dtype.kind in "USO":
                return array
            if array.dtype.kind not in "biuf":
                raise TypeError(
                    f"[data] expected arrays of numbers, got dtype {array.dtype}. Turn text and "
                    "categories into numbers first, or begin a model that does so with "
                    "Input(shape, dtype='string')"
                )
            value = _on_cpu(_supported(array))
        if "float" in value.dtype:
            return value if value.dtype == self._dtype else value.astype(self._dtype)
        if declared is not None and "float" in declared:
            return value.astype(self._dtype)
        return value

    def _convert_target(self, array: Any) -> Tensor | None:
        return None if array is None else self._convert(array)


_WIDER = {
    np.dtype(narrow): wide
    for narrow, wide in (
        ("int16", "int32"), ("uint16", "int32"), ("uint32", "int64"), ("longdouble", "float64"),
    )
}  # fmt: skip


def _on_cpu(array: np.ndarray) -> Tensor:
    return from_numpy(array) if array.flags.writeable else tensor(array, device="cpu")


def _supported(array: np.ndarray) -> np.ndarray:
    """`array` in a dtype that tensors have (no uint16, uint32, uint64, int16, long double)."""
    if array.dtype == np.uint64:
        if array.size and array.max() > np.iinfo(np.int64).max:
            raise TypeError("[data] expected integers that fit int64, got uint64 beyond it")
        return array.astype("int64")
    if not array.dtype.isnative:
        array = array.astype(array.dtype.newbyteorder("="))
    wanted = _WIDER.get(array.dtype)
    return array if wanted is None else array.astype(wanted)


def lists_to_arrays(structure: Any) -> Any:
    """Lists of numbers or text as arrays; lists and dicts of arrays stay what they are."""
    if isinstance(structure, dict):
        return {key: lists_to_arrays(item) for key, item in structure.items()}
    if isinstance(structure, (list, tuple)):
        leaves = tree.flatten(structure)
        if any(all(isinstance(leaf, kind) for leaf in leaves) for kind in (numbers.Number, str)):
            try:
                array = np.array(structure)
            except ValueError:
                raise ValueError(
                    "[data] expected nested lists of one shape, got ragged ones"
                ) from None
            return array.astype("float32") if array.dtype.kind == "f" else array
        return type(structure)(lists_to_arrays(item) for item in structure)
    return structure
