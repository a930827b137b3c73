"""Adafactor: mean squares of a matrix kept as means of its rows and columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydl import ops
from pydl._core import Tensor
from pydl.optimizers.optimizer import Optimizer
from pydl.variable import Variable


def _root_mean_square(x: Tensor) -> float:
    return ops.sqrt(ops.mean(ops.square(x))).item()


class Adafactor(Optimizer):
    """Gradients divided by the root of their mean square, which is kept in little memory.

    Args:
        learning_rate: a number, a `LearningRateSchedule`, or a function of nothing or of the step.
        beta_2_decay: at step t the share of the old means that is kept is `1 - t**beta_2_decay`.
        epsilon_1: added to squared gradients.
        epsilon_2: least size of a variable that moves are in proportion to.
        clip_threshold: moves whose root mean square is larger are scaled down to it.
        relative_step: taken for the sake of Keras programs; the rate of step t is at most
            `1 / sqrt(t)` either way, as in Keras.
        **kwargs: `weight_decay` and the other arguments of `Optimizer`.

    Source: Shazeer and Stern, Adafactor: Adaptive Learning Rates with Sublinear Memory Cost, 2018.

    Example:
        >>> v = pydl.Variable([1.0])
        >>> pydl.optimizers.Adafactor(0.1).apply([pydl.tensor([2.0])], [v])
        >>> round(v.item(), 4)
        0.9
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_2_decay: float = -0.8,
        epsilon_1: float = 1e-30,
        epsilon_2: float = 1e-3,
        clip_threshold: float = 1.0,
        relative_step: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, **kwargs)
        self._set_arguments(
            beta_2_decay=beta_2_decay,
            epsilon_1=epsilon_1,
            epsilon_2=epsilon_2,
            clip_threshold=clip_threshold,
            relative_step=relative_step,
        )

    def build(self, variables: Sequence[Variable]) -> None:
        super().build(variables)
        self._row_means: list[Variable] = []
        self._column_means: list[Variable] = []
        self._velocities: list[Variable] = []
        for variable in variables:
            matrix = variable.ndim >= 2  # others keep a 0-d placeholder, as in Keras
            shape, dtype = variable.shape, variable.dtype
            of_rows = shape[:-1] if matrix else ()
            of_columns = (*shape[:-2], shape[-1]) if matrix else ()
            self._row_means.append(self.add_variable(of_rows, dtype=dtype, name=variable.name))
            self._column_means.append(
                self.add_variable(of_columns, dtype=dtype, name=variable.name)
            )
            self._velocities.append(self.add_variable_from_reference(variable, "velocity"))

    def update_step(self, gradient: Tensor, variable: Variable, learning_rate: float) -> None:
        step = self._next_step()
        rate = min(learning_rate, step**-0.5)
        kept = 1.0 - step**self.beta_2_decay
        velocity = self._update_means(variable, ops.square(gradient) + self.epsilon_1, kept)
        move = gradient / ops.sqrt(velocity)
        move = move / max(1.0, _root_mean_square(move) / self.clip_threshold)
        variable.assign_sub(move * (max(self.epsilon_2, _root_mean_square(variable)) * rate))

    def _update_means(self, variable: Variable, square: Tensor, kept: float) -> Tensor:
        """Takes squared gradients into the means; returns the mean square of each element."""
        row = self._get_variable_index(variable)
        rows, columns, velocity = (
            self._row_means[row],
            self._column_means[row],
            self._velocities[row],
        )
        if variable.ndim < 2:
            return velocity.assign(kept * velocity + (1.0 - kept) * square)
        rows.assign(kept * rows + (1.0 - kept) * ops.mean(square, axis=-1))
        columns.assign(kept * columns + (1.0 - kept) * ops.mean(square, axis=-2))
        share = rows / ops.mean(rows, axis=-1, keepdims=True)
        return velocity.assign(ops.expand_dims(share, -1) * ops.expand_dims(columns, -2))
