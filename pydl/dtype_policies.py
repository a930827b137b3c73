"""The dtypes that layers compute in and keep weights in, under the names of `keras.dtype_policies`."""

from __future__ import annotations

from typing import Any

from pydl.layers.dtype_policy import DTypePolicy, QuantizedDTypePolicy, get_policy
from pydl.saving.serialize import deserialize_keras_object, serialize_keras_object

__all__ = ["DTypePolicy", "FloatDTypePolicy", "QuantizedDTypePolicy", "deserialize", "get", "serialize"]

FloatDTypePolicy = DTypePolicy
get = get_policy


def serialize(dtype_policy: DTypePolicy) -> dict[str, Any]:
    """Return the description of a policy."""
    return serialize_keras_object(dtype_policy)


def deserialize(config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> DTypePolicy:
    """Return the policy of a description.

    Example:
        >>> policy = pydl.dtype_policies.DTypePolicy("mixed_float16")
        >>> pydl.dtype_policies.deserialize(pydl.dtype_policies.serialize(policy)) == policy
        True
    """
    return deserialize_keras_object(config, custom_objects)
