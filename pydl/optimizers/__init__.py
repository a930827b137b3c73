"""Optimizers, which change variables by their gradients, and schedules of learning rates."""

from __future__ import annotations

from typing import Any

from pydl.optimizers import schedules
from pydl.optimizers.adam import Adam, AdamW
from pydl.optimizers.optimizer import Optimizer
from pydl.optimizers.rmsprop import RMSprop
from pydl.optimizers.schedules import (
    CosineDecay,
    ExponentialDecay,
    LearningRateSchedule,
    PiecewiseConstantDecay,
)
from pydl.optimizers.sgd import SGD
from pydl.saving import deserialize_keras_object, serialize_keras_object
from pydl.saving.lookup import Lookup

__all__ = [
    "Adam",
    "AdamW",
    "CosineDecay",
    "ExponentialDecay",
    "LearningRateSchedule",
    "Optimizer",
    "PiecewiseConstantDecay",
    "RMSprop",
    "SGD",
    "deserialize",
    "get",
    "schedules",
    "serialize",
]

_CLASSES = (Adam, AdamW, RMSprop, SGD)
_lookup = Lookup(
    "optimizers",
    {cls.__name__: cls for cls in _CLASSES} | {cls.__name__.lower(): cls for cls in _CLASSES},
)


def get(identifier: Any) -> Any:
    """An optimizer from its name, its configuration, its class, or itself.

    Args:
        identifier: such as `"adam"`, a dict from `serialize`, or an `Optimizer`.

    Returns:
        An `Optimizer`, or None for None.

    Raises:
        ValueError: the name is not known.

    Example:
        >>> pydl.optimizers.get("adam")
        <Adam name=adam>
    """
    if isinstance(identifier, Optimizer):
        return identifier
    return _lookup.get(identifier)


def serialize(optimizer: Any) -> Any:
    """What `deserialize` makes the optimizer from: a dict, without the optimizer's state."""
    return serialize_keras_object(optimizer)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The optimizer that `serialize` described.

    Args:
        config: what `serialize` returned.
        custom_objects: classes and functions of yours by name.

    Raises:
        ValueError: the class is neither built in nor in `custom_objects`.
    """
    return get(deserialize_keras_object(config, custom_objects))
