"""RMSprop: gradients divided by the root of their mean square."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydl import ops
from pydl.optimizers.optimizer import Optimizer
from pydl.variable import Variable


class RMSprop(Optimizer):
    """Gradient descent with gradients divided by the root of their running mean square.

    `s = rho * s + (1 - rho) * g**2; w -= learning_rate * g / sqrt(s + epsilon)`.

    Args:
        learning_rate: a number, a `LearningRateSchedule`, or a function of nothing or of the step.
        rho: share of the old mean square that is kept.
        momentum: share of the last move that is kept.
        epsilon: added under the root.
        centered: whether to use the variance of the gradient instead of its mean square.
        **kwargs: `weight_decay` and the other arguments of `Optimizer`.

    Source: Tieleman and Hinton, Lecture 6.5 - RMSprop, 2012.

    Example:
        >>> v = pydl.Variable([1.0])
        >>> pydl.optimizers.RMSprop(0.1).apply([pydl.tensor([2.0])], [v])
        >>> round(v.item(), 4)
        0.6838
    """

    _captures = True

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-7,
        centered: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, **kwargs)
        self._set_arguments(rho=rho, momentum=momentum, epsilon=epsilon, centered=centered)
        self._momentums: list[Variable] = []
        self._average_gradients: list[Variable] = []

    def build(self, variables: Sequence[Variable]) -> None:
        super().build(variables)
        self._velocities = self.add_optimizer_variables(variables, "velocity")
        if self.momentum > 0:
            self._momentums = self.add_optimizer_variables(variables, "momentum")
        if self.centered:
            self._average_gradients = self.add_optimizer_variables(variables, "average_gradient")

    def step_all(self, rows: Sequence[int], grads: list[Any], learning_rate: float) -> None:
        self._step(
            ops.rmsprop_step, rows, grads, learning_rate,
            self._velocities, self._average_gradients, self._momentums,
            rho=self.rho, momentum=self.momentum, epsilon=self.epsilon,
        )  # fmt: skip
