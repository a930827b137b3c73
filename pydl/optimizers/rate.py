"""LearningRate: the part of an optimizer that knows the learning rate of the next step."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from pydl._core import Tensor
from pydl.optimizers.schedules import LearningRateSchedule
from pydl.saving import deserialize_keras_object
from pydl.variable import Variable


class LearningRate:
    """A number in a variable, or a function of the step.

    Attributes:
        learning_rate: what the user sets and reads.
    """

    _rate: Variable
    _schedule: LearningRateSchedule | Callable[..., float] | None = None
    _iterations: Variable

    @property
    def learning_rate(self) -> Any:
        """The learning rate of the next step: a 0-d Variable, or a float where a schedule sets it.

        Setting it takes a number or a schedule.
        """
        return self._rate if self._schedule is None else self._current_learning_rate()

    @learning_rate.setter
    def learning_rate(self, value: float | LearningRateSchedule | Callable[..., float]) -> None:
        if isinstance(value, dict):
            value = deserialize_keras_object(value)
        if callable(value) and not isinstance(value, Tensor):
            self._schedule = value
            self._schedule_takes_step = _takes_step(value)
            return
        if not np.isfinite(float(value)):
            raise ValueError(
                f"[{type(self).__name__}] expected a finite learning rate, got {value}"
            )
        self._schedule = None
        self._rate.assign(float(value))

    def _current_learning_rate(self) -> float:
        if self._schedule is None:
            return self._rate.item()
        if self._schedule_takes_step:
            return float(self._schedule(self._iterations.item()))
        return float(self._schedule())


def _takes_step(schedule: Callable[..., float]) -> bool:
    """Whether `schedule` wants the step number (a plain function may take nothing)."""
    if isinstance(schedule, LearningRateSchedule):
        return True
    return bool(inspect.signature(schedule).parameters)
