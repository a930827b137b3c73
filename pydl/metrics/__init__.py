"""Metrics: what is measured over an epoch, as classes and as functions of one batch."""

from __future__ import annotations

from pydl.losses import (
    binary_crossentropy,
    binary_focal_crossentropy,
    categorical_crossentropy,
    categorical_focal_crossentropy,
    categorical_hinge,
    hinge,
    huber,
    kl_divergence,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
    poisson,
    sparse_categorical_crossentropy,
    squared_hinge,
)
from pydl.metrics.accuracy import *
from pydl.metrics.auc import *
from pydl.metrics.classification import *
from pydl.metrics.correlation import *
from pydl.metrics.crossentropy import *
from pydl.metrics.f_score import *
from pydl.metrics.iou import *
from pydl.metrics.mean import *
from pydl.metrics.metric import Metric
from pydl.metrics.regression import *
from pydl.metrics.trade_off import *
from pydl.naming import to_snake_case
from pydl.saving.lookup import Lookup

_NAMES = {
    name: value
    for name, value in globals().items()
    if getattr(value, "__module__", "").startswith(("pydl.metrics.", "pydl.losses."))
}
_CLASSES = {name: value for name, value in _NAMES.items() if isinstance(value, type)}
_SHORT = {
    "bce": "BinaryCrossentropy",
    "mae": "MeanAbsoluteError",
    "mape": "MeanAbsolutePercentageError",
    "mse": "MeanSquaredError",
    "msle": "MeanSquaredLogarithmicError",
}

_lookup = Lookup(
    "metrics",
    _NAMES
    | {to_snake_case(name): cls for name, cls in _CLASSES.items()}
    | {"acc": _CLASSES["Accuracy"]}
    | {short: _CLASSES[name] for short, name in _SHORT.items()}
    | {short.upper(): _CLASSES[name] for short, name in _SHORT.items()},
    Metric,
)
get, serialize, deserialize = _lookup.get, _lookup.serialize, _lookup.deserialize

__all__ = sorted([*_NAMES, "deserialize", "get", "serialize"])
