"""RMSprop: gradients divided by the root of their mean square."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydl import ops
from pydl.optimizers.optimizer import Optimizer, chosen
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
        weight_decay, clipnorm, clipvalue, global_clipnorm, name: see `Optimizer`.

    Source: Tieleman and Hinton, Lecture 6.5 - RMSprop, 2012.

    Example:
        >>> v = pydl.Variable([1.0])
        >>> pydl.optimizers.RMSprop(0.1).apply([pydl.tensor([2.0])], [v])
        >>> round(v.item(), 4)
        0.6838
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-7,
        centered: bool = False,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        name: str = "rmsprop",
    ) -> None:
        super().__init__(learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, name)
        self.rho = rho
        self.momentum = momentum
        self.epsilon = epsilon
        self.centered = centered
        self._velocities: list[Variable] = []
        self._momentums: list[Variable] = []
        self._average_gradients: list[Variable] = []

    def build(self, variables: Sequence[Variable]) -> None:
        super().build(variables)

        def state(name: str) -> list[Variable]:
            return [self.add_variable_from_reference(v, name) for v in variables]

        self._velocities = state("velocity")
        if self.momentum > 0:
            self._momentums = state("momentum")
        if self.centered:
            self._average_gradients = state("average_gradient")

    def step_all(self, rows: Sequence[int], grads: list[Any], learning_rate: float) -> None:
        for part, part_grads, scales, decay in self._groups(rows, grads):
            ops.rmsprop_step(
                chosen(self._trainable_variables, part),
                part_grads,
                chosen(self._velocities, part),
                chosen(self._average_gradients, part) if self._average_gradients else None,
                chosen(self._momentums, part) if self._momentums else None,
                learning_rate,
                rho=self.rho,
                momentum=self.momentum,
                epsilon=self.epsilon,
                weight_decay=decay,
                scales=scales,
                clip_value=self.clipvalue,
            )

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "rho": self.rho,
            "momentum": self.momentum,
            "epsilon": self.epsilon,
            "centered": self.centered,
        }
