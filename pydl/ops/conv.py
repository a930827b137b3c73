"""Convolution of sequences, images and volumes.

A sequence is ``(batch, length, channels)``, an image ``(batch, height, width, channels)``, a volume
``(batch, depth, height, width, channels)``; with ``data_format="channels_first"`` the channels come
behind the batch.
"""

from __future__ import annotations

from collections.abc import Sequence

from pydl import _core
from pydl._core import Tensor
from pydl.typing import ArrayLike, Shape

__all__ = ["conv", "conv_transpose", "depthwise_conv"]


def conv(
    x: ArrayLike,
    kernel: ArrayLike,
    bias: ArrayLike | None = None,
    strides: Shape = 1,
    padding: str | Sequence[tuple[int, int]] = "valid",
    dilation_rate: Shape = 1,
    groups: int = 1,
    data_format: str = "channels_last",
    activation: str | None = None,
    residual: ArrayLike | None = None,
) -> Tensor:
    """Convolution with bias and activation in one kernel, for sequences, images and volumes.

    Args:
        x: A floating tensor of shape ``(batch, length, in)``, ``(batch, height, width, in)`` or
            ``(batch, depth, height, width, in)``, or with the channels behind the batch.
        kernel: Shape ``(*window, in // groups, out)``, with one extent of window for each spatial axis.
        bias: Shape ``(out,)``, or None.
        strides: The step from window to window along each spatial axis; one integer for all.
        padding: "valid" for windows inside `x` only; "same" for as many windows as steps, the odd zero
            behind; "causal", for sequences, with all zeros in front; or a pair (before, after) for each
            spatial axis.
        dilation_rate: The step from element to element of a window, like `strides`.
        groups: Into how many parts the channels are split; each part of the result sees one of `x`.
        data_format: "channels_last" or "channels_first".
        activation: "relu", "relu6", "sigmoid", "tanh", "silu", "gelu", "gelu_tanh", or None.
        residual: Like the result: added before the activation, as where a block of a residual
            network ends; or None.

    Returns:
        Like `x`, with `out` channels and ``(size + before + after - span) // strides + 1`` along each
        spatial axis, where ``span = (window - 1) * dilation_rate + 1``. float16 and bfloat16 are
        summed in float32.

    Raises:
        ShapeError: If the shapes do not fit together or `x` is smaller than the window.
        DTypeError: If neither `x` nor `kernel` is floating.
        ValueError: If a step is not positive, or padding or activation unknown.

    Example:
        >>> x = [[[1.0], [2.0], [3.0], [4.0]]]
        >>> pydl.ops.conv(x, kernel=[[[1.0]], [[-1.0]]], bias=[0.5])
        tensor([[[-0.5],
                 [-0.5],
                 [-0.5]]])
    """
    return _core.conv(
        x, kernel, bias, strides, padding, dilation_rate, groups, data_format, activation, residual
    )


def depthwise_conv(
    x: ArrayLike,
    kernel: ArrayLike,
    bias: ArrayLike | None = None,
    strides: Shape = 1,
    padding: str | Sequence[tuple[int, int]] = "valid",
    data_format: str = "channels_last",
    dilation_rate: Shape = 1,
    activation: str | None = None,
) -> Tensor:
    """Convolution of every channel by itself, with bias and activation; arguments as `conv`.

    Args:
        x: A sequence or an image as for `conv`, with `in` channels.
        kernel: Shape ``(*window, in, multiplier)``: `multiplier` windows for each channel.
        bias: Shape ``(in * multiplier,)``, or None.
        strides: As for `conv`.
        padding: As for `conv`.
        data_format: "channels_last" or "channels_first".
        dilation_rate: As for `conv`.
        activation: As for `conv`.

    Returns:
        Like `x`, with ``in * multiplier`` channels; those of one input channel are neighbours.

    Raises:
        ShapeError: If the shapes do not fit together or `x` is smaller than the window.
        DTypeError: If neither `x` nor `kernel` is floating.
        ValueError: If a step is not positive, or padding or activation unknown.

    Example:
        >>> x = [[[1.0, 10.0], [2.0, 20.0]]]
        >>> pydl.ops.depthwise_conv(x, kernel=[[[1.0], [0.5]], [[1.0], [0.5]]])
        tensor([[[ 3., 15.]]])
    """
    return _core.depthwise_conv(
        x, kernel, bias, strides, padding, data_format, dilation_rate, activation
    )


def conv_transpose(
    x: ArrayLike,
    kernel: ArrayLike,
    bias: ArrayLike | None = None,
    strides: Shape = 1,
    padding: str = "valid",
    output_padding: Shape | None = None,
    data_format: str = "channels_last",
    dilation_rate: Shape = 1,
    activation: str | None = None,
) -> Tensor:
    """Transposed convolution with bias and activation: what the gradient of `conv` is to its input.

    Args:
        x: As for `conv`, with `in` channels.
        kernel: Shape ``(*window, out, in)``.
        bias: Shape ``(out,)``, or None.
        strides: By how much the spatial axes grow.
        padding: "valid" or "same".
        output_padding: How many elements to add at the end of each spatial axis, less than `strides`;
            None for what makes the result ``size * strides`` long with "same" and
            ``(size - 1) * strides + max(span, strides)`` with "valid".
        data_format: "channels_last" or "channels_first".
        dilation_rate: As for `conv`.
        activation: As for `conv`.

    Returns:
        Like `x`, with `out` channels. With `output_padding` a spatial axis is
        ``(size - 1) * strides + span + output_padding`` long with "valid", and
        ``(size - 1) * strides + span % 2 + output_padding`` with "same", where
        ``span = (window - 1) * dilation_rate + 1``.

    Raises:
        ShapeError: If the shapes do not fit together.
        DTypeError: If neither `x` nor `kernel` is floating.
        ValueError: If a step is not positive, output_padding too large, or padding or activation unknown.

    Example:
        >>> pydl.ops.conv_transpose([[[1.0], [2.0]]], kernel=[[[1.0]], [[10.0]]], strides=2)
        tensor([[[ 1.],
                 [10.],
                 [ 2.],
                 [20.]]])
    """
    return _core.conv_transpose(
        x, kernel, bias, strides, padding, output_padding, data_format, dilation_rate, activation
    )
