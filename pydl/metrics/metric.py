"""Metric: something accumulated over the batches of an epoch."""

from __future__ import annotations

from typing import Any

import numpy as np

from pydl._core import Tensor
from pydl.naming import auto_name
from pydl.variable import Variable

__all__ = ["Metric"]


class Metric:
    """Base class of metrics.

    A subclass makes its state with `add_variable`, and implements `update_state` and `result`.

    Args:
        dtype: dtype of the result; float32 by default.
        name: name of the instance; by default made from the class: `precision`, `precision_1`.

    Example:
        >>> class Largest(pydl.metrics.Metric):
        ...     def __init__(self, name="largest"):
        ...         super().__init__(name=name)
        ...         self.value = self.add_variable((), "zeros", name="value")
        ...     def update_state(self, y_true, y_pred, sample_weight=None):
        ...         self.value.assign(pydl.ops.maximum(self.value, pydl.ops.max(y_pred)))
        ...     def result(self):
        ...         return self.value
        >>> metric = Largest()
        >>> metric.update_state(None, np.array([1.0, 3.0], "float32"))
        >>> float(metric.result())
        3.0
    """

    def __init__(self, dtype: str | None = None, name: str | None = None) -> None:
        self.name = name or auto_name(type(self).__name__)
        self._dtype = dtype or "float32"
        self._own_variables: list[Variable] = []

    @property
    def dtype(self) -> str:
        """dtype of the result."""
        return self._dtype

    @property
    def variables(self) -> list[Variable]:
        """The state: own variables, then those of metrics that are attributes."""
        nested = [m for m in vars(self).values() if isinstance(m, Metric)]
        return self._own_variables + [v for metric in nested for v in metric.variables]

    def add_variable(
        self,
        shape: tuple[int, ...] = (),
        initializer: Any = "zeros",
        dtype: str | None = None,
        name: str | None = None,
    ) -> Variable:
        """A state variable, which `reset_state` sets to zero.

        Args:
            shape: its shape.
            initializer: what it starts with, see `pydl.Variable`.
            dtype: that of the metric by default.
            name: its name.
        """
        variable = Variable(
            initializer, shape=shape, dtype=dtype or self._dtype, trainable=False, name=name
        )
        self._own_variables.append(variable)
        return variable

    def add_weight(
        self,
        shape: tuple[int, ...] = (),
        initializer: Any = "zeros",
        dtype: str | None = None,
        name: str | None = None,
    ) -> Variable:
        """Same as `add_variable`."""
        return self.add_variable(shape, initializer, dtype, name)

    def update_state(self, *args: Any, **kwargs: Any) -> None:
        """Takes a batch in."""
        raise NotImplementedError(
            f"[{type(self).__name__}] expected a subclass that defines update_state()"
        )

    def result(self) -> Any:
        """The value of the metric so far: a 0-d tensor, or a dict of them."""
        raise NotImplementedError(
            f"[{type(self).__name__}] expected a subclass that defines result()"
        )

    def reset_state(self) -> None:
        """Forgets every batch."""
        for variable in self.variables:
            variable.assign(np.zeros(variable.shape, variable.dtype))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Takes a batch in and returns the result so far."""
        self.update_state(*args, **kwargs)
        return self.result()

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal metric, without its state."""
        return {"name": self.name, "dtype": self._dtype}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Metric:
        """A metric from what `get_config` returned."""
        return cls(**config)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}>"


def detached(value: Any) -> Any:
    """`value` outside any graph of gradients, which metrics must not keep alive."""
    return value.detach() if isinstance(value, Tensor) and value.requires_grad else value
