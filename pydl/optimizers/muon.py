"""Muon: momentum made orthogonal, for matrices; AdamW for everything else."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from pydl import ops
from pydl._core import Tensor
from pydl.optimizers.optimizer import Optimizer
from pydl.variable import Variable


class Muon(Optimizer):
    """Moves matrices by their momentum with all singular values near 1.

    Variables that are no matrices, embeddings and those of `exclude_layers` are moved as by AdamW.

    Args:
        learning_rate: a number, a `LearningRateSchedule`, or a function of nothing or of the step.
        adam_beta_1: share of the old mean gradient that AdamW keeps.
        adam_beta_2: share of the old mean squared gradient that AdamW keeps.
        adam_weight_decay: weight decay of the variables of AdamW.
        epsilon: added to the root of AdamW's mean square.
        weight_decay: weight decay of the matrices.
        exclude_layers: regular expressions to find in paths of variables for AdamW.
        exclude_embeddings: whether AdamW takes variables with "embedding" in their path.
        muon_a, muon_b, muon_c: polynomial of a Newton-Schulz step, `a x + b x**3 + c x**5`.
        adam_lr_ratio: AdamW's learning rate as a share of `learning_rate`.
        momentum: share of the old momentum that is kept.
        ns_steps: Newton-Schulz steps.
        nesterov: whether to look ahead along the momentum.
        rms_rate: moves are scaled by it and by the root of the longer side; None for no scaling.
        **kwargs: `clipnorm` and the other arguments of `Optimizer`.

    Source: Jordan et al., Muon: An optimizer for hidden layers in neural networks, 2024.

    Example:
        >>> v, gradient = pydl.Variable(np.zeros((2, 2))), pydl.tensor([[3.0, 0.0], [0.0, 2.0]])
        >>> pydl.optimizers.Muon(1.0, rms_rate=None).apply([gradient], [v])
        >>> bool((np.abs(v.numpy().diagonal() + 1) < 0.4).all())  # about -1, whatever the gradient
        True
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        adam_beta_1: float = 0.9,
        adam_beta_2: float = 0.999,
        adam_weight_decay: float | None = 0.004,
        epsilon: float = 1e-7,
        weight_decay: float | None = 0.004,
        exclude_layers: Sequence[str] | None = None,
        exclude_embeddings: bool = True,
        muon_a: float = 3.4445,
        muon_b: float = -4.7750,
        muon_c: float = 2.0315,
        adam_lr_ratio: float = 1.0,
        momentum: float = 0.95,
        ns_steps: int = 5,
        nesterov: bool = True,
        rms_rate: float | None = 0.2,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, weight_decay, **kwargs)
        self._set_arguments(
            adam_beta_1=adam_beta_1,
            adam_beta_2=adam_beta_2,
            adam_weight_decay=adam_weight_decay,
            epsilon=epsilon,
            exclude_layers=list(exclude_layers or ()),
            exclude_embeddings=exclude_embeddings,
            muon_a=muon_a,
            muon_b=muon_b,
            muon_c=muon_c,
            adam_lr_ratio=adam_lr_ratio,
            momentum=momentum,
            ns_steps=ns_steps,
            nesterov=nesterov,
            rms_rate=rms_rate,
        )

    def _is_for_adam(self, variable: Variable) -> bool:
        if variable.ndim != 2 or (self.exclude_embeddings and "embedding" in variable.path.lower()):
            return True
        return any(re.search(pattern, variable.path) for pattern in self.exclude_layers)

    def build(self, variables: Sequence[Variable]) -> None:
        super().build(variables)
        self._momentums: list[Variable] = []
        self._velocities: list[Variable | None] = []
        for variable in variables:
            self._momentums.append(self.add_variable_from_reference(variable, "momentum"))
            for_adam = self._is_for_adam(variable)
            velocity = self.add_variable_from_reference(variable, "velocity") if for_adam else None
            self._velocities.append(velocity)

    def _decay_of(self, row: int) -> float:
        if self._velocities[row] is None:
            return super()._decay_of(row)
        return self.adam_weight_decay or 0.0 if self._decayed[row] else 0.0

    def update_step(self, gradient: Tensor, variable: Variable, learning_rate: float) -> None:
        row = self._get_variable_index(variable)
        momentum, velocity = self._momentums[row], self._velocities[row]
        if velocity is not None:
            ops.adam_step(
                [variable], [gradient], [momentum], [velocity], None, self._next_step(),
                learning_rate * self.adam_lr_ratio,
                self.adam_beta_1, self.adam_beta_2, self.epsilon,
            )  # fmt: skip
            return
        momentum.assign(gradient + self.momentum * momentum)
        ahead = gradient + self.momentum * momentum if self.nesterov else momentum
        move = self._orthogonal(ahead)
        scale = 1.0 if self.rms_rate is None else max(variable.shape) ** 0.5 * self.rms_rate
        variable.assign_sub(move * (scale * learning_rate))

    def _orthogonal(self, x: Tensor) -> Tensor:
        """About the nearest matrix to `x` whose singular values are all 1."""
        tall = x.shape[0] > x.shape[1]
        if tall:
            x = ops.transpose(x)
        x = x / (ops.global_norm([x]).item() + 1e-7)
        for _ in range(self.ns_steps):
            square = ops.matmul(x, ops.transpose(x))
            factor = self.muon_b * square + self.muon_c * ops.matmul(square, square)
            x = self.muon_a * x + ops.matmul(factor, x)
        return ops.transpose(x) if tall else x
