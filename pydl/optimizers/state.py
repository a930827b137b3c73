"""OptimizerState: the part of an optimizer that makes, saves and restores what it remembers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydl._core import default_device, move_
from pydl.device import device
from pydl.variable import Variable


class OptimizerState:
    """The variables of an optimizer, in the order of their making."""

    name: str
    _variables: list[Variable]
    _index: dict[int, int]

    @property
    def variables(self) -> list[Variable]:
        """The state: iteration, learning rate, then what the optimizer keeps for each variable."""
        return list(self._variables)

    def _track(self, variable: Variable) -> Variable:
        self._variables.append(variable)
        return variable

    def add_variable(
        self,
        shape: Sequence[int],
        initializer: Any = "zeros",
        dtype: str | None = None,
        name: str | None = None,
    ) -> Variable:
        """A state variable.

        Args:
            shape: its shape.
            initializer: what it starts with.
            dtype: its dtype, float32 by default.
            name: what it is, such as `"momentum"`.
        """
        # Numbers are read at every step, which would wait for a GPU.
        with device("cpu" if tuple(shape) == () else default_device()):
            variable = Variable(initializer, shape=shape, dtype=dtype, trainable=False, name=name)
        return self._track(variable)

    def add_variable_from_reference(
        self, reference_variable: Variable, name: str = "var", initializer: Any = "zeros"
    ) -> Variable:
        """A state variable with the shape and dtype of `reference_variable`.

        Args:
            reference_variable: the variable that it belongs to.
            name: what it is, such as `"momentum"`.
            initializer: what it starts with.
        """
        name = f"{reference_variable.path.replace('/', '_')}_{name}"
        shape, dtype = reference_variable.shape, reference_variable.dtype
        with device(reference_variable.device):
            return self.add_variable(shape, initializer, dtype, name)

    def add_optimizer_variables(
        self,
        trainable_variables: Sequence[Variable],
        name: str | Sequence[str],
        initializer: Any = "zeros",
    ) -> Any:
        """State for each of the variables.

        Args:
            trainable_variables: the variables that it belongs to.
            name: what it is; several names make several pieces of state a variable.
            initializer: what it starts with, one for each name or one for all.

        Returns:
            A list of variables; for several names a tuple of lists.
        """
        names = [name] if isinstance(name, str) else list(name)
        several = isinstance(initializer, (list, tuple))
        initializers = list(initializer) if several else [initializer] * len(names)
        if len(names) != len(initializers):
            raise ValueError(
                f"[{self.name}] expected an initializer for each of {names}, got {initializers}"
            )
        rows = [
            [self.add_variable_from_reference(v, *pair) for pair in zip(names, initializers)]
            for v in trainable_variables
        ]
        if isinstance(name, str):
            return [row[0] for row in rows]
        return tuple([row[i] for row in rows] for i in range(len(names)))

    def to(self, name: str) -> None:
        """Moves the state to a device, but for single numbers, which stay on the CPU.

        Args:
            name: "cpu", "gpu" or "gpu:" and an index.
        """
        for variable in self.variables:
            if variable.shape:
                move_(variable, name)

    def _get_variable_index(self, variable: Variable) -> int:
        """The place of `variable` in the list given to `build`."""
        return self._index[id(variable)]

    def assign(self, variable: Variable, value: Any) -> None:
        """Sets a variable; the same as `variable.assign(value)`."""
        variable.assign(value)

    def assign_add(self, variable: Variable, value: Any) -> None:
        """Adds to a variable; the same as `variable.assign_add(value)`."""
        variable.assign_add(value)

    def assign_sub(self, variable: Variable, value: Any) -> None:
        """Subtracts from a variable; the same as `variable.assign_sub(value)`."""
        variable.assign_sub(value)

    def save_own_variables(self, store: dict[str, Any]) -> None:
        """Puts the state into `store` as numpy arrays under "0", "1", ..."""
        for i, variable in enumerate(self.variables):
            store[str(i)] = variable.numpy().copy()

    def load_own_variables(self, store: dict[str, Any]) -> None:
        """Takes the state from what `save_own_variables` wrote.

        Raises:
            ValueError: the number of arrays or a shape differs.
        """
        variables = self.variables
        if len(store) != len(variables):
            raise ValueError(
                f"[{type(self).__name__}] expected {len(variables)} arrays of state, "
                f"got {len(store)}. Build it with the model's variables first"
            )
        for i, variable in enumerate(variables):
            variable.assign(store[str(i)])

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Sets the state from a list of arrays in the order of `variables`."""
        self.load_own_variables({str(i): weight for i, weight in enumerate(weights)})
