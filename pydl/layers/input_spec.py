"""What a layer expects of its inputs, and the error when it gets something else."""

from __future__ import annotations

from typing import Any

from pydl import tree
from pydl.errors import DTypeError, ShapeError

__all__ = ["InputSpec", "check_inputs"]


class InputSpec:
    """The form of one input of a layer; whatever is None is not checked.

    Args:
        dtype: The exact dtype.
        shape: The exact shape; None for sizes that may vary.
        ndim: The exact number of dimensions.
        max_ndim: The largest number of dimensions.
        min_ndim: The smallest number of dimensions.
        axes: Sizes by axis, such as `{-1: 784}`.
        allow_last_axis_squeeze: Whether an input may have one more axis of size 1 at the end than
            `shape` has, or lack such an axis.
        name: The key of the input when inputs come as a dict.
        optional: Whether the input may be None.

    Example:
        >>> import pydl
        >>> spec = pydl.layers.InputSpec(min_ndim=2, axes={-1: 4})
    """

    def __init__(
        self,
        dtype=None,
        shape=None,
        ndim=None,
        max_ndim=None,
        min_ndim=None,
        axes=None,
        allow_last_axis_squeeze=False,
        name=None,
        optional=False,
    ):
        self.dtype = dtype
        self.shape = None if shape is None else tuple(shape)
        self.ndim = ndim if shape is None else len(shape)
        self.max_ndim = max_ndim
        self.min_ndim = min_ndim
        self.axes = {int(axis): size for axis, size in (axes or {}).items()}
        self.allow_last_axis_squeeze = allow_last_axis_squeeze
        self.name = name
        self.optional = optional

    def __repr__(self) -> str:
        given = {k: v for k, v in vars(self).items() if v not in (None, {}, False)}
        fields = ", ".join(f"{k}={v}" for k, v in given.items())
        return f"InputSpec({fields})"

    def check(self, x: Any, layer_name: str) -> None:
        """Raise ShapeError or DTypeError, naming the layer, unless `x` is as expected."""
        shape, got = self._squeezed(x.shape), f"got shape {x.shape}"
        ndim = len(shape)
        if self.ndim is not None and ndim != self.ndim:
            raise ShapeError(
                f"[{layer_name}] expected {_dims(self.ndim)}, {got}.{_hint(self, ndim)}"
            )
        if self.max_ndim is not None and ndim > self.max_ndim:
            raise ShapeError(f"[{layer_name}] expected at most {_dims(self.max_ndim)}, {got}.")
        if self.min_ndim is not None and ndim < self.min_ndim:
            raise ShapeError(
                f"[{layer_name}] expected at least {_dims(self.min_ndim)}, {got}. "
                "Hint: the first dimension is the batch."
            )
        sizes = dict(enumerate(self.shape)) if self.shape is not None else {}
        for axis, size in {**sizes, **self.axes}.items():
            if size is not None and shape[axis] not in (size, None):
                raise ShapeError(
                    f"[{layer_name}] expected size {size} on axis {axis} of the input, {got}. "
                    "Hint: a layer keeps the input size that it was first called with."
                )
        if self.dtype is not None and x.dtype != self.dtype:
            raise DTypeError(f"[{layer_name}] expected dtype {self.dtype}, got {x.dtype}.")

    def _squeezed(self, shape: tuple) -> tuple:
        """Return the shape with as many axes as expected, where a last axis of 1 may come or go."""
        if not self.allow_last_axis_squeeze or self.shape is None:
            return shape
        if len(shape) == self.ndim + 1 and shape[-1] == 1:
            return shape[:-1]
        if len(shape) == self.ndim - 1 and self.shape[-1] == 1:
            return (*shape, 1)
        return shape


def check_inputs(spec: Any, inputs: Any, layer_name: str) -> None:
    """Check every tensor of `inputs` against its InputSpec.

    Args:
        spec: One InputSpec, or a nested structure of them.
        inputs: One tensor, or as many as there are specs.
        layer_name: The name for error messages.

    Raises:
        ValueError: another number of inputs than of specs.
        ShapeError: an input of another shape.
        DTypeError: an input of another dtype.
    """
    specs, tensors = tree.flatten(spec), tree.flatten(inputs)
    if len(specs) != len(tensors):
        raise ValueError(f"[{layer_name}] expected {len(specs)} input(s), got {len(tensors)}.")
    for one, tensor in zip(specs, tensors):
        if one is not None and not (one.optional and tensor is None):
            if not hasattr(tensor, "shape"):
                raise TypeError(f"[{layer_name}] expected a tensor or an array, got {tensor!r}.")
            one.check(tensor, layer_name)


def _dims(count: int) -> str:
    return f"an input of {count} dimension{'' if count == 1 else 's'}"


def _hint(spec: InputSpec, ndim: int) -> str:
    if ndim == spec.ndim - 1:
        return " Hint: the batch comes first and the channels last; x[..., None] adds an axis."
    return ""
