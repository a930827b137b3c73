"""ReduceLROnPlateau: lowers the learning rate when a metric stops getting better."""

from __future__ import annotations

from pydl.callbacks.monitor import MonitorCallback
from pydl.callbacks.rates import learning_rates, optimizers_by_name


class ReduceLROnPlateau(MonitorCallback):
    """Multiplies the learning rate by `factor` after `patience` epochs without improvement.

    Args:
        monitor: name of the metric to watch.
        factor: what to multiply the rate with, below 1.
        patience: epochs without improvement that are put up with.
        verbose: 1 says when the rate changes.
        mode: `"min"`, `"max"` or `"auto"`.
        min_delta: smallest change that counts as better.
        cooldown: epochs after a change that are not watched.
        min_lr: lowest learning rate.

    Example:
        >>> callback = pydl.callbacks.ReduceLROnPlateau(factor=0.2, patience=5, min_lr=0.001)
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 0,
        mode: str = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
    ) -> None:
        super().__init__(monitor, mode, min_delta)
        if factor >= 1.0:
            raise ValueError(f"[ReduceLROnPlateau] expected factor below 1, got {factor}")
        self.factor = factor
        self.patience = patience
        self.verbose = verbose
        self.cooldown = cooldown
        self.min_lr = min_lr
        self.on_train_begin()

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        self.wait = 0
        self.cooldown_counter = 0
        self.best: float | None = None

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        if logs is not None:
            logs.update(learning_rates(self.model.optimizer))
        current = self.monitored(logs)
        if current is None:
            return
        if self.cooldown_counter > 0:
            self.cooldown_counter -= 1
            self.wait = 0
        if self.is_better(current, self.best):
            self.best = current
            self.wait = 0
        elif self.cooldown_counter <= 0:
            self.wait += 1
            if self.wait >= self.patience:
                self._reduce(epoch)

    def _reduce(self, epoch: int) -> None:
        for name, optimizer in optimizers_by_name(self.model.optimizer).items():
            old = float(optimizer.learning_rate)
            if old <= self.min_lr:
                continue
            new = max(old * self.factor, self.min_lr)
            optimizer.learning_rate = new
            if self.verbose > 0:
                print(f"Epoch {epoch + 1}: {name.replace('_', ' ')} {old:.6g} -> {new:.6g}")
            self.cooldown_counter = self.cooldown
            self.wait = 0
