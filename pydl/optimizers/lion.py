"""Lion: moves of one size, along the sign of a mean gradient."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydl import ops
from pydl.optimizers.optimizer import Optimizer
from pydl.variable import Variable


class Lion(Optimizer):
    """Gradient descent by the sign of the gradient mixed with its running mean.

    Its rates are a third to a tenth of those of Adam, its weight decay three to ten times as large.

    Args:
        learning_rate: a number, a `LearningRateSchedule`, or a function of nothing or of the step.
        beta_1: share of the mean gradient in the move, in (0, 1].
        beta_2: share of the old mean gradient that is kept.
        **kwargs: `weight_decay` and the other arguments of `Optimizer`.

    Source: Chen et al., Symbolic Discovery of Optimization Algorithms, 2023.

    Example:
        >>> v = pydl.Variable([1.0])
        >>> pydl.optimizers.Lion(0.1).apply([pydl.tensor([2.0])], [v])
        >>> round(v.item(), 4)
        0.9
    """

    _captures = True

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.99,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, **kwargs)
        if not 0 < beta_1 <= 1:
            raise ValueError(f"[Lion] expected beta_1 in (0, 1], got {beta_1}")
        self._set_arguments(beta_1=beta_1, beta_2=beta_2)

    def build(self, variables: Sequence[Variable]) -> None:
        super().build(variables)
        self._momentums = self.add_optimizer_variables(variables, "momentum")

    def step_all(self, rows: Sequence[int], grads: list[Any], learning_rate: float) -> None:
        self._step(
            ops.lion_step, rows, grads, learning_rate, self._momentums,
            beta_1=self.beta_1, beta_2=self.beta_2,
        )  # fmt: skip
