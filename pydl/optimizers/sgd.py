"""Stochastic gradient descent, with momentum and Nesterov's variant."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydl import ops
from pydl.optimizers.optimizer import Optimizer
from pydl.variable import Variable


class SGD(Optimizer):
    """Gradient descent: `w -= learning_rate * g`.

    With momentum `v = momentum * v - learning_rate * g; w += v`.

    Args:
        learning_rate: a number, a `LearningRateSchedule`, or a function of nothing or of the step.
        momentum: share of the last move that is kept, at least 0.
        nesterov: whether to look ahead along the momentum.
        **kwargs: `weight_decay` and the other arguments of `Optimizer`.

    Source: Sutskever et al., On the importance of initialization and momentum, 2013.

    Example:
        >>> v = pydl.Variable([1.0, 2.0])
        >>> pydl.optimizers.SGD(0.5).apply([pydl.tensor([1.0, -1.0])], [v])
        >>> v.tolist()
        [0.5, 2.5]
    """

    _captures = True

    def __init__(
        self,
        learning_rate: Any = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, **kwargs)
        if not 0 <= momentum <= 1:
            raise ValueError(f"[SGD] expected momentum in [0, 1], got {momentum}")
        self._set_arguments(momentum=momentum, nesterov=nesterov)
        self._momentums: list[Variable] = []

    def build(self, variables: Sequence[Variable]) -> None:
        super().build(variables)
        if self.momentum:
            self._momentums = self.add_optimizer_variables(variables, "momentum")

    def step_all(self, rows: Sequence[int], grads: list[Any], learning_rate: float) -> None:
        self._step(
            ops.sgd_step, rows, grads, learning_rate, self._momentums,
            momentum=self.momentum, nesterov=self.nesterov,
        )  # fmt: skip
