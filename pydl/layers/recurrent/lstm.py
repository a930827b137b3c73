"""Long short-term memory."""

from __future__ import annotations

from typing import Any

from pydl import activations, ops
from pydl.layers.input_spec import InputSpec
from pydl.layers.recurrent.cell import RecurrentCell, forget_bias_initializer, has_usual_gates
from pydl.layers.recurrent.rnn import RNN, cell_options, of_cell

__all__ = ["LSTM", "LSTMCell"]


class LSTMCell(RecurrentCell):
    """One step of LSTM.

    With i, f, c, o the parts of `inputs @ kernel + hidden @ recurrent_kernel + bias`, the new
    states are `carry = sigmoid(f) * carry + sigmoid(i) * tanh(c)` and
    `hidden = sigmoid(o) * tanh(carry)`.

    Args:
        units: The size of the output and of the state.
        activation: A name or a function, for the input of the state and for the output.
        recurrent_activation: Likewise for the gates.
        use_bias: Whether to add a bias.
        kernel_initializer: First values of the kernel.
        recurrent_initializer: First values of the recurrent kernel.
        bias_initializer: First values of the bias.
        unit_forget_bias: Whether the bias of the forget gate starts with 1.
        kernel_regularizer: Penalty on the kernel.
        recurrent_regularizer: Penalty on the recurrent kernel.
        bias_regularizer: Penalty on the bias.
        kernel_constraint: Projection of the kernel after every step of training.
        recurrent_constraint: Likewise for the recurrent kernel.
        bias_constraint: Likewise for the bias.
        dropout: The share of the inputs dropped while training.
        recurrent_dropout: The share of the state dropped while training.
        seed: The seed of dropout.

    Call arguments:
        inputs: A tensor of shape `(batch, features)`.
        states: The hidden and the carry state, shape `(batch, units)` each.
        training: Whether to apply dropout.

    Returns:
        The output, shape `(batch, units)`, and the list of the new states.

    Example:
        >>> import pydl
        >>> layer = pydl.layers.RNN(pydl.layers.LSTMCell(4))
        >>> layer(pydl.ops.ones((2, 5, 3))).shape
        (2, 4)
    """

    gates = 4

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        unit_forget_bias: bool = True,
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
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
            unit_forget_bias=unit_forget_bias,
            kernel_regularizer=kernel_regularizer,
            recurrent_regularizer=recurrent_regularizer,
            bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint,
            recurrent_constraint=recurrent_constraint,
            bias_constraint=bias_constraint,
            dropout=dropout,
            recurrent_dropout=recurrent_dropout,
            seed=seed,
        )
        super().__init__(arguments, **kwargs)
        self.recurrent_activation = activations.get(recurrent_activation)
        self.state_size = [self.units, self.units]

    def call(self, inputs, states, training=False):
        hidden, carry = states
        of_inputs = self.project_inputs(inputs, self.bias, training)
        of_state = self.project_state(hidden, None, training)
        i, f, c, o = (x + h for x, h in zip(of_inputs, of_state))
        gate = self.recurrent_activation
        carry = gate(f) * carry + gate(i) * self.activation(c)
        hidden = gate(o) * self.activation(carry)
        return hidden, [hidden, carry]

    def run_sequence(self, sequences, states, mask, go_backwards: bool, training: bool):
        """Return outputs of all steps and the last states from one kernel; None if it cannot."""
        if not has_usual_gates(self) or not self.may_fuse(LSTMCell, training):
            return None
        x = self.drop_inputs(sequences, training)
        weights = self.kernel, self.recurrent_kernel, self.bias
        outputs, hidden, carry = ops.lstm(x, *weights, states, mask, go_backwards)
        return outputs, [hidden, carry]

    def _initializer(self, kind: str):
        initializer = super()._initializer(kind)
        forget = kind == "bias" and self.unit_forget_bias
        return forget_bias_initializer(initializer) if forget else initializer


class LSTM(RNN):
    """Long short-term memory: a recurrent layer whose gates decide what it keeps.

    All steps run in one kernel, forward and backward. With other activations than tanh and sigmoid,
    or with dropout of the state while training, the cell is called step by step instead.

    Args:
        units: The size of the output and of the state.
        activation: A name or a function, for the input of the state and for the output.
        recurrent_activation: Likewise for the gates.
        use_bias: Whether to add a bias.
        kernel_initializer: First values of the kernel.
        recurrent_initializer: First values of the recurrent kernel.
        bias_initializer: First values of the bias.
        unit_forget_bias: Whether the bias of the forget gate starts with 1.
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
        return_state: Whether to return the last states too.
        go_backwards: Whether to go from the last step to the first; outputs come in that order.
        stateful: Whether a batch starts with the last states of the batch before.
        unroll: Accepted, without effect.
        use_cudnn: Accepted, without effect.

    Call arguments:
        sequences: A tensor of shape `(batch, steps, features)`.
        initial_state: The hidden and the carry state before the first step, shape `(batch, units)`
            each; zeros when None.
        mask: A bool tensor of shape `(batch, steps)`; where it is False the state stays as it is.
        training: Whether to apply dropout.

    Returns:
        A tensor of shape `(batch, units)`, with `return_sequences` `(batch, steps, units)`; with
        `return_state` a tuple of it, the hidden and the carry state.

    Raises:
        ValueError: `units` is not a positive integer.

    Example:
        >>> import pydl
        >>> layer = pydl.layers.LSTM(4)
        >>> layer(pydl.ops.ones((2, 5, 3))).shape
        (2, 4)
        >>> [w.shape for w in layer.weights]
        [(3, 16), (4, 16), (16,)]

    Source: Hochreiter and Schmidhuber, 1997.
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
        unit_forget_bias: bool = True,
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
        use_cudnn: Any = "auto",
        **kwargs,
    ):
        cell = LSTMCell(
            units,
            activation=activation,
            recurrent_activation=recurrent_activation,
            use_bias=use_bias,
            kernel_initializer=kernel_initializer,
            recurrent_initializer=recurrent_initializer,
            bias_initializer=bias_initializer,
            unit_forget_bias=unit_forget_bias,
            kernel_regularizer=kernel_regularizer,
            recurrent_regularizer=recurrent_regularizer,
            bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint,
            recurrent_constraint=recurrent_constraint,
            bias_constraint=bias_constraint,
            dropout=dropout,
            recurrent_dropout=recurrent_dropout,
            seed=seed,
            **cell_options(kwargs, "lstm_cell"),
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
    dropout = of_cell("dropout")
    recurrent_dropout = of_cell("recurrent_dropout")
