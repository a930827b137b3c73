"""Python values to JSON and back: layers, initializers, functions, arrays, slices."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from pydl.saving.registry import custom_object_scope, find_custom_object, get_registered_name

__all__ = ["deserialize_keras_object", "serialize_keras_object"]

_PLAIN = (type(None), bool, int, float, str)

# Where a description may look for names: the public names of these modules and nothing else.
_MODULES = frozenset(
    f"pydl.{name}"
    for name in (
        "activations", "applications", "callbacks", "constraints", "initializers", "layers",
        "losses", "metrics", "models", "ops", "optimizers", "quantizers", "random", "regularizers",
        "utils",
    )
)  # fmt: skip


def serialize_keras_object(value: Any) -> Any:
    """Return a description of `value` that JSON can hold.

    Numbers, strings, lists and dicts stay what they are (tuples become lists). An object with
    `get_config` becomes `{"module", "class_name", "config"}`, and `registered_name` for a class
    of the user's own; functions are described by name.

    Args:
        value: What to describe.

    Returns:
        A structure of dicts, lists, strings and numbers.

    Raises:
        TypeError: there is no description for `value`.

    Example:
        >>> import pydl
        >>> pydl.saving.serialize_keras_object(pydl.regularizers.L2(0.1))
        {'module': 'pydl.regularizers', 'class_name': 'L2', 'config': {'l2': 0.1}}
    """
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, (list, tuple)):
        return [serialize_keras_object(item) for item in value]
    if isinstance(value, dict):
        return {key: serialize_keras_object(item) for key, item in value.items()}
    if isinstance(value, slice):
        return {"class_name": "__slice__", "config": [value.start, value.stop, value.step]}
    if value is Ellipsis:
        return {"class_name": "__ellipsis__", "config": None}
    if hasattr(value, "get_config") and not isinstance(value, type):
        return {**_name_of(type(value)), "config": value.get_config()}
    if hasattr(value, "__array__"):
        array = np.asarray(value)
        return {"class_name": "__array__", "config": [array.dtype.name, array.tolist()]}
    if callable(value):
        return _serialize_function(value)
    raise TypeError(
        f"[saving] expected a value that can be described in JSON, got {value!r}. "
        "Hint: give its class get_config and from_config methods."
    )


def deserialize_keras_object(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """Return the value that `serialize_keras_object` described.

    Only classes and functions of pydl, registered ones and those in `custom_objects` are ever
    looked up: a description cannot make Python import or run anything else.

    Args:
        config: The description.
        custom_objects: More classes and functions, by name.

    Returns:
        The value.

    Raises:
        ValueError: a name in the description is not known.

    Example:
        >>> import pydl
        >>> config = pydl.saving.serialize_keras_object(pydl.regularizers.L2(0.1))
        >>> pydl.saving.deserialize_keras_object(config).l2
        0.1
    """
    with custom_object_scope(custom_objects):
        return _deserialize(config)


def _deserialize(config: Any) -> Any:
    if isinstance(config, list):
        return [_deserialize(item) for item in config]
    if not isinstance(config, dict):
        return config
    if not {"class_name", "config"} <= config.keys():
        return {key: _deserialize(item) for key, item in config.items()}
    class_name, inner = config["class_name"], config["config"]
    if class_name == "__slice__":
        return slice(*inner)
    if class_name == "__ellipsis__":
        return Ellipsis
    if class_name == "__array__":
        return np.array(inner[1], inner[0])
    if class_name == "function":
        return _find(config.get("module"), inner, config.get("registered_name"))
    cls = _find(config.get("module"), class_name, config.get("registered_name"))
    if not hasattr(cls, "from_config"):
        raise ValueError(f"[saving] expected a class with from_config, got {class_name!r}.")
    return cls.from_config(inner or {})


def _name_of(thing: Any) -> dict[str, str]:
    registered_name = get_registered_name(thing)
    if registered_name is not None:
        return {"class_name": thing.__name__, "registered_name": registered_name}
    package = thing.__module__.split(".")
    if package[0] == "pydl":
        return {"module": ".".join(package[:2]), "class_name": thing.__name__}
    return {"class_name": thing.__name__}


def _serialize_function(function: Any) -> dict[str, Any]:
    name = _name_of(function)
    if name["class_name"] == "<lambda>":
        raise TypeError(
            "[saving] expected a named function, got a lambda. "
            "Hint: define it with def and decorate it with register_keras_serializable."
        )
    return {**name, "class_name": "function", "config": name["class_name"]}


def _find(module: str | None, name: str, registered_name: str | None) -> Any:
    found = find_custom_object(registered_name, name)
    if found is not None:
        return found
    if module in _MODULES:
        package = importlib.import_module(module)
        if name in package.__all__:
            return getattr(package, name)
    raise ValueError(
        f"[saving] expected a class or function known here, got {registered_name or name!r}. "
        "Hint: pass custom_objects={name: class}, or decorate it with "
        "pydl.saving.register_keras_serializable."
    )
