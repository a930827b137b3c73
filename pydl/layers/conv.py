"""Convolution layers."""

from __future__ import annotations

from pydl import activations
from pydl.layers.arguments import check_data_format, positive_int, size_tuple
from pydl.layers.input_spec import InputSpec
from pydl.layers.layer import Layer
from pydl.ops.conv import conv

__all__ = ["BaseConv", "Conv1D", "Conv2D", "Conv3D", "window_output_size"]


def window_output_size(
    size: int | None, window: int, stride: int, padding: str, dilation: int = 1
) -> int | None:
    """Return how many places a sliding window has along an axis of `size` elements."""
    if size is None:
        return None
    if padding == "valid":
        size -= (window - 1) * dilation
    return -(-size // stride)


class BaseConv(Layer):
    """What convolutions of every rank and kind share; `rank` is the number of spatial axes."""

    rank = 2
    _paddings = ("valid", "same")

    def __init__(
        self,
        filters,
        kernel_size,
        strides=1,
        padding="valid",
        data_format=None,
        dilation_rate=1,
        groups=1,
        activation=None,
        use_bias=True,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        kernel_regularizer=None,
        bias_regularizer=None,
        activity_regularizer=None,
        kernel_constraint=None,
        bias_constraint=None,
        **kwargs,
    ):
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.filters = filters if filters is None else positive_int("filters", filters, self.name)
        self.kernel_size = size_tuple("kernel_size", kernel_size, self.rank, self.name)
        self.strides = size_tuple("strides", strides, self.rank, self.name)
        self.dilation_rate = size_tuple("dilation_rate", dilation_rate, self.rank, self.name)
        self.padding = self._check_padding(padding)
        self.data_format = check_data_format(data_format, self.name)
        self.groups = positive_int("groups", groups, self.name)
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = kernel_initializer
        self.bias_initializer = bias_initializer
        self.kernel_regularizer = kernel_regularizer
        self.bias_regularizer = bias_regularizer
        self.kernel_constraint = kernel_constraint
        self.bias_constraint = bias_constraint
        self._fused, self._unfused = activations.split_fused(self.activation)
        self.input_spec = InputSpec(ndim=self.rank + 2)
        if self.filters is not None and self.filters % self.groups:
            raise ValueError(
                f"[{self.name}] expected filters to be a multiple of groups, "
                f"got {self.filters} and {self.groups}."
            )
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ValueError(
                f"[{self.name}] expected strides or dilation_rate to be 1, "
                f"got {self.strides} and {self.dilation_rate}."
            )

    def build(self, input_shape):
        channels = self._channels(input_shape)
        if channels % self.groups:
            raise ValueError(
                f"[{self.name}] expected the channels of the input to be a multiple of groups, "
                f"got {channels} and {self.groups}."
            )
        self._add_kernel("kernel", self._kernel_shape(channels))
        self._add_bias(self.filters)

    def call(self, inputs):
        outputs = self.convolve(inputs, self.kernel, self.bias, self._fused)
        return outputs if self._unfused is None else self._unfused(outputs)

    def convolve(self, inputs, kernel, bias, activation, residual=None):
        """Apply the op of the layer with these weights and the activation of this name."""
        return conv(
            inputs, kernel, bias, self.strides, self.padding, self.dilation_rate, self.groups,
            self.data_format, activation, residual,
        )  # fmt: skip

    def compute_output_shape(self, input_shape):
        padding = "same" if self.padding == "causal" else self.padding
        return self._with_spatial(
            input_shape,
            lambda i, size: window_output_size(
                size, self.kernel_size[i], self.strides[i], padding, self.dilation_rate[i]
            ),
            self.filters,
        )

    def _kernel_shape(self, channels: int) -> tuple[int, ...]:
        return (*self.kernel_size, channels // self.groups, self.filters)

    def _channels(self, input_shape) -> int:
        axis = -1 if self.data_format == "channels_last" else 1
        channels = input_shape[axis]
        if channels is None:
            raise ValueError(
                f"[{self.name}] expected a known number of channels, got input shape {input_shape}."
            )
        self.input_spec = InputSpec(ndim=self.rank + 2, axes={axis: channels})
        return channels

    def _add_kernel(self, name: str, shape: tuple[int, ...]) -> None:
        self.kernel = self.add_weight(
            shape=shape,
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
            name=name,
        )

    def _add_bias(self, size: int) -> None:
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                shape=(size,),
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
                name="bias",
            )

    def _with_spatial(self, input_shape, output_size, channels: int) -> tuple:
        """Return `input_shape` with spatial sizes `output_size(axis, size)` and `channels`."""
        last = self.data_format == "channels_last"
        spatial = input_shape[1:-1] if last else input_shape[2:]
        sizes = tuple(output_size(i, size) for i, size in enumerate(spatial))
        if any(size is not None and size <= 0 for size in sizes):
            raise ValueError(
                f"[{self.name}] expected an input at least as large as the window "
                f"{self.kernel_size}, got shape {tuple(input_shape)}. Hint: padding='same'."
            )
        return (input_shape[0], *sizes, channels) if last else (input_shape[0], channels, *sizes)

    def _check_padding(self, padding: str) -> str:
        padding = padding.lower() if isinstance(padding, str) else padding
        if padding not in self._paddings:
            expected = " or ".join(self._paddings)
            raise ValueError(f"[{self.name}] expected padding to be {expected}, got {padding!r}.")
        return padding


class Conv1D(BaseConv):
    """A convolution along one axis, of time series or text.

    Args:
        filters: The number of output channels.
        kernel_size: The length of the window.
        strides: The step of the window.
        padding: "valid" (none), "same" (zeros on both ends), "causal" (zeros before the start, so
            that no output depends on later inputs).
        data_format: "channels_last", which is the default, or "channels_first".
        dilation_rate: The distance between neighbours in the window.
        groups: The number of groups that channels are divided into and convolved in separately.
        activation: A name or a function; none when None.
        use_bias: Whether to add a bias.
        kernel_initializer: First values of the kernel, `(window, inputs / groups, filters)`.
        bias_initializer: First values of the bias.
        kernel_regularizer: Penalty on the kernel.
        bias_regularizer: Penalty on the bias.
        activity_regularizer: Penalty on the output.
        kernel_constraint: Projection of the kernel after every step.
        bias_constraint: Projection of the bias after every step.

    Call arguments:
        inputs: A tensor of shape `(batch, steps, channels)`.

    Returns:
        A tensor of shape `(batch, new steps, filters)`.

    Raises:
        ValueError: an argument outside the values listed, or a window larger than the input.

    Example:
        >>> import pydl
        >>> pydl.layers.Conv1D(8, 3, padding="causal")(pydl.ops.ones((2, 10, 4))).shape
        (2, 10, 8)
    """

    rank = 1
    _paddings = ("valid", "same", "causal")


class Conv2D(BaseConv):
    """A convolution over the height and width of images.

    Args:
        filters: The number of output channels.
        kernel_size: The height and width of the window; an integer for both.
        strides: The steps of the window.
        padding: "valid" (none) or "same" (zeros around the image).
        data_format: "channels_last", which is the default, or "channels_first".
        dilation_rate: The distance between neighbours in the window.
        groups: The number of groups that channels are divided into and convolved in separately.
        activation: A name or a function; none when None.
        use_bias: Whether to add a bias.
        kernel_initializer: First values of the kernel, `(height, width, inputs / groups, filters)`.
        bias_initializer: First values of the bias.
        kernel_regularizer: Penalty on the kernel.
        bias_regularizer: Penalty on the bias.
        activity_regularizer: Penalty on the output.
        kernel_constraint: Projection of the kernel after every step.
        bias_constraint: Projection of the bias after every step.

    Call arguments:
        inputs: A tensor of shape `(batch, height, width, channels)`.

    Returns:
        A tensor of shape `(batch, new height, new width, filters)`.

    Raises:
        ValueError: an argument outside the values listed, or a window larger than the input.

    Example:
        >>> import pydl
        >>> layer = pydl.layers.Conv2D(16, 3, padding="same", activation="relu")
        >>> layer(pydl.ops.ones((2, 28, 28, 1))).shape
        (2, 28, 28, 16)
    """

    rank = 2


class Conv3D(BaseConv):
    """A convolution over the depth, height and width of volumes.

    Args:
        filters: The number of output channels.
        kernel_size: The depth, height and width of the window; an integer for all.
        strides: The steps of the window.
        padding: "valid" (none) or "same" (zeros around the volume).
        data_format: "channels_last", which is the default, or "channels_first".
        dilation_rate: The distance between neighbours in the window.
        groups: The number of groups that channels are divided into and convolved in separately.
        activation: A name or a function; none when None.
        use_bias: Whether to add a bias.
        kernel_initializer: First values of the kernel, `(depth, height, width, inputs / groups,
            filters)`.
        bias_initializer: First values of the bias.
        kernel_regularizer: Penalty on the kernel.
        bias_regularizer: Penalty on the bias.
        activity_regularizer: Penalty on the output.
        kernel_constraint: Projection of the kernel after every step.
        bias_constraint: Projection of the bias after every step.

    Call arguments:
        inputs: A tensor of shape `(batch, depth, height, width, channels)`.

    Returns:
        A tensor of shape `(batch, new depth, new height, new width, filters)`.

    Raises:
        ValueError: an argument outside the values listed, or a window larger than the input.

    Example:
        >>> import pydl
        >>> layer = pydl.layers.Conv3D(4, 3, padding="same", activation="relu")
        >>> layer(pydl.ops.ones((2, 6, 8, 8, 1))).shape
        (2, 6, 8, 8, 4)
    """

    rank = 3
