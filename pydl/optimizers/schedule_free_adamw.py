"""Schedule-free AdamW: averaging of the weights in place of a falling learning rate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydl import ops
from pydl._core import Tensor
from pydl.optimizers.optimizer import Optimizer
from pydl.variable import Variable


class ScheduleFreeAdamW(Optimizer):
    """Adam on a second copy of the weights; the variables mix it with its mean over all steps.

    Args:
        learning_rate: a number, a `LearningRateSchedule`, or a function of nothing or of the step.
        beta_1: share of the mean in the variables.
        beta_2: share of the old mean squared gradient that is kept.
        epsilon: added to the root of the mean square.
        warmup_steps: steps over which the rate grows from 0.
        **kwargs: `weight_decay` and the other arguments of `Optimizer`.

    Source: Defazio et al., The Road Less Scheduled, 2024.

    Example:
        >>> v = pydl.Variable([1.0])
        >>> pydl.optimizers.ScheduleFreeAdamW(0.1).apply([pydl.tensor([2.0])], [v])
        >>> round(v.item(), 4)
        0.9
    """

    def __init__(
        self,
        learning_rate: Any = 0.0025,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        warmup_steps: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, **kwargs)
        self._set_arguments(
            beta_1=beta_1, beta_2=beta_2, epsilon=epsilon, warmup_steps=warmup_steps
        )

    def build(self, variables: Sequence[Variable]) -> None:
        super().build(variables)
        self._momentums, self._velocities = self.add_optimizer_variables(
            variables, ["momentum", "velocity"]
        )
        for copy, variable in zip(self._momentums, variables):
            copy.assign(variable)

    def update_step(self, gradient: Tensor, variable: Variable, learning_rate: float) -> None:
        row, step = self._get_variable_index(variable), self._next_step()
        copy, velocity = self._momentums[row], self._velocities[row]
        if self.warmup_steps > 0:
            learning_rate *= min(step / self.warmup_steps, 1.0)
        velocity.assign_add((ops.square(gradient) - velocity) * (1.0 - self.beta_2))
        root = ops.sqrt(velocity / (1.0 - self.beta_2**step)) + self.epsilon
        mean = (variable - (1.0 - self.beta_1) * copy) / self.beta_1
        copy.assign_sub(gradient * learning_rate / root)
        mean = mean + (copy - mean) / step
        variable.assign((1.0 - self.beta_1) * copy + self.beta_1 * mean)
