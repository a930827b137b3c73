"""Optimizers, which change variables by their gradients, and schedules of learning rates."""

from __future__ import annotations

from pydl.optimizers import schedules
from pydl.optimizers.adadelta import Adadelta
from pydl.optimizers.adafactor import Adafactor
from pydl.optimizers.adagrad import Adagrad
from pydl.optimizers.adam import Adam, AdamW
from pydl.optimizers.adamax import Adamax
from pydl.optimizers.ftrl import Ftrl
from pydl.optimizers.lamb import Lamb
from pydl.optimizers.lion import Lion
from pydl.optimizers.loss_scale_optimizer import LossScaleOptimizer
from pydl.optimizers.multi_optimizer import MultiOptimizer, OptimizerMap
from pydl.optimizers.muon import Muon
from pydl.optimizers.nadam import Nadam
from pydl.optimizers.optimizer import Optimizer
from pydl.optimizers.rmsprop import RMSprop
from pydl.optimizers.schedule_free_adamw import ScheduleFreeAdamW
from pydl.optimizers.schedules import (
    CosineDecay,
    CosineDecayRestarts,
    ExponentialDecay,
    InverseTimeDecay,
    LearningRateSchedule,
    PiecewiseConstantDecay,
    PolynomialDecay,
)
from pydl.optimizers.sgd import SGD
from pydl.saving.lookup import Lookup

_SCHEDULES = (
    CosineDecay, CosineDecayRestarts, ExponentialDecay, InverseTimeDecay, LearningRateSchedule,
    PiecewiseConstantDecay, PolynomialDecay,
)  # fmt: skip
_CLASSES = (
    Adadelta, Adafactor, Adagrad, Adam, AdamW, Adamax, Ftrl, Lamb, Lion, LossScaleOptimizer,
    MultiOptimizer, Muon, Nadam, RMSprop, SGD, ScheduleFreeAdamW,
)  # fmt: skip
__all__ = [cls.__name__ for cls in (*_CLASSES, *_SCHEDULES, Optimizer, OptimizerMap)]
__all__ += ["deserialize", "get", "schedules", "serialize"]

_lookup = Lookup(
    "optimizers",
    {cls.__name__: cls for cls in _CLASSES} | {cls.__name__.lower(): cls for cls in _CLASSES},
    Optimizer,
)
get, serialize, deserialize = _lookup.get, _lookup.serialize, _lookup.deserialize
