"""ModelCheckpoint: saves the model, or its weights, as training goes on."""

from __future__ import annotations

import os

from pydl.callbacks.monitor import MonitorCallback


class ModelCheckpoint(MonitorCallback):
    """Saves the model after epochs or batches.

    Args:
        filepath: where to; may hold `{epoch}` (from 1), `{batch}` and names of metrics, such as
            `"model-{epoch:02d}-{val_loss:.3f}.keras"`.
        monitor: metric to watch for `save_best_only`.
        verbose: 1 says what was saved.
        save_best_only: whether to save only when the metric is the best so far.
        save_weights_only: whether to save only weights (`model.save_weights`).
        mode: `"min"`, `"max"` or `"auto"`.
        save_freq: `"epoch"`, or a number of batches.
        initial_value_threshold: value that the first model saved must beat.

    Example:
        >>> checkpoint = pydl.callbacks.ModelCheckpoint("best.keras", save_best_only=True)
    """

    def __init__(
        self,
        filepath: str | os.PathLike,
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        save_freq: str | int = "epoch",
        initial_value_threshold: float | None = None,
    ) -> None:
        super().__init__(monitor, mode)
        if save_freq != "epoch" and not (isinstance(save_freq, int) and save_freq > 0):
            raise ValueError(
                f"[ModelCheckpoint] expected save_freq 'epoch' or a number of batches, "
                f"got {save_freq!r}"
            )
        self.filepath = os.fspath(filepath)
        self.verbose = verbose
        self.save_best_only = save_best_only
        self.save_weights_only = save_weights_only
        self.save_freq = save_freq
        self.best = initial_value_threshold
        self._epoch = 0
        self._batches = 0
        if save_freq != "epoch":
            self.on_train_batch_end = self._after_batch

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self._epoch = epoch

    def _after_batch(self, batch: int, logs: dict[str, float] | None = None) -> None:
        self._batches += 1
        if self._batches % self.save_freq == 0:
            self._save(logs, batch=batch + 1)

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        if self.save_freq == "epoch":
            self._save(logs)

    def _save(self, logs: dict[str, float] | None, **fields: int) -> None:
        if self.save_best_only:
            current = self.monitored(logs)
            if current is None or not self.is_better(current, self.best):
                return
            self.best = current
        path = self._path(logs, **fields)
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        if self.save_weights_only:
            self.model.save_weights(path)
        else:
            self.model.save(path)
        if self.verbose > 0:
            print(f"Epoch {self._epoch + 1}: saved {path}")

    def _path(self, logs: dict[str, float] | None, **fields: int) -> str:
        try:
            return self.filepath.format(**{**(logs or {}), "epoch": self._epoch + 1, **fields})
        except KeyError as error:
            raise KeyError(
                f"[ModelCheckpoint] expected fields of {self.filepath!r} among epoch, batch, "
                f"{', '.join(logs or {})}, got {error}"
            ) from None
