"""MonitorCallback: what callbacks share that watch one metric get better."""

from __future__ import annotations

import math
import warnings

from pydl.callbacks.callback import Callback

_LARGER_IS_BETTER = (
    "acc", "auc", "precision", "recall", "f1", "fbeta", "iou", "io_u", "r2", "sensitivity",
    "specificity", "correlation", "cosine_similarity",
)  # fmt: skip


class MonitorCallback(Callback):
    """Base class of callbacks that watch one metric.

    Args:
        monitor: name of the metric, such as `"val_loss"`.
        mode: `"min"` or `"max"` for metrics that get better as they fall or rise; `"auto"` goes by
            the name.
        min_delta: smallest change that counts as better.
    """

    def __init__(self, monitor: str, mode: str = "auto", min_delta: float = 0.0) -> None:
        super().__init__()
        if mode not in ("auto", "min", "max"):
            raise ValueError(
                f"[{type(self).__name__}] expected mode auto, min or max, got {mode!r}"
            )
        self.monitor = monitor
        self.mode = mode
        self.min_delta = abs(min_delta)
        rises = any(part in monitor.lower() for part in _LARGER_IS_BETTER)
        self._maximize = mode == "max" or (mode == "auto" and rises)

    def is_better(self, value: float, reference: float | None) -> bool:
        """Whether `value` beats `reference` by more than `min_delta`; everything beats None."""
        if reference is None:
            return not math.isnan(value)
        if self._maximize:
            return value - self.min_delta > reference
        return value + self.min_delta < reference

    def monitored(self, logs: dict[str, float] | None) -> float | None:
        """The watched metric, or None with a warning when `logs` lack it."""
        value = (logs or {}).get(self.monitor)
        if value is None:
            warnings.warn(
                f"[{type(self).__name__}] expected the metric {self.monitor!r} in the logs, "
                f"got {', '.join(logs or {})}. Check monitor= and validation_data=",
                stacklevel=3,
            )
        return value
