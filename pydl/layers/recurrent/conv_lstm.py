"""LSTMs whose products are convolutions, for sequences of signals, images and volumes."""

from __future__ import annotations

from typing import Any

from pydl import ops
from pydl.layers.arguments import check_data_format, size_tuple
from pydl.layers.conv import window_output_size
from pydl.layers.input_spec import InputSpec
from pydl.layers.recurrent.lstm import LSTMCell
from pydl.layers.recurrent.rnn import RNN, cell_options, of_cell

__all__ = ["ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D"]


class ConvLSTMCell(LSTMCell):
    """One step of a ConvLSTM; `rank` is the number of spatial axes."""

    run_sequence = None  # step by step

    def __init__(
        self,
        rank: int,
        filters: int,
        kernel_size: Any,
        strides: Any,
        padding: str,
        data_format: str | None,
        dilation_rate: Any,
        **kwargs,
    ):
        super().__init__(filters, implementation=1, **kwargs)
        self.rank = rank
        self.filters = self.units
        self.kernel_size = size_tuple("kernel_size", kernel_size, rank, self.name)
        self.strides = size_tuple("strides", strides, rank, self.name)
        self.dilation_rate = size_tuple("dilation_rate", dilation_rate, rank, self.name)
        self.padding = str(padding).lower()
        if self.padding not in ("valid", "same"):
            raise ValueError(
                f"[{self.name}] expected padding to be valid or same, got {padding!r}."
            )
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ValueError(
                f"[{self.name}] expected strides or dilation_rate to be 1, "
                f"got {self.strides} and {self.dilation_rate}."
            )
        self.data_format = check_data_format(data_format, self.name)
        self._channel_axis = -1 if self.data_format == "channels_last" else 1

    def build(self, input_shape):
        if None in input_shape[1:]:
            raise ValueError(
                f"[{self.name}] expected known sizes of images and channels, got {input_shape}."
            )
        self._image_shape = tuple(input_shape[1:])
        channels = input_shape[self._channel_axis]
        outputs = self.gates * self.filters
        self.kernel = self._add("kernel", (*self.kernel_size, channels, outputs))
        self.recurrent_kernel = self._add("recurrent", (*self.kernel_size, self.filters, outputs))
        self.bias = self._add("bias", self.bias_shape()) if self.use_bias else None

    def project_inputs(self, inputs, bias, training: bool) -> list:
        rate = self.dropout if training else 0.0
        noise = self._noise_for("inputs", inputs, rate)
        steps = {"strides": self.strides, "dilation_rate": self.dilation_rate}
        return self._convolve(inputs, self.kernel, bias, noise, padding=self.padding, **steps)

    def project_state(self, state, bias, training: bool) -> list:
        noise = self.state_noise(state, training)
        return self._convolve(state, self.recurrent_kernel, bias, noise, padding="same")

    def get_initial_state(self, batch_size: int) -> list:
        shape = self.compute_output_shape((batch_size, *self._image_shape))
        return [ops.zeros(shape, dtype=self.compute_dtype) for _ in self.state_size]

    def compute_output_shape(self, input_shape):
        channels_last = self.data_format == "channels_last"
        image = input_shape[1:-1] if channels_last else input_shape[2:]
        windows = zip(image, self.kernel_size, self.strides, self.dilation_rate)
        sizes = [window_output_size(n, k, s, self.padding, d) for n, k, s, d in windows]
        inner = (*sizes, self.filters) if channels_last else (self.filters, *sizes)
        return (input_shape[0], *inner)

    def _convolve(self, x, kernel, bias, noise: list, **options) -> list:
        options["data_format"] = self.data_format
        if not noise:
            sums = ops.conv(x, kernel, bias, **options)
            return ops.split(sums, self.gates, axis=self._channel_axis)
        kernels = ops.split(kernel, self.gates, axis=-1)
        biases = [None] * self.gates if bias is None else ops.split(bias, self.gates)
        return [ops.conv(x * n, k, b, **options) for n, k, b in zip(noise, kernels, biases)]


class _ConvLSTM(RNN):
    """What ConvLSTMs of every rank share; `rank` is the number of spatial axes."""

    rank = 2

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
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
        **kwargs,
    ):
        cell = ConvLSTMCell(
            self.rank,
            filters,
            kernel_size,
            strides,
            padding,
            data_format,
            dilation_rate,
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
            **cell_options(kwargs, "conv_lstm_cell"),
        )
        super().__init__(
            cell,
            return_sequences=return_sequences,
            return_state=return_state,
            go_backwards=go_backwards,
            stateful=stateful,
            activity_regularizer=activity_regularizer,
            **kwargs,
        )
        self.input_spec = InputSpec(ndim=self.rank + 3)

    filters = of_cell("filters")
    kernel_size = of_cell("kernel_size")
    data_format = of_cell("data_format")

    def compute_output_shape(self, sequences_shape, initial_state_shape=None):
        batch, steps, *image = sequences_shape
        state = self.cell.compute_output_shape((batch, *image))
        output = (batch, steps, *state[1:]) if self.return_sequences else state
        return (output, state, state) if self.return_state else output


class ConvLSTM1D(_ConvLSTM):
    """An LSTM over sequences of signals, whose products are convolutions.

    The arguments are those of ConvLSTM2D.

    Call arguments:
        sequences: A tensor of shape `(batch, steps, length, channels)`.
        initial_state: The hidden and the carry state; zeros when None.
        mask: A bool tensor of shape `(batch, steps)`; where it is False the state stays as it is.
        training: Whether to apply dropout.

    Returns:
        A tensor of shape `(batch, length, filters)`, with `return_sequences`
        `(batch, steps, length, filters)`; with `return_state` a tuple of it and the states.

    Example:
        >>> import pydl
        >>> pydl.layers.ConvLSTM1D(4, 3)(pydl.ops.ones((2, 3, 8, 1))).shape
        (2, 6, 4)

    Source: Shi et al., 2015.
    """

    rank = 1


class ConvLSTM2D(_ConvLSTM):
    """An LSTM over sequences of images, whose products are convolutions.

    Args:
        filters: The channels of the output.
        kernel_size: The extents of the window along the spatial axes; one integer for all.
        strides: The steps of the window over the inputs, likewise.
        padding: "valid" for windows inside the inputs only, "same" for as many as steps.
        data_format: "channels_last" or "channels_first".
        dilation_rate: The step from element to element of the window over the inputs.
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

    Call arguments:
        sequences: A tensor of shape `(batch, steps, height, width, channels)`.
        initial_state: The hidden and the carry state; zeros when None.
        mask: A bool tensor of shape `(batch, steps)`; where it is False the state stays as it is.
        training: Whether to apply dropout.

    Returns:
        A tensor of shape `(batch, height, width, filters)`, with `return_sequences`
        `(batch, steps, height, width, filters)`; with `return_state` a tuple of it and the states.

    Raises:
        ValueError: an argument outside the values listed.

    Example:
        >>> import pydl
        >>> layer = pydl.layers.ConvLSTM2D(4, 3, padding="same", return_sequences=True)
        >>> layer(pydl.ops.ones((2, 3, 8, 8, 1))).shape
        (2, 3, 8, 8, 4)

    Source: Shi et al., 2015.
    """

    rank = 2


class ConvLSTM3D(_ConvLSTM):
    """An LSTM over sequences of volumes, whose products are convolutions.

    The arguments are those of ConvLSTM2D.

    Call arguments:
        sequences: A tensor of shape `(batch, steps, depth, height, width, channels)`.
        initial_state: The hidden and the carry state; zeros when None.
        mask: A bool tensor of shape `(batch, steps)`; where it is False the state stays as it is.
        training: Whether to apply dropout.

    Returns:
        A tensor of shape `(batch, depth, height, width, filters)`, with `return_sequences`
        `(batch, steps, depth, height, width, filters)`; with `return_state` a tuple of it and
        the states.

    Example:
        >>> import pydl
        >>> pydl.layers.ConvLSTM3D(4, 3)(pydl.ops.ones((2, 3, 5, 6, 7, 1))).shape
        (2, 3, 4, 5, 4)

    Source: Shi et al., 2015.
    """

    rank = 3
