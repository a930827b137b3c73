"""Adagrad: gradients divided by the root of the sum of their squares."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydl import initializers, ops
from pydl.optimizers.optimizer import Optimizer
from pydl.variable import Variable


class Adagrad(Optimizer):
    """Gradient descent with rates that fall as the squares of gradients add up.

    `a += g**2; w -= learning_rate * g / sqrt(a + epsilon)`.

    Args:
        learning_rate: a number, a `LearningRateSchedule`, or a function of nothing or of the step.
        initial_accumulator_value: what the sums start with, at least 0.
        epsilon: added under the root.
        **kwargs: `weight_decay` and the other arguments of `Optimizer`.

    Source: Duchi, Hazan and Singer, Adaptive Subgradient Methods for Online Learning, 2011.

    Example:
        >>> v = pydl.Variable([1.0])
        >>> pydl.optimizers.Adagrad(0.1).apply([pydl.tensor([2.0])], [v])
        >>> round(v.item(), 4)
        0.9012
    """

    _captures = True

    def __init__(
        self,
        learning_rate: Any = 0.001,
        initial_accumulator_value: float = 0.1,
        epsilon: float = 1e-7,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, **kwargs)
        self._set_arguments(initial_accumulator_value=initial_accumulator_value, epsilon=epsilon)

    def build(self, variables: Sequence[Variable]) -> None:
        super().build(variables)
        self._accumulators = self.add_optimizer_variables(
            variables, "accumulator", initializers.Constant(self.initial_accumulator_value)
        )

    def step_all(self, rows: Sequence[int], grads: list[Any], learning_rate: float) -> None:
        self._step(
            ops.adagrad_step, rows, grads, learning_rate, self._accumulators,
            epsilon=self.epsilon,
        )  # fmt: skip
