"""Adadelta: moves of the size of the last ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydl import ops
from pydl.optimizers.optimizer import Optimizer
from pydl.variable import Variable


class Adadelta(Optimizer):
    """Gradient descent whose moves have the running size of the moves before.

    `s` and `x` are running means of `g**2` and `d**2`:
    `d = g * sqrt(x + epsilon) / sqrt(s + epsilon); w -= learning_rate * d`.

    Args:
        learning_rate: a number, a `LearningRateSchedule`, or a function of nothing or of the step.
        rho: share of the old means that is kept.
        epsilon: added under the roots.
        **kwargs: `weight_decay` and the other arguments of `Optimizer`.

    Source: Zeiler, ADADELTA: An Adaptive Learning Rate Method, 2012.

    Example:
        >>> v = pydl.Variable([1.0])
        >>> pydl.optimizers.Adadelta(1.0, epsilon=0.01).apply([pydl.tensor([2.0])], [v])
        >>> round(v.item(), 4)
        0.5636
    """

    _captures = True

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.95,
        epsilon: float = 1e-7,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, **kwargs)
        self._set_arguments(rho=rho, epsilon=epsilon)

    def build(self, variables: Sequence[Variable]) -> None:
        super().build(variables)
        self._squares, self._moves = self.add_optimizer_variables(
            variables, ["accumulated_grad", "accumulated_delta_var"]
        )

    def step_all(self, rows: Sequence[int], grads: list[Any], learning_rate: float) -> None:
        self._step(
            ops.adadelta_step, rows, grads, learning_rate, self._squares, self._moves,
            rho=self.rho, epsilon=self.epsilon,
        )  # fmt: skip
