"""Parts of networks under the names and with the arguments of `keras.ops.nn`.

The ops of pydl's own layers, with more fused into them, are beside: `layer_norm`, `batch_norm`,
`scaled_dot_product_attention`, `softmax_cross_entropy` and others.
"""

from __future__ import annotations

from collections.abc import Sequence

from pydl import _core
from pydl._core import ShapeError, Tensor
from pydl.ops.attention import scaled_dot_product_attention
from pydl.ops.conv import conv, depthwise_conv
from pydl.ops.host import floating, promoted
from pydl.ops.norm import layer_norm, rms_norm
from pydl.typing import ArrayLike, Shape

__all__ = [
    "batch_normalization",
    "binary_crossentropy",
    "categorical_crossentropy",
    "cdist",
    "dot_product_attention",
    "layer_normalization",
    "polar",
    "rms_normalization",
    "separable_conv",
    "sparse_categorical_crossentropy",
]

_EPSILON = 1e-7


def layer_normalization(
    x: ArrayLike,
    gamma: ArrayLike | None = None,
    beta: ArrayLike | None = None,
    axis: Shape = -1,
    epsilon: float | None = None,
) -> Tensor:
    """`layer_norm` with the epsilon 1e-7 where none is given.

    Example:
        >>> pydl.ops.layer_normalization([[1.0, 3.0]])
        tensor([[-1.,  1.]])
    """
    return layer_norm(floating(x), gamma, beta, axis, _EPSILON if epsilon is None else epsilon)


def rms_normalization(
    x: ArrayLike, scale: ArrayLike | None = None, axis: Shape = -1, epsilon: float | None = None
) -> Tensor:
    """`rms_norm` with the epsilon 1e-7 where none is given.

    Example:
        >>> pydl.ops.rms_normalization([[2.0, -2.0]])
        tensor([[ 1., -1.]])
    """
    return rms_norm(floating(x), scale, axis, _EPSILON if epsilon is None else epsilon)


def batch_normalization(
    x: ArrayLike,
    mean: ArrayLike,
    variance: ArrayLike,
    axis: int,
    offset: ArrayLike | None = None,
    scale: ArrayLike | None = None,
    epsilon: float = 1e-3,
) -> Tensor:
    """``(x - mean) / sqrt(variance + epsilon) * scale + offset``, with one of each a channel.

    Gradients flow to the statistics too; `batch_norm` takes them from the batch itself.

    Args:
        x: Any shape.
        mean: Shape ``(channels,)``, like all others.
        variance: Variances.
        axis: The axis of channels.
        offset: What is added; None for nothing.
        scale: Factors; None for none.
        epsilon: Added to the variance.

    Raises:
        ShapeError: If a parameter has not one number for each channel.

    Example:
        >>> pydl.ops.batch_normalization([[3.0]], [1.0], [4.0], axis=-1, epsilon=0.0)
        tensor([[1.]])
    """
    x = floating(x)
    shape = [1] * x.ndim
    shape[axis] = x.shape[axis]

    def spread(parameter: ArrayLike) -> Tensor:
        parameter = _core.as_tensor(parameter)
        if parameter.shape != (x.shape[axis],):
            raise ShapeError(
                f"[batch_normalization] expected parameters of shape ({x.shape[axis]},), got "
                f"{parameter.shape}"
            )
        return _core.reshape(parameter, shape)

    result = (x - spread(mean)) * _core.rsqrt(spread(variance) + epsilon)
    result = result if scale is None else result * spread(scale)
    return result if offset is None else result + spread(offset)


def dot_product_attention(
    query: ArrayLike,
    key: ArrayLike,
    value: ArrayLike,
    bias: ArrayLike | None = None,
    mask: ArrayLike | None = None,
    scale: float | None = None,
    is_causal: bool = False,
    flash_attention: bool | None = None,
    attn_logits_soft_cap: float | None = None,
) -> Tensor:
    """``softmax(query @ key * scale + bias) @ value`` for each head.

    Args:
        query: Shape ``(batch, queries, heads, size)``.
        key: Shape ``(batch, keys, heads, size)``; its heads may be fewer and divide those of `query`.
        value: Shape ``(batch, keys, heads, value size)``, with as many heads as `key`.
        bias: Added to the scores; broadcasts to ``(batch, heads, queries, keys)``.
        mask: Bools of such a shape: which keys a query may see.
        scale: A factor; None is ``1 / sqrt(size)``.
        is_causal: Whether a query sees no keys behind its own place.
        flash_attention: Changes nothing: the kernel never stores all scores.
        attn_logits_soft_cap: Only None.

    Returns:
        Shape ``(batch, queries, heads, value size)``.

    Raises:
        ShapeError: If the shapes do not fit.
        ValueError: If `attn_logits_soft_cap` is given.

    Example:
        >>> x = np.ones((1, 2, 1, 4), "float32")
        >>> pydl.ops.dot_product_attention(x, x, x)[0, 0, 0]
        tensor([1., 1., 1., 1.])
    """
    if attn_logits_soft_cap is not None:
        raise ValueError("[dot_product_attention] expected no attn_logits_soft_cap")
    query, key, value = promoted(query, key, value, broadcast=False)
    if mask is not None:
        mask = _core.cast(mask, "bool")
    if bias is not None:
        bias = _core.cast(bias, query.dtype)
        mask = bias if mask is None else _core.where(mask, bias, float("-inf"))
    return scaled_dot_product_attention(query, key, value, mask, is_causal, scale)


def categorical_crossentropy(
    target: ArrayLike, output: ArrayLike, from_logits: bool = False, axis: int = -1
) -> Tensor:
    """Cross entropy of distributions along an axis.

    Args:
        target: Probabilities.
        output: Probabilities (made to sum to 1), or logits, in the shape of `target`.
        from_logits: Whether they are logits.
        axis: The axis of classes.

    Returns:
        The shape without that axis.

    Raises:
        ShapeError: If the shapes differ.

    Example:
        >>> pydl.ops.categorical_crossentropy([[0.0, 1.0]], [[0.5, 0.5]])
        tensor([0.6931472])
    """
    target, output = map(floating, promoted(target, output, broadcast=False))
    if target.shape != output.shape or not target.ndim:
        raise ShapeError(
            "[categorical_crossentropy] expected target and output of one shape with an axis of classes, "
            f"got {target.shape} and {output.shape}"
        )
    return -_core.sum(target * _log_probabilities(output, from_logits, axis), axis, False)


def _log_probabilities(output: Tensor, from_logits: bool, axis: int) -> Tensor:
    if from_logits:
        return _core.log_softmax(output, axis)
    output = output / _core.sum(output, axis, True)
    return _core.log(_core.clip(output, _EPSILON, 1 - _EPSILON))


def sparse_categorical_crossentropy(
    target: ArrayLike, output: ArrayLike, from_logits: bool = False, axis: int = -1
) -> Tensor:
    """`categorical_crossentropy` of class numbers.

    Args:
        target: Class numbers, in the shape of `output` without its axis of classes; one axis of extent 1
            may stand in its place.
        output: As in `categorical_crossentropy`.
        from_logits: Likewise.
        axis: Likewise.

    Raises:
        ShapeError: If the shapes do not fit.

    Example:
        >>> pydl.ops.sparse_categorical_crossentropy([1], [[0.5, 0.5]])
        tensor([0.6931472])
    """
    target, output = _core.as_tensor(target), floating(output)
    if output.ndim and target.ndim == output.ndim and target.shape[-1] == 1:
        target = _core.squeeze(target, -1)
    if (
        not output.ndim
        or target.shape != output.shape[: axis % output.ndim] + output.shape[axis:][1:]
    ):
        raise ShapeError(
            "[sparse_categorical_crossentropy] expected class numbers in the shape of output without "
            f"axis {axis}, got {target.shape} and {output.shape}"
        )
    numbers = _core.expand_dims(_core.cast(target, "int64"), (axis,))
    logs = _log_probabilities(output, from_logits, axis)
    return -_core.squeeze(_core.take_along_axis(logs, numbers, axis), axis)


def binary_crossentropy(target: ArrayLike, output: ArrayLike, from_logits: bool = False) -> Tensor:
    """Cross entropy of independent yes-or-no choices, elementwise.

    Args:
        target: Probabilities of yes.
        output: Probabilities, or logits, in the shape of `target`.
        from_logits: Whether they are logits.

    Raises:
        ShapeError: If the shapes differ.

    Example:
        >>> pydl.ops.binary_crossentropy([1.0], [0.5])
        tensor([0.6931472])
    """
    target, output = map(floating, promoted(target, output, broadcast=False))
    if target.shape != output.shape:
        raise ShapeError(
            f"[binary_crossentropy] expected target and output of one shape, got {target.shape} and "
            f"{output.shape}"
        )
    if from_logits:
        return _core.softplus(output) - target * output
    output = _core.clip(output, _EPSILON, 1 - _EPSILON)
    return -(target * _core.log(output) + (1 - target) * _core.log(1 - output))


def separable_conv(
    inputs: ArrayLike,
    depthwise_kernel: ArrayLike,
    pointwise_kernel: ArrayLike,
    strides: int | Sequence[int] = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: int | Sequence[int] = 1,
) -> Tensor:
    """A convolution of each channel on its own, then one of single pixels over all channels.

    Args:
        inputs: As in `conv`.
        depthwise_kernel: As in `depthwise_conv`, ``(*window, channels, multiplier)``.
        pointwise_kernel: As in `conv`, ``(1, ..., channels * multiplier, filters)``.
        strides: Of the first convolution.
        padding: Of the first convolution.
        data_format: "channels_last", also for None, or "channels_first".
        dilation_rate: Of the first convolution.

    Example:
        >>> x = np.ones((1, 5, 2), "float32")
        >>> pydl.ops.separable_conv(x, np.ones((3, 2, 1)), np.ones((1, 2, 4))).shape
        (1, 3, 4)
    """
    data_format = data_format or "channels_last"
    middle = depthwise_conv(
        inputs, depthwise_kernel, strides=strides, padding=padding, data_format=data_format,
        dilation_rate=dilation_rate,
    )  # fmt: skip
    return conv(middle, pointwise_kernel, padding="valid", data_format=data_format)


def polar(abs_: ArrayLike, angle: ArrayLike) -> tuple[Tensor, Tensor]:
    """The real and the imaginary parts of numbers given by their absolute values and angles.

    Args:
        abs_: Absolute values.
        angle: Angles in radians.

    Example:
        >>> pydl.ops.polar([2.0], [0.0])
        (tensor([2.]), tensor([0.]))
    """
    size, angle = map(floating, promoted(abs_, angle))
    return size * _core.cos(angle), size * _core.sin(angle)


def cdist(x: ArrayLike, y: ArrayLike) -> Tensor:
    """The distances of all pairs of points.

    Args:
        x: Points ``(..., m, features)``.
        y: Points ``(..., n, features)``.

    Returns:
        Shape ``(..., m, n)``.

    Raises:
        ShapeError: If the points have not one number of features.

    Example:
        >>> pydl.ops.cdist([[0.0, 0.0]], [[3.0, 4.0], [0.0, 1.0]])
        tensor([[5., 1.]])
    """
    x, y = map(floating, promoted(x, y, broadcast=False))
    if x.ndim < 2 or y.ndim < 2 or x.shape[-1] != y.shape[-1]:
        raise ShapeError(f"[cdist] expected points of one size, got shapes {x.shape} and {y.shape}")
    difference = _core.expand_dims(x, -2) - _core.expand_dims(y, -3)
    return _core.norm(difference, (-1,), False)
