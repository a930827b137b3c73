"""Correlations of predictions with targets, and the share of variance that they explain."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from pydl import ops
from pydl._convert import as_tensor
from pydl._core import Tensor
from pydl.errors import ShapeError
from pydl.losses.loss import weights_like
from pydl.losses.regression import EPSILON, aligned
from pydl.metrics.mean import STATE_DTYPE, MeanMetricWrapper
from pydl.metrics.metric import Metric, detached

__all__ = [
    "ConcordanceCorrelation",
    "PearsonCorrelation",
    "R2Score",
    "concordance_correlation",
    "pearson_correlation",
]


def pearson_correlation(y_true: Any, y_pred: Any, axis: int = -1) -> Tensor:
    """Pearson's correlation along `axis`: 1 for a growing straight line, -1 for a falling one.

    Args:
        y_true: targets, shape `(batch, ..., values)`.
        y_pred: predictions, same shape.
        axis: axis of the values.

    Returns:
        Correlations in [-1, 1], of the shape without `axis`; NaN where values are all equal.

    Raises:
        ShapeError: the shapes differ.

    Example:
        >>> correlation = pydl.metrics.pearson_correlation([[0.0, 1.0, 0.5]], [[0.1, 0.9, 1.0]])
        >>> round(float(correlation[0]), 4)
        0.8109
    """
    scores = []
    for y in aligned("pearson_correlation", y_true, y_pred):
        centred = y - ops.mean(y, axis=axis, keepdims=True)
        scores.append(centred / ops.std(y, axis=axis, keepdims=True))
    return ops.mean(scores[0] * scores[1], axis=axis)


def concordance_correlation(y_true: Any, y_pred: Any, axis: int = -1) -> Tensor:
    """Lin's concordance along `axis`: correlation, less for another mean or another spread.

    Args:
        y_true: targets, shape `(batch, ..., values)`.
        y_pred: predictions, same shape.
        axis: axis of the values.

    Returns:
        Correlations in [-1, 1], of the shape without `axis`.

    Raises:
        ShapeError: the shapes differ.

    Source: Lin, A concordance correlation coefficient to evaluate reproducibility, 1989.

    Example:
        >>> y_true, y_pred = [[0.0, 1.0, 0.5]], [[0.1, 0.9, 1.0]]
        >>> round(float(pydl.metrics.concordance_correlation(y_true, y_pred)[0]), 4)
        0.7477
    """
    y_true, y_pred = aligned("concordance_correlation", y_true, y_pred)
    means = [ops.mean(y, axis=axis, keepdims=True) for y in (y_true, y_pred)]
    spread = [ops.var(y, axis=axis, keepdims=True) for y in (y_true, y_pred)]
    covariance = (y_true - means[1]) * (y_pred - means[1])
    norm = spread[0] + spread[1] + ops.square(means[0] - means[1])
    return ops.mean(2.0 * covariance / (norm + EPSILON), axis=axis)


class PearsonCorrelation(MeanMetricWrapper):
    """Mean of Pearson's correlations.

    Args:
        name, dtype: see `Metric`.
        axis: axis of the values.

    Example:
        >>> metric = pydl.metrics.PearsonCorrelation()
        >>> round(float(metric([[0.0, 1.0, 0.5]], [[0.1, 0.9, 1.0]])), 4)
        0.8109
    """

    def __init__(
        self, name: str = "pearson_correlation", dtype: str | None = None, axis: int = -1
    ) -> None:
        super().__init__(pearson_correlation, name, dtype, axis=axis)


class ConcordanceCorrelation(MeanMetricWrapper):
    """Mean of Lin's concordance correlations.

    Args:
        name, dtype: see `Metric`.
        axis: axis of the values.

    Example:
        >>> metric = pydl.metrics.ConcordanceCorrelation()
        >>> round(float(metric([[0.0, 1.0, 0.5]], [[0.1, 0.9, 1.0]])), 4)
        0.7477
    """

    def __init__(
        self, name: str = "concordance_correlation", dtype: str | None = None, axis: int = -1
    ) -> None:
        super().__init__(concordance_correlation, name, dtype, axis=axis)


_AGGREGATIONS = (None, "uniform_average", "variance_weighted_average")


class R2Score(Metric):
    """Share of the variance of the targets that predictions explain: 1 for perfect ones.

    Args:
        class_aggregation: `"uniform_average"` or `"variance_weighted_average"` of the outputs; None
            for a score for each.
        num_regressors: number of inputs of the model, for the adjusted score; 0 for the plain one.
        name, dtype: see `Metric`.

    Example:
        >>> metric = pydl.metrics.R2Score()
        >>> metric.update_state([[1.0], [4.0], [3.0]], [[2.0], [4.0], [4.0]])
        >>> round(float(metric.result()), 4)
        0.5714
    """

    def __init__(
        self,
        class_aggregation: str | None = "uniform_average",
        num_regressors: int = 0,
        name: str = "r2_score",
        dtype: str | None = None,
    ) -> None:
        super().__init__(dtype, name)
        if class_aggregation not in _AGGREGATIONS:
            raise ValueError(
                f"[R2Score] expected class_aggregation among {_AGGREGATIONS}, "
                f"got {class_aggregation!r}"
            )
        if num_regressors < 0:
            raise ValueError(f"[R2Score] expected num_regressors >= 0, got {num_regressors}")
        self.class_aggregation = class_aggregation
        self.num_regressors = num_regressors
        self.num_samples = self.add_variable(dtype=STATE_DTYPE, name="num_samples")
        self._built = False

    def _build(self, outputs: int) -> None:
        self.squared_sum, self.sum, self.total_mse, self.count = (
            self.add_variable((outputs,), dtype=STATE_DTYPE, name=name)
            for name in ("squared_sum", "sum", "residual", "count")
        )
        self._built = True

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Takes a batch in.

        Args:
            y_true: targets, shape `(batch, outputs)`.
            y_pred: predictions, same shape.
            sample_weight: weights, shape `(batch,)` or `(batch, outputs)`.
        """
        y_true, y_pred = aligned(self.name, y_true, as_tensor(detached(y_pred), STATE_DTYPE))
        if y_true.ndim != 2:
            raise ShapeError(f"[R2Score] expected shape (batch, outputs), got {y_true.shape}")
        if not self._built:
            self._build(y_true.shape[1])
        weights = ops.ones_like(y_true)
        if sample_weight is not None:
            weights = weights * weights_like(sample_weight, y_true)
        self.sum.assign_add(ops.sum(weights * y_true, axis=0))
        self.squared_sum.assign_add(ops.sum(weights * ops.square(y_true), axis=0))
        self.total_mse.assign_add(ops.sum(weights * ops.square(y_true - y_pred), axis=0))
        self.count.assign_add(ops.sum(weights, axis=0))
        self.num_samples.assign_add(y_true.size)

    def result(self) -> Tensor:
        """The score, a 0-d tensor, or one for each output; 0 before the first batch."""
        if not self._built:
            return as_tensor(0.0, self.dtype)
        state = (self.sum, self.squared_sum, self.total_mse, self.count)
        total, squares, residual, count = (v.numpy() for v in state)
        with np.errstate(divide="ignore", invalid="ignore"):
            variance = squares - total * total / count
            scores = 1.0 - residual / variance
        scores = np.where(np.isinf(scores), 0.0, scores)
        if self.class_aggregation == "uniform_average":
            scores = scores.mean()
        elif self.class_aggregation == "variance_weighted_average":
            scores = (variance * scores).sum() / variance.sum()
        return as_tensor(self._adjusted(scores), self.dtype)

    def _adjusted(self, scores: Any) -> Any:
        samples, inputs = self.num_samples.item(), self.num_regressors
        if inputs == 0:
            return scores
        if inputs >= samples - 1:
            warnings.warn(
                f"[R2Score] expected more samples than regressors, got {samples:.0f} and {inputs}. "
                "The result is the plain score",
                stacklevel=3,
            )
            return scores
        return 1.0 - (1.0 - scores) * (samples - 1) / (samples - inputs - 1)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "class_aggregation": self.class_aggregation,
            "num_regressors": self.num_regressors,
        }
