"""Functions of `pydl.ops` as layers, so that they can be steps of a functional model."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from pydl import ops
from pydl.layers.layer import Layer
from pydl.naming import auto_name
from pydl.ops.symbolic import record_with

__all__ = ["Operation", "apply_operation"]


class Operation(Layer):
    """One function of `pydl.ops`, applied to the tensors it is called on.

    Layers of this class appear when operators and functions of `pydl.ops` meet the symbolic
    tensors of a functional model.

    Args:
        op: The name of the function, or "getitem".

    Raises:
        ValueError: there is no such function.

    Example:
        >>> import pydl
        >>> x = pydl.Input((2,))
        >>> model = pydl.Model(x, pydl.ops.exp(x) + 1)
        >>> model([[0.0, 0.0]]).tolist()
        [[2.0, 2.0]]
    """

    def __init__(self, op: str, **kwargs):
        super().__init__(**kwargs)
        self.op = op
        self._function = _getitem if op == "getitem" else _function_of_ops(op)
        self.autocast = False

    def call(self, *args, **kwargs):
        return self._function(*args, **kwargs)


def apply_operation(op: str, args: tuple, kwargs: dict) -> Any:
    """Return the symbolic result of the function `op` of `pydl.ops` on symbolic tensors."""
    return Operation(op, name=auto_name(op.rpartition(".")[2]))(*args, **kwargs)


def _function_of_ops(name: str) -> Callable[..., Any]:
    """The function of `pydl.ops`, or of an extension when the name has a dot."""
    namespace, _, op = name.rpartition(".")
    found = getattr(getattr(ops, namespace, None) if namespace else ops, op, None)
    if callable(found) and not op.startswith("_"):
        return found
    hint = f" Hint: first load the extension {namespace!r} that has it." if namespace else ""
    raise ValueError(f"[Operation] expected a function of pydl.ops, got {name!r}.{hint}")


def _getitem(x, key):
    # JSON has no tuples: an index that was saved comes back as a list.
    return operator.getitem(x, tuple(key) if isinstance(key, list) else key)


record_with(apply_operation)
