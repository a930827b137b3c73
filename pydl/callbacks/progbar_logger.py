"""ProgbarLogger: what fit, evaluate and predict print."""

from __future__ import annotations

import time
from typing import Any

from pydl.callbacks.callback import Callback
from pydl.callbacks.progress_line import (
    ProgressLine,
    format_seconds,
    format_step_time,
    format_value,
    is_interactive,
)


class ProgbarLogger(Callback):
    """A progress bar in a terminal or notebook, one line an epoch elsewhere.

    `fit` adds it unless `verbose=0`; with `verbose=2` it prints one line an epoch everywhere.
    """

    min_interval = 0.1

    def __init__(self) -> None:
        super().__init__()
        self._line: ProgressLine | None = None
        self._training = False
        self._start = 0.0

    def set_params(self, params: dict[str, Any]) -> None:
        super().set_params(params)
        verbose = params.get("verbose", "auto")
        self._bar = is_interactive() and verbose != 2
        self._silent = verbose == 0

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        self._training = True

    def on_train_end(self, logs: dict[str, float] | None = None) -> None:
        self._training = False
        self.interrupt()

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self._title = f"Epoch {epoch + 1}/{self.params.get('epochs')}"
        if self._bar and not self._silent:
            print(self._title)
        self._begin()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self._end(logs, self._title)

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        self._update(batch, logs)

    def on_test_begin(self, logs: dict[str, float] | None = None) -> None:
        if not self._training:
            self._begin()

    def on_test_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        if not self._training:
            self._update(batch, logs)

    def on_test_end(self, logs: dict[str, float] | None = None) -> None:
        if not self._training:
            self._end(logs, "Evaluation")

    def on_predict_begin(self, logs: dict[str, float] | None = None) -> None:
        self._begin()

    def on_predict_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self._update(batch, None)

    def on_predict_end(self, logs: dict[str, float] | None = None) -> None:
        if self._bar:
            self._end(None, "Prediction")

    def interrupt(self) -> None:
        """Ends the line, if one is being drawn."""
        if self._line is not None:
            self._line.interrupt()
            self._line = None

    def _begin(self) -> None:
        self._start = time.perf_counter()
        draws = self._bar and not self._silent
        self._line = ProgressLine(self.params.get("steps")) if draws else None

    def _update(self, batch: int, logs: dict[str, float] | None) -> None:
        if self._line is not None:
            self._line.draw(batch + 1, logs or {})

    def _end(self, logs: dict[str, float] | None, title: str) -> None:
        if self._silent:
            return
        steps = self.params.get("steps") or 1
        if self._line is not None:
            self._line.draw(steps, logs or {}, done=True)
            self._line = None
            return
        elapsed = time.perf_counter() - self._start
        parts = [title, format_seconds(elapsed), format_step_time(elapsed, steps)]
        parts += [f"{name}: {format_value(value)}" for name, value in (logs or {}).items()]
        print(" - ".join(parts), flush=True)
