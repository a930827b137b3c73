"""How functions of `pydl.ops` become steps of a functional model.

Symbolic tensors are no tensors, so an op that meets one fails; then the op is recorded instead of
run. Ops on data pay nothing for it but one more Python call.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

__all__ = ["accept_symbolic", "record_with"]

_recorder: Callable[[str, tuple, dict], Any] | None = None


def record_with(recorder: Callable[[str, tuple, dict], Any]) -> None:
    """Set the function that records an op, given its name and arguments.

    It returns NotImplemented when there is no symbolic tensor among the arguments.
    """
    global _recorder
    _recorder = recorder


def accept_symbolic(function: Callable) -> Callable:
    """Return `function` made to record itself when it is called on symbolic tensors."""

    @functools.wraps(function)
    def op(*args, **kwargs):
        try:
            return function(*args, **kwargs)
        except Exception:
            if _recorder is None:
                raise
            recorded = _recorder(function.__name__, args, kwargs)
            if recorded is NotImplemented:
                raise
        return recorded

    return op
