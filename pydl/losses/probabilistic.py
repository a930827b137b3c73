"""Losses of predicted distributions: divergence, Poisson counts, noisy labels."""

from __future__ import annotations

from typing import Any

from pydl import ops
from pydl._core import Tensor
from pydl.losses.crossentropy import sparse_labels
from pydl.losses.loss import FunctionLoss, LossFunctionWrapper
from pydl.losses.regression import EPSILON, aligned, mean_of_last_axis

__all__ = [
    "CategoricalGeneralizedCrossEntropy",
    "KLDivergence",
    "Poisson",
    "categorical_generalized_cross_entropy",
    "kl_divergence",
    "poisson",
]


def kl_divergence(y_true: Any, y_pred: Any) -> Tensor:
    """Kullback-Leibler divergence: sum of `y_true * log(y_true / y_pred)` over the last axis.

    Args:
        y_true: distributions, shape `(batch, ..., classes)`; clipped to [1e-7, 1].
        y_pred: distributions, same shape; clipped likewise.

    Returns:
        Losses of shape `(batch, ...)`.

    Raises:
        ShapeError: the shapes differ.

    Example:
        >>> round(float(pydl.losses.kl_divergence([[0.5, 0.5]], [[0.25, 0.75]])[0]), 4)
        0.1438
    """
    y_true, y_pred = (ops.clip(y, EPSILON, 1.0) for y in aligned("kl_divergence", y_true, y_pred))
    return ops.sum(y_true * ops.log(y_true / y_pred), axis=-1)


def poisson(y_true: Any, y_pred: Any) -> Tensor:
    """Mean of `y_pred - y_true * log(y_pred)` over the last axis.

    Args:
        y_true: counts, shape `(batch, ..., features)`.
        y_pred: predicted rates, above 0, same shape.

    Returns:
        Losses of shape `(batch, ...)`.

    Raises:
        ShapeError: the shapes differ.

    Example:
        >>> pydl.losses.poisson([[0.0, 2.0]], [[1.0, 1.0]]).numpy().round(4).tolist()
        [1.0]
    """
    y_true, y_pred = aligned("poisson", y_true, y_pred)
    return mean_of_last_axis(y_pred - y_true * ops.log(y_pred + EPSILON))


def categorical_generalized_cross_entropy(y_true: Any, y_pred: Any, q: float) -> Tensor:
    """`(1 - p ** q) / q` of the probability `p` of the label: robust to wrong labels.

    Args:
        y_true: integer labels, shape `(batch, ...)`.
        y_pred: probabilities, shape `(batch, ..., classes)`.
        q: in (0, 1); near 0 it is cross entropy, at 1 mean absolute error.

    Returns:
        Losses of shape `(batch, ...)`.

    Raises:
        ShapeError: the labels do not fit the predictions.

    Source: Zhang and Sabuncu, Generalized Cross Entropy Loss for Training Deep Neural Networks
    with Noisy Labels, 2018.

    Example:
        >>> loss = pydl.losses.categorical_generalized_cross_entropy([0], [[0.25, 0.75]], q=0.5)
        >>> loss.tolist()
        [1.0]
    """
    name = "categorical_generalized_cross_entropy"
    labels, y_pred = sparse_labels(name, y_true, y_pred, -1)
    chosen = ops.take_along_axis(y_pred, ops.expand_dims(labels, -1), axis=-1)
    return (1.0 - ops.power(ops.squeeze(chosen, -1), q)) / q


class KLDivergence(FunctionLoss):
    """Kullback-Leibler divergence. Arguments are those of `Loss`.

    Example:
        >>> round(float(pydl.losses.KLDivergence()([[0.5, 0.5]], [[0.25, 0.75]])), 4)
        0.1438
    """

    function = staticmethod(kl_divergence)


class Poisson(FunctionLoss):
    """Mean of `y_pred - y_true * log(y_pred)`. Arguments are those of `Loss`.

    Example:
        >>> round(float(pydl.losses.Poisson()([[0.0, 2.0]], [[1.0, 1.0]])), 4)
        1.0
    """

    function = staticmethod(poisson)


class CategoricalGeneralizedCrossEntropy(LossFunctionWrapper):
    """`(1 - p ** q) / q` of the probability `p` of the integer label.

    Args:
        q: in (0, 1); near 0 it is cross entropy, at 1 mean absolute error.
        reduction, name, dtype: see `Loss`.

    Example:
        >>> float(pydl.losses.CategoricalGeneralizedCrossEntropy()([0], [[0.25, 0.75]]))
        1.0
    """

    def __init__(
        self,
        q: float = 0.5,
        reduction: str | None = "sum_over_batch_size",
        name: str = "categorical_generalized_cross_entropy",
        dtype: str | None = None,
    ) -> None:
        if not 0 < q < 1:
            raise ValueError(f"[CategoricalGeneralizedCrossEntropy] expected q in (0, 1), got {q}")
        super().__init__(categorical_generalized_cross_entropy, reduction, name, dtype, q=q)
