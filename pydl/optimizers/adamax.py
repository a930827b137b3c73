"""Adamax: Adam with the largest gradient in place of the mean square."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydl import ops
from pydl.optimizers.optimizer import Optimizer
from pydl.variable import Variable


class Adamax(Optimizer):
    """Adam with the largest gradient, fading, in place of the root of the mean square.

    Args:
        learning_rate: a number, a `LearningRateSchedule`, or a function of nothing or of the step.
        beta_1: share of the old mean gradient that is kept.
        beta_2: what the largest gradient fades by in a step.
        epsilon: added to the largest gradient.
        **kwargs: `weight_decay` and the other arguments of `Optimizer`.

    Source: Kingma and Ba, Adam: A Method for Stochastic Optimization, 2014, section 7.

    Example:
        >>> v = pydl.Variable([1.0])
        >>> pydl.optimizers.Adamax(0.1).apply([pydl.tensor([2.0])], [v])
        >>> round(v.item(), 4)
        0.9
    """

    _captures = True

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
        self._m, self._u = self.add_optimizer_variables(variables, ["momentum", "norm"])

    def step_all(self, rows: Sequence[int], grads: list[Any], learning_rate: float) -> None:
        self._step(
            ops.adamax_step, rows, grads, learning_rate, self._m, self._u,
            step=self._next_step(), beta_1=self.beta_1, beta_2=self.beta_2, epsilon=self.epsilon,
        )  # fmt: skip
