"""History: the metrics of every epoch."""

from __future__ import annotations

from typing import Any

from pydl.callbacks.callback import Callback
from pydl.callbacks.optional import need


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

    def plot(self, metrics: list[str] | None = None, path: str | None = None) -> Any:
        """Draws each metric over the epochs, with its validation in the same picture.

        Args:
            metrics: which to draw, without `val_`; all by default.
            path: where to save the picture, such as `"training.png"`; None for nowhere.

        Returns:
            The `matplotlib.figure.Figure`.

        Raises:
            ImportError: matplotlib is not installed.
            ValueError: a metric that was not recorded, or no epoch at all.

        Example:
            >>> model = pydl.Sequential([pydl.layers.Dense(1)])
            >>> model.compile("sgd", "mse")
            >>> history = model.fit(np.ones((8, 2)), np.ones((8, 1)), epochs=3, verbose=0)
            >>> figure = history.plot()  # doctest: +SKIP
        """
        figures = need("matplotlib.figure", "matplotlib", "History.plot")
        names = list(dict.fromkeys(name.removeprefix("val_") for name in self.history))
        chosen = names if metrics is None else list(metrics)
        if not chosen or set(chosen) - set(names):
            raise ValueError(
                f"[History.plot] expected metrics among {', '.join(names) or 'none recorded yet'}, "
                f"got {metrics}"
            )
        figure = figures.Figure(figsize=(5 * len(chosen), 4), layout="constrained")
        for axes, name in zip(figure.subplots(1, len(chosen), squeeze=False)[0], chosen):
            for key, label in ((name, "training"), (f"val_{name}", "validation")):
                values = self.history.get(key)
                if values:  # validation may have come in some epochs only: the last of each span
                    every = len(self.epoch) // len(values)
                    epochs = [epoch + 1 for epoch in self.epoch[every - 1 :: every]]
                    axes.plot(epochs[: len(values)], values, marker=".", label=label)
            axes.set(xlabel="epoch", ylabel=name)
            axes.grid(alpha=0.3)
            axes.legend()
        if path is not None:
            figure.savefig(path, dpi=150)
        return figure
