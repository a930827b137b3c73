"""Callbacks: what happens beside training, such as progress bars, early stopping and saving."""

from __future__ import annotations

from pydl.callbacks.backup_and_restore import BackupAndRestore
from pydl.callbacks.callback import Callback
from pydl.callbacks.callback_list import CallbackList
from pydl.callbacks.csv_logger import CSVLogger
from pydl.callbacks.early_stopping import EarlyStopping
from pydl.callbacks.history import History
from pydl.callbacks.lambda_callback import LambdaCallback
from pydl.callbacks.learning_rate_scheduler import LearningRateScheduler
from pydl.callbacks.live_table import LiveTable
from pydl.callbacks.mlflow import MLflowLogger
from pydl.callbacks.model_checkpoint import ModelCheckpoint
from pydl.callbacks.optuna_pruning import OptunaPruning
from pydl.callbacks.progbar_logger import ProgbarLogger
from pydl.callbacks.reduce_lr_on_plateau import ReduceLROnPlateau
from pydl.callbacks.remote_monitor import RemoteMonitor
from pydl.callbacks.swap_ema_weights import SwapEMAWeights
from pydl.callbacks.tensorboard import TensorBoard
from pydl.callbacks.terminate_on_nan import TerminateOnNaN

__all__ = [
    "BackupAndRestore",
    "CSVLogger",
    "Callback",
    "CallbackList",
    "EarlyStopping",
    "History",
    "LambdaCallback",
    "LearningRateScheduler",
    "LiveTable",
    "MLflowLogger",
    "ModelCheckpoint",
    "OptunaPruning",
    "ProgbarLogger",
    "ReduceLROnPlateau",
    "RemoteMonitor",
    "SwapEMAWeights",
    "TensorBoard",
    "TerminateOnNaN",
]
