"""The inputs of a functional model: matching data to them by place or by name, and checking it."""

from __future__ import annotations

from typing import Any

import numpy as np

from pydl import ops, tree
from pydl._core import Tensor
from pydl.errors import ShapeError
from pydl.layers.autocast import cast_inputs
from pydl.layers.keras_tensor import KerasTensor, is_symbolic

__all__ = ["GraphInputs"]


class GraphInputs:
    """What data a graph takes.

    Args:
        inputs: The symbolic inputs: one, or a list or dict of them.
    """

    def __init__(self, inputs: Any):
        self.structure = inputs
        self.tensors = tree.flatten(inputs)
        self.names = [tensor._keras_history[0].name for tensor in self.tensors]
        self.specs = [(tensor.shape, tensor.dtype) for tensor in self.tensors]
        shape, self._dtype = self.specs[0]
        single = isinstance(inputs, KerasTensor) and shape[:1] == (None,)
        self._sample = shape[1:] if single else None  # the one shape of samples, if there is one

    def standardize(self, data: Any) -> list:
        """Return one tensor for every input, of its dtype and fitting its shape.

        Args:
            data: Arranged as the inputs are, or a dict by the names of the inputs.

        Raises:
            ValueError: another number of inputs, or other names.
            ShapeError: an input of another shape.
        """
        if type(data) is Tensor and data.shape[1:] == self._sample and data.dtype == self._dtype:
            return [data]
        values = self._match(data)
        return [self._fit(i, value) for i, value in enumerate(values)]

    def dtypes(self, data: Any) -> list[str | None]:
        """Return the dtype declared for every array in `data`, in order; None where there is none.

        Args:
            data: As for `standardize`; it may hold more arrays than there are inputs.
        """
        declared = [dtype for _, dtype in self.specs]
        if not isinstance(data, dict):
            return declared
        keys = self._keys(data)
        return [dict(zip(keys, declared)).get(key) for key in data]

    def _keys(self, data: dict) -> list[str]:
        """What `data` calls the inputs: the keys of the model's own dict, or else their names."""
        own = list(self.structure) if isinstance(self.structure, dict) else self.names
        return own if all(key in data for key in own) else self.names

    def _match(self, data: Any) -> list:
        if isinstance(data, dict):
            keys = self._keys(data)
            if not all(key in data for key in keys):
                raise ValueError(f"expected inputs named {keys}, got {list(data)}.")
            return [data[key] for key in keys]
        values = tree.flatten(data)
        if len(values) != len(self.tensors):
            raise ValueError(
                f"expected {len(self.tensors)} inputs {self.names}, got {len(values)}."
            )
        return values

    def _fit(self, i: int, value: Any) -> Any:
        shape, dtype = self.specs[i]
        if dtype == "string":
            return _column(value, shape)
        if not isinstance(value, Tensor) and not is_symbolic(value):
            value = cast_inputs(value, None)
            if not isinstance(value, Tensor):
                raise ValueError(f"expected an array for {self.names[i]!r}, got {value!r}.")
        if value.ndim == len(shape) + 1 and value.shape[-1] == 1:
            value = ops.squeeze(value, axis=-1)
        elif value.ndim == len(shape) - 1 and shape[-1] == 1:
            value = ops.expand_dims(value, axis=-1)
        fits = value.ndim == len(shape) and all(
            expected is None or size is None or size == expected
            for size, expected in zip(value.shape, shape)
        )
        if not fits:
            raise ShapeError(
                f"expected shape {shape} for the input {self.names[i]!r}, "
                f"got {value.shape}.{_hint(value.shape, shape)}"
            )
        return (
            value
            if value.dtype == dtype or isinstance(value, KerasTensor)
            else ops.cast(value, dtype)
        )


def _column(text: Any, shape: tuple) -> Any:
    """An array of text with the last axis of size 1 that its input has; lists stay what they are."""
    is_flat = isinstance(text, np.ndarray) and text.ndim == len(shape) - 1 and shape[-1] == 1
    return text[..., np.newaxis] if is_flat else text


def _hint(shape: tuple, expected: tuple) -> str:
    if len(shape) == len(expected) - 1:
        return " Hint: the first dimension is the batch; x[None] makes a batch of one sample."
    return ""
