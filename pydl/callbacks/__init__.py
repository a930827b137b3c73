"""Callbacks: what happens beside training, such as progress bars, early stopping and saving."""

from __future__ import annotations

from pydl.callbacks.callback import Callback
from pydl.callbacks.callback_list import CallbackList
from pydl.callbacks.csv_logger import CSVLogger
from pydl.callbacks.early_stopping import EarlyStopping
from pydl.callbacks.history import History
from pydl.callbacks.lambda_callback import LambdaCallback
from pydl.callbacks.learning_rate_scheduler import LearningRateScheduler
from pydl.callbacks.model_checkpoint import ModelCheckpoint
from pydl.callbacks.progbar_logger import ProgbarLogger
from pydl.callbacks.reduce_lr_on_plateau import ReduceLROnPlateau
from pydl.callbacks.terminate_on_nan import TerminateOnNaN

__all__ = [
    "CSVLogger",
    "Callback",
    "CallbackList",
    "EarlyStopping",
    "History",
    "LambdaCallback",
    "LearningRateScheduler",
    "ModelCheckpoint",
    "ProgbarLogger",
    "ReduceLROnPlateau",
    "TerminateOnNaN",
]
