"""Loaded extensions: their ops in `pydl.ops`, their gradients in Python, how to be rid of them."""

from __future__ import annotations

import inspect
import os
import types
from collections.abc import Callable
from typing import Any

from pydl import _core, ops
from pydl.ops.symbolic import public_op

__all__ = ["Extension", "gradient", "load_library", "loaded"]

_loaded: dict[str, Extension] = {}


class Extension:
    """A loaded extension; made by `load`, `load_inline` and `load_library`.

    Its ops are attributes, and functions of ``pydl.ops.<name>``.

    Attributes:
        name: The namespace of its ops.
        path: Its shared library.
        overrides: What it replaces, as ``"kernel: function"``.
    """

    def __init__(self, library: _core.ExtensionLibrary) -> None:
        self.name: str = library.name
        self.path: str = library.path
        self.overrides: list[str] = list(library.overrides)
        self._library = library
        self._ops = {op.__name__.partition(".")[2]: op for op in library.ops()}
        self._functions = {name: _as_function(op) for name, op in self._ops.items()}
        for name, function in self._functions.items():
            if not hasattr(type(self), name):  # an op named unload is found in pydl.ops only
                vars(self).setdefault(name, function)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        functions = self.__dict__.get("_functions", {})
        raise AttributeError(
            f"[{self.__dict__.get('name', 'extension')}] expected one of the ops "
            f"{', '.join(functions) or '(it has none)'}, got {name!r}"
        )

    def __repr__(self) -> str:
        parts = [*self._functions, *(f"override {o}" for o in self.overrides)]
        return f"<extension {self.name}: {', '.join(parts)}>"

    def unload(self) -> None:
        """Take its ops out of `pydl.ops` and its kernels out of use; built-in ones run again.

        Functions of it that the program still holds go on working.
        """
        if _loaded.get(self.name) is not self:
            return
        self._library.unload()
        del _loaded[self.name]
        delattr(ops, self.name)


def _as_function(op: Any) -> Callable[..., Any]:
    function = public_op(op)
    function.__qualname__ = op.__name__
    function.__doc__ = f"{op.__doc__}\n\nCalled as ``pydl.ops.{op.__name__}{op.signature}``."
    return function


def load_library(path: str | os.PathLike[str]) -> Extension:
    """Load an extension that is already built.

    Args:
        path: The shared library.

    Returns:
        The extension, whose ops are now functions of ``pydl.ops.<name>``.

    Raises:
        ValueError: There is no such library, it is no extension, it was built for another ABI
            version or its namespace is taken.

    Example:
        >>> pydl.extension.load_library("missing.so")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        ValueError: [extension] expected a shared library at ...missing.so...
    """
    library = _core.load_extension(os.path.abspath(os.fspath(path)))
    if hasattr(ops, library.name):
        library.unload()
        raise ValueError(
            f"[extension] expected a namespace that is free, but pydl.ops.{library.name} exists. "
            "Hint: give PYDL_EXTENSION another name"
        )
    extension = Extension(library)
    namespace = types.ModuleType(
        f"pydl.ops.{extension.name}", f"Ops of the extension {extension.path}."
    )
    vars(namespace).update(extension._functions)
    setattr(ops, extension.name, namespace)
    _loaded[extension.name] = extension
    return extension


def loaded() -> dict[str, Extension]:
    """Return the extensions in use, by name.

    Example:
        >>> "unknown" in pydl.extension.loaded()
        False
    """
    return dict(_loaded)


def gradient(op: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give an op of an extension a gradient written with pydl's ops.

    The decorated function names what it needs: arguments and results of the op, and the gradient
    of a result ``y`` as ``dy``. It returns the gradient of each tensor among the op's arguments, in
    order, or None for one that has none.

    Args:
        op: The op's name, such as ``"mine.scale"``.

    Raises:
        ValueError: There is no such op, or a parameter of the function has no meaning.

    Example:
        >>> pydl.extension.gradient("mine.scale")(lambda factor, dy: dy * factor)
        Traceback (most recent call last):
        ValueError: [extension.gradient] expected an op of a loaded extension, got 'mine.scale'
    """

    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        namespace, _, name = op.partition(".")
        extension = _loaded.get(namespace)
        if extension is None or name not in extension._ops:
            raise ValueError(
                f"[extension.gradient] expected an op of a loaded extension, got {op!r}"
            )
        names = list(inspect.signature(function).parameters)
        _core.set_gradient(extension._ops[name], names, function)
        return function

    return register
