"""Errors of real-valued predictions and of distributions as metrics."""

from __future__ import annotations

from typing import Any

from pydl import losses, ops
from pydl._core import Tensor
from pydl.losses.regression import aligned
from pydl.metrics.mean import FunctionMetric, Mean, MeanMetricWrapper
from pydl.metrics.metric import detached

__all__ = [
    "CategoricalHinge",
    "CosineSimilarity",
    "Hinge",
    "KLDivergence",
    "LogCoshError",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "Poisson",
    "RootMeanSquaredError",
    "SquaredHinge",
]


class MeanSquaredError(FunctionMetric):
    """Mean of `(y_true - y_pred) ** 2`.

    Example:
        >>> float(pydl.metrics.MeanSquaredError()([[0.0, 1.0]], [[1.0, 1.0]]))
        0.5
    """

    function = staticmethod(losses.mean_squared_error)


class MeanAbsoluteError(FunctionMetric):
    """Mean of `abs(y_true - y_pred)`.

    Example:
        >>> float(pydl.metrics.MeanAbsoluteError()([[0.0, 1.0]], [[3.0, 1.0]]))
        1.5
    """

    function = staticmethod(losses.mean_absolute_error)


class MeanAbsolutePercentageError(FunctionMetric):
    """Mean of `100 * abs((y_true - y_pred) / y_true)`.

    Example:
        >>> float(pydl.metrics.MeanAbsolutePercentageError()([[2.0, 4.0]], [[1.0, 4.0]]))
        25.0
    """

    function = staticmethod(losses.mean_absolute_percentage_error)


class MeanSquaredLogarithmicError(FunctionMetric):
    """Mean of `(log(y_true + 1) - log(y_pred + 1)) ** 2`.

    Example:
        >>> metric = pydl.metrics.MeanSquaredLogarithmicError()
        >>> round(float(metric([[0.0]], [[np.e - 1]])), 4)
        1.0
    """

    function = staticmethod(losses.mean_squared_logarithmic_error)


class RootMeanSquaredError(Mean):
    """Square root of the mean of `(y_true - y_pred) ** 2` over all elements.

    Example:
        >>> round(float(pydl.metrics.RootMeanSquaredError()([[0.0, 1.0]], [[1.0, 1.0]])), 4)
        0.7071
    """

    def __init__(self, name: str = "root_mean_squared_error", dtype: str | None = None) -> None:
        super().__init__(name, dtype)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Takes the squared errors of a batch in.

        Args:
            y_true: targets, shape `(batch, ...)`.
            y_pred: predictions, same shape.
            sample_weight: weights that broadcast to `y_pred` from the left.
        """
        y_true, y_pred = aligned(self.name, y_true, detached(y_pred))
        super().update_state(ops.squared_error(y_pred, y_true), sample_weight)

    def result(self) -> Tensor:
        """The root of the mean, a 0-d tensor."""
        return ops.sqrt(super().result())


class LogCoshError(MeanMetricWrapper):
    """Mean of `log(cosh(y_pred - y_true))`.

    Example:
        >>> round(float(pydl.metrics.LogCoshError()([[0.0]], [[1.0]])), 4)
        0.4338
    """

    def __init__(self, name: str = "logcosh", dtype: str | None = None) -> None:
        super().__init__(losses.log_cosh, name, dtype)


def _cosine(y_true: Any, y_pred: Any, axis: int = -1) -> Tensor:
    return -losses.cosine_similarity(y_true, y_pred, axis)


class CosineSimilarity(MeanMetricWrapper):
    """Mean cosine of the angle between targets and predictions; 1 where they point alike.

    Args:
        name, dtype: see `Metric`.
        axis: axis of the vectors.

    Example:
        >>> float(pydl.metrics.CosineSimilarity()([[0.0, 1.0]], [[0.0, 3.0]]))
        1.0
    """

    def __init__(
        self, name: str = "cosine_similarity", dtype: str | None = None, axis: int = -1
    ) -> None:
        super().__init__(_cosine, name, dtype, axis=axis)


class Hinge(FunctionMetric):
    """Mean of `max(1 - y_true * y_pred, 0)`; see `pydl.losses.hinge`.

    Example:
        >>> float(pydl.metrics.Hinge()([[-1.0, 1.0]], [[0.0, 3.0]]))
        0.5
    """

    function = staticmethod(losses.hinge)


class SquaredHinge(FunctionMetric):
    """Mean of `max(1 - y_true * y_pred, 0) ** 2`; see `pydl.losses.squared_hinge`.

    Example:
        >>> float(pydl.metrics.SquaredHinge()([[-1.0, 1.0]], [[1.0, 3.0]]))
        2.0
    """

    function = staticmethod(losses.squared_hinge)


class CategoricalHinge(FunctionMetric):
    """Mean of `max(1 + largest wrong - right, 0)`; see `pydl.losses.categorical_hinge`.

    Example:
        >>> float(pydl.metrics.CategoricalHinge()([[0.0, 1.0]], [[0.5, 1.0]]))
        0.5
    """

    function = staticmethod(losses.categorical_hinge)


class KLDivergence(FunctionMetric):
    """Mean Kullback-Leibler divergence; see `pydl.losses.kl_divergence`.

    Example:
        >>> round(float(pydl.metrics.KLDivergence()([[0.5, 0.5]], [[0.25, 0.75]])), 4)
        0.1438
    """

    function = staticmethod(losses.kl_divergence)


class Poisson(FunctionMetric):
    """Mean of `y_pred - y_true * log(y_pred)`; see `pydl.losses.poisson`.

    Example:
        >>> round(float(pydl.metrics.Poisson()([[0.0, 2.0]], [[1.0, 1.0]])), 4)
        1.0
    """

    function = staticmethod(losses.poisson)
