"""Stochastic gradient descent, with momentum and Nesterov's variant."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydl import ops
from pydl.optimizers.optimizer import Optimizer, chosen
from pydl.variable import Variable


class SGD(Optimizer):
    """Gradient descent: `w -= learning_rate * g`.

    With momentum `v = momentum * v - learning_rate * g; w += v`.

    Args:
        learning_rate: a number, a `LearningRateSchedule`, or a function of nothing or of the step.
        momentum: share of the last move that is kept, at least 0.
        nesterov: whether to look ahead along the momentum.
        weight_decay, clipnorm, clipvalue, global_clipnorm, name: see `Optimizer`.

    Source: Sutskever et al., On the importance of initialization and momentum, 2013.

    Example:
        >>> v = pydl.Variable([1.0, 2.0])
        >>> pydl.optimizers.SGD(0.5).apply([pydl.tensor([1.0, -1.0])], [v])
        >>> v.tolist()
        [0.5, 2.5]
    """

    def __init__(
        self,
        learning_rate: Any = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        name: str = "sgd",
    ) -> None:
        super().__init__(learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, name)
        if not 0 <= momentum <= 1:
            raise ValueError(f"[SGD] expected momentum in [0, 1], got {momentum}")
        self.momentum = momentum
        self.nesterov = nesterov
        self._momentums: list[Variable] = []

    def build(self, variables: Sequence[Variable]) -> None:
        super().build(variables)
        if self.momentum:
            self._momentums = [self.add_variable_from_reference(v, "momentum") for v in variables]

    def step_all(self, rows: Sequence[int], grads: list[Any], learning_rate: float) -> None:
        for part, part_grads, scales, decay in self._groups(rows, grads):
            ops.sgd_step(
                chosen(self._trainable_variables, part),
                part_grads,
                chosen(self._momentums, part) if self.momentum else None,
                learning_rate,
                momentum=self.momentum,
                nesterov=self.nesterov,
                weight_decay=decay,
                scales=scales,
                clip_value=self.clipvalue,
            )

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "momentum": self.momentum, "nesterov": self.nesterov}
