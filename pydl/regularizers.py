"""Penalties on the size of weights, added to the loss while training.

>>> import pydl
>>> float(pydl.regularizers.L2(0.5)(pydl.tensor([1.0, 2.0])))
2.5
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydl import ops
from pydl.saving.configurable import Configurable
from pydl.saving.lookup import Lookup

__all__ = [
    "L1",
    "L1L2",
    "L2",
    "OrthogonalRegularizer",
    "Regularizer",
    "deserialize",
    "get",
    "l1",
    "l1_l2",
    "l2",
    "orthogonal_regularizer",
    "serialize",
]


class Regularizer(Configurable):
    """Base class: a function of a weight that returns a scalar tensor."""

    def __call__(self, x):
        """Return the penalty for the tensor `x` as a scalar tensor."""
        raise NotImplementedError(f"[{type(self).__name__}] expected a __call__ method.")


class L1L2(Regularizer):
    """The sum of the L1 and the L2 penalty.

    Args:
        l1: The factor of the sum of absolute values.
        l2: The factor of the sum of squares.

    Raises:
        ValueError: a factor is negative or not finite.

    Example:
        >>> import pydl
        >>> float(pydl.regularizers.L1L2(l1=1.0, l2=1.0)(pydl.tensor([-1.0, 2.0])))
        8.0
    """

    def __init__(self, l1: float = 0.0, l2: float = 0.0):
        self.l1 = _factor("l1", 0.0 if l1 is None else l1)
        self.l2 = _factor("l2", 0.0 if l2 is None else l2)

    def __call__(self, x):
        penalty = 0.0
        if self.l1:
            penalty = penalty + self.l1 * ops.sum(ops.abs(x))
        if self.l2:
            penalty = penalty + self.l2 * ops.sum(ops.square(x))
        return penalty


class L1(Regularizer):
    """The penalty `l1 * sum(abs(x))`.

    Args:
        l1: The factor.
    """

    def __init__(self, l1: float = 0.01):
        self.l1 = _factor("l1", 0.01 if l1 is None else l1)

    def __call__(self, x):
        return self.l1 * ops.sum(ops.abs(x))


class L2(Regularizer):
    """The penalty `l2 * sum(square(x))`.

    Args:
        l2: The factor.
    """

    def __init__(self, l2: float = 0.01):
        self.l2 = _factor("l2", 0.01 if l2 is None else l2)

    def __call__(self, x):
        return self.l2 * ops.sum(ops.square(x))


class OrthogonalRegularizer(Regularizer):
    """A penalty on rows or columns of a matrix that are not orthogonal to each other.

    It is `factor` times the mean magnitude of the products of different rows (or columns), each
    made one of length 1.

    Args:
        factor: The factor.
        mode: "rows" or "columns".

    Raises:
        ValueError: an argument outside the values listed, or a weight that is no matrix.

    Example:
        >>> import pydl
        >>> float(pydl.regularizers.OrthogonalRegularizer()(pydl.ops.eye(3)))
        0.0
    """

    def __init__(self, factor: float = 0.01, mode: str = "rows"):
        self.factor = _factor("factor", factor)
        if mode not in ("rows", "columns"):
            raise ValueError(
                f"[OrthogonalRegularizer] expected mode rows or columns, got {mode!r}."
            )
        self.mode = mode

    def __call__(self, x):
        if len(x.shape) != 2:
            raise ValueError(f"[OrthogonalRegularizer] expected a matrix, got shape {x.shape}.")
        x = ops.normalize(x if self.mode == "rows" else ops.transpose(x), axis=1)
        size = x.shape[0]
        products = ops.matmul(x, ops.transpose(x)) * (1.0 - ops.eye(size, dtype=x.dtype))
        return self.factor * ops.sum(ops.abs(products)) / (size * (size - 1))


l1, l2, l1_l2, orthogonal_regularizer = L1, L2, L1L2, OrthogonalRegularizer

_lookup = Lookup(
    "regularizers",
    {
        "l1": L1, "l2": L2, "l1_l2": L1L2, "orthogonal_regularizer": OrthogonalRegularizer,
        "L1": L1, "L2": L2, "L1L2": L1L2, "OrthogonalRegularizer": OrthogonalRegularizer,
    },
)  # fmt: skip


def get(identifier: str | dict | Callable | None) -> Callable | None:
    """Return a regularizer from a name, a description, a class or a function; None stays None."""
    return _lookup.get(identifier)


def serialize(regularizer: Regularizer) -> Any:
    """Return a description of `regularizer` that JSON can hold."""
    return _lookup.serialize(regularizer)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Callable | None:
    """Return the regularizer that `serialize` described."""
    return _lookup.deserialize(config, custom_objects)


def _factor(name: str, value: float) -> float:
    if not isinstance(value, (int, float)) or not 0 <= value < float("inf"):
        raise ValueError(
            f"[regularizers] expected {name} to be a finite number >= 0, got {value!r}."
        )
    return float(value)
