"""Nadam: Adam with Nesterov's momentum."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydl import ops
from pydl.optimizers.optimizer import Optimizer
from pydl.variable import Variable

_WARM_UP = 0.96  # beta_1 of step t is beta_1 * (1 - 0.96**t / 2)


class Nadam(Optimizer):
    """Adam that looks ahead along its mean gradient, as Nesterov's momentum does.

    Args:
        learning_rate: a number, a `LearningRateSchedule`, or a function of nothing or of the step.
        beta_1: share of the old mean gradient that is kept.
        beta_2: share of the old mean squared gradient that is kept.
        epsilon: added to the root of the mean square.
        **kwargs: `weight_decay` and the other arguments of `Optimizer`.

    Source: Dozat, Incorporating Nesterov Momentum into Adam, 2016.

    Example:
        >>> v = pydl.Variable([1.0])
        >>> pydl.optimizers.Nadam(0.1).apply([pydl.tensor([2.0])], [v])
        >>> round(v.item(), 4)
        0.8937
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, **kwargs)
        self._set_arguments(beta_1=beta_1, beta_2=beta_2, epsilon=epsilon)

    def build(self, variables: Sequence[Variable]) -> None:
        super().build(variables)
        self._momentums, self._velocities = self.add_optimizer_variables(
            variables, ["momentum", "velocity"]
        )
        self._product = self.add_variable((), "ones", variables[0].dtype, "momentum_product")

    def step_all(self, rows: Sequence[int], grads: list[Any], learning_rate: float) -> None:
        step = self._next_step()
        now, ahead = (self.beta_1 * (1.0 - 0.5 * _WARM_UP**t) for t in (step, step + 1))
        self._product.assign(self._product * now)
        product = self._product.item()
        self._step(
            ops.nadam_step, rows, grads, learning_rate, self._momentums, self._velocities,
            step=step,
            mean_share=ahead / (1.0 - product * ahead),
            gradient_share=(1.0 - now) / (1.0 - product),
            beta_1=self.beta_1,
            beta_2=self.beta_2,
            epsilon=self.epsilon,
        )  # fmt: skip
