"""Optimizer: what SGD, Adam and friends share: clipping, weight decay, accumulation, state."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from pydl import _core, ops
from pydl._core import Tensor
from pydl.autograd import no_grad
from pydl.capture import note_optimizer
from pydl.device import device
from pydl.naming import to_snake_case
from pydl.optimizers.ema import WeightAverage
from pydl.optimizers.rate import LearningRate
from pydl.optimizers.repetition import RepeatableSteps
from pydl.optimizers.schedules import LearningRateSchedule
from pydl.optimizers.state import OptimizerState
from pydl.saving import serialize_keras_object
from pydl.variable import Variable


class Optimizer(OptimizerState, LearningRate, WeightAverage, RepeatableSteps):
    """Base class of optimizers.

    A subclass makes its state in `build` with `add_variable_from_reference` and implements
    `update_step`, which changes one variable. (The built-in ones override `step_all` instead and
    change all variables in one call.)

    Args:
        learning_rate: a number, a `LearningRateSchedule`, or a function of nothing or of the step.
        weight_decay: shrinks variables by `learning_rate * weight_decay` a step, before the step.
        clipnorm: gradients whose norm is larger are scaled down to it, one by one.
        clipvalue: elements of gradients are clipped to [-clipvalue, clipvalue].
        global_clipnorm: all gradients are scaled down together to this joint norm.
        use_ema: whether to keep a moving average of each variable, which `fit` ends with.
        ema_momentum: share of the old average that is kept.
        ema_overwrite_frequency: steps after which variables take the values of their averages.
        loss_scale_factor: what `scale_loss` multiplies with and gradients are divided by again.
        gradient_accumulation_steps: calls whose mean gradient makes one step.
        name: name of the instance.

    Example:
        >>> class SignDescent(pydl.optimizers.Optimizer):
        ...     def update_step(self, gradient, variable, learning_rate):
        ...         variable.assign_sub(learning_rate * pydl.ops.sign(gradient))
        >>> v = pydl.Variable([1.0, 2.0])
        >>> SignDescent(0.5).apply([pydl.tensor([3.0, -4.0])], [v])
        >>> v.tolist()
        [0.5, 2.5]
    """

    def __init__(
        self,
        learning_rate: float | LearningRateSchedule | Callable[..., float] = 0.01,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
    ) -> None:
        self.name = name or to_snake_case(type(self).__name__)
        self.weight_decay = weight_decay
        self.clipnorm = clipnorm
        self.clipvalue = clipvalue
        self.global_clipnorm = global_clipnorm
        self.loss_scale_factor = loss_scale_factor
        self.gradient_accumulation_steps = gradient_accumulation_steps
        self._check_arguments()
        self._set_average(use_ema, ema_momentum, ema_overwrite_frequency)
        self.inherited_loss_scale = 1.0  # of a `LossScaleOptimizer` around this one
        self.built = False
        self._variables: list[Variable] = []
        self._trainable_variables: list[Variable] = []
        self._accumulated_gradients: list[Variable] = []
        self._index: dict[int, int] = {}
        self._last_variables: Sequence[Variable] | None = None
        self._decayed: list[bool] = []
        self._constrained: list[Variable] = []
        self._exclusions: list[Any] = []
        self._own_arguments: list[str] = []
        with device("cpu"):  # where they are read at every step without waiting for a GPU
            self._iterations = self._track(
                Variable(0, dtype="int64", trainable=False, name="iteration")
            )
            self._rate = self._track(
                Variable(0.0, dtype="float32", trainable=False, name="learning_rate")
            )
        self.learning_rate = learning_rate

    def _check_arguments(self) -> None:
        limits = {key: getattr(self, key) for key in ("clipnorm", "clipvalue", "global_clipnorm")}
        given = {key: value for key, value in limits.items() if value is not None}
        if len(given) > 1:
            raise ValueError(
                f"[{type(self).__name__}] expected at most one of {', '.join(limits)}, got {given}"
            )
        given["loss_scale_factor"] = self.loss_scale_factor
        for key, value in given.items():
            if value is not None and value <= 0:
                raise ValueError(f"[{type(self).__name__}] expected {key} above 0, got {value}")
        steps = self.gradient_accumulation_steps
        if steps is not None and (not isinstance(steps, int) or steps < 2):
            raise ValueError(
                f"[{type(self).__name__}] expected gradient_accumulation_steps of at least 2, "
                f"got {steps!r}"
            )

    # --- state ------------------------------------------------------------------------------------

    @property
    def iterations(self) -> Tensor:
        """Steps so far, a 0-d integer; calls that only accumulate gradients do not count."""
        if self.gradient_accumulation_steps:
            return self._iterations // self.gradient_accumulation_steps
        return self._iterations

    def _next_step(self) -> int:
        """The number of the step to come, from 1."""
        return int(self.iterations.item()) + 1

    def build(self, variables: Sequence[Variable]) -> None:
        """Prepares for the variables that `apply` will change; subclasses add their state.

        Args:
            variables: every trainable variable, in the order of the gradients to come.
        """
        self._trainable_variables = list(variables)
        self._index = {id(v): i for i, v in enumerate(self._trainable_variables)}
        self._decayed = [not self._is_excluded(v) for v in self._trainable_variables]
        self._constrained = [v for v in self._trainable_variables if v.constraint is not None]
        self._build_average(variables)
        if self.gradient_accumulation_steps:
            self._accumulated_gradients = self.add_optimizer_variables(
                variables, "gradient_accumulator"
            )
        self.built = True

    # --- steps ------------------------------------------------------------------------------------

    def apply_gradients(self, grads_and_vars: Iterable[tuple[Any, Variable]]) -> None:
        """Changes variables by their gradients.

        Args:
            grads_and_vars: pairs of a gradient and its variable.
        """
        grads, variables = zip(*grads_and_vars)
        self.apply(grads, variables)

    def apply(
        self, grads: Sequence[Any], trainable_variables: Sequence[Variable] | None = None
    ) -> None:
        """Changes variables by their gradients; a variable whose gradient is None stays.

        Args:
            grads: gradients, each with the shape of its variable.
            trainable_variables: their variables; by default those of `build`.

        Raises:
            ValueError: no gradient at all, or a variable that `build` did not see.
        """
        variables = (
            self._trainable_variables if trainable_variables is None else trainable_variables
        )
        if len(grads) != len(variables):
            raise ValueError(
                f"[{self.name}] expected a gradient for each of {len(variables)} variables, "
                f"got {len(grads)}"
            )
        if not self.built:
            self.build(variables)
        rows, grads = self._rows(grads, variables)
        if _core.is_capturing():
            self._check_capture()
            note_optimizer(self)
        with no_grad():
            if self._accumulated_gradients:
                self._accumulate(rows, grads)
            else:
                self._take_step(rows, grads)
            if self.use_ema:
                self._update_average(self._next_step())
            for variable in self._constrained:
                variable.assign(variable.constraint(variable))
            self._iterations.assign_add(1)

    def _accumulate(self, rows: Sequence[int], grads: Sequence[Any]) -> None:
        """Adds gradients up; every `gradient_accumulation_steps` calls makes a step of them."""
        sums = chosen(self._accumulated_gradients, rows)
        for total, grad in zip(sums, grads):
            total.assign_add(grad)
        if (self._iterations.item() + 1) % self.gradient_accumulation_steps == 0:
            self._take_step(rows, sums)
            for total in self._accumulated_gradients:
                total.assign(ops.zeros_like(total))

    def _take_step(self, rows: Sequence[int], grads: Sequence[Any]) -> None:
        if _core.is_capturing():
            grads = self._with_limited_norms(grads)
        self.step_all(rows, grads, self._current_learning_rate())

    def scale_loss(self, loss: Any) -> Any:
        """The loss to take gradients of, for `apply` to divide them again.

        Args:
            loss: the loss, a 0-d tensor.
        """
        return loss if self.loss_scale_factor is None else loss * self.loss_scale_factor

    def _rows(
        self, grads: Sequence[Any], variables: Sequence[Variable]
    ) -> tuple[Sequence[int], Sequence[Any]]:
        """Positions of `variables` in the list given to `build`, and gradients, without Nones."""
        if variables is self._last_variables and not any(grad is None for grad in grads):
            return range(len(grads)), grads  # the usual case: every variable, as in the step before
        rows, kept = [], []
        for grad, variable in zip(grads, variables):
            if grad is None:
                continue
            row = self._index.get(id(variable))
            if row is None:
                raise ValueError(
                    f"[{self.name}] expected variables that the optimizer was built with, "
                    f"got {variable.path!r}. Make a new optimizer for other variables"
                )
            rows.append(row)
            kept.append(grad)
        if not rows:
            raise ValueError(
                f"[{self.name}] expected a gradient for at least one variable, got None for all. "
                "Check that the loss depends on the model's trainable variables"
            )
        if rows == list(range(len(self._trainable_variables))):
            self._last_variables = variables
        return rows, kept

    def step_all(self, rows: Sequence[int], grads: list[Any], learning_rate: float) -> None:
        """Changes the variables at `rows` of the list given to `build`, one after the other."""
        scales = self._gradient_scales(grads) or [1.0] * len(grads)
        for row, grad, scale in zip(rows, grads, scales):
            variable = self._trainable_variables[row]
            if scale != 1.0:
                grad = grad * scale
            if self.clipvalue is not None:
                grad = ops.clip(grad, -self.clipvalue, self.clipvalue)
            if decay := self._decay_of(row):
                variable.assign_sub(variable * (decay * learning_rate))
            self.update_step(grad, variable, learning_rate)

    def _step(
        self,
        op: Callable[..., None],
        rows: Sequence[int],
        grads: list[Any],
        learning_rate: float,
        *states: list[Variable],
        **arguments: Any,
    ) -> None:
        """Runs `op` on all variables at `rows`, or on those with and without weight decay.

        Args:
            op: such as `ops.adam_step`.
            rows, grads, learning_rate: those of `step_all`.
            *states: lists of state as `op` takes them; an empty one stands for None.
            **arguments: further arguments of `op`.
        """
        for part, part_grads, scales, decay in self._groups(rows, grads):
            op(
                chosen(self._trainable_variables, part),
                part_grads,
                *(chosen(state, part) if state else None for state in states),
                learning_rate=learning_rate,
                weight_decay=decay,
                scales=scales,
                clip_value=self.clipvalue,
                **arguments,
            )

    def _groups(
        self, rows: Sequence[int], grads: list[Any]
    ) -> Iterable[tuple[Sequence[int], list[Any], list[float] | None, float]]:
        """Splits a step into the rows with and without weight decay.

        Yields:
            Rows, their gradients, what to multiply these with (or None), and the weight decay.
        """
        scales = self._gradient_scales(grads)
        decay = self.weight_decay or 0.0
        if not decay or not self._exclusions:
            yield rows, grads, scales, decay
            return
        for decayed in (True, False):
            part = [i for i, row in enumerate(rows) if self._decayed[row] is decayed]
            if part:
                yield (
                    [rows[i] for i in part],
                    [grads[i] for i in part],
                    [scales[i] for i in part] if scales else None,
                    decay if decayed else 0.0,
                )

    def update_step(self, gradient: Tensor, variable: Variable, learning_rate: float) -> None:
        """Changes one variable by its gradient."""
        raise NotImplementedError(
            f"[{type(self).__name__}] expected a subclass that defines update_step()"
        )

    def _gradient_scales(self, grads: list[Any]) -> list[float] | None:
        """What to multiply each gradient with: mean, loss scale, limits of norms; None for 1."""
        scale = self._mean_scale()
        if _core.is_capturing():  # the norms are limited already
            return None if scale == 1.0 else [scale] * len(grads)
        if self.global_clipnorm is not None:
            norm = scale * ops.global_norm(grads).item()
            return [scale * _scale_to(self.global_clipnorm, norm)] * len(grads)
        if self.clipnorm is not None:
            norms = (scale * ops.global_norm([grad]).item() for grad in grads)
            return [scale * _scale_to(self.clipnorm, norm) for norm in norms]
        return None if scale == 1.0 else [scale] * len(grads)

    def _mean_scale(self) -> float:
        loss_scale = (self.loss_scale_factor or 1.0) * self.inherited_loss_scale
        return 1.0 / ((self.gradient_accumulation_steps or 1) * loss_scale)

    def _with_limited_norms(self, grads: Sequence[Any]) -> Sequence[Any]:
        """The gradients after `clipnorm` or `global_clipnorm`, without reading a value."""
        limit = self.clipnorm if self.global_clipnorm is None else self.global_clipnorm
        if limit is None:
            return grads
        squares = [ops.sum(ops.square(grad.astype("float32"))) for grad in grads]
        if self.global_clipnorm is not None:
            squares = [sum(squares[1:], squares[0])] * len(grads)
        norms = [self._mean_scale() * ops.sqrt(square) for square in squares]
        factors = [ops.where(norm > limit, limit / norm, 1.0) for norm in norms]
        return [grad * f.astype(grad.dtype) for grad, f in zip(grads, factors)]

    # --- weight decay -----------------------------------------------------------------------------

    def exclude_from_weight_decay(
        self, var_list: Sequence[Variable] | None = None, var_names: Sequence[str] | None = None
    ) -> None:
        """Leaves variables out of weight decay; call it before the first step.

        Args:
            var_list: the variables.
            var_names: regular expressions to find in names, such as `["bias"]`.

        Raises:
            ValueError: the optimizer is built already.
        """
        if self.built:
            raise ValueError(
                f"[{self.name}] expected exclude_from_weight_decay before the optimizer is built"
            )
        self._exclusions += [id(v) for v in var_list or ()] + list(var_names or ())

    def _decay_of(self, row: int) -> float:
        return self.weight_decay or 0.0 if self._decayed[row] else 0.0

    def _is_excluded(self, variable: Variable) -> bool:
        return any(
            key == id(variable) if isinstance(key, int) else re.search(key, variable.name)
            for key in self._exclusions
        )

    # --- configuration ----------------------------------------------------------------------------

    def _set_arguments(self, **arguments: Any) -> None:
        """Makes the arguments of a subclass attributes, and part of its configuration."""
        vars(self).update(arguments)
        self._own_arguments += arguments

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal optimizer, without its state."""
        rate = float(self._rate) if self._schedule is None else self._schedule
        return {
            "name": self.name,
            "learning_rate": serialize_keras_object(rate),
            "weight_decay": self.weight_decay,
            "clipnorm": self.clipnorm,
            "global_clipnorm": self.global_clipnorm,
            "clipvalue": self.clipvalue,
            "use_ema": self.use_ema,
            "ema_momentum": self.ema_momentum,
            "ema_overwrite_frequency": self.ema_overwrite_frequency,
            "loss_scale_factor": self.loss_scale_factor,
            "gradient_accumulation_steps": self.gradient_accumulation_steps,
            **{key: getattr(self, key) for key in self._own_arguments},
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Optimizer:
        """An optimizer from what `get_config` returned."""
        return cls(**config)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}>"


def chosen(items: list[Variable], rows: Sequence[int]) -> list[Variable]:
    """The items at `rows`; a range stands for all of them."""
    return items if isinstance(rows, range) else [items[row] for row in rows]


def _scale_to(limit: float, norm: float) -> float:
    return limit / norm if norm > limit else 1.0
