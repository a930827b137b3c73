"""LearningRateScheduler: a learning rate for every epoch."""

from __future__ import annotations

import inspect
import numbers
from collections.abc import Callable

from pydl.callbacks.callback import Callback
from pydl.callbacks.rates import learning_rates, optimizers_by_name


class LearningRateScheduler(Callback):
    """Sets the learning rate at the start of every epoch.

    Args:
        schedule: function `(epoch, learning_rate)` or `(epoch)` that returns the new rate.
        verbose: 1 prints it.

    Example:
        >>> callback = pydl.callbacks.LearningRateScheduler(lambda epoch, rate: rate * 0.9)
    """

    def __init__(self, schedule: Callable[..., float], verbose: int = 0) -> None:
        super().__init__()
        self.schedule = schedule
        self.verbose = verbose
        self._argument_count = len(inspect.signature(schedule).parameters)

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        for name, optimizer in optimizers_by_name(self.model.optimizer).items():
            arguments = (epoch, float(optimizer.learning_rate))[: self._argument_count]
            rate = self.schedule(*arguments)
            if not isinstance(rate, numbers.Real):
                raise ValueError(
                    "[LearningRateScheduler] expected the schedule to return a number, "
                    f"got {rate!r}"
                )
            optimizer.learning_rate = float(rate)
            if self.verbose > 0:
                print(f"Epoch {epoch + 1}: {name.replace('_', ' ')} {float(rate):.6g}")

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        if logs is not None:
            logs.update(learning_rates(self.model.optimizer))
