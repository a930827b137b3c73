"""Model files, descriptions of objects, and the names of the user's own classes."""

from __future__ import annotations

from pydl.saving.registry import (
    CustomObjectScope,
    custom_object_scope,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
)
from pydl.saving.serialize import deserialize_keras_object, serialize_keras_object

__all__ = [
    "CustomObjectScope",
    "custom_object_scope",
    "deserialize_keras_object",
    "get_custom_objects",
    "get_registered_name",
    "get_registered_object",
    "register_keras_serializable",
    "serialize_keras_object",
]

_FROM_MODEL_FILE = ("load_model", "load_weights", "model_from_json", "save_model", "save_weights")
__all__ += _FROM_MODEL_FILE


def __getattr__(name: str):
    # Layers need this package to describe themselves, and model files need layers.
    if name in _FROM_MODEL_FILE:
        from pydl.saving import model_file

        return getattr(model_file, name)
    raise AttributeError(f"module 'pydl.saving' has no attribute {name!r}")
