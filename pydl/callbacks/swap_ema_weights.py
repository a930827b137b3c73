"""SwapEMAWeights: evaluation with the moving averages of the weights."""

from __future__ import annotations

from typing import Any

from pydl.callbacks.callback import Callback


class SwapEMAWeights(Callback):
    """Gives the model its averaged weights for evaluation and prediction, and back for training.

    The optimizer keeps the averages if it was made with `use_ema=True`.

    Args:
        swap_on_epoch: whether to swap at the end of every epoch too, so that callbacks that come
            after this one, such as `ModelCheckpoint`, see the averages; the last epoch then ends
            with them.

    Example:
        >>> model = pydl.Sequential([pydl.Input((2,)), pydl.layers.Dense(1)])
        >>> model.compile(pydl.optimizers.SGD(0.1, use_ema=True), "mse")
        >>> data = np.ones((4, 2)), np.ones((4, 1))
        >>> swap = pydl.callbacks.SwapEMAWeights()
        >>> history = model.fit(*data, validation_data=data, callbacks=swap, verbose=0)
    """

    def __init__(self, swap_on_epoch: bool = False) -> None:
        super().__init__()
        self.swap_on_epoch = swap_on_epoch
        self._swapped = False

    def _optimizers(self) -> list[Any]:
        optimizer = getattr(self.model.optimizer, "inner_optimizer", self.model.optimizer)
        averaging = [o for o in getattr(optimizer, "optimizers", [optimizer]) if o.use_ema]
        if not averaging:
            raise ValueError(
                "[SwapEMAWeights] expected an optimizer with use_ema=True, "
                f"got {optimizer.name} without it"
            )
        return averaging

    def _swap(self, to_averages: bool) -> None:
        averaging = self._optimizers()
        if self.model.optimizer.built and self._swapped is not to_averages:
            for optimizer in averaging:
                optimizer.swap_averages()
            self._swapped = to_averages

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        if self.swap_on_epoch:
            self._swap(False)

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        if self.swap_on_epoch:
            self._swap(True)
            if epoch == self.params["epochs"] - 1:
                for optimizer in self._optimizers():  # the averages stay in the model
                    optimizer.keep_averages()

    def on_test_begin(self, logs: dict[str, float] | None = None) -> None:
        self._swap(True)

    def on_test_end(self, logs: dict[str, float] | None = None) -> None:
        self._swap(False)

    def on_predict_begin(self, logs: dict[str, float] | None = None) -> None:
        self._swap(True)

    def on_predict_end(self, logs: dict[str, float] | None = None) -> None:
        self._swap(False)
