"""MLflowLogger: a run of MLflow for each training."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from pydl.callbacks.callback import Callback
from pydl.callbacks.optional import need


class MLflowLogger(Callback):
    """Logs a training to MLflow: the optimizer's settings, every epoch's metrics, the model.

    It writes to the active run, or to one of its own that ends with the training.

    Args:
        log_model: whether to keep the trained model, as the artifact `model/model.pydl`.
        log_every_n_epochs: epochs between metrics.
        run_name: name of a run of its own.

    Raises:
        ImportError: mlflow is not installed (when training begins).

    Example:
        >>> logger = pydl.callbacks.MLflowLogger(run_name="first")
    """

    def __init__(
        self, log_model: bool = True, log_every_n_epochs: int = 1, run_name: str | None = None
    ) -> None:
        super().__init__()
        self.log_model = log_model
        self.log_every_n_epochs = log_every_n_epochs
        self.run_name = run_name
        self._mlflow: Any = None
        self._owns_run = False

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        self._mlflow = need("mlflow", "mlflow", "MLflowLogger")
        self._owns_run = self._mlflow.active_run() is None
        if self._owns_run:
            self._mlflow.start_run(run_name=self.run_name)
        optimizer = self.model.optimizer
        settings = {"model": self.model.name, "epochs": self.params.get("epochs")}
        if optimizer is not None:
            settings["optimizer"] = type(optimizer).__name__
            settings |= {f"optimizer_{k}": v for k, v in optimizer.get_config().items()}
        self._mlflow.log_params({k: v for k, v in settings.items() if v is not None})

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        if epoch % self.log_every_n_epochs == 0:
            self._mlflow.log_metrics({k: float(v) for k, v in (logs or {}).items()}, step=epoch)

    def on_train_end(self, logs: dict[str, float] | None = None) -> None:
        if self.log_model and self.model.built:
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "model.pydl"
                self.model.save(path)
                self._mlflow.log_artifact(str(path), "model")
        if self._owns_run:
            self._mlflow.end_run()
