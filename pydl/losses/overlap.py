"""Losses of segmentation: how much of two regions does not overlap."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydl import ops
from pydl._core import Tensor
from pydl.losses.loss import LossFunctionWrapper
from pydl.losses.regression import EPSILON, aligned

__all__ = ["Dice", "Tversky", "dice", "tversky"]

Axis = int | Sequence[int] | None


def dice(y_true: Any, y_pred: Any, axis: Axis = None) -> Tensor:
    """`1 - 2 * sum(y_true * y_pred) / (sum(y_true) + sum(y_pred))`.

    Args:
        y_true: 1 inside the region and 0 outside, any shape.
        y_pred: probabilities, same shape.
        axis: axes to sum over; None for all.

    Returns:
        Losses of the shape without `axis`.

    Raises:
        ShapeError: the shapes differ.

    Example:
        >>> round(float(pydl.losses.dice([1.0, 0.0], [0.5, 0.5])), 4)
        0.5
    """
    y_true, y_pred = aligned("dice", y_true, y_pred)
    both = ops.sum(y_true * y_pred, axis=axis)
    return 1.0 - 2.0 * both / (ops.sum(y_true, axis=axis) + ops.sum(y_pred, axis=axis) + EPSILON)


def tversky(
    y_true: Any, y_pred: Any, alpha: float = 0.5, beta: float = 0.5, axis: Axis = None
) -> Tensor:
    """Dice with weights for what is in one region only; equal to it with weights of 0.5.

    Args:
        y_true: 1 inside the region and 0 outside, any shape.
        y_pred: probabilities, same shape.
        alpha: weight of what is only in `y_true`.
        beta: weight of what is only in `y_pred`.
        axis: axes to sum over; None for all.

    Returns:
        Losses of the shape without `axis`.

    Raises:
        ShapeError: the shapes differ.

    Source: Salehi et al., Tversky Loss Function for Image Segmentation Using 3D Fully
    Convolutional Deep Networks, 2017.

    Example:
        >>> round(float(pydl.losses.tversky([1.0, 0.0], [0.5, 0.5])), 4)
        0.5
    """
    y_true, y_pred = aligned("tversky", y_true, y_pred)
    both = ops.sum(y_true * y_pred, axis=axis)
    only_true = ops.sum((1.0 - y_pred) * y_true, axis=axis)
    only_pred = ops.sum(y_pred * (1.0 - y_true), axis=axis)
    return 1.0 - both / (both + alpha * only_true + beta * only_pred + EPSILON)


class Dice(LossFunctionWrapper):
    """One minus the overlap of two regions.

    Args:
        reduction, name, dtype: see `Loss`.
        axis: axes to sum over; None for all.

    Example:
        >>> round(float(pydl.losses.Dice()([1.0, 0.0], [0.5, 0.5])), 4)
        0.5
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "dice",
        axis: Axis = None,
        dtype: str | None = None,
    ) -> None:
        super().__init__(dice, reduction, name, dtype, axis=axis)


class Tversky(LossFunctionWrapper):
    """Dice with weights for what is in one region only.

    Args:
        alpha: weight of what is only in `y_true`.
        beta: weight of what is only in `y_pred`.
        reduction, name, dtype: see `Loss`.
        axis: axes to sum over; None for all.

    Example:
        >>> round(float(pydl.losses.Tversky()([1.0, 0.0], [0.5, 0.5])), 4)
        0.5
    """

    def __init__(
        self,
        alpha: float = 0.5,
        beta: float = 0.5,
        reduction: str | None = "sum_over_batch_size",
        name: str = "tversky",
        axis: Axis = None,
        dtype: str | None = None,
    ) -> None:
        super().__init__(tversky, reduction, name, dtype, alpha=alpha, beta=beta, axis=axis)
