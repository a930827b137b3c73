"""Focal cross entropies, which weigh down the samples that are predicted well already."""

from __future__ import annotations

from typing import Any

from pydl import ops
from pydl._core import Tensor
from pydl.losses.crossentropy import distributions, smoothed
from pydl.losses.loss import LossFunctionWrapper
from pydl.losses.regression import EPSILON

__all__ = [
    "BinaryFocalCrossentropy",
    "CategoricalFocalCrossentropy",
    "binary_focal_crossentropy",
    "categorical_focal_crossentropy",
]


def binary_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Tensor:
    """Binary cross entropy times `(1 - p) ** gamma`, `p` the probability of the label.

    Args:
        y_true: labels in [0, 1], shape `(batch, ..., labels)`.
        y_pred: probabilities or logits, same shape.
        apply_class_balancing: whether to weigh labels of 1 by `alpha`, of 0 by `1 - alpha`.
        alpha: weight of the labels of 1.
        gamma: how much easy samples are weighed down; 0 is plain cross entropy.
        from_logits: whether `y_pred` holds logits.
        label_smoothing: in [0, 1]; moves the labels towards 0.5 by that share.
        axis: axis of the labels.

    Returns:
        Losses of shape `(batch, ...)`.

    Raises:
        ShapeError: the shapes differ.

    Source: Lin et al., Focal Loss for Dense Object Detection, 2017.

    Example:
        >>> loss = pydl.losses.binary_focal_crossentropy([[0.0, 1.0]], [[0.6, 0.6]])
        >>> round(float(loss[0]), 4)
        0.2058
    """
    y_true, y_pred = smoothed("binary_focal_crossentropy", y_true, y_pred, label_smoothing)
    if from_logits:
        y_pred = ops.sigmoid(y_pred)
    of_label = y_true * y_pred + (1.0 - y_true) * (1.0 - y_pred)
    losses = ops.power(1.0 - of_label, gamma) * ops.binary_cross_entropy(y_pred, y_true)
    if apply_class_balancing:
        losses = losses * (y_true * alpha + (1.0 - y_true) * (1.0 - alpha))
    return ops.mean(losses, axis=axis)


def categorical_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    alpha: float | list[float] = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Tensor:
    """Sum over classes of `-alpha * (1 - p) ** gamma * y_true * log(p)`.

    Args:
        y_true: distributions such as one-hot labels, shape `(batch, ..., classes)`.
        y_pred: probabilities (made to sum to 1) or logits, same shape.
        alpha: weight of the loss, or one for each class.
        gamma: how much easy samples are weighed down; 0 is plain cross entropy.
        from_logits: whether `y_pred` holds logits.
        label_smoothing: in [0, 1]; moves the labels towards the uniform distribution by that share.
        axis: axis of the classes.

    Returns:
        Losses of shape `(batch, ...)`.

    Raises:
        ShapeError: the shapes differ.

    Source: Lin et al., Focal Loss for Dense Object Detection, 2017.

    Example:
        >>> loss = pydl.losses.categorical_focal_crossentropy([[0.0, 1.0]], [[0.5, 0.5]])
        >>> round(float(loss[0]), 4)
        0.0433
    """
    y_true, y_pred = distributions("categorical_focal_crossentropy", y_true, y_pred)
    if label_smoothing:
        y_true = y_true * (1.0 - label_smoothing) + label_smoothing / y_true.shape[-1]
    if from_logits:
        y_pred = ops.softmax(y_pred, axis=axis)
    share = ops.clip(y_pred / ops.sum(y_pred, axis=axis, keepdims=True), EPSILON, 1.0 - EPSILON)
    losses = ops.power(1.0 - share, gamma) * alpha * (-y_true * ops.log(share))
    return ops.sum(losses, axis=axis)


class BinaryFocalCrossentropy(LossFunctionWrapper):
    """Binary cross entropy that weighs down samples predicted well already.

    Args:
        apply_class_balancing: whether to weigh labels of 1 by `alpha`, of 0 by `1 - alpha`.
        alpha: weight of the labels of 1.
        gamma: how much easy samples are weighed down.
        from_logits: whether predictions are logits rather than probabilities.
        label_smoothing: in [0, 1]; moves the labels towards 0.5 by that share.
        axis: axis of the labels.
        reduction, name, dtype: see `Loss`.

    Example:
        >>> loss = pydl.losses.BinaryFocalCrossentropy()
        >>> round(float(loss([[0.0, 1.0]], [[0.6, 0.6]])), 4)
        0.2058
    """

    def __init__(
        self,
        apply_class_balancing: bool = False,
        alpha: float = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str = "binary_focal_crossentropy",
        dtype: str | None = None,
    ) -> None:
        super().__init__(
            binary_focal_crossentropy, reduction, name, dtype,
            apply_class_balancing=apply_class_balancing, alpha=alpha, gamma=gamma,
            from_logits=from_logits, label_smoothing=label_smoothing, axis=axis,
        )  # fmt: skip


class CategoricalFocalCrossentropy(LossFunctionWrapper):
    """Categorical cross entropy that weighs down samples predicted well already.

    Args:
        alpha: weight of the loss, or one for each class.
        gamma: how much easy samples are weighed down.
        from_logits: whether predictions are logits rather than probabilities.
        label_smoothing: in [0, 1]; moves the labels towards the uniform distribution by that share.
        axis: axis of the classes.
        reduction, name, dtype: see `Loss`.

    Example:
        >>> loss = pydl.losses.CategoricalFocalCrossentropy()
        >>> round(float(loss([[0.0, 1.0]], [[0.5, 0.5]])), 4)
        0.0433
    """

    def __init__(
        self,
        alpha: float | list[float] = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str = "categorical_focal_crossentropy",
        dtype: str | None = None,
    ) -> None:
        super().__init__(
            categorical_focal_crossentropy, reduction, name, dtype,
            alpha=alpha, gamma=gamma,
            from_logits=from_logits, label_smoothing=label_smoothing, axis=axis,
        )  # fmt: skip
