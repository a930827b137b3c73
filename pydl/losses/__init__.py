"""Losses: classes to compile a model with, and functions that return one loss a sample."""

from __future__ import annotations

from typing import Any

from pydl.losses.crossentropy import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    SparseCategoricalCrossentropy,
    binary_crossentropy,
    categorical_crossentropy,
    sparse_categorical_crossentropy,
)
from pydl.losses.loss import Loss, LossFunctionWrapper
from pydl.losses.regression import (
    Huber,
    MeanAbsoluteError,
    MeanSquaredError,
    huber,
    mean_absolute_error,
    mean_squared_error,
)
from pydl.saving.lookup import Lookup

__all__ = [
    "BinaryCrossentropy",
    "CategoricalCrossentropy",
    "Huber",
    "Loss",
    "MeanAbsoluteError",
    "MeanSquaredError",
    "SparseCategoricalCrossentropy",
    "binary_crossentropy",
    "categorical_crossentropy",
    "deserialize",
    "get",
    "huber",
    "mean_absolute_error",
    "mean_squared_error",
    "serialize",
    "sparse_categorical_crossentropy",
]

_CLASS_OF = {
    binary_crossentropy: BinaryCrossentropy,
    categorical_crossentropy: CategoricalCrossentropy,
    sparse_categorical_crossentropy: SparseCategoricalCrossentropy,
    huber: Huber,
    mean_absolute_error: MeanAbsoluteError,
    mean_squared_error: MeanSquaredError,
}

_lookup = Lookup(
    "losses",
    {thing.__name__: thing for pair in _CLASS_OF.items() for thing in pair}
    | {"bce": binary_crossentropy, "mae": mean_absolute_error, "mse": mean_squared_error}
    | {"BCE": binary_crossentropy, "MAE": mean_absolute_error, "MSE": mean_squared_error},
)


def get(identifier: Any) -> Any:
    """A loss from its name, its configuration, its class, or itself.

    Args:
        identifier: such as `"mse"` (a function), `"MeanSquaredError"` (an object), a dict from
            `serialize`, a `Loss`, or any callable `(y_true, y_pred)`.

    Returns:
        A `Loss`, a function, or None for None.

    Raises:
        ValueError: the name is not known.

    Example:
        >>> pydl.losses.get("mse").__name__
        'mean_squared_error'
    """
    return _lookup.get(identifier)


def serialize(loss: Any) -> Any:
    """What `deserialize` makes the loss from: a dict for a `Loss`, a name for a function."""
    return _lookup.serialize(loss)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The loss that `serialize` described.

    Args:
        config: what `serialize` returned.
        custom_objects: classes and functions of yours by name.

    Raises:
        ValueError: the class is neither built in nor in `custom_objects`.
    """
    return _lookup.deserialize(config, custom_objects)


def as_loss(identifier: Any) -> Loss | None:
    """What `get` returns, as a `Loss` object."""
    loss = get(identifier)
    if loss is None or isinstance(loss, Loss):
        return loss
    made_for = _CLASS_OF.get(loss)
    return made_for() if made_for else LossFunctionWrapper(loss)
