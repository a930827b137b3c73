"""LossScaleOptimizer: keeps small gradients above the least number of float16."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydl import ops
from pydl.optimizers.optimizer import Optimizer
from pydl.saving import deserialize_keras_object, serialize_keras_object
from pydl.variable import Variable


class LossScaleOptimizer(Optimizer):
    """Multiplies the loss by a scale that grows until gradients overflow, and divides them again.

    A step whose gradients are not all finite changes nothing but halves the scale.

    Args:
        inner_optimizer: the optimizer that makes the steps.
        initial_scale: scale of the first steps.
        dynamic_growth_steps: steps without overflow after which the scale doubles.
        name: name of the instance.

    Source: Micikevicius et al., Mixed Precision Training, 2018.

    Example:
        >>> v = pydl.Variable([1.0])
        >>> optimizer = pydl.optimizers.LossScaleOptimizer(pydl.optimizers.SGD(0.5))
        >>> gradient = pydl.tensor([1.0]) * optimizer.scale_loss(1.0)
        >>> optimizer.apply([gradient], [v])
        >>> v.tolist()
        [0.5]
    """

    def __init__(
        self,
        inner_optimizer: Optimizer,
        initial_scale: float = 2.0**15,
        dynamic_growth_steps: int = 2000,
        name: str | None = None,
    ) -> None:
        self.inner_optimizer = inner_optimizer
        super().__init__(0.0, name=name)
        self.initial_scale = initial_scale
        self.dynamic_growth_steps = dynamic_growth_steps
        inner_optimizer.loss_scale_factor = None
        self.step_counter = self.add_variable((), dtype="int64", name="step_counter")
        self.dynamic_scale = self.add_variable((), "ones", name="dynamic_scale")
        self.dynamic_scale.assign(float(initial_scale))

    @property
    def learning_rate(self) -> Any:
        """The learning rate of the inner optimizer."""
        return self.inner_optimizer.learning_rate

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        if self.__dict__.get("dynamic_scale") is not None:  # the base class sets its own first
            self.inner_optimizer.learning_rate = value

    @property
    def iterations(self) -> Any:
        """Steps of the inner optimizer."""
        return self.inner_optimizer.iterations

    @property
    def variables(self) -> list[Variable]:
        """Own state, then that of the inner optimizer."""
        return self._variables + self.inner_optimizer.variables

    def build(self, variables: Sequence[Variable]) -> None:
        super().build(variables)
        self.inner_optimizer.build(variables)

    def apply(
        self, grads: Sequence[Any], trainable_variables: Sequence[Variable] | None = None
    ) -> None:
        """Steps the inner optimizer by gradients of the scaled loss, if they are all finite.

        Args, Raises: those of `Optimizer.apply`.
        """
        if not self.built:
            self.build(trainable_variables)
        if not _all_finite([grad for grad in grads if grad is not None]):
            self._set_scale(0.5)
            return
        self.inner_optimizer.inherited_loss_scale = self.dynamic_scale.item()
        self.inner_optimizer.apply(grads, trainable_variables)
        if self.step_counter.item() == self.dynamic_growth_steps - 1:
            self._set_scale(2.0)
        else:
            self.step_counter.assign_add(1)

    def _set_scale(self, factor: float) -> None:
        self.step_counter.assign(0)
        self.dynamic_scale.assign(self.dynamic_scale * factor)

    def scale_loss(self, loss: Any) -> Any:
        """The loss times the scale of the next step.

        Args:
            loss: the loss, a number or a 0-d tensor.
        """
        return loss * self.dynamic_scale.item()

    def finalize_variable_values(self, var_list: Sequence[Variable]) -> None:
        """Gives variables the values of their averages, where the inner optimizer keeps them."""
        self.inner_optimizer.finalize_variable_values(var_list)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal optimizer, without its state."""
        return {
            "name": self.name,
            "inner_optimizer": serialize_keras_object(self.inner_optimizer),
            "initial_scale": self.initial_scale,
            "dynamic_growth_steps": self.dynamic_growth_steps,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> LossScaleOptimizer:
        """An optimizer from what `get_config` returned."""
        inner = deserialize_keras_object(config["inner_optimizer"])
        return cls(**{**config, "inner_optimizer": inner})


def _all_finite(grads: list[Any]) -> bool:
    norm = ops.global_norm(grads).item()
    # A norm may overflow where no element does.
    return norm < float("inf") or all(ops.all(ops.isfinite(grad)).item() for grad in grads)
