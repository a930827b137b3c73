"""What the cells of recurrent layers share: weights, dropout and initial states."""

from __future__ import annotations

from typing import Any

from pydl import activations, initializers, ops
from pydl._core import Tensor
from pydl.layers.arguments import positive_int
from pydl.layers.layer import Layer
from pydl.random import SeedGenerator, dropout

__all__ = ["RecurrentCell"]


class RecurrentCell(Layer):
    """Base class of SimpleRNNCell, LSTMCell and GRUCell.

    A subclass sets `gates`, the number of parts of its kernels, and defines `call(inputs, states)`
    for one step and `run_sequence` for all steps in one kernel.

    While training, one choice of dropped elements serves all steps of a sequence; the layer around
    the cell ends it with `reset_dropout_mask`.

    Args:
        arguments: Those that all cells have, by name.
        kwargs: Those of Layer.

    Example:
        >>> import pydl
        >>> cell = pydl.layers.SimpleRNNCell(4)
        >>> output, states = cell(pydl.ops.ones((2, 3)), cell.get_initial_state(2))
        >>> output.shape
        (2, 4)
    """

    gates = 1

    def __init__(self, arguments: dict[str, Any], **kwargs):
        implementation = kwargs.pop("implementation", 2)
        super().__init__(**kwargs)
        vars(self).update(arguments)
        self.units = positive_int("units", self.units, self.name)
        self.activation = activations.get(self.activation)
        self.dropout = min(1.0, max(0.0, self.dropout))
        self.recurrent_dropout = min(1.0, max(0.0, self.recurrent_dropout))
        # As in Keras: with 1, every gate drops elements of its own.
        self.implementation = 1 if self.recurrent_dropout else implementation
        self.seed_generator = SeedGenerator(self.seed)
        self.output_size = self.units
        self._noise: dict[str, list[Tensor]] = {}

    def build(self, input_shape):
        self.kernel = self._add("kernel", (input_shape[-1], self.gates * self.units))
        self.recurrent_kernel = self._add("recurrent", (self.units, self.gates * self.units))
        self.bias = self._add("bias", self.bias_shape()) if self.use_bias else None

    def bias_shape(self) -> tuple[int, ...]:
        """Return the shape of the bias."""
        return (self.gates * self.units,)

    def get_initial_state(self, batch_size: int) -> list[Tensor]:
        """Return states of zeros, shape `(batch_size, units)` each."""
        sizes = self.state_size if isinstance(self.state_size, list) else [self.state_size]
        return [ops.zeros((batch_size, size), dtype=self.compute_dtype) for size in sizes]

    def reset_dropout_mask(self) -> None:
        """Choose anew what to drop from now on."""
        self._noise.clear()

    reset_recurrent_dropout_mask = reset_dropout_mask

    def project_inputs(self, inputs: Tensor, bias: Any, training: bool) -> list[Tensor]:
        """Return the part of every gate of `inputs @ kernel + bias`, with dropout on the inputs."""
        rate = self.dropout if training else 0.0
        return self._project(inputs, self.kernel, bias, self._noise_for("inputs", inputs, rate))

    def project_state(self, state: Tensor, bias: Any, training: bool) -> list[Tensor]:
        """Return the parts of `state @ recurrent_kernel + bias`, with dropout on the state."""
        noise = self.state_noise(state, training)
        return self._project(state, self.recurrent_kernel, bias, noise)

    def state_noise(self, state: Tensor, training: bool) -> list[Tensor]:
        """Return the factors that dropout multiplies the state by: for each gate, one, or none."""
        return self._noise_for("state", state, self.recurrent_dropout if training else 0.0)

    def drop_inputs(self, sequences: Tensor, training: bool) -> Tensor:
        """Return whole sequences with dropout on the inputs, the same for all steps and gates."""
        noise = self._noise_for("inputs", sequences[:, 0], self.dropout if training else 0.0)
        return sequences * ops.expand_dims(noise[0], 1) if noise else sequences

    def may_fuse(self, cls: type, training: bool) -> bool:
        """Return whether one kernel can do what this cell does.

        Args:
            cls: The class whose `call` that kernel stands for; not one that overrides it.
            training: Whether dropout applies.
        """
        own_noise = self.implementation == 1 and (self.dropout or self.recurrent_dropout)
        return type(self).call is cls.call and not (training and own_noise)

    def _add(self, kind: str, shape: tuple[int, ...]):
        return self.add_weight(
            shape=shape,
            initializer=self._initializer(kind),
            regularizer=getattr(self, f"{kind}_regularizer"),
            constraint=getattr(self, f"{kind}_constraint"),
            name="recurrent_kernel" if kind == "recurrent" else kind,
        )

    def _initializer(self, kind: str):
        return getattr(self, f"{kind}_initializer")

    def _project(self, x: Tensor, kernel: Any, bias: Any, noise: list[Tensor]) -> list[Tensor]:
        if len(noise) < 2:
            x = x * noise[0] if noise else x
            return ops.split(ops.linear(x, kernel, bias), self.gates, axis=-1)
        kernels = ops.split(kernel, self.gates, axis=-1)
        biases = [None] * self.gates if bias is None else ops.split(bias, self.gates, axis=-1)
        return [ops.linear(x * n, k, b) for n, k, b in zip(noise, kernels, biases)]

    def _noise_for(self, kind: str, x: Tensor, rate: float) -> list[Tensor]:
        if not 0 < rate < 1:
            return []
        if kind not in self._noise:
            count = self.gates if self.implementation == 1 else 1
            ones, seed = ops.ones_like(x), self.seed_generator
            self._noise[kind] = [dropout(ones, rate, seed=seed) for _ in range(count)]
        return self._noise[kind]


def forget_bias_initializer(initializer: Any):
    """Return the initializer of an LSTM's bias that starts with 1 for the gate f."""
    first = initializers.get(initializer)

    def initialize(shape, dtype=None):
        units = shape[0] // 4
        parts = [first((units,), dtype=dtype), ops.ones((units,), dtype=dtype)]
        return ops.concatenate([*parts, first((2 * units,), dtype=dtype)])

    return initialize


def has_usual_gates(cell: RecurrentCell) -> bool:
    """Return whether a cell's activations are those of the kernels, tanh and sigmoid."""
    state = cell.activation in (activations.tanh, ops.tanh)
    return state and cell.recurrent_activation in (activations.sigmoid, ops.sigmoid)
