"""RepeatableSteps: the part of an optimizer that says how its steps are repeated without Python."""

from __future__ import annotations

import numbers

from pydl._core import DeviceError
from pydl.variable import Variable


class RepeatableSteps:
    """What CUDA graphs and recordings on the CPU need to know of an optimizer."""

    _captures = False  # whether its steps can be repeated: by a CUDA graph, or from a recording
    _iterations: Variable
    _rate: Variable

    def _check_capture(self) -> None:
        """Refuses steps that a CUDA graph cannot repeat: those that depend on the count or on values."""
        why = None
        if not self._captures:
            why = "its steps need numbers that are computed on the CPU"
        elif self.use_ema and self.ema_overwrite_frequency:
            why = "it overwrites variables with their averages"
        if why:
            raise DeviceError(
                f"[capture] expected an optimizer whose steps are all alike, got {self.name}: {why}"
            )

    def can_be_recorded(self) -> bool:
        """Whether a step recorded on the CPU can be repeated with another number and rate."""
        limits = (self.clipnorm, self.global_clipnorm, self.gradient_accumulation_steps)
        own = vars(type(self)).get("_captures", False)  # what a subclass changes is not known
        return own and not self.use_ema and all(limit is None for limit in limits)

    @property
    def settings(self) -> tuple[float, ...]:
        """The numbers that it was made with, as they are now: a recorded step repeats them."""
        return tuple(value for value in vars(self).values() if isinstance(value, numbers.Real))

    @property
    def number_variables(self) -> list[Variable]:
        """What `number` reads."""
        return [self._iterations, self._rate]

    def number(self) -> tuple[int, float]:
        """The number of the step to come, from 1, and its learning rate."""
        return self._next_step(), self._current_learning_rate()

    def phase(self) -> int:
        """Which of the calls that make up a step comes next, from 0: their work differs."""
        return self._iterations.item() % (self.gradient_accumulation_steps or 1)

    def take_number(self) -> tuple[int, float]:
        """The same, and counts the step, which a CUDA graph is about to do."""
        number = self.number()
        self._iterations.assign_add(1)
        return number
