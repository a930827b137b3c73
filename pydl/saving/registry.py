"""Names under which the user's own classes and functions appear in saved models."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import contextmanager
from typing import Any

__all__ = [
    "CustomObjectScope",
    "custom_object_scope",
    "find_custom_object",
    "get_custom_objects",
    "get_registered_name",
    "get_registered_object",
    "register_keras_serializable",
]

_objects: dict[str, Any] = {}
_names: dict[Any, str] = {}


class _Scopes(threading.local):
    objects: dict[str, Any] = {}


_scopes = _Scopes()


def register_keras_serializable(package: str = "Custom", name: str | None = None) -> Callable:
    """Decorate a class or function so that saved models that use it can be loaded again.

    Args:
        package: The first part of the name it is saved under, `package>name`.
        name: The second part; the name of the class or function when left out.

    Returns:
        The decorator.

    Raises:
        ValueError: another object has that name, or a class lacks `get_config`.

    Example:
        >>> import pydl
        >>> @pydl.saving.register_keras_serializable(package="shop")
        ... def double(x):
        ...     return 2 * x
        >>> pydl.saving.get_registered_name(double)
        'shop>double'
    """

    def register(thing):
        if isinstance(thing, type) and not hasattr(thing, "get_config"):
            raise ValueError(
                f"[register_keras_serializable] expected a class with get_config, got {thing}."
            )
        registered_name = f"{package}>{name or thing.__name__}"
        _objects[registered_name] = thing
        _names[thing] = registered_name
        return thing

    return register


def get_registered_name(thing: Any) -> str | None:
    """Return the name that `thing` was registered under, or None."""
    return _names.get(thing)


def get_registered_object(name: str) -> Any | None:
    """Return the class or function registered under `name`, or None."""
    return _objects.get(name)


def get_custom_objects() -> dict[str, Any]:
    """Return the table of names that loading consults; add to it to make a name known."""
    return _objects


@contextmanager
def custom_object_scope(custom_objects: dict[str, Any] | None):
    """Make names known to everything that is loaded inside.

    Args:
        custom_objects: Classes and functions by the name they were saved under.

    Example:
        >>> import pydl
        >>> class Mine(pydl.layers.Dense):
        ...     pass
        >>> config = pydl.saving.serialize_keras_object(Mine(2))
        >>> with pydl.saving.custom_object_scope({"Mine": Mine}):
        ...     pydl.saving.deserialize_keras_object(config).units
        2
    """
    outer = _scopes.objects
    _scopes.objects = {**outer, **(custom_objects or {})}
    try:
        yield
    finally:
        _scopes.objects = outer


CustomObjectScope = custom_object_scope


def find_custom_object(*names: str | None) -> Any | None:
    """Return what the first known name stands for: open scopes first, then the register."""
    for table in (_scopes.objects, _objects):
        for name in names:
            if name in table:
                return table[name]
    return None
