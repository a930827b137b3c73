"""Losses of class predictions: binary, categorical and sparse categorical cross entropy.

Predictions are probabilities, or logits with `from_logits=True`, which is faster and more exact.
Probabilities are clipped to [1e-7, 1 - 1e-7] before the logarithm.
"""

from __future__ import annotations

from numbers import Integral
from typing import Any

from pydl import ops
from pydl._convert import as_tensor
from pydl._core import Tensor
from pydl.errors import ShapeError
from pydl.losses.loss import LossFunctionWrapper, of_valid
from pydl.losses.regression import aligned

__all__ = [
    "BinaryCrossentropy",
    "CategoricalCrossentropy",
    "SparseCategoricalCrossentropy",
    "binary_crossentropy",
    "categorical_crossentropy",
    "sparse_categorical_crossentropy",
]


def _binary(
    y_true: Any,
    y_pred: Any,
    from_logits: bool,
    label_smoothing: float,
    axis: int = -1,
    reduction: str = "none",
) -> Tensor:
    """Losses of the labels before the mean over `axis`, or the mean of all."""
    y_true, y_pred = smoothed("binary_crossentropy", y_true, y_pred, label_smoothing)
    op = ops.sigmoid_binary_cross_entropy if from_logits else ops.binary_cross_entropy
    return op(y_pred, y_true, reduction=reduction)


def smoothed(name: str, y_true: Any, y_pred: Any, label_smoothing: float) -> tuple[Tensor, Tensor]:
    """Yes-or-no labels moved towards 0.5, and predictions, of one shape and dtype."""
    y_true, y_pred = aligned(name, y_true, y_pred)
    if label_smoothing:
        y_true = y_true * (1.0 - label_smoothing) + 0.5 * label_smoothing
    return y_true, y_pred


def binary_crossentropy(
    y_true: Any,
    y_pred: Any,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Tensor:
    """Cross entropy of independent yes-or-no labels, mean over `axis`.

    Args:
        y_true: labels in [0, 1], shape `(batch, ..., labels)`.
        y_pred: probabilities or logits, same shape.
        from_logits: whether `y_pred` holds logits.
        label_smoothing: in [0, 1]; moves the labels towards 0.5 by that share.
        axis: axis of the labels.

    Returns:
        Losses of shape `(batch, ...)`.

    Raises:
        ShapeError: the shapes differ.

    Example:
        >>> loss = pydl.losses.binary_crossentropy([[0, 1], [0, 0]], [[0.6, 0.4], [0.4, 0.6]])
        >>> loss.numpy().round(3).tolist()
        [0.9160000085830688, 0.7139999866485596]
    """
    losses = _binary(y_true, y_pred, from_logits, label_smoothing)
    return ops.mean(losses, axis=axis) if losses.ndim else losses


def distributions(name: str, y_true: Any, y_pred: Any) -> tuple[Tensor, Tensor]:
    """Distributions over classes and predictions, of one shape and dtype.

    Raises:
        ShapeError: the shapes differ, or there are no classes.
    """
    y_pred = as_tensor(y_pred)
    y_true = as_tensor(y_true, y_pred.dtype)
    if not y_pred.ndim or not y_pred.shape[-1]:
        raise ShapeError(
            f"[{name}] expected y_pred (..., classes) with at least one class, got shape "
            f"{y_pred.shape}."
        )
    if y_true.shape != y_pred.shape:
        hint = "Integer labels need SparseCategoricalCrossentropy or one_hot"
        raise ShapeError(
            f"[{name}] expected y_true and y_pred of one shape (..., classes), "
            f"got y_true {y_true.shape} and y_pred {y_pred.shape}. {hint}"
        )
    return y_true, y_pred


def _categorical(
    y_true: Any,
    y_pred: Any,
    from_logits: bool,
    label_smoothing: float,
    axis: int,
    reduction: str = "none",
) -> Tensor:
    y_true, y_pred = distributions("categorical_crossentropy", y_true, y_pred)
    if axis not in (-1, y_pred.ndim - 1):
        y_true, y_pred = ops.moveaxis(y_true, axis, -1), ops.moveaxis(y_pred, axis, -1)
    op = ops.softmax_cross_entropy if from_logits else ops.categorical_cross_entropy
    return op(y_pred, y_true, label_smoothing=label_smoothing, reduction=reduction)


def categorical_crossentropy(
    y_true: Any,
    y_pred: Any,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Tensor:
    """Cross entropy of a distribution over classes, such as one-hot labels.

    Args:
        y_true: distributions, shape `(batch, ..., classes)`.
        y_pred: probabilities (made to sum to 1) or logits, same shape.
        from_logits: whether `y_pred` holds logits.
        label_smoothing: in [0, 1]; moves the labels towards the uniform distribution by that share.
        axis: axis of the classes.

    Returns:
        Losses of shape `(batch, ...)`.

    Raises:
        ShapeError: the shapes differ.

    Example:
        >>> loss = pydl.losses.categorical_crossentropy([[0, 1, 0]], [[0.05, 0.95, 0.0]])
        >>> round(float(loss[0]), 4)
        0.0513
    """
    return _categorical(y_true, y_pred, from_logits, label_smoothing, axis)


def _sparse(
    y_true: Any, y_pred: Any, from_logits: bool, axis: int, reduction: str = "none"
) -> Tensor:
    labels, y_pred = sparse_labels("sparse_categorical_crossentropy", y_true, y_pred, axis)
    if axis not in (-1, y_pred.ndim - 1):
        y_pred = ops.moveaxis(y_pred, axis, -1)
    op = ops.softmax_cross_entropy if from_logits else ops.categorical_cross_entropy
    return op(y_pred, labels, reduction=reduction)


def sparse_labels(name: str, y_true: Any, y_pred: Any, axis: int) -> tuple[Tensor, Tensor]:
    """Integer labels shaped like `y_pred` without `axis`, and `y_pred`.

    Raises:
        ValueError: an axis that `y_pred` lacks, or labels that are NaN.
        ShapeError: labels of another shape.
    """
    y_pred = as_tensor(y_pred)
    labels = as_tensor(y_true)
    rank = y_pred.ndim
    if not isinstance(axis, Integral) or not -rank <= axis < rank:
        raise ValueError(f"[{name}] expected an axis of y_pred {y_pred.shape}, got {axis!r}.")
    if labels.dtype not in ("int32", "int64"):
        if labels.dtype.startswith("float") and ops.any(ops.isnan(labels)):
            raise ValueError(
                f"[{name}] expected integer labels, got NaN. Hint: leave out samples without a label"
            )
        labels = labels.astype("int32")
    if axis == -1 and labels.shape == y_pred.shape[:-1]:
        return labels, y_pred
    if labels.ndim == y_pred.ndim and labels.ndim and labels.shape[axis] == 1:
        labels = ops.squeeze(labels, axis)
    expected = list(y_pred.shape)
    del expected[axis]
    if labels.shape != tuple(expected):
        raise ShapeError(
            f"[{name}] expected integer labels of shape {tuple(expected)} "
            f"for y_pred {y_pred.shape}, got {labels.shape}. "
            "One-hot labels need CategoricalCrossentropy"
        )
    return labels, y_pred


def _sparse_ignoring(
    y_true: Any, y_pred: Any, from_logits: bool, ignore_class: int, axis: int
) -> tuple[Tensor, Tensor]:
    """Losses with 0 where the label is `ignore_class`, and a mask of the others."""
    labels, y_pred = sparse_labels("sparse_categorical_crossentropy", y_true, y_pred, axis)
    valid = ops.not_equal(labels, ignore_class)
    labels = ops.where(valid, labels, 0)
    losses = _sparse(labels, y_pred, from_logits, axis)
    return ops.where(valid, losses, 0.0), valid


def sparse_categorical_crossentropy(
    y_true: Any,
    y_pred: Any,
    from_logits: bool = False,
    ignore_class: int | None = None,
    axis: int = -1,
) -> Tensor:
    """Cross entropy of integer class labels.

    Args:
        y_true: labels in [0, classes), shape `(batch, ...)` or `(batch, ..., 1)`.
        y_pred: probabilities (made to sum to 1) or logits, shape `(batch, ..., classes)`.
        from_logits: whether `y_pred` holds logits.
        ignore_class: label whose samples have loss 0, such as -1 for padding.
        axis: axis of the classes in `y_pred`.

    Returns:
        Losses of shape `(batch, ...)`.

    Raises:
        ShapeError: the labels do not fit the predictions.
        ValueError: a label is out of range; the message says which one and where.

    Example:
        >>> loss = pydl.losses.sparse_categorical_crossentropy([1, 0], [[0.1, 0.9], [0.5, 0.5]])
        >>> loss.numpy().round(4).tolist()
        [0.10540000349283218, 0.6930999755859375]
    """
    if ignore_class is not None:
        return _sparse_ignoring(y_true, y_pred, from_logits, ignore_class, axis)[0]
    return _sparse(y_true, y_pred, from_logits, axis)


class BinaryCrossentropy(LossFunctionWrapper):
    """Cross entropy of independent yes-or-no labels.

    Args:
        from_logits: whether predictions are logits rather than probabilities.
        label_smoothing: in [0, 1]; moves the labels towards 0.5 by that share.
        axis: axis of the labels.
        reduction, name, dtype: see `Loss`.

    Example:
        >>> loss = pydl.losses.BinaryCrossentropy()
        >>> round(float(loss([[0, 1], [0, 0]], [[0.6, 0.4], [0.4, 0.6]])), 3)
        0.815
    """

    fused = staticmethod(_binary)

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str = "binary_crossentropy",
        dtype: str | None = None,
    ) -> None:
        super().__init__(
            binary_crossentropy, reduction, name, dtype,
            from_logits=from_logits, label_smoothing=label_smoothing, axis=axis,
        )  # fmt: skip


class CategoricalCrossentropy(LossFunctionWrapper):
    """Cross entropy of a distribution over classes, such as one-hot labels.

    Args:
        from_logits: whether predictions are logits rather than probabilities.
        label_smoothing: in [0, 1]; moves the labels towards the uniform distribution by that share.
        axis: axis of the classes.
        reduction, name, dtype: see `Loss`.

    Example:
        >>> loss = pydl.losses.CategoricalCrossentropy()
        >>> round(float(loss([[0, 1, 0], [0, 0, 1]], [[0.05, 0.95, 0], [0.1, 0.8, 0.1]])), 3)
        1.177
    """

    fused = staticmethod(_categorical)

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str = "categorical_crossentropy",
        dtype: str | None = None,
    ) -> None:
        super().__init__(
            categorical_crossentropy, reduction, name, dtype,
            from_logits=from_logits, label_smoothing=label_smoothing, axis=axis,
        )  # fmt: skip


class SparseCategoricalCrossentropy(LossFunctionWrapper):
    """Cross entropy of integer class labels.

    Args:
        from_logits: whether predictions are logits rather than probabilities.
        ignore_class: label whose samples do not count, such as -1 for padding.
        reduction, name, dtype: see `Loss`.
        axis: axis of the classes in the predictions.

    Example:
        >>> loss = pydl.losses.SparseCategoricalCrossentropy()
        >>> round(float(loss([1, 2], [[0.05, 0.95, 0], [0.1, 0.8, 0.1]])), 3)
        1.177
    """

    def __init__(
        self,
        from_logits: bool = False,
        ignore_class: int | None = None,
        reduction: str | None = "sum_over_batch_size",
        axis: int = -1,
        name: str = "sparse_categorical_crossentropy",
        dtype: str | None = None,
    ) -> None:
        super().__init__(
            sparse_categorical_crossentropy, reduction, name, dtype,
            from_logits=from_logits, ignore_class=ignore_class, axis=axis,
        )  # fmt: skip

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        if self.ignore_class is None:
            return super().call(y_true, y_pred)
        return of_valid(*_sparse_ignoring(y_true, y_pred, **self._fn_kwargs), self.reduction)

    def mean(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        if self.ignore_class is not None:
            return super().mean(y_true, y_pred)
        return _sparse(y_true, y_pred, self.from_logits, self.axis, reduction="mean")
