"""Errors of real-valued predictions as metrics."""

from __future__ import annotations

from typing import Any

from pydl import ops
from pydl._core import Tensor
from pydl.losses.regression import aligned, mean_absolute_error, mean_squared_error
from pydl.metrics.mean import Mean, MeanMetricWrapper
from pydl.metrics.metric import detached


class MeanSquaredError(MeanMetricWrapper):
    """Mean of `(y_true - y_pred) ** 2`.

    Example:
        >>> float(pydl.metrics.MeanSquaredError()([[0.0, 1.0]], [[1.0, 1.0]]))
        0.5
    """

    def __init__(self, name: str = "mean_squared_error", dtype: str | None = None) -> None:
        super().__init__(mean_squared_error, name, dtype)


class MeanAbsoluteError(MeanMetricWrapper):
    """Mean of `abs(y_true - y_pred)`.

    Example:
        >>> float(pydl.metrics.MeanAbsoluteError()([[0.0, 1.0]], [[3.0, 1.0]]))
        1.5
    """

    def __init__(self, name: str = "mean_absolute_error", dtype: str | None = None) -> None:
        super().__init__(mean_absolute_error, name, dtype)


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
