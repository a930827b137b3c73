"""Lamb: Adam whose moves are in proportion to the size of each variable."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydl import ops
from pydl._core import Tensor
from pydl.optimizers.optimizer import Optimizer
from pydl.variable import Variable


class Lamb(Optimizer):
    """Adam whose move of a variable has `learning_rate` times the length of the variable.

    Args:
        learning_rate: a number, a `LearningRateSchedule`, or a function of nothing or of the step.
        beta_1: share of the old mean gradient that is kept.
        beta_2: share of the old mean squared gradient that is kept.
        epsilon: added to the root of the mean square.
        **kwargs: `weight_decay` and the other arguments of `Optimizer`.

    Source: You et al., Large Batch Optimization for Deep Learning: Training BERT in 76 minutes,
    2019.

    Example:
        >>> v = pydl.Variable([4.0])
        >>> pydl.optimizers.Lamb(0.1).apply([pydl.tensor([2.0])], [v])
        >>> round(v.item(), 4)
        3.6
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

    def update_step(self, gradient: Tensor, variable: Variable, learning_rate: float) -> None:
        row, step = self._get_variable_index(variable), self._next_step()
        m, v = self._momentums[row], self._velocities[row]
        m.assign_add((gradient - m) * (1.0 - self.beta_1))
        v.assign_add((ops.square(gradient) - v) * (1.0 - self.beta_2))
        root = ops.sqrt(v / (1.0 - self.beta_2**step)) + self.epsilon
        move = m / (1.0 - self.beta_1**step) / root
        length, of_move = (ops.global_norm([x]).item() for x in (variable, move))
        ratio = length / of_move if length > 0 and of_move > 0 else 1.0
        variable.assign_sub(move * (ratio * learning_rate))
