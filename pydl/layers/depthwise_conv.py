"""Convolution of every channel by itself."""

from __future__ import annotations

from pydl.layers.arguments import positive_int
from pydl.layers.conv import BaseConv, window_output_size
from pydl.ops.conv import depthwise_conv

__all__ = ["DepthwiseConv1D", "DepthwiseConv2D"]


class BaseDepthwiseConv(BaseConv):
    """What depthwise convolutions of every rank share."""

    def __init__(
        self,
        kernel_size,
        strides=1,
        padding="valid",
        depth_multiplier=1,
        data_format=None,
        dilation_rate=1,
        activation=None,
        use_bias=True,
        depthwise_initializer="glorot_uniform",
        bias_initializer="zeros",
        depthwise_regularizer=None,
        bias_regularizer=None,
        activity_regularizer=None,
        depthwise_constraint=None,
        bias_constraint=None,
        **kwargs,
    ):
        super().__init__(
            None,
            kernel_size,
            strides,
            padding,
            data_format,
            dilation_rate,
            activation=activation,
            use_bias=use_bias,
            kernel_initializer=depthwise_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=depthwise_regularizer,
            bias_regularizer=bias_regularizer,
            activity_regularizer=activity_regularizer,
            kernel_constraint=depthwise_constraint,
            bias_constraint=bias_constraint,
            **kwargs,
        )
        self.depth_multiplier = positive_int("depth_multiplier", depth_multiplier, self.name)

    def build(self, input_shape):
        channels = self._channels(input_shape)
        self._add_kernel("kernel", (*self.kernel_size, channels, self.depth_multiplier))
        self._add_bias(channels * self.depth_multiplier)

    def convolve(self, inputs, kernel, bias, activation):
        return depthwise_conv(
            inputs, kernel, bias, self.strides, self.padding, self.data_format, self.dilation_rate,
            activation,
        )  # fmt: skip

    def compute_output_shape(self, input_shape):
        channels = input_shape[-1 if self.data_format == "channels_last" else 1]
        return self._with_spatial(
            input_shape,
            lambda i, size: window_output_size(
                size, self.kernel_size[i], self.strides[i], self.padding, self.dilation_rate[i]
            ),
            channels * self.depth_multiplier,
        )


class DepthwiseConv1D(BaseDepthwiseConv):
    """A convolution that convolves every input channel separately with `depth_multiplier` windows.

    Args:
        kernel_size: The length of the window.
        strides: The step of the window.
        padding: "valid" (none) or "same" (zeros on both ends).
        depth_multiplier: The number of output channels per input channel.
        data_format: "channels_last", which is the default, or "channels_first".
        dilation_rate: The distance between neighbours in the window.
        activation: A name or a function; none when None.
        use_bias: Whether to add a bias.
        depthwise_initializer: First values of the kernel, `(window, inputs, multiplier)`.
        bias_initializer: First values of the bias.
        depthwise_regularizer: Penalty on the kernel.
        bias_regularizer: Penalty on the bias.
        activity_regularizer: Penalty on the output.
        depthwise_constraint: Projection of the kernel after every step.
        bias_constraint: Projection of the bias after every step.

    Call arguments:
        inputs: A tensor of shape `(batch, steps, channels)`.

    Returns:
        A tensor of shape `(batch, new steps, channels * depth_multiplier)`.

    Raises:
        ValueError: an argument outside the values listed, or a window larger than the input.

    Example:
        >>> import pydl
        >>> pydl.layers.DepthwiseConv1D(3, depth_multiplier=2)(pydl.ops.ones((1, 8, 3))).shape
        (1, 6, 6)
    """

    rank = 1


class DepthwiseConv2D(BaseDepthwiseConv):
    """A convolution that convolves every input channel separately with `depth_multiplier` windows.

    Args:
        kernel_size: The height and width of the window; an integer for both.
        strides: The steps of the window.
        padding: "valid" (none) or "same" (zeros around the image).
        depth_multiplier: The number of output channels per input channel.
        data_format: "channels_last", which is the default, or "channels_first".
        dilation_rate: The distance between neighbours in the window.
        activation: A name or a function; none when None.
        use_bias: Whether to add a bias.
        depthwise_initializer: First values of the kernel, `(height, width, inputs, multiplier)`.
        bias_initializer: First values of the bias.
        depthwise_regularizer: Penalty on the kernel.
        bias_regularizer: Penalty on the bias.
        activity_regularizer: Penalty on the output.
        depthwise_constraint: Projection of the kernel after every step.
        bias_constraint: Projection of the bias after every step.

    Call arguments:
        inputs: A tensor of shape `(batch, height, width, channels)`.

    Returns:
        A tensor of shape `(batch, new height, new width, channels * depth_multiplier)`.

    Raises:
        ValueError: an argument outside the values listed, or a window larger than the input.

    Example:
        >>> import pydl
        >>> pydl.layers.DepthwiseConv2D(3, depth_multiplier=2)(pydl.ops.ones((1, 8, 8, 3))).shape
        (1, 6, 6, 6)
    """
