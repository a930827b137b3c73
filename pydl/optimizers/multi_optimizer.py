"""MultiOptimizer: different optimizers for different variables of one model."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, MutableMapping, Sequence
from typing import Any

from pydl.optimizers.loss_scale_optimizer import LossScaleOptimizer
from pydl.optimizers.optimizer import Optimizer
from pydl.saving import deserialize_keras_object, serialize_keras_object
from pydl.variable import Variable


class OptimizerMap(MutableMapping):
    """Optimizers by regular expressions that match the whole path of a variable.

    Args:
        default_optimizer: the optimizer of paths that no expression matches.
        optimizer_map: optimizers by expressions, such as `{".*/embeddings": SGD(0.1)}`.

    Example:
        >>> slow, fast = pydl.optimizers.SGD(0.01), pydl.optimizers.SGD(0.1)
        >>> optimizers = pydl.optimizers.OptimizerMap(slow, {".*/kernel": fast})
        >>> optimizers["model/dense/kernel"] is fast, optimizers["model/dense/bias"] is slow
        (True, True)
    """

    def __init__(
        self, default_optimizer: Optimizer, optimizer_map: dict[str, Optimizer] | None = None
    ) -> None:
        if not isinstance(default_optimizer, Optimizer):
            raise TypeError(f"[OptimizerMap] expected an Optimizer, got {default_optimizer!r}")
        if optimizer_map is not None and not isinstance(optimizer_map, dict):
            raise TypeError(f"[OptimizerMap] expected a dict of optimizers, got {optimizer_map!r}")
        self.default_optimizer = default_optimizer
        self._by_pattern: dict[str, Optimizer] = {}
        for pattern, optimizer in (optimizer_map or {}).items():
            self[pattern] = optimizer

    def __getitem__(self, key: str) -> Optimizer:
        if key in self._by_pattern:
            return self._by_pattern[key]
        found = [pattern for pattern in self._by_pattern if re.fullmatch(pattern, key)]
        if len(found) > 1:
            raise ValueError(f"[OptimizerMap] expected one expression for {key!r}, got {found}")
        return self._by_pattern[found[0]] if found else self.default_optimizer

    def __setitem__(self, key: str, optimizer: Optimizer) -> None:
        if not isinstance(key, str) or key in self._by_pattern:
            raise ValueError(f"[OptimizerMap] expected a new expression, got {key!r}")
        wrong = (LossScaleOptimizer, MultiOptimizer)
        if not isinstance(optimizer, Optimizer) or isinstance(optimizer, wrong):
            raise ValueError(f"[OptimizerMap] expected a plain Optimizer, got {optimizer!r}")
        self._by_pattern[key] = optimizer

    def __delitem__(self, key: str) -> None:
        del self._by_pattern[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_pattern)

    def __len__(self) -> int:
        return len(self._by_pattern)

    def __call__(self, variable: Variable) -> Optimizer:
        """The optimizer of a variable."""
        return self[variable.path]

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal map."""
        return {
            "default_optimizer": serialize_keras_object(self.default_optimizer),
            "optimizer_map": serialize_keras_object(self._by_pattern),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> OptimizerMap:
        """A map from what `get_config` returned."""
        return cls(**deserialize_keras_object(config))


class MultiOptimizer(Optimizer):
    """Steps each variable by the optimizer that a map or a function gives for it.

    Args:
        optimizer_map: an `OptimizerMap`, or a function of a variable that returns its optimizer.
        loss_scale_factor: see `Optimizer`; it holds for all.
        name: name of the instance.

    Attributes:
        optimizers: the optimizers, each with a learning rate of its own.

    Example:
        >>> slow, fast = pydl.optimizers.SGD(0.25), pydl.optimizers.SGD(1.0)
        >>> choose = lambda variable: fast if variable.name == "kernel" else slow
        >>> v = [pydl.Variable([1.0], name=name) for name in ("kernel", "bias")]
        >>> pydl.optimizers.MultiOptimizer(choose).apply([pydl.tensor([1.0])] * 2, v)
        >>> [x.item() for x in v]
        [0.0, 0.75]
    """

    def __init__(
        self,
        optimizer_map: OptimizerMap | Callable[[Variable], Optimizer],
        loss_scale_factor: float | None = None,
        name: str | None = None,
    ) -> None:
        self.optimizers: list[Optimizer] = []
        super().__init__(0.0, loss_scale_factor=loss_scale_factor, name=name)
        self.optimizer_map = optimizer_map
        if isinstance(optimizer_map, OptimizerMap):
            for optimizer in (*optimizer_map.values(), optimizer_map.default_optimizer):
                self._add(optimizer)

    def _add(self, optimizer: Optimizer) -> None:
        if not any(optimizer is known for known in self.optimizers):
            optimizer.loss_scale_factor = self.loss_scale_factor
            self.optimizers.append(optimizer)

    @property
    def learning_rate(self) -> Any:
        """There is none: each of `optimizers` has its own."""
        raise AttributeError(
            "[MultiOptimizer] expected learning_rate of one of its optimizers. "
            "Use optimizer.optimizers[i].learning_rate"
        )

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        if self.__dict__.get("optimizer_map") is not None:  # the base class sets its own first
            raise AttributeError(
                "[MultiOptimizer] expected learning_rate of one of its optimizers to be set. "
                "Use optimizer.optimizers[i].learning_rate"
            )

    @property
    def variables(self) -> list[Variable]:
        """Own state, then that of the optimizers."""
        return self._variables + [v for inner in self.optimizers for v in inner.variables]

    def build(self, variables: Sequence[Variable]) -> None:
        super().build(variables)
        chosen = [self.optimizer_map(variable) for variable in variables]
        for optimizer in chosen:
            if not isinstance(optimizer, Optimizer):
                raise ValueError(f"[MultiOptimizer] expected an Optimizer, got {optimizer!r}")
            self._add(optimizer)
        self._place = {
            id(v): next(i for i, inner in enumerate(self.optimizers) if inner is optimizer)
            for v, optimizer in zip(variables, chosen)
        }
        for inner, own in zip(self.optimizers, self._split(variables)):
            if own:
                inner.build([variable for (variable,) in own])

    def _split(self, variables: Sequence[Variable], *others: Sequence[Any]) -> list[list[tuple]]:
        """For each optimizer its variables, each with what belongs to it."""
        parts: list[list[tuple]] = [[] for _ in self.optimizers]
        for row in zip(variables, *others):
            parts[self._place[id(row[0])]].append(row)
        return parts

    def apply(
        self, grads: Sequence[Any], trainable_variables: Sequence[Variable] | None = None
    ) -> None:
        """Changes variables by their gradients, each with its optimizer.

        Args, Raises: those of `Optimizer.apply`.
        """
        variables = trainable_variables
        if variables is None:
            variables = self._trainable_variables
        if not self.built:
            self.build(variables)
        self._rows(grads, variables)  # refuses what is not known
        for inner, part in zip(self.optimizers, self._split(variables, grads)):
            part = [(variable, grad) for variable, grad in part if grad is not None]
            if part:
                inner.inherited_loss_scale = self.inherited_loss_scale
                inner.apply([grad for _, grad in part], [variable for variable, _ in part])
        self._iterations.assign_add(1)

    def finalize_variable_values(self, var_list: Sequence[Variable]) -> None:
        """Gives variables the values of their averages, where their optimizers keep them."""
        for inner, part in zip(self.optimizers, self._split(var_list)):
            inner.finalize_variable_values([variable for (variable,) in part])

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal optimizer, without its state."""
        return {
            "name": self.name,
            "optimizer_map": serialize_keras_object(self.optimizer_map),
            "loss_scale_factor": self.loss_scale_factor,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> MultiOptimizer:
        """An optimizer from what `get_config` returned."""
        return cls(**deserialize_keras_object(config))
