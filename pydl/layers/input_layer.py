"""The start of a functional model: a placeholder for data."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral
from typing import Any

from pydl.layers.keras_tensor import KerasTensor
from pydl.layers.layer import Layer
from pydl.layers.node import Node

__all__ = ["Input", "InputLayer"]


class InputLayer(Layer):
    """The layer behind `pydl.Input`; put it first in a Sequential to give the input shape.

    Args:
        shape: The shape of one sample, without the batch.
        batch_size: The batch size, if it is fixed.
        dtype: The dtype of the data; the default float dtype when None.
        batch_shape: The whole shape, instead of `shape` and `batch_size`.
        name: The name; data in a dict is found by it.

    Raises:
        ValueError: neither or both of `shape` and `batch_shape`, or what is no size in them.
    """

    def __init__(
        self,
        shape: Sequence[int | None] | None = None,
        batch_size: int | None = None,
        dtype: str | None = None,
        batch_shape: Sequence[int | None] | None = None,
        name: str | None = None,
    ):
        super().__init__(name=name)
        if (shape is None) == (batch_shape is None):
            raise ValueError(
                f"[InputLayer] expected shape or batch_shape, got {shape} and {batch_shape}. "
                "Hint: shape is that of one sample, such as (784,)."
            )
        if isinstance(shape, int):
            raise ValueError(f"[InputLayer] expected a tuple such as ({shape},), got {shape}.")
        self.batch_shape = tuple(batch_shape if shape is None else (batch_size, *shape))
        if not all(size is None or _is_size(size) for size in self.batch_shape):
            raise ValueError(
                f"[InputLayer] expected sizes of at least 0, or None, got {self.batch_shape}."
            )
        self._input_dtype = dtype or self.compute_dtype
        self.built = True
        Node(self, (), {}, KerasTensor(self.batch_shape, self._input_dtype, self.name))

    @property
    def dtype(self) -> str:
        """The dtype of the data."""
        return self._input_dtype

    def call(self):
        """An input layer is never called: a model gives its data to the layers after it."""
        raise NotImplementedError(f"[{self.name}] expected no call, got one.")

    def get_config(self) -> dict[str, Any]:
        return {"batch_shape": list(self.batch_shape), "dtype": self.dtype, "name": self.name}


def _is_size(value: Any) -> bool:
    return isinstance(value, Integral) and value >= 0


def Input(
    shape: Sequence[int | None] | None = None,
    batch_size: int | None = None,
    dtype: str | None = None,
    batch_shape: Sequence[int | None] | None = None,
    name: str | None = None,
) -> KerasTensor:
    """Return a symbolic tensor to start a functional model with.

    Args:
        shape: The shape of one sample, without the batch; None for sizes that vary.
        batch_size: The batch size, if it is fixed.
        dtype: The dtype of the data; the default float dtype when None.
        batch_shape: The whole shape, instead of `shape` and `batch_size`.
        name: The name of the input; data in a dict is found by it.

    Returns:
        A KerasTensor of shape `(batch_size, *shape)`.

    Raises:
        ValueError: neither or both of `shape` and `batch_shape`, or what is no size in them.

    Example:
        >>> import pydl
        >>> x = pydl.Input((28, 28, 1))
        >>> model = pydl.Model(x, pydl.layers.Flatten()(x))
        >>> model.output_shape
        (None, 784)
    """
    return InputLayer(shape, batch_size, dtype, batch_shape, name).output
