"""Finding an object by what the user passes: a name, a description, a class or the object."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydl.saving.registry import find_custom_object
from pydl.saving.serialize import deserialize_keras_object, serialize_keras_object

__all__ = ["Lookup"]


class Lookup:
    """The `get`, `serialize` and `deserialize` of one family of objects.

    Args:
        family: The name of the family in error messages, such as "initializers".
        by_name: The classes of the family by every name they go by.
        base: The base class of the family, where its objects cannot be called.

    Example:
        >>> from pydl.saving.lookup import Lookup
        >>> Lookup("numbers", {"zero": int}).get("zero")
        0
    """

    def __init__(self, family: str, by_name: dict[str, Callable], base: type = Callable):
        self.family = family
        self.by_name = by_name
        self.base = base

    def get(self, identifier: Any) -> Any:
        """Return the object that `identifier` means.

        Args:
            identifier: A name, a description from `serialize`, a class, the object itself, or a
                function; None stays None.

        Raises:
            ValueError: an unknown name, or something that is not of the family.
        """
        if isinstance(identifier, dict):
            identifier = deserialize_keras_object(identifier)
        if isinstance(identifier, str):
            identifier = self._by_name(identifier)
        if identifier is None:
            return None
        if isinstance(identifier, type):
            return identifier()
        if callable(identifier) or isinstance(identifier, self.base):
            return identifier
        raise ValueError(
            f"[{self.family}] expected a name, a class or a function, got {identifier!r}."
        )

    def serialize(self, thing: Any) -> Any:
        """Return a description of `thing` that JSON can hold."""
        return serialize_keras_object(thing)

    def deserialize(self, config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
        """Return the object that `serialize` described.

        Args:
            config: What `serialize` returned.
            custom_objects: Classes and functions of yours by name.

        Raises:
            ValueError: a name is neither built in nor in `custom_objects`.
        """
        return self.get(deserialize_keras_object(config, custom_objects))

    def _by_name(self, name: str) -> Any:
        found = find_custom_object(name) or self.by_name.get(name)
        if found is None:
            names = ", ".join(sorted(key for key in self.by_name if key.islower()))
            raise ValueError(f"[{self.family}] expected one of {names}, got {name!r}.")
        return found
