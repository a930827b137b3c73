"""The accuracy family: how often predictions agree with labels."""

from __future__ import annotations

from typing import Any

from pydl import ops
from pydl._convert import as_tensor
from pydl._core import Tensor
from pydl.errors import ShapeError
from pydl.losses.loss import squeeze_or_expand_to_same_rank
from pydl.metrics.mean import FunctionMetric, MeanMetricWrapper

__all__ = [
    "Accuracy",
    "BinaryAccuracy",
    "CategoricalAccuracy",
    "SparseCategoricalAccuracy",
    "SparseTopKCategoricalAccuracy",
    "TopKCategoricalAccuracy",
    "accuracy",
    "binary_accuracy",
    "categorical_accuracy",
    "sparse_categorical_accuracy",
    "sparse_top_k_categorical_accuracy",
    "top_k_categorical_accuracy",
]



def _matches(name: str, a: Tensor, b: Tensor) -> Tensor:
    if a.shape != b.shape:
        raise ShapeError(
            f"[{name}] expected labels that fit the predictions, got shapes {a.shape} and {b.shape}"
        )
    return ops.equal(a, b).astype("float32")


def accuracy(y_true: Any, y_pred: Any) -> Tensor:
    """1 where a label equals its prediction, else 0.

    Args:
        y_true: labels, shape `(batch, ...)`.
        y_pred: predicted labels, same shape.

    Returns:
        float32 tensor of the same shape.

    Example:
        >>> pydl.metrics.accuracy([1, 2, 3], [1, 0, 3]).tolist()
        [1.0, 0.0, 1.0]
    """
    y_true, y_pred = squeeze_or_expand_to_same_rank(as_tensor(y_true), as_tensor(y_pred))
    return _matches("accuracy", y_true, y_pred)


def binary_accuracy(y_true: Any, y_pred: Any, threshold: float = 0.5) -> Tensor:
    """1 where a prediction lies on the side of `threshold` that its label says.

    Args:
        y_true: labels, 0 or 1, shape `(batch, ...)`.
        y_pred: probabilities, same shape.
        threshold: predictions above it count as 1.

    Returns:
        float32 tensor of the same shape.

    Example:
        >>> pydl.metrics.binary_accuracy([1, 1, 0], [0.9, 0.4, 0.1]).tolist()
        [1.0, 0.0, 1.0]
    """
    y_true, y_pred = squeeze_or_expand_to_same_rank(as_tensor(y_true), as_tensor(y_pred))
    return _matches("binary_accuracy", y_true, ops.greater(y_pred, threshold).astype(y_true.dtype))


def categorical_accuracy(y_true: Any, y_pred: Any) -> Tensor:
    """1 where the likeliest class of a prediction is that of its one-hot label.

    Args:
        y_true: one-hot labels, shape `(batch, ..., classes)`.
        y_pred: probabilities or logits, same shape.

    Returns:
        float32 tensor of shape `(batch, ...)`.

    Example:
        >>> pydl.metrics.categorical_accuracy([[0, 1], [1, 0]], [[0.2, 0.8], [0.4, 0.6]]).tolist()
        [1.0, 0.0]
    """
    y_true = ops.argmax(as_tensor(y_true), axis=-1)
    return _matches("categorical_accuracy", y_true, ops.argmax(as_tensor(y_pred), axis=-1))


def sparse_categorical_accuracy(y_true: Any, y_pred: Any) -> Tensor:
    """1 where the likeliest class of a prediction is its integer label.

    Args:
        y_true: integer labels, shape `(batch, ...)` or `(batch, ..., 1)`.
        y_pred: probabilities or logits, shape `(batch, ..., classes)`.

    Returns:
        float32 tensor of shape `(batch, ...)`.

    Example:
        >>> pydl.metrics.sparse_categorical_accuracy([1, 1], [[0.2, 0.8], [0.6, 0.4]]).tolist()
        [1.0, 0.0]
    """
    y_pred = as_tensor(y_pred)
    y_true = _drop_last_axis(as_tensor(y_true), y_pred)
    return _matches("sparse_categorical_accuracy", y_true, ops.argmax(y_pred, axis=-1))


def top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5) -> Tensor:
    """1 where the class of a one-hot label is among the `k` likeliest.

    Args:
        y_true: one-hot labels, shape `(batch, ..., classes)`.
        y_pred: probabilities or logits, same shape.
        k: how many of the likeliest classes count.

    Returns:
        float32 tensor of shape `(batch, ...)`.

    Example:
        >>> y_pred = [[0.1, 0.3, 0.6], [0.5, 0.3, 0.2]]
        >>> pydl.metrics.top_k_categorical_accuracy([[0, 1, 0], [0, 0, 1]], y_pred, k=2).tolist()
        [1.0, 0.0]
    """
    return sparse_top_k_categorical_accuracy(ops.argmax(as_tensor(y_true), axis=-1), y_pred, k)


def sparse_top_k_categorical_accuracy(
    y_true: Any, y_pred: Any, k: int = 5, from_sorted_ids: bool = False
) -> Tensor:
    """1 where an integer label is among the `k` likeliest classes.

    Args:
        y_true: integer labels, shape `(batch, ...)` or `(batch, ..., 1)`.
        y_pred: probabilities or logits, shape `(batch, ..., classes)`.
        k: how many of the likeliest classes count.
        from_sorted_ids: whether `y_pred` holds class numbers instead, the likeliest first.

    Returns:
        float32 tensor of shape `(batch, ...)`.

    Example:
        >>> y_pred = [[0.1, 0.3, 0.6], [0.5, 0.3, 0.2]]
        >>> pydl.metrics.sparse_top_k_categorical_accuracy([1, 2], y_pred, k=2).tolist()
        [1.0, 0.0]
    """
    y_pred = as_tensor(y_pred)
    labels = ops.expand_dims(_drop_last_axis(as_tensor(y_true, "int64"), y_pred), -1)
    if from_sorted_ids:
        found = y_pred[..., :k].astype("int64") == labels
        return ops.any(found, axis=-1).astype("float32")
    likelier = ops.greater(y_pred, ops.take_along_axis(y_pred, labels, axis=-1))
    return ops.less(ops.sum(likelier, axis=-1), k).astype("float32")


def _drop_last_axis(y_true: Tensor, y_pred: Tensor) -> Tensor:
    if y_true.ndim == y_pred.ndim and y_true.ndim and y_true.shape[-1] == 1:
        return ops.squeeze(y_true, -1)
    return y_true


class Accuracy(FunctionMetric):
    """How often predicted labels equal the labels, for labels on both sides.

    Example:
        >>> float(pydl.metrics.Accuracy()([1, 2, 3, 4], [0, 2, 3, 4]))
        0.75
    """

    function = staticmethod(accuracy)


class BinaryAccuracy(MeanMetricWrapper):
    """How often probabilities lie on the right side of a threshold.

    Args:
        name, dtype: see `Metric`.
        threshold: predictions above it count as 1.

    Example:
        >>> float(pydl.metrics.BinaryAccuracy()([1, 1, 0, 0], [0.98, 1.0, 0.0, 0.6]))
        0.75
    """

    def __init__(
        self, name: str = "binary_accuracy", dtype: str | None = None, threshold: float = 0.5
    ) -> None:
        if not 0 < threshold < 1:
            raise ValueError(f"[BinaryAccuracy] expected a threshold in (0, 1), got {threshold}")
        super().__init__(binary_accuracy, name, dtype, threshold=threshold)


class CategoricalAccuracy(FunctionMetric):
    """How often the likeliest class is that of the one-hot label.

    Example:
        >>> y_pred = [[0.1, 0.9, 0.8], [0.05, 0.95, 0.0]]
        >>> float(pydl.metrics.CategoricalAccuracy()([[0, 0, 1], [0, 1, 0]], y_pred))
        0.5
    """

    function = staticmethod(categorical_accuracy)


class SparseCategoricalAccuracy(FunctionMetric):
    """How often the likeliest class is the integer label.

    Example:
        >>> y_pred = [[0.1, 0.6, 0.3], [0.05, 0.95, 0.0]]
        >>> float(pydl.metrics.SparseCategoricalAccuracy()([2, 1], y_pred))
        0.5
    """

    function = staticmethod(sparse_categorical_accuracy)


class TopKCategoricalAccuracy(MeanMetricWrapper):
    """How often the class of the one-hot label is among the `k` likeliest.

    Args:
        k: how many of the likeliest classes count.
        name, dtype: see `Metric`.

    Example:
        >>> y_pred = [[0.1, 0.9, 0.8], [0.05, 0.95, 0.0]]
        >>> float(pydl.metrics.TopKCategoricalAccuracy(k=1)([[0, 0, 1], [0, 1, 0]], y_pred))
        0.5
    """

    def __init__(
        self, k: int = 5, name: str = "top_k_categorical_accuracy", dtype: str | None = None
    ) -> None:
        super().__init__(top_k_categorical_accuracy, name, dtype, k=k)


class SparseTopKCategoricalAccuracy(MeanMetricWrapper):
    """How often the integer label is among the `k` likeliest classes.

    Args:
        k: how many of the likeliest classes count.
        name, dtype: see `Metric`.
        from_sorted_ids: whether predictions are class numbers instead, the likeliest first.

    Example:
        >>> y_pred = [[0.1, 0.9, 0.8], [0.05, 0.95, 0.0]]
        >>> float(pydl.metrics.SparseTopKCategoricalAccuracy(k=1)([2, 1], y_pred))
        0.5
    """

    def __init__(
        self,
        k: int = 5,
        name: str = "sparse_top_k_categorical_accuracy",
        dtype: str | None = None,
        from_sorted_ids: bool = False,
    ) -> None:
        super().__init__(
            sparse_top_k_categorical_accuracy, name, dtype, k=k, from_sorted_ids=from_sorted_ids
        )
