"""Normalization to length 1."""

from __future__ import annotations

from collections.abc import Sequence

from pydl import ops
from pydl.errors import ShapeError
from pydl.layers.layer import Layer

__all__ = ["UnitNormalization"]


class UnitNormalization(Layer):
    """Scales vectors to Euclidean length 1.

    Args:
        axis: The axis or axes that hold the vectors.

    Call arguments:
        inputs: A tensor of any shape.

    Returns:
        A tensor of the same shape; zeros stay zeros.

    Raises:
        TypeError: `axis` is neither an integer nor several.

    Example:
        >>> import pydl
        >>> pydl.layers.UnitNormalization()(pydl.tensor([[3.0, 4.0]])).numpy().round(1)
        array([[0.6, 0.8]], dtype=float32)
    """

    supports_masking = True

    def __init__(self, axis: int | Sequence[int] = -1, **kwargs):
        super().__init__(**kwargs)
        if not isinstance(axis, (int, list, tuple)):
            raise TypeError(f"[{self.name}] expected an axis or a list of axes, got {axis!r}.")
        self.axis = axis

    def call(self, inputs):
        return ops.normalize(inputs, self.axis, epsilon=1e-12)

    def compute_output_shape(self, input_shape):
        axes = (self.axis,) if isinstance(self.axis, int) else self.axis
        if any(not -len(input_shape) <= axis < len(input_shape) for axis in axes):
            raise ShapeError(
                f"[{self.name}] expected an input with axis {self.axis}, got shape {input_shape}."
            )
        return input_shape
