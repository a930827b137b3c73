"""Transposed convolution."""

from __future__ import annotations

from typing import Any

from pydl.layers.conv import BaseConv
from pydl.ops.conv import conv_transpose

__all__ = ["Conv2DTranspose"]


class Conv2DTranspose(BaseConv):
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

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = (1, 1),
        padding: str = "valid",
        output_padding: Any = None,
        data_format: str | None = None,
        dilation_rate: Any = (1, 1),
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
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
