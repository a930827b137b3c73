"""WeightAverage: the part of an optimizer that keeps moving averages of the variables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydl.variable import Variable


class WeightAverage:
    """Exponential moving averages of the variables, as `average = m * average + (1 - m) * v`.

    Attributes:
        use_ema, ema_momentum, ema_overwrite_frequency: see `Optimizer`.
    """

    name: str
    add_optimizer_variables: Any
    _trainable_variables: list[Variable]

    def _set_average(self, use_ema: bool, momentum: float, frequency: int | None) -> None:
        if use_ema and not 0 <= momentum <= 1:
            raise ValueError(f"[{self.name}] expected ema_momentum in [0, 1], got {momentum}")
        if use_ema and frequency is not None and (not isinstance(frequency, int) or frequency < 1):
            raise ValueError(
                f"[{self.name}] expected ema_overwrite_frequency of at least 1 or None, "
                f"got {frequency!r}"
            )
        self.use_ema = use_ema
        self.ema_momentum = momentum
        self.ema_overwrite_frequency = frequency
        self._averages: list[Variable] = []

    def _build_average(self, variables: Sequence[Variable]) -> None:
        if self.use_ema:
            self._averages = self.add_optimizer_variables(variables, "average")

    def _update_average(self, step: int) -> None:
        """Takes the variables after `step`, which counts from 1, into their averages."""
        momentum = self.ema_momentum if step > 1 else 0.0
        for variable, average in zip(self._trainable_variables, self._averages):
            average.assign(momentum * average + (1.0 - momentum) * variable)
        if self.ema_overwrite_frequency and step % self.ema_overwrite_frequency == 0:
            self.finalize_variable_values(self._trainable_variables)

    def finalize_variable_values(self, var_list: Sequence[Variable]) -> None:
        """Gives variables the values of their averages, as `fit` does at its end.

        Args:
            var_list: the variables that the optimizer was built with.
        """
        if self.use_ema:
            average_of = dict(zip(map(id, self._trainable_variables), self._averages))
            for variable in var_list:
                variable.assign(average_of[id(variable)])

    def keep_averages(self) -> None:
        """Gives the averages the values of the variables, after `swap_averages`."""
        for variable, average in zip(self._trainable_variables, self._averages):
            average.assign(variable)

    def swap_averages(self) -> None:
        """Exchanges the values of the variables and of their averages."""
        for variable, average in zip(self._trainable_variables, self._averages):
            value = variable.numpy().copy()
            variable.assign(average)
            average.assign(value)
