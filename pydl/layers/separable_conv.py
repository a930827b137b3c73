"""Convolution of every channel by itself, then of all channels at each place."""

from __future__ import annotations

from pydl.layers.arguments import positive_int
from pydl.layers.conv import BaseConv
from pydl.ops.conv import conv, depthwise_conv

__all__ = ["SeparableConv1D", "SeparableConv2D"]


class BaseSeparableConv(BaseConv):
    """What separable convolutions of every rank share."""

    def __init__(
        self,
        filters,
        kernel_size,
        strides=1,
        padding="valid",
        data_format=None,
        dilation_rate=1,
        depth_multiplier=1,
        activation=None,
        use_bias=True,
        depthwise_initializer="glorot_uniform",
        pointwise_initializer="glorot_uniform",
        bias_initializer="zeros",
        depthwise_regularizer=None,
        pointwise_regularizer=None,
        bias_regularizer=None,
        activity_regularizer=None,
        depthwise_constraint=None,
        pointwise_constraint=None,
        bias_constraint=None,
        **kwargs,
    ):
        super().__init__(
            filters,
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
        self.pointwise_initializer = pointwise_initializer
        self.pointwise_regularizer = pointwise_regularizer
        self.pointwise_constraint = pointwise_constraint

    def build(self, input_shape):
        channels = self._channels(input_shape)
        self.depthwise_kernel = self.add_weight(
            shape=(*self.kernel_size, channels, self.depth_multiplier),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
            name="depthwise_kernel",
        )
        self.pointwise_kernel = self.add_weight(
            shape=(*(1,) * self.rank, channels * self.depth_multiplier, self.filters),
            initializer=self.pointwise_initializer,
            regularizer=self.pointwise_regularizer,
            constraint=self.pointwise_constraint,
            name="pointwise_kernel",
        )
        self._add_bias(self.filters)

    def call(self, inputs):
        middle = depthwise_conv(
            inputs, self.depthwise_kernel, None, self.strides, self.padding, self.data_format,
            self.dilation_rate,
        )  # fmt: skip
        outputs = conv(
            middle, self.pointwise_kernel, self.bias, data_format=self.data_format,
            activation=self._fused,
        )  # fmt: skip
        return outputs if self._unfused is None else self._unfused(outputs)


class SeparableConv1D(BaseSeparableConv):
    """A depthwise convolution along one axis, then a mixture of the channels at every step.

    Args:
        filters: The number of output channels.
        kernel_size: The length of the window.
        strides: The step of the window.
        padding: "valid" (none) or "same" (zeros on all sides).
        data_format: "channels_last", which is the default, or "channels_first".
        dilation_rate: The distance between neighbours in the window.
        depth_multiplier: How many windows every input channel is convolved with.
        activation: A name or a function; none when None.
        use_bias: Whether to add a bias.
        depthwise_initializer: First values of the first kernel, `(window, inputs, multiplier)`.
        pointwise_initializer: First values of the second, `(1, inputs * multiplier, filters)`.
        bias_initializer: First values of the bias.
        depthwise_regularizer: Penalty on the first kernel.
        pointwise_regularizer: Penalty on the second kernel.
        bias_regularizer: Penalty on the bias.
        activity_regularizer: Penalty on the output.
        depthwise_constraint: Projection of the first kernel after every step.
        pointwise_constraint: Projection of the second kernel after every step.
        bias_constraint: Projection of the bias after every step.

    Call arguments:
        inputs: A tensor of shape `(batch, steps, channels)`.

    Returns:
        A tensor of shape `(batch, new steps, filters)`.

    Raises:
        ValueError: an argument outside the values listed, or a window larger than the input.

    Example:
        >>> import pydl
        >>> pydl.layers.SeparableConv1D(8, 3)(pydl.ops.ones((2, 10, 4))).shape
        (2, 8, 8)
    """

    rank = 1


class SeparableConv2D(BaseSeparableConv):
    """A depthwise convolution of images, then a mixture of the channels at every pixel.

    Args:
        filters: The number of output channels.
        kernel_size: The height and width of the window; an integer for both.
        strides: The steps of the window.
        padding: "valid" (none) or "same" (zeros on all sides).
        data_format: "channels_last", which is the default, or "channels_first".
        dilation_rate: The distance between neighbours in the window.
        depth_multiplier: How many windows every input channel is convolved with.
        activation: A name or a function; none when None.
        use_bias: Whether to add a bias.
        depthwise_initializer: First values of the first kernel, `(height, width, inputs,
            multiplier)`.
        pointwise_initializer: First values of the second, `(1, 1, inputs * multiplier,
            filters)`.
        bias_initializer: First values of the bias.
        depthwise_regularizer: Penalty on the first kernel.
        pointwise_regularizer: Penalty on the second kernel.
        bias_regularizer: Penalty on the bias.
        activity_regularizer: Penalty on the output.
        depthwise_constraint: Projection of the first kernel after every step.
        pointwise_constraint: Projection of the second kernel after every step.
        bias_constraint: Projection of the bias after every step.

    Call arguments:
        inputs: A tensor of shape `(batch, height, width, channels)`.

    Returns:
        A tensor of shape `(batch, new height, new width, filters)`.

    Raises:
        ValueError: an argument outside the values listed, or a window larger than the input.

    Example:
        >>> import pydl
        >>> pydl.layers.SeparableConv2D(8, 3, padding="same")(pydl.ops.ones((2, 9, 9, 4))).shape
        (2, 9, 9, 8)

    Source: Chollet, 2017.
    """
