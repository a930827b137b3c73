"""TerminateOnNaN: ends training when the loss is no longer a number."""

from __future__ import annotations

import math

from pydl.callbacks.callback import Callback


class TerminateOnNaN(Callback):
    """Ends training after the first batch whose loss is NaN or infinite.

    Args:
        raise_error: whether to raise a RuntimeError instead.

    Example:
        >>> callback = pydl.callbacks.TerminateOnNaN()
    """

    def __init__(self, raise_error: bool = False) -> None:
        super().__init__()
        self.raise_error = raise_error

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        loss = (logs or {}).get("loss")
        if loss is None or math.isfinite(loss):
            return
        message = f"[TerminateOnNaN] expected a finite loss, got {loss} at batch {batch}"
        if self.raise_error:
            raise RuntimeError(f"{message}. Check the data, or lower the learning rate")
        print(f"{message}: ending training")
        self.model.stop_training = True
