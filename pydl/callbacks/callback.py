"""Callback: functions that fit, evaluate and predict call as they go."""

from __future__ import annotations

from typing import Any


class Callback:
    """Base class of callbacks; a subclass overrides the moments it cares about.

    `logs` are dicts of floats: the metrics so far, with `val_` in front of those of the validation
    data. Setting `self.model.stop_training = True` ends training after the current batch or epoch.

    Attributes:
        model: the model that is trained.
        params: dict with `epochs`, `steps` (None when not known yet) and `verbose`.
        min_interval: seconds that must lie between two calls at the end of batches; a callback that
            only displays sets it, and spares the work of computing `logs`. 0 means every batch.

    Example:
        >>> class Printer(pydl.callbacks.Callback):
        ...     def on_epoch_end(self, epoch, logs=None):
        ...         print(f"epoch {epoch} done")
    """

    min_interval: float = 0.0

    def __init__(self) -> None:
        self.model: Any = None
        self.params: dict[str, Any] = {}

    def set_params(self, params: dict[str, Any]) -> None:
        """Called before training, with what is known about it."""
        self.params = params

    def set_model(self, model: Any) -> None:
        """Called before training, with the model."""
        self.model = model

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Called before an epoch of training; `epoch` counts from 0."""

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Called after an epoch of training and its validation."""

    def on_train_batch_begin(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Called before a batch of training; `batch` counts from 0 in each epoch."""

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Called after a batch of training, with the metrics of the epoch so far."""

    def on_test_batch_begin(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Called before a batch of evaluation or validation."""

    def on_test_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Called after a batch of evaluation or validation."""

    def on_predict_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Called before a batch of prediction."""

    def on_predict_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Called after a batch of prediction; `logs["outputs"]` holds it."""

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        """Called at the start of training."""

    def on_train_end(self, logs: dict[str, float] | None = None) -> None:
        """Called at the end of training, with the logs of the last epoch."""

    def on_test_begin(self, logs: dict[str, float] | None = None) -> None:
        """Called at the start of evaluation or validation."""

    def on_test_end(self, logs: dict[str, float] | None = None) -> None:
        """Called at the end of evaluation or validation, with its metrics."""

    def on_predict_begin(self, logs: dict[str, float] | None = None) -> None:
        """Called at the start of prediction."""

    def on_predict_end(self, logs: dict[str, float] | None = None) -> None:
        """Called at the end of prediction."""
