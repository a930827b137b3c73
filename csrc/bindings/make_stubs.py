"""Writes pydl/_core.pyi, what type checkers and editors know about the extension module.

Run it after a change of the bindings, with pydl installed: python csrc/bindings/make_stubs.py
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path

from pydl import _core

TARGET = Path(__file__).resolve().parents[2] / "pydl" / "_core.pyi"

HEADER = '''"""The C++ core of pydl. Written by csrc/bindings/make_stubs.py."""

from collections.abc import Callable, Iterator, Sequence
from types import CapsuleType
from typing import Any

import numpy as np

from pydl.typing import ArrayLike, Axis, DTypeLike, Shape'''

# How pybind11 writes types in signatures, and how a reader would.
_SPELLINGS = {
    r"typing\.SupportsInt( \| typing\.SupportsIndex)?": "int",
    r"typing\.SupportsFloat( \| typing\.SupportsIndex)?": "float",
    r"(pydl\._core|pydl|collections\.abc|typing|typing_extensions|types)\.": "",
    r"\bobject\b": "Any",
}

_PROPERTIES = {
    "T": "Tensor", "device": "str", "dtype": "str", "grad": "Tensor | None", "is_leaf": "bool",
    "ndim": "int", "requires_grad": "bool", "shape": "tuple[int, ...]", "size": "int",
}  # fmt: skip

_SLOTS = {
    "__len__": "(self) -> int",
    "__iter__": "(self) -> Iterator[Tensor]",
    "__hash__": "(self) -> int",
    "__getitem__": "(self, key: Any, /) -> Tensor",
    "__setitem__": "(self, key: Any, value: ArrayLike, /) -> None",
    "__neg__": "(self) -> Tensor",
    "__pos__": "(self) -> Tensor",
    "__abs__": "(self) -> Tensor",
    "__invert__": "(self) -> Tensor",
}
_BINARY = "add sub mul truediv floordiv mod pow matmul and or xor lshift rshift".split()
_COMPARISONS = "eq ne lt le gt ge".split()
for _name in _BINARY:
    for _prefix in ("", "r", "i"):
        _SLOTS[f"__{_prefix}{_name}__"] = "(self, other: ArrayLike, /) -> Tensor"
for _name in _COMPARISONS:
    _SLOTS[f"__{_name}__"] = "(self, other: Any, /) -> Tensor"


def stub() -> str:
    """Returns the text of the stub file."""
    names = sorted(name for name in dir(_core) if not name.startswith("_"))
    parts = [HEADER, "__version__: str"]
    parts += [_exception(name) for name in names if _is_exception(name)]
    parts += [_class(name) for name in names if _is_class(name)]
    parts += [_function(name) for name in names if inspect.isbuiltin(getattr(_core, name))]
    return "\n\n".join(parts) + "\n"


def _is_exception(name: str) -> bool:
    value = getattr(_core, name)
    return isinstance(value, type) and issubclass(value, Exception)


def _is_class(name: str) -> bool:
    return isinstance(getattr(_core, name), type) and not _is_exception(name)


def _exception(name: str) -> str:
    return f"class {name}({getattr(_core, name).__base__.__name__}): ..."


def _class(name: str) -> str:
    lines = [f"class {name}:"]
    for member, value in sorted(vars(getattr(_core, name)).items()):
        lines += [f"    {line}" for line in _member(member, value)]
    return "\n".join(lines)


def _member(name: str, value: object) -> Iterator[str]:
    if inspect.isgetsetdescriptor(value) or isinstance(value, property):
        kind = _PROPERTIES.get(name, "Any")
        yield "@property"
        yield f"def {name}(self) -> {kind}: ..."
        if name in ("requires_grad", "grad") or getattr(value, "fset", None):
            yield f"@{name}.setter"
            yield f"def {name}(self, value: {kind}) -> None: ..."
    elif name in _SLOTS and value is not None:
        yield f"def {name}{_SLOTS[name]}: ..."
    elif inspect.isfunction(value):
        yield f"def {name}{_plain(str(inspect.signature(value)))}: ..."
    elif name == "__init__" and "(self: " in (value.__doc__ or ""):
        yield f"def {_signature(value)}: ..."


def _function(name: str) -> str:
    return f"def {_signature(getattr(_core, name))}: ..."


def _signature(function: object) -> str:
    """Returns "name(arguments) -> result" from the first line of pybind11's docstring."""
    line = (function.__doc__ or "").splitlines()[0]
    for pattern, replacement in _SPELLINGS.items():
        line = re.sub(pattern, replacement, line)
    arguments, _, result = line.partition(" -> ")
    # Arguments take whatever can be made a tensor; results are tensors.
    arguments = re.sub(r": Tensor\b", ": ArrayLike", arguments)
    arguments = re.sub(r"\(self: \w+", "(self", arguments)
    return f"{arguments} -> {result or 'None'}"


def _plain(signature: str) -> str:
    return re.sub(r"'([^']*)'", r"\1", signature).replace("pydl._core.", "")


if __name__ == "__main__":
    TARGET.write_text(stub())
    print(f"wrote {TARGET}")
