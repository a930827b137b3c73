"""Scalar products of two tensors, sample by sample."""

from __future__ import annotations

import string
from collections.abc import Sequence

from pydl import ops
from pydl.errors import ShapeError
from pydl.layers.layer import Layer

__all__ = ["Dot"]


class Dot(Layer):
    """Multiplies two tensors and sums along one axis of each, sample by sample.

    Args:
        axes: The axis of both, or one for each. Not 0, which is the batch.
        normalize: Whether to scale the vectors to length 1 first, which gives their cosine.

    Call arguments:
        inputs: A list of two tensors.

    Returns:
        A tensor with the other axes of the first, then those of the second; `(batch, 1)` if there
        are none.

    Raises:
        TypeError: `axes` is neither an integer nor a pair.
        ValueError: not two integers, or not two inputs.
        ShapeError: axes of different sizes.

    Example:
        >>> import pydl
        >>> x, y = pydl.ops.ones((2, 3, 5)), pydl.ops.ones((2, 10, 3))
        >>> pydl.layers.Dot(axes=(1, 2))([x, y]).shape
        (2, 5, 10)
    """

    supports_masking = True

    def __init__(self, axes: int | Sequence[int], normalize: bool = False, **kwargs):
        super().__init__(**kwargs)
        if not isinstance(axes, (int, list, tuple)):
            raise TypeError(f"[{self.name}] expected axes to be one or two axes, got {axes!r}.")
        pair = (axes, axes) if isinstance(axes, int) else tuple(axes)
        if len(pair) != 2 or not all(isinstance(axis, int) for axis in pair) or 0 in pair:
            raise ValueError(f"[{self.name}] expected one or two axes other than 0, got {axes!r}.")
        self.axes = axes
        self.normalize = normalize
        self._pair = pair

    def build(self, input_shape):
        self.compute_output_shape(input_shape)

    def call(self, inputs):
        if self.normalize:
            inputs = [ops.normalize(x, axis) for x, axis in zip(inputs, self._pair)]
        first, second = (list(range(x.ndim)) for x in inputs)
        second = [0] + [i + len(first) for i in second[1:]]
        second[self._pair[1]] = first[self._pair[0]]
        summed = first[self._pair[0]]
        kept = [i for i in first + second[1:] if i != summed]
        terms = ("".join(string.ascii_letters[i] for i in axes) for axes in (first, second, kept))
        outputs = ops.einsum("{},{}->{}".format(*terms), *inputs)
        return ops.expand_dims(outputs, -1) if outputs.ndim == 1 else outputs

    def compute_output_shape(self, input_shape):
        if len(input_shape) != 2 or not isinstance(input_shape[0], (list, tuple)):
            raise ValueError(f"[{self.name}] expected two inputs, got shapes {input_shape}.")
        first, second = map(list, input_shape)
        if not all(-len(s) < a < len(s) for s, a in zip((first, second), self._pair)):
            raise ShapeError(
                f"[{self.name}] expected inputs with axes {self._pair} behind the batch, got shapes "
                f"{tuple(first)} and {tuple(second)}."
            )
        sizes = first.pop(self._pair[0]), second.pop(self._pair[1])
        if sizes[0] != sizes[1] and None not in sizes:
            raise ShapeError(
                f"[{self.name}] expected equal sizes along axes {self._pair}, got {sizes[0]} and "
                f"{sizes[1]} in shapes {tuple(input_shape[0])} and {tuple(input_shape[1])}."
            )
        shape = first + second[1:]
        return tuple(shape) if len(shape) > 1 else (*shape, 1)

    def compute_mask(self, inputs, previous_mask):
        """The steps are gone or doubled, and the mask with them."""
        return None
