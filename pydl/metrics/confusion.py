"""Counting of true and false positives and negatives at thresholds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pydl import ops
from pydl._convert import as_tensor
from pydl._core import Tensor
from pydl.losses.loss import weights_like
from pydl.losses.regression import aligned
from pydl.metrics.mean import STATE_DTYPE
from pydl.metrics.metric import Metric, detached

COUNTS = ("true_positives", "false_positives", "true_negatives", "false_negatives")
_NOT_IN_TOP_K = -1e10


class ConfusionMetric(Metric):
    """Base of metrics made of counts at thresholds, which are attributes under their names.

    Args:
        thresholds: predictions above one count as positive there.
        counts: the counts that the metric keeps, of `COUNTS`.
        name, dtype: see `Metric`.
        top_k: only the `top_k` largest predictions of a sample can be positive.
        class_id: the only class that counts; by default all do.
    """

    def __init__(
        self,
        thresholds: Sequence[float],
        counts: Sequence[str] = COUNTS,
        name: str | None = None,
        dtype: str | None = None,
        top_k: int | None = None,
        class_id: int | None = None,
    ) -> None:
        super().__init__(dtype, name)
        self.thresholds = [float(t) for t in thresholds]
        self.top_k = top_k
        self.class_id = class_id
        self._kept = tuple(counts)
        self._evenly = _are_even(self.thresholds)

    def _build(self, *labels: int) -> None:
        for name in self._kept:
            shape = (len(self.thresholds), *labels)
            setattr(self, name, self.add_variable(shape, dtype=STATE_DTYPE, name=name))

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Takes a batch in.

        Args:
            y_true: labels 0 or 1, shape `(batch, ...)`.
            y_pred: probabilities, same shape.
            sample_weight: weights that broadcast to `y_pred` from the left.
        """
        self._count(*self._prepared(y_true, y_pred, sample_weight))

    def _prepared(self, y_true: Any, y_pred: Any, weights: Any) -> tuple[Tensor, Tensor, Tensor]:
        """Labels, predictions and weights of one shape, of the chosen class and top k."""
        y_pred = as_tensor(detached(y_pred))
        y_pred = y_pred if "float" in y_pred.dtype else y_pred.astype("float32")
        y_true, y_pred = aligned(self.name, y_true, y_pred)
        if self.top_k is not None:
            chosen = ops.one_hot(ops.top_k(y_pred, self.top_k)[1], y_pred.shape[-1])
            y_pred = ops.where(ops.sum(chosen, axis=-2) > 0, y_pred, _NOT_IN_TOP_K)
        ones = ops.ones(y_pred.shape, STATE_DTYPE)
        weights = ones if weights is None else ones * weights_like(weights, ones)
        if self.class_id is None:
            return y_true, y_pred, weights
        if y_pred.ndim < 2:
            raise ValueError(
                f"[{self.name}] expected predictions (batch, classes) with class_id, "
                f"got {y_pred.shape}"
            )
        only = slice(self.class_id, self.class_id + 1)
        return y_true[..., only], y_pred[..., only], weights[..., only]

    def _count(self, y_true: Tensor, y_pred: Tensor, weights: Tensor, labels: int = 1) -> None:
        """Adds the weights of all elements to the counts, apart for the last axis if `labels`."""
        above = self._thresholds_below(y_pred.reshape((-1,)))
        place = ops.arange(above.shape[0], dtype="int64") % labels
        slots = above * labels + place  # slot 0: above no threshold
        positive = (y_true != 0).astype(STATE_DTYPE).reshape((-1,))
        weights = weights.reshape((-1,))
        size = len(self.thresholds)
        counts = {}
        for truth, of_truth in (("true", positive * weights), ("false", (1 - positive) * weights)):
            empty = ops.zeros(((size + 1) * labels,), STATE_DTYPE)
            by_slot = ops.scatter_add(empty, slots, of_truth, axis=0).reshape((size + 1, labels))
            from_top = ops.flip(ops.cumsum(ops.flip(by_slot, 0), axis=0), 0)
            counts[f"{truth}_positives"] = self._in_given_order(from_top[1:])
            negative = "false" if truth == "true" else "true"
            below = from_top[0] - from_top[1:]
            counts[f"{negative}_negatives"] = self._in_given_order(below)
        for name in self._kept:
            state = getattr(self, name)
            state.assign_add(counts[name].reshape(state.shape))

    def _thresholds_below(self, y_pred: Tensor) -> Tensor:
        """How many thresholds each prediction is above, int64."""
        count = len(self.thresholds)
        if self._evenly:
            # In place of comparisons with all: the thresholds are i / (count - 1).
            steps = ops.ceil(ops.clip(y_pred, 0.0, 1.0) * (count - 1.0)).astype("int64")
            return ops.maximum(steps, 1) if self.thresholds[0] < 0 else steps
        limits = as_tensor(np.array(self.thresholds), y_pred.dtype)
        return ops.sum((ops.expand_dims(y_pred, 1) > limits).astype("int64"), axis=1)

    def _in_given_order(self, counts: Tensor) -> Tensor:
        """Counts at rising thresholds, as the user ordered them."""
        order = np.argsort(np.argsort(self.thresholds, kind="stable"), kind="stable")
        return counts if (order == np.arange(len(order))).all() else counts[order]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "class_id": self.class_id}


def _are_even(thresholds: list[float]) -> bool:
    count = len(thresholds)
    return count >= 3 and np.allclose(thresholds, np.arange(count) / (count - 1), atol=1e-7)


def even_thresholds(name: str, count: int, margin: float = 0.0) -> list[float]:
    """`count` thresholds from `-margin` to `1 + margin`."""
    if count <= 0:
        raise ValueError(f"[{name}] expected num_thresholds above 0, got {count}")
    if count == 1:
        return [0.5]
    inner = [i / (count - 1) for i in range(1, count - 1)]
    return [-margin, *inner, 1.0 + margin]


def as_thresholds(name: str, given: Any, default: float) -> list[float]:
    """One threshold or several, as a list.

    Raises:
        ValueError: one is outside [0, 1].
    """
    if given is None:
        return [default]
    thresholds = list(given) if isinstance(given, (list, tuple)) else [given]
    if any(t is None or not 0 <= t <= 1 for t in thresholds):
        raise ValueError(f"[{name}] expected thresholds in [0, 1], got {given}")
    return thresholds


def share(part: np.ndarray, rest: np.ndarray) -> np.ndarray:
    """`part / (part + rest)`, 0 where both are 0."""
    total = part + rest
    return np.divide(part, total, out=np.zeros_like(part), where=total != 0)
