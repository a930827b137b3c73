"""The best of one rate where another reaches a limit, over thresholds."""

from __future__ import annotations

from typing import Any

import numpy as np

from pydl._convert import as_tensor
from pydl._core import Tensor
from pydl.metrics.confusion import ConfusionMetric, even_thresholds, share

__all__ = [
    "PrecisionAtRecall",
    "RecallAtPrecision",
    "SensitivityAtSpecificity",
    "SpecificityAtSensitivity",
]

# Each rate is a count as a share of itself and another.
_RATES = {
    "sensitivity": ("true_positives", "false_negatives"),
    "recall": ("true_positives", "false_negatives"),
    "specificity": ("true_negatives", "false_positives"),
    "precision": ("true_positives", "false_positives"),
}


class _Best(ConfusionMetric):
    """The largest `_rate` at the thresholds where `_limited` is at least a limit."""

    _rate: str
    _limited: str

    def __init__(
        self,
        limit: float,
        num_thresholds: int,
        class_id: int | None,
        name: str | None,
        dtype: str | None,
    ) -> None:
        label = type(self).__name__
        if not 0 <= limit <= 1:
            raise ValueError(f"[{label}] expected {self._limited} in [0, 1], got {limit}")
        thresholds = even_thresholds(label, num_thresholds)
        super().__init__(thresholds, name=name, dtype=dtype, class_id=class_id)
        self.num_thresholds = num_thresholds
        self.value = limit
        setattr(self, self._limited, limit)
        self._build()

    def _shares(self, rate: str) -> np.ndarray:
        return share(*(getattr(self, count).numpy() for count in _RATES[rate]))

    def result(self) -> Tensor:
        """The best rate, a 0-d tensor; 0 where the limit is never reached."""
        reached = self._shares(self._limited) >= self.value
        best = np.where(reached, self._shares(self._rate), 0.0).max()
        return as_tensor(best, self.dtype)

    def get_config(self) -> dict[str, Any]:
        own = {"num_thresholds": self.num_thresholds, self._limited: self.value}
        return {**super().get_config(), **own}


class SensitivityAtSpecificity(_Best):
    """Best sensitivity (share of the 1s found) where specificity reaches a limit.

    Args:
        specificity: least share of the 0s that must be recognised, in [0, 1].
        num_thresholds: how many thresholds to try.
        class_id: the only class that counts; by default all do.
        name, dtype: see `Metric`.

    Example:
        >>> metric = pydl.metrics.SensitivityAtSpecificity(0.5)
        >>> float(metric([0, 0, 0, 1, 1], [0, 0.3, 0.8, 0.3, 0.8]))
        0.5
    """

    _rate, _limited = "sensitivity", "specificity"

    def __init__(
        self,
        specificity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: str | None = None,
    ) -> None:
        super().__init__(specificity, num_thresholds, class_id, name, dtype)


class SpecificityAtSensitivity(_Best):
    """Best specificity (share of the 0s recognised) where sensitivity reaches a limit.

    Args:
        sensitivity: least share of the 1s that must be found, in [0, 1].
        num_thresholds, class_id, name, dtype: see `SensitivityAtSpecificity`.

    Example:
        >>> metric = pydl.metrics.SpecificityAtSensitivity(0.5)
        >>> round(float(metric([0, 0, 0, 1, 1], [0, 0.3, 0.8, 0.3, 0.8])), 4)
        0.6667
    """

    _rate, _limited = "specificity", "sensitivity"

    def __init__(
        self,
        sensitivity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: str | None = None,
    ) -> None:
        super().__init__(sensitivity, num_thresholds, class_id, name, dtype)


class PrecisionAtRecall(_Best):
    """Best precision where recall reaches a limit.

    Args:
        recall: least share of the 1s that must be found, in [0, 1].
        num_thresholds, class_id, name, dtype: see `SensitivityAtSpecificity`.

    Example:
        >>> metric = pydl.metrics.PrecisionAtRecall(0.5)
        >>> float(metric([0, 0, 0, 1, 1], [0, 0.3, 0.8, 0.3, 0.8]))
        0.5
    """

    _rate, _limited = "precision", "recall"

    def __init__(
        self,
        recall: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: str | None = None,
    ) -> None:
        super().__init__(recall, num_thresholds, class_id, name, dtype)


class RecallAtPrecision(_Best):
    """Best recall where precision reaches a limit.

    Args:
        precision: least share of the predicted 1s that must be right, in [0, 1].
        num_thresholds, class_id, name, dtype: see `SensitivityAtSpecificity`.

    Example:
        >>> metric = pydl.metrics.RecallAtPrecision(0.8)
        >>> float(metric([0, 0, 1, 1], [0, 0.5, 0.3, 0.9]))
        0.5
    """

    _rate, _limited = "recall", "precision"

    def __init__(
        self,
        precision: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: str | None = None,
    ) -> None:
        super().__init__(precision, num_thresholds, class_id, name, dtype)
