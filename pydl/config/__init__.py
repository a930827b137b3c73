"""Settings of the running process: those of the machine, and those that `keras.config` has.

The settings of Keras are those of `pydl.backend`, under the same names.
"""

from __future__ import annotations

from typing import Any

from pydl.config import machine
from pydl.config.machine import *

_OF_KERAS = (
    "backend", "dtype_policy", "epsilon", "floatx", "image_data_format", "set_dtype_policy", "set_floatx",
)  # fmt: skip

__all__ = [*machine.__all__, *_OF_KERAS]


def __getattr__(name: str) -> Any:
    if name in _OF_KERAS:
        from pydl import backend

        return getattr(backend, name)
    raise AttributeError(f"module 'pydl.config' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
