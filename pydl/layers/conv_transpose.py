"""Transposed convolution."""

from __future__ import annotations

from typing import Any

from pydl.layers.conv import BaseConv
from pydl.ops.conv import conv_transpose

__all__ = ["Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose"]


class BaseConvTranspose(BaseConv):
    """What transposed convolutions of every rank share."""

    def __init__(
        self,
        filters,
        kernel_size,
        strides=1,
        padding="valid",
        output_padding=None,
        data_format=None,
        dilation_rate=1,
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
        super().__init__(
            filters, kernel_size, strides, padding, data_format, dilation_rate, 1, activation,
            use_bias, kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer,
            activity_regularizer, kernel_constraint, bias_constraint, **kwargs,
        )  # fmt: skip
        self.output_padding = self._check_output_padding(output_padding)

    def call(self, inputs):
        outputs = conv_transpose(
            inputs, self.kernel, self.bias, self.strides, self.padding, self.output_padding,
            self.data_format, self.dilation_rate, self._fused,
        )  # fmt: skip
        return outputs if self._unfused is None else self._unfused(outputs)

    def compute_output_shape(self, input_shape):
        return self._with_spatial(input_shape, self._output_size, self.filters)

    def _output_size(self, axis: int, size: int | None) -> int | None:
        if size is None:
            return None
        stride = self.strides[axis]
        window = (self.kernel_size[axis] - 1) * self.dilation_rate[axis] + 1
        if self.output_padding is None:
            return size * stride + (max(window - stride, 0) if self.padding == "valid" else 0)
        cropped = 2 * (window // 2) if self.padding == "same" else 0
        return (size - 1) * stride + window - cropped + self.output_padding[axis]

    def _kernel_shape(self, channels: int) -> tuple[int, ...]:
        return (*self.kernel_size, self.filters, channels)

    def _check_output_padding(self, value: Any) -> tuple[int, ...] | None:
        if value is None:
            return None
        values = (value,) * self.rank if isinstance(value, int) else tuple(value)
        if len(values) != self.rank or any(
            not 0 <= one < stride for one, stride in zip(values, self.strides)
        ):
            raise ValueError(
                f"[{self.name}] expected output_padding to be at least 0 and below the strides "
                f"{self.strides}, got {value}."
            )
        return values


class Conv1DTranspose(BaseConvTranspose):
    """The transpose of a convolution: from the shape of its output to that of its input.

    Args:
        filters: The number of output channels.
        kernel_size: The length of the window.
        strides: The factor by which the length grows.
        padding: "valid" or "same".
        output_padding: Steps added at the end, fewer than the stride; chosen so
            that "same" gives `size * stride` when None.
        data_format: "channels_last", which is the default, or "channels_first".
        dilation_rate: The distance between neighbours in the window.
        activation: A name or a function; none when None.
        use_bias: Whether to add a bias.
        kernel_initializer: First values of the kernel, `(window, filters, inputs)`.
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
        ValueError: an argument outside the values listed.

    Example:
        >>> import pydl
        >>> layer = pydl.layers.Conv1DTranspose(8, 3, strides=2, padding="same")
        >>> layer(pydl.ops.ones((1, 7, 4))).shape
        (1, 14, 8)
    """

    rank = 1


class Conv2DTranspose(BaseConvTranspose):
    """The transpose of a convolution: from the shape of its output to that of its input.

    Args:
        filters: The number of output channels.
        kernel_size: The height and width of the window; an integer for both.
        strides: The factors by which height and width grow.
        padding: "valid" or "same".
        output_padding: Rows and columns added at the end, smaller than the strides; chosen so
            that "same" gives `size * stride` when None.
        data_format: "channels_last", which is the default, or "channels_first".
        dilation_rate: The distance between neighbours in the window.
        activation: A name or a function; none when None.
        use_bias: Whether to add a bias.
        kernel_initializer: First values of the kernel, `(height, width, filters, inputs)`.
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
        ValueError: an argument outside the values listed.

    Example:
        >>> import pydl
        >>> layer = pydl.layers.Conv2DTranspose(8, 3, strides=2, padding="same")
        >>> layer(pydl.ops.ones((1, 7, 7, 4))).shape
        (1, 14, 14, 8)
    """


class Conv3DTranspose(BaseConvTranspose):
    """The transpose of a convolution: from the shape of its output to that of its input.

    Args:
        filters: The number of output channels.
        kernel_size: The depth, height and width of the window; an integer for all.
        strides: The factors by which depth, height and width grow.
        padding: "valid" or "same".
        output_padding: Frames, rows and columns added at the end, fewer than the strides; chosen so
            that "same" gives `size * stride` when None.
        data_format: "channels_last", which is the default, or "channels_first".
        dilation_rate: The distance between neighbours in the window.
        activation: A name or a function; none when None.
        use_bias: Whether to add a bias.
        kernel_initializer: First values of the kernel, `(depth, height, width, filters,
            inputs)`.
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
        ValueError: an argument outside the values listed.

    Example:
        >>> import pydl
        >>> layer = pydl.layers.Conv3DTranspose(8, 3, strides=2, padding="same")
        >>> layer(pydl.ops.ones((1, 3, 7, 7, 4))).shape
        (1, 6, 14, 14, 8)
    """

    rank = 3
