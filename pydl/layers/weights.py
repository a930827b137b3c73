"""The weights of a layer and of the layers inside it, and the losses that belong to them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from pydl import constraints, initializers, regularizers
from pydl._call_errors import show
from pydl._core import Tensor
from pydl.errors import ShapeError
from pydl.layers.context import context
from pydl.variable import Variable

__all__ = ["WeightHolder"]


class WeightHolder:
    """The part of a layer that knows variables: its own, and those of the layers it holds.

    A layer holds every layer and variable found in its attributes, and in lists, tuples and
    dicts among them. Only the names of such attributes are registered: what they hold now is
    what counts.
    """

    def __setattr__(self, name: str, value: Any) -> None:
        cls = type(value)
        if (_kinds.get(cls) or _kind(cls)) != "nothing":
            self._holders[name] = None
        super().__setattr__(name, value)

    def add_weight(
        self,
        shape: Sequence[int] | None = None,
        initializer: Any = None,
        dtype: str | None = None,
        trainable: bool = True,
        autocast: bool = True,
        regularizer: Any = None,
        constraint: Any = None,
        name: str | None = None,
    ) -> Variable:
        """Create a weight of this layer.

        Args:
            shape: Its shape; a scalar when None.
            initializer: Name, function or number; "glorot_uniform" when None (zeros for
                integers and bool).
            dtype: Its dtype; that of the layer when None.
            trainable: Whether it is trained.
            autocast: Whether a mixed dtype policy computes with a 16-bit copy of it.
            regularizer: Penalty added to the loss.
            constraint: Projection applied after every optimizer step.
            name: Its name.

        Returns:
            The variable; keep it in an attribute to use it in `call`.

        Raises:
            ValueError: a size in `shape` is unknown.
        """
        shape = (shape,) if isinstance(shape, int) else tuple(shape or ())
        if any(size is None or size < 0 for size in shape):
            raise ValueError(f"[{self.name}] expected known sizes for a weight, got shape {shape}.")
        dtype = dtype or self.variable_dtype
        if initializer is None:
            initializer = "glorot_uniform" if "float" in dtype else "zeros"
        variable = Variable(initializers.get(initializer), shape, dtype, trainable, autocast, name)
        if not self._trainable:
            variable.trainable = False
        variable.regularizer = regularizers.get(regularizer)
        variable.constraint = constraints.get(constraint)
        self._weights.append(variable)
        return variable

    @property
    def weights(self) -> list[Variable]:
        """All variables: trainable ones of the layer, its others, then those of inner layers."""
        return _unique(v for _, variables in self._walk() for v in variables)

    @property
    def variables(self) -> list[Variable]:
        """The same as `weights`."""
        return self.weights

    @property
    def trainable_weights(self) -> list[Variable]:
        """The variables that gradients are computed for; none when the layer is frozen."""
        return [v for v in self.weights if v.trainable] if self._trainable else []

    @property
    def non_trainable_weights(self) -> list[Variable]:
        """The variables that are not trained."""
        return [v for v in self.weights if not (self._trainable and v.trainable)]

    trainable_variables = trainable_weights
    non_trainable_variables = non_trainable_weights

    @property
    def trainable(self) -> bool:
        """Whether the layer is trained; setting it sets it for the layers inside too."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = bool(value)
        variables, layers = self._contents()
        for variable in variables:
            variable.trainable = self._trainable and variable.declared_trainable
        for layer in layers:
            layer.trainable = value

    def get_weights(self) -> list[np.ndarray]:
        """Return copies of all weights as arrays, in the order of `weights`."""
        return [np.array(v.numpy()) for v in self.weights]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Overwrite all weights.

        Args:
            weights: Arrays in the order and of the shapes of `weights`.

        Raises:
            ValueError: another number of arrays; nothing is changed.
            ShapeError: an array of another shape; nothing is changed.
        """
        variables = self.weights
        if not isinstance(weights, Sequence) and np.ndim(weights) == 0:
            raise TypeError(
                f"[{self.name}] set_weights expected a list of {len(variables)} arrays, "
                f"got {show(weights)}."
            )
        if len(weights) != len(variables):
            raise ValueError(
                f"[{self.name}] set_weights expected {len(variables)} arrays, got {len(weights)}. "
                f"Hint: the shapes expected are {[v.shape for v in variables]}."
                + ("" if self.built else " The layer is not built yet: call it once first.")
            )
        for variable, value in zip(variables, weights):
            if np.shape(value) != variable.shape:
                raise ShapeError(
                    f"[{self.name}] set_weights expected shape {variable.shape} "
                    f"for {variable.path!r}, got {np.shape(value)}."
                )
        for variable, value in zip(variables, weights):
            variable.assign(value)

    def count_params(self) -> int:
        """Return the number of numbers in all weights.

        Raises:
            ValueError: the layer is not built yet.
        """
        if not self.built:
            raise ValueError(
                f"[{self.name}] count_params expected a layer with weights, got one not built yet. "
                "Hint: call it on data, or call build(input_shape)."
            )
        return sum(math.prod(v.shape) for v in self.weights)

    def add_loss(self, loss: Any) -> None:
        """Add scalar losses to those of the model for the current call.

        Args:
            loss: A scalar tensor or a list of them, or a function without arguments that returns
                one, which is called whenever `losses` is read.
        """
        new = loss if isinstance(loss, (list, tuple)) else [loss]
        if not context.repeats:
            if self._losses and self._losses[0][0] != context.call_id:
                self._losses = [pair for pair in self._losses if callable(pair[1])]
            self._losses += [(context.call_id, one) for one in new]
        if context.added_losses is not None:
            first = len(self._losses) - len(new)
            places = [(self, first + i, one) for i, one in enumerate(new)]
            context.added_losses += [place for place in places if isinstance(place[2], Tensor)]

    @property
    def losses(self) -> list[Tensor]:
        """The penalties of all weights and what `add_loss` added during the last call."""
        contents = self._walk()
        added = [
            loss() if callable(loss) else loss
            for layer, _ in contents
            for call_id, loss in layer._losses
            if callable(loss) or call_id >= self._last_call_id
        ]
        if not self._trainable:
            return added
        weights = _unique(v for _, variables in contents for v in variables if v.regularizer)
        return added + [v.regularizer(v) for v in weights if v.trainable]

    def _contents(self) -> tuple[list[Variable], list]:
        """Return the variables and the layers that this layer itself holds, some of them twice."""
        variables, layers = [], []
        attributes = vars(self)
        _collect([attributes.get(name) for name in list(self._holders)], variables, layers)
        if not all(v.declared_trainable for v in variables):
            variables.sort(key=lambda v: not v.declared_trainable)
        return variables, layers

    def _walk(self) -> list[tuple[Any, list[Variable]]]:
        """Return this layer and all inside it, each once, with the variables each holds itself."""
        found, seen = [], set()

        def visit(layer) -> None:
            if id(layer) not in seen:
                seen.add(id(layer))
                variables, layers = layer._contents()
                found.append((layer, variables))
                for inner in layers:
                    visit(inner)

        visit(self)
        return found


# What there is to find in values of each type met so far: most attributes hold nothing.
_kinds: dict[type, str] = {}
_KINDS = ((Variable, "variable"), (WeightHolder, "layer"), ((list, tuple), "list"), (dict, "dict"))


def _kind(cls: type) -> str:
    _kinds[cls] = next((kind for base, kind in _KINDS if issubclass(cls, base)), "nothing")
    return _kinds[cls]


def _collect(values: Iterable, variables: list, layers: list) -> None:
    """Append the variables and layers among `values`, in lists and dicts too."""
    for value in values:
        cls = type(value)
        kind = _kinds.get(cls) or _kind(cls)
        if kind == "nothing":
            continue
        if kind == "variable":
            variables.append(value)
        elif kind == "layer":
            layers.append(value)
        else:
            _collect(value if kind == "list" else value.values(), variables, layers)


def _unique(items: Iterable) -> list:
    return list({id(item): item for item in items}.values())
