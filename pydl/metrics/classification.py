"""Counts of right and wrong decisions, precision and recall."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydl._convert import as_tensor
from pydl._core import Tensor
from pydl.metrics.confusion import ConfusionMetric, as_thresholds, share
from pydl.metrics.metric import Metric
from pydl.naming import to_snake_case

__all__ = [
    "FalseNegatives",
    "FalsePositives",
    "Precision",
    "Recall",
    "TrueNegatives",
    "TruePositives",
]

Thresholds = float | Sequence[float] | None


class ConfusionCount(ConfusionMetric):
    """Base of the counts of one kind of decision, which the name of the subclass says.

    Args:
        thresholds: predictions above one count as positive; several give a result for each.
        name, dtype: see `Metric`.
    """

    def __init__(
        self, thresholds: Thresholds = None, name: str | None = None, dtype: str | None = None
    ) -> None:
        kind = to_snake_case(type(self).__name__)
        super().__init__(as_thresholds(kind, thresholds, 0.5), [kind], name, dtype)
        self.init_thresholds = thresholds
        self._build()

    def result(self) -> Tensor:
        """The weighted count, a 0-d tensor, or one for each of several thresholds."""
        counts = getattr(self, self._kept[0]).numpy()
        return as_tensor(counts[0] if len(counts) == 1 else counts, self.dtype)

    def get_config(self) -> dict[str, Any]:
        return {**Metric.get_config(self), "thresholds": self.init_thresholds}


class TruePositives(ConfusionCount):
    """How many labels of 1 are predicted as such. Arguments: see `FalseNegatives`.

    Example:
        >>> float(pydl.metrics.TruePositives()([0, 1, 1, 1], [1, 0, 1, 1]))
        2.0
    """


class FalsePositives(ConfusionCount):
    """How many labels of 0 are predicted as 1. Arguments: see `FalseNegatives`.

    Example:
        >>> float(pydl.metrics.FalsePositives()([0, 1, 0, 0], [0, 0, 1, 1]))
        2.0
    """


class TrueNegatives(ConfusionCount):
    """How many labels of 0 are predicted as such. Arguments: see `FalseNegatives`.

    Example:
        >>> float(pydl.metrics.TrueNegatives()([0, 1, 0, 0], [1, 1, 0, 0]))
        2.0
    """


class FalseNegatives(ConfusionCount):
    """How many labels of 1 are predicted as 0.

    Args:
        thresholds: predictions above one count as 1, by default 0.5; several give a result each.
        name, dtype: see `Metric`.

    Example:
        >>> float(pydl.metrics.FalseNegatives()([0, 1, 1, 1], [0, 1, 0, 0]))
        2.0
    """


class _Share(ConfusionMetric):
    """True positives as a share of themselves and another count, `_other`."""

    _other: str

    def __init__(
        self,
        thresholds: Thresholds = None,
        top_k: int | None = None,
        class_id: int | None = None,
        name: str | None = None,
        dtype: str | None = None,
    ) -> None:
        default = 0.5 if top_k is None else -1e10  # with top_k, all k are positive
        values = as_thresholds(to_snake_case(type(self).__name__), thresholds, default)
        counts = ["true_positives", self._other]
        super().__init__(values, counts, name, dtype, top_k, class_id)
        self.init_thresholds = thresholds
        self._build()

    def result(self) -> Tensor:
        """The share, a 0-d tensor, or one for each of several thresholds."""
        shares = share(self.true_positives.numpy(), getattr(self, self._other).numpy())
        return as_tensor(shares[0] if len(shares) == 1 else shares, self.dtype)

    def get_config(self) -> dict[str, Any]:
        own = {"thresholds": self.init_thresholds, "top_k": self.top_k}
        return {**super().get_config(), **own}


class Precision(_Share):
    """Share of the predicted positives that are right.

    Args:
        thresholds: predictions above one count as 1, by default 0.5; several give a result each.
        top_k: only the `top_k` largest predictions of a sample can be positive.
        class_id: the only class that counts; by default all do.
        name, dtype: see `Metric`.

    Example:
        >>> round(float(pydl.metrics.Precision()([0, 1, 1, 1], [1, 0, 1, 1])), 4)
        0.6667
    """

    _other = "false_positives"


class Recall(_Share):
    """Share of the labels of 1 that are found.

    Args:
        thresholds, top_k, class_id, name, dtype: see `Precision`.

    Example:
        >>> round(float(pydl.metrics.Recall()([0, 1, 1, 1], [1, 0, 1, 1])), 4)
        0.6667
    """

    _other = "false_negatives"
