"""Any function as a layer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pydl.layers.keras_tensor import KerasTensor
from pydl.layers.layer import Layer

__all__ = ["Lambda"]


class Lambda(Layer):
    """Applies a function to the inputs.

    A model with this layer can be saved if the function has a name that loading knows: define it
    with `def` and decorate it with `pydl.saving.register_keras_serializable`.

    Args:
        function: A function of the inputs. It may take `mask` and `training` too.
        output_shape: The shape of a sample of the output, or a function of the input shape;
            found by a trial when None.
        mask: The mask of the output, or a function `mask(inputs, previous_mask)`.
        arguments: More keyword arguments for the function.

    Call arguments:
        inputs: Whatever the function takes.

    Returns:
        What the function returns.

    Example:
        >>> import pydl
        >>> pydl.layers.Lambda(lambda x: x**2)(pydl.tensor([3.0])).tolist()
        [9.0]
    """

    supports_masking = True

    def __init__(
        self,
        function: Callable,
        output_shape: Sequence[int | None] | Callable | None = None,
        mask: Any = None,
        arguments: dict[str, Any] | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if not callable(function):
            raise TypeError(f"[{self.name}] expected a function, got {function!r}.")
        self.function = function
        self.output_shape_argument = output_shape
        self.mask = mask
        self.arguments = arguments or {}
        code = getattr(function, "__code__", None)
        names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount] if code else ()
        self._wanted = [name for name in ("mask", "training") if name in names]

    def call(self, inputs, mask=None, training=None):
        given = {"mask": mask, "training": training}
        extra = {name: given[name] for name in self._wanted}
        return self.function(inputs, **extra, **self.arguments)

    def compute_output_spec(self, inputs, **kwargs):
        shape = self.output_shape_argument
        if shape is None:
            return super().compute_output_spec(inputs, **kwargs)
        if callable(shape):
            return KerasTensor(shape(inputs.shape), self.compute_dtype)
        return KerasTensor((inputs.shape[0], *shape), self.compute_dtype)

    def compute_mask(self, inputs, previous_mask):
        return self.mask(inputs, previous_mask) if callable(self.mask) else self.mask
