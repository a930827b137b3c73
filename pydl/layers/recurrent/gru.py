"""Gated recurrent unit."""

from __future__ import annotations

from typing import Any

from pydl import activations, ops
from pydl.layers.input_spec import InputSpec
from pydl.layers.recurrent.cell import RecurrentCell, has_usual_gates
from pydl.layers.recurrent.rnn import RNN, cell_options, of_cell

__all__ = ["GRU", "GRUCell"]


class GRUCell(RecurrentCell):
    """One step of GRU.

    With xz, xr, xh the parts of `inputs @ kernel + bias[0]` and hz, hr, hh those of
    `state @ recurrent_kernel + bias[1]`, `z = sigmoid(xz + hz)`, `r = sigmoid(xr + hr)` and
    `h = tanh(xh + r * hh)`, the new state is `z * state + (1 - z) * h`.

    Args:
        units: The size of the output and of the state.
        activation: A name or a function, for what is new in the state.
        recurrent_activation: Likewise for the gates.
        use_bias: Whether to add a bias.
        kernel_initializer: First values of the kernel.
        recurrent_initializer: First values of the recurrent kernel.
        bias_initializer: First values of the bias.
        kernel_regularizer: Penalty on the kernel.
        recurrent_regularizer: Penalty on the recurrent kernel.
        bias_regularizer: Penalty on the bias.
        kernel_constraint: Projection of the kernel after every step of training.
        recurrent_constraint: Likewise for the recurrent kernel.
        bias_constraint: Likewise for the bias.
        dropout: The share of the inputs dropped while training.
        recurrent_dropout: The share of the state dropped while training.
        reset_after: Whether the reset gate comes after the product with the recurrent kernel; there
            is a second bias then.
        seed: The seed of dropout.

    Call arguments:
        inputs: A tensor of shape `(batch, features)`.
        states: A list of one tensor of shape `(batch, units)`.
        training: Whether to apply dropout.

    Returns:
        The output, shape `(batch, units)`, and the list of the new state.

    Example:
        >>> import pydl
        >>> layer = pydl.layers.RNN(pydl.layers.GRUCell(4))
        >>> layer(pydl.ops.ones((2, 5, 3))).shape
        (2, 4)
    """

    gates = 3

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        reset_after: bool = True,
        seed: int | None = None,
        **kwargs,
    ):
        arguments = dict(
            units=units,
            activation=activation,
            recurrent_activation=recurrent_activation,
            use_bias=use_bias,
            kernel_initializer=kernel_initializer,
            recurrent_initializer=recurrent_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            recurrent_regularizer=recurrent_regularizer,
            bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint,
            recurrent_constraint=recurrent_constraint,
            bias_constraint=bias_constraint,
            dropout=dropout,
            recurrent_dropout=recurrent_dropout,
            reset_after=reset_after,
            seed=seed,
        )
        super().__init__(arguments, **kwargs)
        self.recurrent_activation = activations.get(recurrent_activation)
        self.state_size = self.units

    def bias_shape(self) -> tuple[int, ...]:
        size = self.gates * self.units
        return (2, size) if self.reset_after else (size,)

    def call(self, inputs, states, training=False):
        state = states[0]
        input_bias = state_bias = self.bias
        if self.reset_after and self.use_bias:
            input_bias, state_bias = ops.unstack(self.bias)
        xz, xr, xh = self.project_inputs(inputs, input_bias, training)
        gate = self.recurrent_activation
        if self.reset_after:
            hz, hr, hh = self.project_state(state, state_bias, training)
            z, added = gate(xz + hz), gate(xr + hr) * hh
        else:
            noise = self.state_noise(state, training) or [1.0] * self.gates
            for_z, for_r, for_h = (state * n for n in noise)
            kernel_z, kernel_r, kernel_h = ops.split(self.recurrent_kernel, 3, axis=-1)
            z, r = gate(xz + for_z @ kernel_z), gate(xr + for_r @ kernel_r)
            added = (r * for_h) @ kernel_h
        state = z * state + (1 - z) * self.activation(xh + added)
        return state, [state]

    def run_sequence(self, sequences, states, mask, go_backwards: bool, training: bool):
        """Return outputs of all steps and the last states from one kernel; None if it cannot."""
        if not has_usual_gates(self) or not self.may_fuse(GRUCell, training):
            return None
        x = self.drop_inputs(sequences, training)
        weights = self.kernel, self.recurrent_kernel, self.bias
        outputs, state = ops.gru(x, *weights, states[0], mask, go_backwards, self.reset_after)
        return outputs, [state]


class GRU(RNN):
    """Gated recurrent unit: a recurrent layer whose gates decide what it keeps.

    All steps run in one kernel, forward and backward. With other activations than tanh and sigmoid,
    or with dropout of the state while training, the cell is called step by step instead.

    Args:
        units: The size of the output and of the state.
        activation: A name or a function, for what is new in the state.
        recurrent_activation: Likewise for the gates.
        use_bias: Whether to add a bias.
        kernel_initializer: First values of the kernel.
        recurrent_initializer: First values of the recurrent kernel.
        bias_initializer: First values of the bias.
        kernel_regularizer: Penalty on the kernel.
        recurrent_regularizer: Penalty on the recurrent kernel.
        bias_regularizer: Penalty on the bias.
        activity_regularizer: Penalty on the output.
        kernel_constraint: Projection of the kernel after every step of training.
        recurrent_constraint: Likewise for the recurrent kernel.
        bias_constraint: Likewise for the bias.
        dropout: The share of the inputs dropped while training, the same for all steps.
        recurrent_dropout: The share of the state dropped while training, the same for all steps.
        seed: The seed of dropout.
        return_sequences: Whether to return the outputs of all steps or only the last.
        return_state: Whether to return the last state too.
        go_backwards: Whether to go from the last step to the first; outputs come in that order.
        stateful: Whether a batch starts with the last state of the batch before.
        unroll: Accepted, without effect.
        reset_after: Whether the reset gate comes after the product with the recurrent kernel; there
            is a second bias then.
        use_cudnn: Accepted, without effect.

    Call arguments:
        sequences: A tensor of shape `(batch, steps, features)`.
        initial_state: The state before the first step, shape `(batch, units)`; zeros when None.
        mask: A bool tensor of shape `(batch, steps)`; where it is False the state stays as it is.
        training: Whether to apply dropout.

    Returns:
        A tensor of shape `(batch, units)`, with `return_sequences` `(batch, steps, units)`; with
        `return_state` a tuple of it and the state.

    Raises:
        ValueError: `units` is not a positive integer.

    Example:
        >>> import pydl
        >>> layer = pydl.layers.GRU(4)
        >>> layer(pydl.ops.ones((2, 5, 3))).shape
        (2, 4)
        >>> [w.shape for w in layer.weights]
        [(3, 12), (4, 12), (2, 12)]

    Source: Cho et al., 2014.
    """

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        reset_after: bool = True,
        use_cudnn: Any = "auto",
        **kwargs,
    ):
        cell = GRUCell(
            units,
            activation=activation,
            recurrent_activation=recurrent_activation,
            use_bias=use_bias,
            kernel_initializer=kernel_initializer,
            recurrent_initializer=recurrent_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            recurrent_regularizer=recurrent_regularizer,
            bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint,
            recurrent_constraint=recurrent_constraint,
            bias_constraint=bias_constraint,
            dropout=dropout,
            recurrent_dropout=recurrent_dropout,
            reset_after=reset_after,
            seed=seed,
            **cell_options(kwargs, "gru_cell"),
        )
        super().__init__(
            cell,
            return_sequences=return_sequences,
            return_state=return_state,
            go_backwards=go_backwards,
            stateful=stateful,
            unroll=unroll,
            activity_regularizer=activity_regularizer,
            **kwargs,
        )
        self.input_spec = InputSpec(ndim=3)
        self.use_cudnn = use_cudnn

    units = of_cell("units")
    activation = of_cell("activation")
    recurrent_activation = of_cell("recurrent_activation")
    reset_after = of_cell("reset_after")
    dropout = of_cell("dropout")
    recurrent_dropout = of_cell("recurrent_dropout")
