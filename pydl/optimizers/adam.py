"""Adam, and AdamW, which is Adam with weight decay."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydl import ops
from pydl.optimizers.optimizer import Optimizer
from pydl.variable import Variable


class Adam(Optimizer):
    """Gradient descent with running means of the gradient and of its square.

    Args:
        learning_rate: a number, a `LearningRateSchedule`, or a function of nothing or of the step.
        beta_1: share of the old mean gradient that is kept.
        beta_2: share of the old mean squared gradient that is kept.
        epsilon: added to the root of the mean square ("epsilon hat" of the paper).
        amsgrad: whether to divide by the largest mean square so far.
        **kwargs: `weight_decay` and the other arguments of `Optimizer`.

    Source: Kingma and Ba, Adam: A Method for Stochastic Optimization, 2014; Reddi et al., On the
    Convergence of Adam and Beyond, 2018 (`amsgrad`).

    Example:
        >>> v = pydl.Variable([1.0])
        >>> pydl.optimizers.Adam(0.1).apply([pydl.tensor([2.0])], [v])
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
        amsgrad: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, **kwargs)
        self._set_arguments(beta_1=beta_1, beta_2=beta_2, epsilon=epsilon, amsgrad=amsgrad)
        self._velocity_hats: list[Variable] = []

    def build(self, variables: Sequence[Variable]) -> None:
        super().build(variables)
        self._momentums, self._velocities = self.add_optimizer_variables(
            variables, ["momentum", "velocity"]
        )
        if self.amsgrad:
            self._velocity_hats = self.add_optimizer_variables(variables, "velocity_hat")

    def step_all(self, rows: Sequence[int], grads: list[Any], learning_rate: float) -> None:
        self._step(
            ops.adam_step, rows, grads, learning_rate,
            self._momentums, self._velocities, self._velocity_hats,
            step=self._next_step(), beta_1=self.beta_1, beta_2=self.beta_2, epsilon=self.epsilon,
        )  # fmt: skip


class AdamW(Adam):
    """Adam with weight decay on by default; decay does not pass through the running means.

    Args:
        weight_decay: shrinks variables by `learning_rate * weight_decay` a step.
        learning_rate, beta_1, beta_2, epsilon, amsgrad: see `Adam`.
        **kwargs: `clipnorm` and the other arguments of `Optimizer`.

    Source: Loshchilov and Hutter, Decoupled Weight Decay Regularization, 2019.

    Example:
        >>> v = pydl.Variable([1.0])
        >>> pydl.optimizers.AdamW(0.1, weight_decay=0.5).apply([pydl.tensor([2.0])], [v])
        >>> round(v.item(), 4)
        0.85
    """

    _captures = True

    def __init__(
        self,
        learning_rate: Any = 0.001,
        weight_decay: float = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        **kwargs: Any,
    ) -> None:
        if weight_decay is None:
            raise ValueError("[AdamW] expected a weight_decay, got None. Use Adam without it")
        super().__init__(
            learning_rate, beta_1, beta_2, epsilon, amsgrad, weight_decay=weight_decay, **kwargs
        )
