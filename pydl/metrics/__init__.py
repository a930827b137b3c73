"""Metrics: what is measured over an epoch, as classes and as functions of one batch."""

from __future__ import annotations

from typing import Any

from pydl.losses import (
    binary_crossentropy,
    categorical_crossentropy,
    huber,
    mean_absolute_error,
    mean_squared_error,
    sparse_categorical_crossentropy,
)
from pydl.metrics.accuracy import (
    Accuracy,
    BinaryAccuracy,
    CategoricalAccuracy,
    SparseCategoricalAccuracy,
    SparseTopKCategoricalAccuracy,
    TopKCategoricalAccuracy,
    accuracy,
    binary_accuracy,
    categorical_accuracy,
    sparse_categorical_accuracy,
    sparse_top_k_categorical_accuracy,
    top_k_categorical_accuracy,
)
from pydl.metrics.crossentropy import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    SparseCategoricalCrossentropy,
)
from pydl.metrics.mean import Mean, MeanMetricWrapper, Sum
from pydl.metrics.metric import Metric
from pydl.metrics.regression import MeanAbsoluteError, MeanSquaredError, RootMeanSquaredError
from pydl.naming import to_snake_case
from pydl.saving import deserialize_keras_object, serialize_keras_object
from pydl.saving.lookup import Lookup

__all__ = [
    "Accuracy",
    "BinaryAccuracy",
    "BinaryCrossentropy",
    "CategoricalAccuracy",
    "CategoricalCrossentropy",
    "Mean",
    "MeanAbsoluteError",
    "MeanMetricWrapper",
    "MeanSquaredError",
    "Metric",
    "RootMeanSquaredError",
    "SparseCategoricalAccuracy",
    "SparseCategoricalCrossentropy",
    "SparseTopKCategoricalAccuracy",
    "Sum",
    "TopKCategoricalAccuracy",
    "accuracy",
    "binary_accuracy",
    "binary_crossentropy",
    "categorical_accuracy",
    "categorical_crossentropy",
    "deserialize",
    "get",
    "huber",
    "mean_absolute_error",
    "mean_squared_error",
    "serialize",
    "sparse_categorical_accuracy",
    "sparse_categorical_crossentropy",
    "sparse_top_k_categorical_accuracy",
    "top_k_categorical_accuracy",
]

_CLASSES = (
    Accuracy, BinaryAccuracy, BinaryCrossentropy, CategoricalAccuracy, CategoricalCrossentropy,
    Mean, MeanAbsoluteError, MeanSquaredError, RootMeanSquaredError, SparseCategoricalAccuracy,
    SparseCategoricalCrossentropy, SparseTopKCategoricalAccuracy, Sum, TopKCategoricalAccuracy,
)  # fmt: skip
_lookup = Lookup(
    "metrics",
    {cls.__name__: cls for cls in _CLASSES}
    | {to_snake_case(cls.__name__): cls for cls in _CLASSES}
    | {"huber": huber, "acc": Accuracy, "bce": BinaryCrossentropy, "BCE": BinaryCrossentropy}
    | {"mse": MeanSquaredError, "MSE": MeanSquaredError}
    | {"mae": MeanAbsoluteError, "MAE": MeanAbsoluteError},
)


def get(identifier: Any) -> Any:
    """A metric from its name, its configuration, its class, or itself.

    Args:
        identifier: such as `"mse"`, `"accuracy"`, a dict from `serialize`, a `Metric`, or any
            callable `(y_true, y_pred)`.

    Returns:
        A `Metric`, a function, or None for None.

    Raises:
        ValueError: the name is not known.

    Example:
        >>> pydl.metrics.get("mse")
        <MeanSquaredError name=mean_squared_error>
    """
    if isinstance(identifier, Metric):
        return identifier
    return _lookup.get(identifier)


def serialize(metric: Any) -> Any:
    """What `deserialize` makes the metric from: a dict."""
    return serialize_keras_object(metric)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The metric that `serialize` described.

    Args:
        config: what `serialize` returned.
        custom_objects: classes and functions of yours by name.

    Raises:
        ValueError: the class is neither built in nor in `custom_objects`.
    """
    return get(deserialize_keras_object(config, custom_objects))
