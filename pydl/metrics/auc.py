"""Area under the ROC or the precision-recall curve."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pydl import ops
from pydl._convert import as_tensor
from pydl._core import Tensor
from pydl.errors import ShapeError
from pydl.losses.regression import EPSILON
from pydl.metrics.confusion import COUNTS, ConfusionMetric, even_thresholds, share
from pydl.metrics.metric import Metric

__all__ = ["AUC"]

_CURVES = ("ROC", "PR", "PRGAIN")
_SUMMATIONS = ("interpolation", "majoring", "minoring")


def _ratio(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.divide(a, b, out=np.zeros_like(a), where=b != 0)


class AUC(ConfusionMetric):
    """Area under a curve of two rates over thresholds, by trapezoids between them.

    Args:
        num_thresholds: how many thresholds to try, at least 2.
        curve: `"ROC"`, `"PR"` (precision over recall) or `"PRGAIN"` (their gains).
        summation_method: `"interpolation"`, or `"minoring"` and `"majoring"` for the lower and
            the upper sum.
        name, dtype: see `Metric`.
        thresholds: thresholds in [0, 1] to try in place of `num_thresholds` even ones.
        multi_label: whether to take the mean of the areas of the labels, the last axis.
        num_labels: how many labels there are, if it is to be known before the first batch.
        label_weights: weights of the labels.
        from_logits: whether predictions are logits rather than probabilities.

    Source: Davis and Goadrich, The relationship between precision-recall and ROC curves, 2006.

    Example:
        >>> metric = pydl.metrics.AUC(num_thresholds=3)
        >>> float(metric([0, 0, 1, 1], [0, 0.5, 0.3, 0.9]))
        0.75
    """

    def __init__(
        self,
        num_thresholds: int = 200,
        curve: str = "ROC",
        summation_method: str = "interpolation",
        name: str | None = None,
        dtype: str | None = None,
        thresholds: Sequence[float] | None = None,
        multi_label: bool = False,
        num_labels: int | None = None,
        label_weights: Sequence[float] | None = None,
        from_logits: bool = False,
    ) -> None:
        if curve.upper() not in _CURVES:
            raise ValueError(f"[AUC] expected a curve among {_CURVES}, got {curve!r}")
        if summation_method.lower() not in _SUMMATIONS:
            raise ValueError(
                f"[AUC] expected summation_method among {_SUMMATIONS}, got {summation_method!r}"
            )
        if thresholds is None and num_thresholds <= 1:
            raise ValueError(f"[AUC] expected num_thresholds above 1, got {num_thresholds}")
        if num_labels and not multi_label:
            raise ValueError("[AUC] expected num_labels only with multi_label=True")
        tried = even_thresholds("AUC", num_thresholds, EPSILON)
        if thresholds is not None:
            tried = [-EPSILON, *sorted(thresholds), 1.0 + EPSILON]
        super().__init__(tried, COUNTS, name, dtype)
        self.num_thresholds = len(tried)
        self.curve = curve.upper()
        self.summation_method = summation_method.lower()
        self.multi_label = multi_label
        self.num_labels = num_labels
        self.label_weights = None if label_weights is None else list(label_weights)
        self.from_logits = from_logits
        self._init_thresholds = thresholds
        self._built = not multi_label or bool(num_labels)
        if self._built:
            self._build(*([num_labels] if multi_label else []))

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Takes a batch in.

        Args:
            y_true: labels 0 or 1, shape `(batch, ...)`; `(batch, labels)` with `multi_label`.
            y_pred: probabilities or logits, same shape.
            sample_weight: weights that broadcast to `y_pred` from the left.
        """
        labels, scores, weights = self._prepared(y_true, y_pred, sample_weight)
        if self.from_logits:
            scores = ops.sigmoid(scores)
        if not self.multi_label:
            if self.label_weights is not None:
                weights = weights * as_tensor(self.label_weights, weights.dtype)
            self._count(labels, scores, weights)
            return
        if scores.ndim != 2:
            raise ShapeError(f"[AUC] expected predictions (batch, labels), got {scores.shape}")
        if not self._built:
            self._build(scores.shape[1])
            self._built = True
        self._count(labels, scores, weights, labels=scores.shape[1])

    def result(self) -> Tensor:
        """The area, a 0-d tensor."""
        if not self._built:
            return as_tensor(0.0, self.dtype)
        tp, fp, tn, fn = (getattr(self, name).numpy() for name in COUNTS)
        if self.curve == "PR" and self.summation_method == "interpolation":
            strips = _interpolated_pr(tp, fp, fn)
        else:
            x, y = self._points(tp, fp, tn, fn)
            low, high = np.minimum(y[:-1], y[1:]), np.maximum(y[:-1], y[1:])
            of_method = {"minoring": low, "majoring": high, "interpolation": (low + high) / 2}
            strips = (x[:-1] - x[1:]) * of_method[self.summation_method]
        areas = strips.sum(axis=0)
        if self.multi_label:
            areas = np.average(areas, weights=self.label_weights)
        return as_tensor(areas, self.dtype)

    def _points(
        self, tp: np.ndarray, fp: np.ndarray, tn: np.ndarray, fn: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        if self.curve == "ROC":
            return share(fp, tn), share(tp, fn)
        if self.curve == "PR":
            return share(tp, fn), share(tp, fp)
        scale = _ratio(tp + fn, tn + fp)
        recall_gain = np.where(tp == 0, 0.0, 1.0 - scale * _ratio(fn, tp))
        precision_gain = np.where(tp == 0, 1.0, 1.0 - scale * _ratio(fp, tp))
        return np.maximum(recall_gain, 0.0), precision_gain

    def get_config(self) -> dict[str, Any]:
        config = {
            **Metric.get_config(self),
            "num_thresholds": self.num_thresholds,
            "curve": self.curve,
            "summation_method": self.summation_method,
            "multi_label": self.multi_label,
            "num_labels": self.num_labels,
            "label_weights": self.label_weights,
            "from_logits": self.from_logits,
        }
        if self._init_thresholds is not None:
            config["thresholds"] = self.thresholds[1:-1]
        return config


def _interpolated_pr(tp: np.ndarray, fp: np.ndarray, fn: np.ndarray) -> np.ndarray:
    """Strips under the curve; true positives grow linearly between its points."""
    right = tp[:-1] - tp[1:]
    positive = tp + fp
    slope = _ratio(right, np.maximum(positive[:-1] - positive[1:], 0))
    intercept = tp[1:] - slope * positive[1:]
    both = (positive[:-1] > 0) & (positive[1:] > 0)
    ratio = np.where(both, _ratio(positive[:-1], np.maximum(positive[1:], 0)), 1.0)
    strips = slope * (right + intercept * np.log(ratio))
    return _ratio(strips, np.maximum(tp[1:] + fn[1:], 0))
