"""The fully connected recurrent layer."""

from __future__ import annotations

from typing import Any

from pydl import activations, ops
from pydl.layers.input_spec import InputSpec
from pydl.layers.recurrent.cell import RecurrentCell
from pydl.layers.recurrent.rnn import RNN, cell_options, of_cell

__all__ = ["SimpleRNN", "SimpleRNNCell"]


class SimpleRNNCell(RecurrentCell):
    """One step of SimpleRNN: `activation(inputs @ kernel + state @ recurrent_kernel + bias)`.

    Args:
        units: The size of the output and of the state.
        activation: A name or a function; none when None.
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
        seed: The seed of dropout.

    Call arguments:
        inputs: A tensor of shape `(batch, features)`.
        states: A list of one tensor of shape `(batch, units)`.
        training: Whether to apply dropout.

    Returns:
        The output, shape `(batch, units)`, and the list of the new state.

    Example:
        >>> import pydl
        >>> layer = pydl.layers.RNN(pydl.layers.SimpleRNNCell(4))
        >>> layer(pydl.ops.ones((2, 5, 3))).shape
        (2, 4)
    """

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
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
        seed: int | None = None,
        **kwargs,
    ):
        arguments = dict(
            units=units,
            activation=activation,
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
            seed=seed,
        )
        super().__init__(arguments, **kwargs)
        self.state_size = self.units
        self._fused, self._unfused = activations.split_fused(self.activation)

    def call(self, inputs, states, training=False):
        (of_inputs,) = self.project_inputs(inputs, self.bias, training)
        (of_state,) = self.project_state(states[0], None, training)
        output = self.activation(of_inputs + of_state)
        return output, [output]

    def run_sequence(self, sequences, states, mask, go_backwards: bool, training: bool):
        """Return outputs of all steps and the last states from one kernel; None if it cannot."""
        fusable = self._unfused is None and self._fused in (None, "relu", "sigmoid", "tanh")
        if not fusable or not self.may_fuse(SimpleRNNCell, training):
            return None
        x = self.drop_inputs(sequences, training)
        weights = self.kernel, self.recurrent_kernel, self.bias
        outputs, state = ops.simple_rnn(x, *weights, states[0], mask, go_backwards, self._fused)
        return outputs, [state]


class SimpleRNN(RNN):
    """A fully connected recurrent layer: each step sees the input and the output before it.

    All steps run in one kernel when the activation is tanh, relu, sigmoid or None and there is no
    dropout of the state while training; else the cell is called step by step.

    Args:
        units: The size of the output and of the state.
        activation: A name or a function; none when None.
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
        return_sequences: Whether to return the outputs of all steps or only the last.
        return_state: Whether to return the last state too.
        go_backwards: Whether to go from the last step to the first; outputs come in that order.
        stateful: Whether a batch starts with the last state of the batch before.
        unroll: Accepted, without effect.
        seed: The seed of dropout.

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
        >>> layer = pydl.layers.SimpleRNN(4)
        >>> layer(pydl.ops.ones((2, 5, 3))).shape
        (2, 4)
        >>> [w.shape for w in layer.weights]
        [(3, 4), (4, 4), (4,)]

    Source: Elman, 1990.
    """

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
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
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        seed: int | None = None,
        **kwargs,
    ):
        cell = SimpleRNNCell(
            units,
            activation=activation,
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
            seed=seed,
            **cell_options(kwargs, "simple_rnn_cell"),
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

    units = of_cell("units")
    activation = of_cell("activation")
    dropout = of_cell("dropout")
    recurrent_dropout = of_cell("recurrent_dropout")
