"""Hinge losses: predictions on the right side of a margin cost nothing."""

from __future__ import annotations

from typing import Any

from pydl import ops
from pydl._core import Tensor
from pydl.losses.loss import FunctionLoss
from pydl.losses.regression import aligned, mean_of_last_axis

__all__ = [
    "CategoricalHinge",
    "Hinge",
    "SquaredHinge",
    "categorical_hinge",
    "hinge",
    "squared_hinge",
]


def _margins(name: str, y_true: Any, y_pred: Any) -> Tensor:
    """What is missing to the margin of 1; labels of 0 and 1 count as -1 and 1."""
    y_true, y_pred = aligned(name, y_true, y_pred)
    if bool(ops.all(ops.logical_or(y_true == 0, y_true == 1))):
        y_true = 2.0 * y_true - 1.0
    return ops.relu(1.0 - y_true * y_pred)


def hinge(y_true: Any, y_pred: Any) -> Tensor:
    """Mean of `max(1 - y_true * y_pred, 0)` over the last axis.

    Args:
        y_true: labels -1 or 1 (or all of them 0 or 1), shape `(batch, ..., labels)`.
        y_pred: predictions, same shape.

    Returns:
        Losses of shape `(batch, ...)`.

    Raises:
        ShapeError: the shapes differ.

    Example:
        >>> pydl.losses.hinge([[-1.0, 1.0]], [[0.0, 3.0]]).tolist()
        [0.5]
    """
    return mean_of_last_axis(_margins("hinge", y_true, y_pred))


def squared_hinge(y_true: Any, y_pred: Any) -> Tensor:
    """Mean of `max(1 - y_true * y_pred, 0) ** 2` over the last axis.

    Args, Returns and Raises are those of `hinge`.

    Example:
        >>> pydl.losses.squared_hinge([[-1.0, 1.0]], [[1.0, 3.0]]).tolist()
        [2.0]
    """
    return mean_of_last_axis(ops.square(_margins("squared_hinge", y_true, y_pred)))


def categorical_hinge(y_true: Any, y_pred: Any) -> Tensor:
    """`max(1 + largest wrong prediction - right prediction, 0)`.

    Args:
        y_true: one-hot labels, shape `(batch, ..., classes)`.
        y_pred: predictions, same shape.

    Returns:
        Losses of shape `(batch, ...)`.

    Raises:
        ShapeError: the shapes differ.

    Example:
        >>> pydl.losses.categorical_hinge([[0.0, 1.0]], [[0.5, 1.0]]).tolist()
        [0.5]
    """
    y_true, y_pred = aligned("categorical_hinge", y_true, y_pred)
    right = ops.sum(y_true * y_pred, axis=-1)
    wrong = ops.max((1.0 - y_true) * y_pred, axis=-1)
    return ops.relu(wrong - right + 1.0)


class Hinge(FunctionLoss):
    """Mean of `max(1 - y_true * y_pred, 0)`. Arguments are those of `Loss`.

    Example:
        >>> float(pydl.losses.Hinge()([[-1.0, 1.0]], [[0.0, 3.0]]))
        0.5
    """

    function = staticmethod(hinge)


class SquaredHinge(FunctionLoss):
    """Mean of `max(1 - y_true * y_pred, 0) ** 2`. Arguments are those of `Loss`.

    Example:
        >>> float(pydl.losses.SquaredHinge()([[-1.0, 1.0]], [[1.0, 3.0]]))
        2.0
    """

    function = staticmethod(squared_hinge)


class CategoricalHinge(FunctionLoss):
    """`max(1 + largest wrong prediction - right prediction, 0)`. Arguments are those of `Loss`.

    Example:
        >>> float(pydl.losses.CategoricalHinge()([[0.0, 1.0]], [[0.5, 1.0]]))
        0.5
    """

    function = staticmethod(categorical_hinge)
