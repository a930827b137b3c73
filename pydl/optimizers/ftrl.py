"""FTRL: follow the regularized leader, for sparse linear models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydl import initializers, ops
from pydl.optimizers.optimizer import Optimizer
from pydl.variable import Variable


class Ftrl(Optimizer):
    """Follow the regularized leader: weights that the data do not need stay exactly 0.

    Args:
        learning_rate: a number, a `LearningRateSchedule`, or a function of nothing or of the step.
        learning_rate_power: how the rate falls with the sum of squares, at most 0.
        initial_accumulator_value: what the sums of squares start with, at least 0.
        l1_regularization_strength: L1 penalty, at least 0.
        l2_regularization_strength: L2 penalty, at least 0.
        l2_shrinkage_regularization_strength: L2 penalty on the gradient only, at least 0.
        beta: added to the root of the sum of squares, as in the paper.
        **kwargs: `weight_decay` and the other arguments of `Optimizer`.

    Source: McMahan et al., Ad Click Prediction: a View from the Trenches, 2013.

    Example:
        >>> v = pydl.Variable([1.0])
        >>> pydl.optimizers.Ftrl(0.1).apply([pydl.tensor([2.0])], [v])
        >>> round(v.item(), 4)
        0.7451
    """

    _captures = True

    def __init__(
        self,
        learning_rate: Any = 0.001,
        learning_rate_power: float = -0.5,
        initial_accumulator_value: float = 0.1,
        l1_regularization_strength: float = 0.0,
        l2_regularization_strength: float = 0.0,
        l2_shrinkage_regularization_strength: float = 0.0,
        beta: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, **kwargs)
        self._set_arguments(
            learning_rate_power=learning_rate_power,
            initial_accumulator_value=initial_accumulator_value,
            l1_regularization_strength=l1_regularization_strength,
            l2_regularization_strength=l2_regularization_strength,
            l2_shrinkage_regularization_strength=l2_shrinkage_regularization_strength,
            beta=beta,
        )
        if learning_rate_power > 0:
            raise ValueError(
                f"[Ftrl] expected learning_rate_power of at most 0, got {learning_rate_power}"
            )
        for name in self._own_arguments[1:-1]:
            if getattr(self, name) < 0:
                raise ValueError(f"[Ftrl] expected {name} of at least 0, got {getattr(self, name)}")

    def build(self, variables: Sequence[Variable]) -> None:
        super().build(variables)
        start = initializers.Constant(self.initial_accumulator_value)
        self._accumulators, self._linears = self.add_optimizer_variables(
            variables, ["accumulator", "linear"], [start, "zeros"]
        )

    def step_all(self, rows: Sequence[int], grads: list[Any], learning_rate: float) -> None:
        self._step(
            ops.ftrl_step, rows, grads, learning_rate, self._accumulators, self._linears,
            power=self.learning_rate_power,
            l1=self.l1_regularization_strength,
            l2=self.l2_regularization_strength + self.beta / (2.0 * learning_rate),
            l2_shrinkage=self.l2_shrinkage_regularization_strength,
        )  # fmt: skip
