"""Symbolic tensors: inputs and outputs of layers while a functional model is being described."""

from __future__ import annotations

from typing import Any

from pydl.naming import auto_name
from pydl.ops.symbolic import SymbolicTensor, contains_symbolic

__all__ = ["KerasTensor", "is_symbolic"]


class KerasTensor(SymbolicTensor):
    """A shape and a dtype that stand for data to come.

    `pydl.Input` makes the first; layers, operators and the functions of `pydl.ops` return more.

    Args:
        shape: The sizes; None for one that is not known yet, such as the batch.
        dtype: The dtype.
        name: A name for it.

    Example:
        >>> import pydl
        >>> x = pydl.Input((3,))
        >>> y = pydl.ops.relu(x * 2)
        >>> y.shape, y.dtype
        ((None, 3), 'float32')
    """

    _keras_history: tuple | None = None
    __array_ufunc__ = None  # so that `array + symbolic tensor` comes to the operators here

    def __init__(self, shape, dtype: str = "float32", name: str | None = None):
        self.shape = tuple(None if size is None else int(size) for size in shape)
        self.dtype = dtype
        self.name = name or auto_name("keras_tensor")

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return len(self.shape)

    @property
    def T(self) -> KerasTensor:
        """The tensor with its axes reversed."""
        return _apply("transpose", self)

    def __getitem__(self, key) -> KerasTensor:
        return _apply("getitem", self, key)

    def __len__(self) -> int:
        if not self.shape or self.shape[0] is None:
            raise TypeError(f"[KerasTensor] expected a known first size, got shape {self.shape}.")
        return self.shape[0]

    def __iter__(self):
        return (self[i] for i in range(len(self)))

    def __bool__(self) -> bool:
        raise TypeError(
            "[KerasTensor] expected a value, got a symbolic tensor, which has none yet. "
            "Hint: put Python conditions on values into the call method of a layer."
        )

    __float__ = __int__ = __index__ = __bool__

    def __repr__(self) -> str:
        return f"<KerasTensor shape={self.shape}, dtype={self.dtype}, name={self.name}>"


def is_symbolic(value: Any) -> bool:
    """Return whether `value` is a KerasTensor, or a list, tuple or dict with one in it."""
    return contains_symbolic((value,))


def _apply(name: str, *args):
    from pydl.layers.operation import apply_operation

    return apply_operation(name, args, {})


def _binary(name: str):
    return lambda self, other: _apply(name, self, other)


def _reflected(name: str):
    return lambda self, other: _apply(name, other, self)


_OPERATORS = {
    "add": "add", "sub": "subtract", "mul": "multiply", "truediv": "divide",
    "floordiv": "floor_divide", "mod": "mod", "pow": "power", "matmul": "matmul",
}  # fmt: skip
for _operator, _op in _OPERATORS.items():
    setattr(KerasTensor, f"__{_operator}__", _binary(_op))
    setattr(KerasTensor, f"__r{_operator}__", _reflected(_op))

_COMPARISONS = {
    "lt": "less", "le": "less_equal", "gt": "greater", "ge": "greater_equal",
    "and": "logical_and", "or": "logical_or",
}  # fmt: skip
for _operator, _op in _COMPARISONS.items():
    setattr(KerasTensor, f"__{_operator}__", _binary(_op))

KerasTensor.__neg__ = lambda self: _apply("negative", self)
KerasTensor.__abs__ = lambda self: _apply("abs", self)
KerasTensor.__invert__ = lambda self: _apply("logical_not", self)
