"""F-scores: precision and recall as one number."""

from __future__ import annotations

from typing import Any

import numpy as np

from pydl import ops
from pydl._convert import as_tensor
from pydl._core import Tensor
from pydl.errors import ShapeError
from pydl.losses.loss import weights_like
from pydl.losses.regression import EPSILON
from pydl.metrics.mean import STATE_DTYPE
from pydl.metrics.metric import Metric, detached

__all__ = ["F1Score", "FBetaScore"]

_AVERAGES = (None, "micro", "macro", "weighted")


class FBetaScore(Metric):
    """`(1 + beta**2) * precision * recall / (beta**2 * precision + recall)`.

    Args:
        average: None for a score of each class, `"micro"` counts all classes together, `"macro"`
            is their mean, `"weighted"` their mean weighed by how often they occur.
        beta: weight of recall against precision, above 0.
        threshold: predictions above it count as 1; None takes the largest of each sample.
        name, dtype: see `Metric`.

    Example:
        >>> metric = pydl.metrics.FBetaScore(beta=2.0, threshold=0.5)
        >>> metric.update_state([[1, 1], [1, 0]], [[0.2, 0.7], [0.6, 0.6]])
        >>> metric.result().numpy().round(4).tolist()
        [0.5555999875068665, 0.833299994468689]
    """

    def __init__(
        self,
        average: str | None = None,
        beta: float = 1.0,
        threshold: float | None = None,
        name: str = "fbeta_score",
        dtype: str | None = None,
    ) -> None:
        super().__init__(dtype, name)
        if average not in _AVERAGES:
            raise ValueError(f"[{name}] expected average among {_AVERAGES}, got {average!r}")
        if not isinstance(beta, float) or beta <= 0:
            raise ValueError(f"[{name}] expected beta to be a float above 0, got {beta!r}")
        if threshold is not None and not (isinstance(threshold, float) and 0 < threshold <= 1):
            raise ValueError(f"[{name}] expected a float threshold in (0, 1], got {threshold!r}")
        self.average = average
        self.beta = beta
        self.threshold = threshold
        self._built = False

    def _build(self, classes: int) -> None:
        shape = () if self.average == "micro" else (classes,)
        self.true_positives, self.false_positives, self.false_negatives, self.occurrences = (
            self.add_variable(shape, dtype=STATE_DTYPE, name=name)
            for name in ("true_positives", "false_positives", "false_negatives", "occurrences")
        )
        self._built = True

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Takes a batch in.

        Args:
            y_true: labels 0 or 1, shape `(batch, classes)`.
            y_pred: probabilities, same shape.
            sample_weight: weights, shape `(batch,)`.
        """
        y_pred = as_tensor(detached(y_pred))
        y_true = as_tensor(y_true, STATE_DTYPE)
        if y_pred.ndim != 2 or y_true.shape != y_pred.shape:
            raise ShapeError(
                f"[{self.name}] expected y_true and y_pred of one shape (batch, classes), "
                f"got {y_true.shape} and {y_pred.shape}"
            )
        if not self._built:
            self._build(y_pred.shape[1])
        if self.threshold is None:
            largest = y_pred >= ops.max(y_pred, axis=-1, keepdims=True)
            positive = ops.logical_and(largest, ops.abs(y_pred) > 1e-9)
        else:
            positive = y_pred > self.threshold
        positive = positive.astype(STATE_DTYPE)
        weights = 1.0 if sample_weight is None else weights_like(sample_weight, y_true)
        axis = None if self.average == "micro" else 0
        for state, values in (
            (self.true_positives, positive * y_true),
            (self.false_positives, positive * (1.0 - y_true)),
            (self.false_negatives, (1.0 - positive) * y_true),
            (self.occurrences, y_true),
        ):
            state.assign_add(ops.sum(values * weights, axis=axis))

    def result(self) -> Tensor:
        """The score, a 0-d tensor, or one for each class; 0 before the first batch."""
        if not self._built:
            return as_tensor(0.0, self.dtype)
        right, wrong, missed = (
            v.numpy() for v in (self.true_positives, self.false_positives, self.false_negatives)
        )
        precision = right / (right + wrong + EPSILON)
        recall = right / (right + missed + EPSILON)
        square = self.beta**2
        scores = (1.0 + square) * precision * recall / (square * precision + recall + EPSILON)
        if self.average == "weighted":
            occurrences = self.occurrences.numpy()
            scores = (scores * occurrences).sum() / (occurrences.sum() + EPSILON)
        elif self.average is not None:
            scores = np.mean(scores)
        return as_tensor(scores, self.dtype)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "average": self.average,
            "beta": self.beta,
            "threshold": self.threshold,
        }


class F1Score(FBetaScore):
    """`2 * precision * recall / (precision + recall)`.

    Args:
        average, threshold, name, dtype: see `FBetaScore`.

    Example:
        >>> metric = pydl.metrics.F1Score(threshold=0.5)
        >>> metric.update_state([[1, 1], [1, 0]], [[0.2, 0.7], [0.6, 0.6]])
        >>> metric.result().numpy().round(4).tolist()
        [0.666700005531311, 0.666700005531311]
    """

    def __init__(
        self,
        average: str | None = None,
        threshold: float | None = None,
        name: str = "f1_score",
        dtype: str | None = None,
    ) -> None:
        super().__init__(average, 1.0, threshold, name, dtype)

    def get_config(self) -> dict[str, Any]:
        return {key: value for key, value in super().get_config().items() if key != "beta"}
