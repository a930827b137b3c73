"""How functions of `pydl.ops` become steps of a functional model."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from pydl._call_errors import ARGUMENT_ERRORS, raise_explained
from pydl._core import Tensor

__all__ = ["SymbolicTensor", "contains_symbolic", "direct", "public_op", "record_with"]

_recorder: Callable[[str, tuple, dict], Any] | None = None
_DATA = frozenset({Tensor, np.ndarray, int, float, bool, str, type(None)})  # to skip long lists fast


class SymbolicTensor:
    """The base of stand-ins for data to come, which ops record instead of computing on them."""


def record_with(recorder: Callable[[str, tuple, dict], Any]) -> None:
    """Set the function that records an op, given its name and arguments."""
    global _recorder
    _recorder = recorder


def contains_symbolic(values: Iterable) -> bool:
    """Return whether there is a symbolic tensor among `values` or in lists, tuples or dicts there."""
    if set(map(type, values)) <= _DATA:
        return False
    return any(
        contains_symbolic(value.values() if isinstance(value, dict) else value)
        if isinstance(value, (list, tuple, dict))
        else isinstance(value, SymbolicTensor)
        for value in values
    )


def public_op(function: Callable, name: str | None = None) -> Callable:
    """Return `function` made to record itself on symbolic tensors and to explain its errors.

    Args:
        function: A function of tensors.
        name: Where it is in `pydl.ops`, if it is in a part of it: "image.resize".
    """
    name = name or function.__name__
    core = getattr(function, "core", None)

    # Symbolic tensors hold no data, so every op refuses them. Looking for them only then spares all
    # other calls the search, which would cost as much as a small op.
    @functools.wraps(function)
    def op(*args, **kwargs):
        try:
            return function(*args, **kwargs)
        except ARGUMENT_ERRORS as error:
            if not contains_symbolic((args, kwargs)):
                raise_explained(error, function, args, kwargs)
                raise
        return _recorder(name, args, kwargs)

    @functools.wraps(function)
    def direct_op(x1, x2):
        try:
            return core(x1, x2)
        except ARGUMENT_ERRORS:
            return op(x1, x2)

    return op if core is None else direct_op


def direct(core: Callable) -> Callable:
    """Mark a function `(x1, x2)` that does nothing but call `core`, which its op then calls itself.

    Args:
        core: A function of the extension module.
    """

    def mark(function: Callable) -> Callable:
        function.core = core
        return function

    return mark
