"""OptunaPruning: ends trials of Optuna that do not look promising."""

from __future__ import annotations

from typing import Any

from pydl.callbacks.monitor import MonitorCallback
from pydl.callbacks.optional import need


class OptunaPruning(MonitorCallback):
    """Reports a metric to a trial of Optuna after every epoch, and ends the trial if it says so.

    Args:
        trial: the `optuna.Trial` that the objective got.
        monitor: name of the metric, such as `"val_loss"`.

    Raises:
        optuna.TrialPruned: the trial shall end; Optuna expects the objective to let it through.
        ImportError: optuna is not installed (when a trial is pruned).

    Example:
        >>> def objective(trial):
        ...     model = pydl.Sequential([pydl.layers.Dense(1)])
        ...     model.compile(pydl.optimizers.SGD(trial.suggest_float("rate", 1e-4, 1.0)), "mse")
        ...     pruning = pydl.callbacks.OptunaPruning(trial, "loss")
        ...     data = np.ones((8, 2)), np.ones((8, 1))
        ...     return model.fit(*data, callbacks=pruning, verbose=0).history["loss"][-1]
    """

    def __init__(self, trial: Any, monitor: str = "val_loss") -> None:
        super().__init__(monitor)
        self.trial = trial

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        value = self.monitored(logs)
        if value is None:
            return
        self.trial.report(float(value), step=epoch)
        if self.trial.should_prune():
            optuna = need("optuna", "optuna", "OptunaPruning")
            raise optuna.TrialPruned(f"pruned after epoch {epoch + 1} at {self.monitor}={value}")
