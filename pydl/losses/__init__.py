"""Losses: classes to compile a model with, and functions that return one loss a sample."""

from __future__ import annotations

from typing import Any

from pydl.losses.circle import *
from pydl.losses.crossentropy import *
from pydl.losses.ctc import *
from pydl.losses.focal import *
from pydl.losses.hinge import *
from pydl.losses.loss import *
from pydl.losses.loss import Loss, LossFunctionWrapper
from pydl.losses.overlap import *
from pydl.losses.probabilistic import *
from pydl.losses.regression import *
from pydl.saving.lookup import Lookup

_NAMES = {
    name: value
    for name, value in globals().items()
    if getattr(value, "__module__", "").startswith("pydl.losses.")
}
_CLASS_OF = {
    cls().fn: cls
    for cls in _NAMES.values()
    if isinstance(cls, type) and cls not in (Loss, LossFunctionWrapper)
}
_SHORT = {
    "bce": "binary_crossentropy",
    "kld": "kl_divergence",
    "mae": "mean_absolute_error",
    "mape": "mean_absolute_percentage_error",
    "mse": "mean_squared_error",
    "msle": "mean_squared_logarithmic_error",
}

_lookup = Lookup(
    "losses",
    _NAMES
    | {short: _NAMES[name] for short, name in _SHORT.items()}
    | {short.upper(): _NAMES[name] for short, name in _SHORT.items()},
)
get, serialize, deserialize = _lookup.get, _lookup.serialize, _lookup.deserialize

__all__ = sorted([*_NAMES, "deserialize", "get", "serialize"])


def as_loss(identifier: Any) -> Loss | None:
    """What `get` returns, as a `Loss` object."""
    loss = get(identifier)
    if loss is None or isinstance(loss, Loss):
        return loss
    made_for = _CLASS_OF.get(loss)
    return made_for() if made_for else LossFunctionWrapper(loss)
