"""Projections of weights onto a set, applied after every optimizer step.

>>> import pydl
>>> pydl.constraints.NonNeg()(pydl.tensor([-1.0, 2.0])).tolist()
[0.0, 2.0]
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pydl import ops
from pydl._call_errors import explain_method
from pydl.saving.configurable import Configurable
from pydl.saving.lookup import Lookup

__all__ = [
    "Constraint", "MaxNorm", "MinMaxNorm", "NonNeg", "UnitNorm", "deserialize", "get", "max_norm",
    "min_max_norm", "non_neg", "serialize", "unit_norm",
]  # fmt: skip

_EPSILON = 1e-7


class Constraint(Configurable):
    """Base class: a function of a weight that returns the nearest allowed weight."""

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        explain_method(cls, "__call__")

    def __call__(self, w):
        """Return the tensor `w` made to satisfy the constraint, of the same shape."""
        raise NotImplementedError(f"[{type(self).__name__}] expected a __call__ method.")


class MaxNorm(Constraint):
    """Keeps the norm of the weights into each unit at most `max_value`.

    Args:
        max_value: The largest norm.
        axis: The axis or axes that the norm is taken over: 0 for the kernel `(inputs, units)`
            of a Dense layer, `[0, 1, 2]` for the kernel of a Conv2D layer.

    Example:
        >>> import pydl
        >>> pydl.constraints.MaxNorm(1.0)(pydl.tensor([[3.0], [4.0]])).numpy().round(2).tolist()
        [[0.6000000238418579], [0.800000011920929]]
    """

    def __init__(self, max_value: float = 2, axis: int | Sequence[int] = 0):
        self.max_value = max_value
        self.axis = axis

    def __call__(self, w):
        norms = _norms(w, self.axis)
        return w * (ops.minimum(norms, self.max_value) / (norms + _EPSILON))


class NonNeg(Constraint):
    """Replaces negative weights by zero."""

    def __call__(self, w):
        return ops.maximum(w, 0)


class UnitNorm(Constraint):
    """Gives the weights into each unit the norm 1.

    Args:
        axis: The axis or axes that the norm is taken over; see `MaxNorm`.
    """

    def __init__(self, axis: int | Sequence[int] = 0):
        self.axis = axis

    def __call__(self, w):
        return w / (_norms(w, self.axis) + _EPSILON)


class MinMaxNorm(Constraint):
    """Pulls the norm of the weights into each unit between two limits.

    Args:
        min_value: The smallest norm.
        max_value: The largest norm.
        rate: How far to go in one step: 1 keeps the limits exactly, smaller is softer.
        axis: The axis or axes that the norm is taken over; see `MaxNorm`.
    """

    def __init__(
        self,
        min_value: float = 0.0,
        max_value: float = 1.0,
        rate: float = 1.0,
        axis: int | Sequence[int] = 0,
    ):
        self.min_value = min_value
        self.max_value = max_value
        self.rate = rate
        self.axis = axis

    def __call__(self, w):
        norms = _norms(w, self.axis)
        inside = ops.clip(norms, self.min_value, self.max_value)
        wanted = self.rate * inside + (1 - self.rate) * norms
        return w * (wanted / (norms + _EPSILON))


max_norm, non_neg, unit_norm, min_max_norm = MaxNorm, NonNeg, UnitNorm, MinMaxNorm

_lookup = Lookup(
    "constraints",
    {
        "max_norm": MaxNorm, "non_neg": NonNeg, "unit_norm": UnitNorm, "min_max_norm": MinMaxNorm,
        "MaxNorm": MaxNorm, "NonNeg": NonNeg, "UnitNorm": UnitNorm, "MinMaxNorm": MinMaxNorm,
    },
)  # fmt: skip


def get(identifier: str | dict | Callable | None) -> Callable | None:
    """Return a constraint from a name, a description, a class or a function; None stays None."""
    return _lookup.get(identifier)


def serialize(constraint: Constraint) -> Any:
    """Return a description of `constraint` that JSON can hold."""
    return _lookup.serialize(constraint)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Callable | None:
    """Return the constraint that `serialize` described."""
    return _lookup.deserialize(config, custom_objects)


def _norms(w, axis: int | Sequence[int]):
    axes = axis if isinstance(axis, int) else tuple(axis)
    return ops.sqrt(ops.sum(ops.square(w), axis=axes, keepdims=True))
