"""History: the metrics of every epoch."""

from __future__ import annotations

from pydl.callbacks.callback import Callback


class History(Callback):
    """What `fit` returns: `history` maps each metric to a list with one value an epoch.

    Attributes:
        epoch: numbers of the epochs.
        history: lists of floats by name, such as `loss` and `val_loss`.
    """

    def __init__(self) -> None:
        super().__init__()
        self.epoch: list[int] = []
        self.history: dict[str, list[float]] = {}

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        self.epoch = []
        self.history = {}

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)
        self.model.history = self
