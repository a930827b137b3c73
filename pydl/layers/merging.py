"""Layers that make one tensor of several."""

from __future__ import annotations

import functools
from typing import Any

from pydl import ops
from pydl.errors import ShapeError
from pydl.layers.layer import Layer

__all__ = ["Add", "Average", "Concatenate", "Maximum", "Minimum", "Multiply", "Subtract"]


class BaseMerge(Layer):
    """What elementwise merges share: the sample shapes broadcast against each other."""

    supports_masking = True
    _keeps_dtype = True

    def __init__(self, **kwargs):
        super().__init__(**kwargs)

    def build(self, input_shape):
        self.compute_output_shape(input_shape)

    def call(self, inputs):
        _check_list(inputs, self.name)
        ndim = max(x.ndim for x in inputs)
        return self._merge([_expand(x, ndim) for x in inputs])

    def compute_output_shape(self, input_shape):
        _check_list(input_shape, self.name)
        shapes = [tuple(shape) for shape in input_shape]
        batches = {shape[0] for shape in shapes} - {None}
        samples = functools.reduce(_broadcast, (shape[1:] for shape in shapes))
        if samples is None or len(batches) > 1:
            raise ShapeError(
                f"[{self.name}] expected inputs whose shapes fit together, got {shapes}."
            )
        return (batches.pop() if batches else None, *samples)

    def compute_mask(self, inputs, previous_mask):
        """A step of the result is padding if it is in every input."""
        if previous_mask is None or any(mask is None for mask in previous_mask):
            return None
        return functools.reduce(ops.logical_or, previous_mask)


class Add(BaseMerge):
    """Adds tensors.

    Call arguments:
        inputs: A list of tensors whose shapes broadcast.

    Returns:
        Their sum.

    Example:
        >>> import pydl
        >>> pydl.layers.Add()([pydl.ops.ones((1, 2)), pydl.ops.ones((1, 2))]).tolist()
        [[2.0, 2.0]]
    """

    def _merge(self, inputs):
        return functools.reduce(ops.add, inputs)


class Multiply(BaseMerge):
    """Multiplies tensors element by element.

    Call arguments:
        inputs: A list of tensors whose shapes broadcast.

    Returns:
        Their product.
    """

    def _merge(self, inputs):
        return functools.reduce(ops.multiply, inputs)


class Average(BaseMerge):
    """Averages tensors element by element.

    Call arguments:
        inputs: A list of tensors whose shapes broadcast.

    Returns:
        Their mean.
    """

    def _merge(self, inputs):
        return functools.reduce(ops.add, inputs) / len(inputs)


class Maximum(BaseMerge):
    """Takes the largest value element by element.

    Call arguments:
        inputs: A list of tensors whose shapes broadcast.

    Returns:
        Their maximum.
    """

    def _merge(self, inputs):
        return functools.reduce(ops.maximum, inputs)


class Minimum(BaseMerge):
    """Takes the smallest value element by element.

    Call arguments:
        inputs: A list of tensors whose shapes broadcast.

    Returns:
        Their minimum.
    """

    def _merge(self, inputs):
        return functools.reduce(ops.minimum, inputs)


class Subtract(BaseMerge):
    """Subtracts the second of two tensors from the first.

    Call arguments:
        inputs: A list of two tensors whose shapes broadcast.

    Returns:
        Their difference.

    Raises:
        ValueError: another number of tensors.

    Example:
        >>> import pydl
        >>> pydl.layers.Subtract()([pydl.tensor([[5.0]]), pydl.tensor([[3.0]])]).tolist()
        [[2.0]]
    """

    def _merge(self, inputs):
        return ops.subtract(*inputs)

    def compute_output_shape(self, input_shape):
        if len(input_shape) != 2:
            raise ValueError(f"[{self.name}] expected two tensors, got {len(input_shape)}.")
        return super().compute_output_shape(input_shape)


class Concatenate(Layer):
    """Joins tensors along an axis.

    Args:
        axis: The axis.

    Call arguments:
        inputs: A list of tensors whose shapes agree on all other axes.

    Returns:
        A tensor.

    Raises:
        ShapeError: the shapes do not agree.

    Example:
        >>> import pydl
        >>> pydl.layers.Concatenate()([pydl.ops.ones((1, 2)), pydl.ops.ones((1, 3))]).shape
        (1, 5)
    """

    supports_masking = True
    _keeps_dtype = True

    def __init__(self, axis: int = -1, **kwargs):
        super().__init__(**kwargs)
        self.axis = axis

    def build(self, input_shape):
        self.compute_output_shape(input_shape)

    def call(self, inputs):
        _check_list(inputs, self.name)
        return ops.concatenate(inputs, axis=self.axis)

    def compute_output_shape(self, input_shape):
        _check_list(input_shape, self.name)
        shapes = [list(shape) for shape in input_shape]
        if any(not -len(s) <= self.axis < len(s) for s in shapes):
            raise ShapeError(f"[{self.name}] expected inputs with axis {self.axis}, got {shapes}.")
        sizes = [shape.pop(self.axis) for shape in shapes]
        rest = shapes[0]
        for shape in shapes[1:]:
            known = [m == n or None in (m, n) for m, n in zip(rest, shape)]
            if len(shape) != len(rest) or not all(known):
                raise ShapeError(
                    f"[{self.name}] expected shapes that agree except on axis {self.axis}, "
                    f"got {[tuple(s) for s in input_shape]}."
                )
            rest = [n if m is None else m for m, n in zip(rest, shape)]
        result = list(rest)
        total = None if None in sizes else sum(sizes)
        result.insert(self.axis % len(input_shape[0]), total)
        return tuple(result)

    def compute_mask(self, inputs, previous_mask):
        """Joins masks along the steps; along other axes a step stays if every mask keeps it."""
        if previous_mask is None or all(mask is None for mask in previous_mask):
            return None
        masks = [
            ops.ones(x.shape[:2], dtype="bool") if mask is None else mask
            for x, mask in zip(inputs, previous_mask)
        ]
        if self.axis % inputs[0].ndim == 1:
            return ops.concatenate(masks, axis=1)
        return functools.reduce(ops.logical_and, masks)


def _check_list(inputs: Any, layer: str) -> None:
    nested = isinstance(inputs, (list, tuple)) and len(inputs) > 0
    if not nested or isinstance(inputs[0], (int, type(None))):
        raise ValueError(f"[{layer}] expected a list of at least one tensor, got {inputs!r}.")


def _expand(x, ndim: int):
    """Add axes of size 1 after the batch."""
    for _ in range(ndim - x.ndim):
        x = ops.expand_dims(x, 1)
    return x


def _broadcast(first: tuple | None, second: tuple) -> tuple | None:
    """Return the shape that two sample shapes broadcast to; None if they do not."""
    if first is None:
        return None
    length = max(len(first), len(second))
    pairs = zip((1,) * (length - len(first)) + first, (1,) * (length - len(second)) + second)
    result = []
    for m, n in pairs:
        if m not in (1, n, None) and n not in (1, None):
            return None
        result.append(n if m == 1 else m if n == 1 else None if None in (m, n) else m)
    return tuple(result)
