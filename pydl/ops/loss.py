"""Losses, each one kernel forward and one backward."""

from __future__ import annotations

from pydl import _core
from pydl._core import Tensor
from pydl.typing import ArrayLike

__all__ = [
    "absolute_error",
    "binary_cross_entropy",
    "categorical_cross_entropy",
    "huber",
    "sigmoid_binary_cross_entropy",
    "softmax_cross_entropy",
    "squared_error",
]


def softmax_cross_entropy(
    logits: ArrayLike, labels: ArrayLike, label_smoothing: float = 0.0, reduction: str = "none"
) -> Tensor:
    """Cross entropy of labels with ``softmax(logits)``, without overflow.

    Args:
        logits: A floating tensor (..., classes).
        labels: Integers (...) in [0, classes), or distributions (..., classes).
        label_smoothing: In [0, 1]; moves labels towards the uniform distribution by that share.
        reduction: ``"none"``, ``"mean"`` or ``"sum"``.

    Returns:
        The losses (...), or one number. Gradients flow to `logits`.

    Raises:
        ShapeError: If the labels do not fit the logits.
        ValueError: If a label is out of range; the message says which and where.

    Example:
        >>> pydl.ops.softmax_cross_entropy([[0.0, 0.0]], [1]).numpy().round(4).tolist()
        [0.6930999755859375]
    """
    return _core.softmax_cross_entropy(logits, labels, label_smoothing, reduction)


def categorical_cross_entropy(
    probabilities: ArrayLike,
    labels: ArrayLike,
    label_smoothing: float = 0.0,
    epsilon: float = 1e-7,
    reduction: str = "none",
) -> Tensor:
    """Cross entropy of labels with probabilities, which are made to sum to 1 and clipped.

    Args:
        probabilities: A floating tensor (..., classes).
        labels: Integers (...) in [0, classes), or distributions (..., classes).
        label_smoothing: In [0, 1]; moves labels towards the uniform distribution by that share.
        epsilon: Probabilities are clipped to [epsilon, 1 - epsilon].
        reduction: ``"none"``, ``"mean"`` or ``"sum"``.

    Returns:
        The losses (...), or one number. Gradients flow to `probabilities`.

    Raises:
        ShapeError: If the labels do not fit the probabilities.
        ValueError: If a label is out of range; the message says which and where.

    Example:
        >>> pydl.ops.categorical_cross_entropy([[0.5, 0.5]], [1]).numpy().round(4).tolist()
        [0.6930999755859375]
    """
    return _core.categorical_cross_entropy(
        probabilities, labels, label_smoothing, epsilon, reduction
    )


def sigmoid_binary_cross_entropy(
    logits: ArrayLike, labels: ArrayLike, reduction: str = "none"
) -> Tensor:
    """Binary cross entropy of labels with ``sigmoid(logits)``, without overflow.

    Args:
        logits: A floating tensor.
        labels: Labels in [0, 1] of the same shape.
        reduction: ``"none"``, ``"mean"`` or ``"sum"``.

    Returns:
        The losses, one an element, or one number. Gradients flow to `logits`.

    Raises:
        ShapeError: If the shapes differ.

    Example:
        >>> pydl.ops.sigmoid_binary_cross_entropy([0.0], [1.0]).numpy().round(4).tolist()
        [0.6930999755859375]
    """
    return _core.sigmoid_binary_cross_entropy(logits, labels, reduction)


def binary_cross_entropy(
    probabilities: ArrayLike, labels: ArrayLike, epsilon: float = 1e-7, reduction: str = "none"
) -> Tensor:
    """Binary cross entropy of labels with probabilities, which are clipped.

    Args:
        probabilities: A floating tensor.
        labels: Labels in [0, 1] of the same shape.
        epsilon: Probabilities are clipped to [epsilon, 1 - epsilon].
        reduction: ``"none"``, ``"mean"`` or ``"sum"``.

    Returns:
        The losses, one an element, or one number. Gradients flow to `probabilities`.

    Raises:
        ShapeError: If the shapes differ.

    Example:
        >>> pydl.ops.binary_cross_entropy([0.5], [1.0]).numpy().round(4).tolist()
        [0.6930999755859375]
    """
    return _core.binary_cross_entropy(probabilities, labels, epsilon, reduction)


def squared_error(y_pred: ArrayLike, y_true: ArrayLike, reduction: str = "none") -> Tensor:
    """``(y_pred - y_true) ** 2``.

    Args:
        y_pred: A floating tensor.
        y_true: Targets of the same shape.
        reduction: ``"none"``, ``"mean"`` or ``"sum"``.

    Returns:
        The losses, one an element, or one number. Gradients flow to both.

    Raises:
        ShapeError: If the shapes differ.

    Example:
        >>> pydl.ops.squared_error([1.0, 3.0], [1.0, 1.0], reduction="mean").item()
        2.0
    """
    return _core.squared_error(y_pred, y_true, reduction)


def absolute_error(y_pred: ArrayLike, y_true: ArrayLike, reduction: str = "none") -> Tensor:
    """``abs(y_pred - y_true)``, with gradient 0 where they agree.

    Args:
        y_pred: A floating tensor.
        y_true: Targets of the same shape.
        reduction: ``"none"``, ``"mean"`` or ``"sum"``.

    Returns:
        The losses, one an element, or one number. Gradients flow to both.

    Raises:
        ShapeError: If the shapes differ.

    Example:
        >>> pydl.ops.absolute_error([1.0, 3.0], [1.0, 1.0], reduction="mean").item()
        1.0
    """
    return _core.absolute_error(y_pred, y_true, reduction)


def huber(
    y_pred: ArrayLike, y_true: ArrayLike, delta: float = 1.0, reduction: str = "none"
) -> Tensor:
    """Half the squared error up to an error of `delta`, linear beyond.

    Args:
        y_pred: A floating tensor.
        y_true: Targets of the same shape.
        delta: The error at which the loss becomes linear.
        reduction: ``"none"``, ``"mean"`` or ``"sum"``.

    Returns:
        The losses, one an element, or one number. Gradients flow to both.

    Raises:
        ShapeError: If the shapes differ.

    Example:
        >>> pydl.ops.huber([1.0, 4.0], [0.0, 1.0]).tolist()
        [0.5, 2.5]
    """
    return _core.huber(y_pred, y_true, delta, reduction)
