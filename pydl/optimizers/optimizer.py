"""Optimizer: what SGD, Adam and friends share: learning rate, clipping, weight decay, state."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from pydl import ops
from pydl._core import Tensor
from pydl.autograd import no_grad
from pydl.naming import to_snake_case
from pydl.optimizers.schedules import LearningRateSchedule
from pydl.saving import deserialize_keras_object, serialize_keras_object
from pydl.variable import Variable


class Optimizer:
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
        name: str | None = None,
    ) -> None:
        clips = {"clipnorm": clipnorm, "clipvalue": clipvalue, "global_clipnorm": global_clipnorm}
        given = {key: value for key, value in clips.items() if value is not None}
        if len(given) > 1:
            raise ValueError(
                f"[{type(self).__name__}] expected at most one of {', '.join(clips)}, got {given}"
            )
        for key, value in given.items():
            if value <= 0:
                raise ValueError(f"[{type(self).__name__}] expected {key} above 0, got {value}")
        self.name = name or to_snake_case(type(self).__name__)
        self.weight_decay = weight_decay
        self.clipnorm = clipnorm
        self.clipvalue = clipvalue
        self.global_clipnorm = global_clipnorm
        self.built = False
        self._variables: list[Variable] = []
        self._trainable_variables: list[Variable] = []
        self._index: dict[int, int] = {}
        self._last_variables: Sequence[Variable] | None = None
        self._decayed: list[bool] = []
        self._constrained: list[Variable] = []
        self._exclusions: list[Any] = []
        self.iterations = self._track(Variable(0, dtype="int64", trainable=False, name="iteration"))
        self._schedule: LearningRateSchedule | Callable[..., float] | None = None
        self._rate = self._track(
            Variable(0.0, dtype="float32", trainable=False, name="learning_rate")
        )
        self.learning_rate = learning_rate

    # --- learning rate ----------------------------------------------------------------------------

    @property
    def learning_rate(self) -> Any:
        """The learning rate of the next step: a 0-d Variable, or a float where a schedule sets it.

        Setting it takes a number or a schedule.
        """
        return self._rate if self._schedule is None else self._current_learning_rate()

    @learning_rate.setter
    def learning_rate(self, value: float | LearningRateSchedule | Callable[..., float]) -> None:
        if isinstance(value, dict):
            value = deserialize_keras_object(value)
        if callable(value) and not isinstance(value, Tensor):
            self._schedule = value
            self._schedule_takes_step = _takes_step(value)
            return
        if not np.isfinite(float(value)):
            raise ValueError(
                f"[{type(self).__name__}] expected a finite learning rate, got {value}"
            )
        self._schedule = None
        self._rate.assign(float(value))

    def _current_learning_rate(self) -> float:
        if self._schedule is None:
            return self._rate.item()
        if self._schedule_takes_step:
            return float(self._schedule(self.iterations.item()))
        return float(self._schedule())

    # --- state ------------------------------------------------------------------------------------

    @property
    def variables(self) -> list[Variable]:
        """The state: iteration, learning rate, then what the optimizer keeps for each variable."""
        return list(self._variables)

    def _track(self, variable: Variable) -> Variable:
        self._variables.append(variable)
        return variable

    def add_variable_from_reference(
        self, reference_variable: Variable, name: str, initializer: str = "zeros"
    ) -> Variable:
        """A state variable with the shape and dtype of `reference_variable`.

        Args:
            reference_variable: the variable that it belongs to.
            name: what it is, such as `"momentum"`.
            initializer: what it starts with.
        """
        return self._track(
            Variable(
                initializer,
                shape=reference_variable.shape,
                dtype=reference_variable.dtype,
                trainable=False,
                name=f"{reference_variable.path.replace('/', '_')}_{name}",
            )
        )

    def build(self, variables: Sequence[Variable]) -> None:
        """Prepares for the variables that `apply` will change; subclasses add their state.

        Args:
            variables: every trainable variable, in the order of the gradients to come.
        """
        self._trainable_variables = list(variables)
        self._index = {id(v): i for i, v in enumerate(self._trainable_variables)}
        self._decayed = [not self._is_excluded(v) for v in self._trainable_variables]
        self._constrained = [v for v in self._trainable_variables if v.constraint is not None]
        self.built = True

    def save_own_variables(self, store: dict[str, Any]) -> None:
        """Puts the state into `store` as numpy arrays under "0", "1", ..."""
        for i, variable in enumerate(self._variables):
            store[str(i)] = variable.numpy().copy()

    def load_own_variables(self, store: dict[str, Any]) -> None:
        """Takes the state from what `save_own_variables` wrote.

        Raises:
            ValueError: the number of arrays or a shape differs.
        """
        if len(store) != len(self._variables):
            raise ValueError(
                f"[{type(self).__name__}] expected {len(self._variables)} arrays of state, "
                f"got {len(store)}. Build it with the model's variables first"
            )
        for i, variable in enumerate(self._variables):
            variable.assign(store[str(i)])

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Sets the state from a list of arrays in the order of `variables`."""
        self.load_own_variables({str(i): weight for i, weight in enumerate(weights)})

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
        with no_grad():
            self.step_all(rows, grads, self._current_learning_rate())
            self.iterations.assign_add(1)
            for variable in self._constrained:
                variable.assign(variable.constraint(variable))

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
            if self.weight_decay and self._decayed[row]:
                variable.assign_sub(variable * (self.weight_decay * learning_rate))
            self.update_step(grad, variable, learning_rate)

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
        """What to multiply each gradient with, so that norms stay below the limits; None for 1."""
        if self.global_clipnorm is not None:
            norm = ops.global_norm(grads).item()
            return [_scale_to(self.global_clipnorm, norm)] * len(grads)
        if self.clipnorm is not None:
            return [_scale_to(self.clipnorm, ops.global_norm([grad]).item()) for grad in grads]
        return None

    # --- weight decay -----------------------------------------------------------------------------

    def exclude_from_weight_decay(
        self, var_list: Sequence[Variable] | None = None, var_names: Sequence[str] | None = None
    ) -> None:
        """Leaves variables out of weight decay; call it before the first step.

        Args:
            var_list: the variables.
            var_names: parts of names, such as `["bias"]`.

        Raises:
            ValueError: the optimizer is built already.
        """
        if self.built:
            raise ValueError(
                f"[{self.name}] expected exclude_from_weight_decay before the optimizer is built"
            )
        self._exclusions += [id(v) for v in var_list or ()] + list(var_names or ())

    def _is_excluded(self, variable: Variable) -> bool:
        return any(
            key == id(variable) if isinstance(key, int) else key in variable.name
            for key in self._exclusions
        )

    # --- configuration ----------------------------------------------------------------------------

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


def _takes_step(schedule: Callable[..., float]) -> bool:
    """Whether `schedule` wants the step number (a plain function may take nothing)."""
    if isinstance(schedule, LearningRateSchedule):
        return True
    return bool(inspect.signature(schedule).parameters)
