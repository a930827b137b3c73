"""Normalisation.

Inputs of 16 bits are normalised in float32 and come back in their own dtype; their gamma, beta and
moving statistics may be float32.
"""

from __future__ import annotations

from pydl import _core
from pydl._core import Tensor
from pydl.ops.reduce import norm
from pydl.replay import about_to_change
from pydl.typing import ArrayLike, Shape

__all__ = ["batch_norm", "group_norm", "layer_norm", "normalize", "rms_norm"]


def layer_norm(
    x: ArrayLike,
    gamma: ArrayLike | None = None,
    beta: ArrayLike | None = None,
    axis: Shape = -1,
    epsilon: float = 1e-3,
) -> Tensor:
    """``(x - mean) / sqrt(variance + epsilon) * gamma + beta``, with the statistics over `axis`.

    Ba, Kiros and Hinton (2016), "Layer normalization".

    Args:
        x: A floating tensor.
        gamma: The scale, of the extents of `axis` in ascending order; None for 1.
        beta: The offset, shaped like `gamma`; None for 0.
        axis: The axis or axes that each mean and variance are taken over.
        epsilon: Added to the variance, so that the root of 0 is not divided by.

    Returns:
        The shape and dtype of `x`.

    Raises:
        ShapeError: If `gamma` or `beta` has another shape.
        DTypeError: If `x` is not floating, or `gamma` or `beta` is wider than it.

    Example:
        >>> pydl.ops.layer_norm([[1.0, 3.0]], epsilon=0.0)
        tensor([[-1.,  1.]])
    """
    return _core.layer_norm(x, gamma, beta, axis, epsilon)


def rms_norm(
    x: ArrayLike, gamma: ArrayLike | None = None, axis: Shape = -1, epsilon: float = 1e-6
) -> Tensor:
    """``x / sqrt(mean(x**2) + epsilon) * gamma``, with the mean over `axis`; arguments as `layer_norm`.

    Zhang and Sennrich (2019), "Root mean square layer normalization".

    Example:
        >>> pydl.ops.rms_norm([[3.0, 3.0, -3.0]]).numpy().round(3).tolist()
        [[1.0, 1.0, -1.0]]
    """
    return _core.rms_norm(x, gamma, axis, epsilon)


def group_norm(
    x: ArrayLike,
    groups: int,
    gamma: ArrayLike | None = None,
    beta: ArrayLike | None = None,
    axis: int = -1,
    epsilon: float = 1e-3,
) -> Tensor:
    """Normalises each group of channels of each sample by its mean and variance.

    Wu and He (2018), "Group normalization".

    Args:
        x: Shape ``(batch, ..., channels)``, or with the channels along `axis`; floating.
        groups: The number of groups; divides the channels. As many groups as channels is instance
            normalisation.
        gamma: The scale, shape ``(channels,)``; None for 1.
        beta: The offset, shape ``(channels,)``; None for 0.
        axis: The axis of the channels, not 0.
        epsilon: Added to the variance, so that the root of 0 is not divided by.

    Returns:
        The shape and dtype of `x`.

    Raises:
        ShapeError: If `x` has fewer than 2 dimensions, or `gamma` or `beta` another shape.
        ValueError: If `groups` does not divide the channels, or `axis` is that of the batch.

    Example:
        >>> pydl.ops.group_norm([[1.0, 3.0, 10.0, 30.0]], groups=2, epsilon=0.0)
        tensor([[-1.,  1., -1.,  1.]])
    """
    return _core.group_norm(x, groups, gamma, beta, axis, epsilon)


def batch_norm(
    x: ArrayLike,
    gamma: ArrayLike | None,
    beta: ArrayLike | None,
    moving_mean: Tensor,
    moving_variance: Tensor,
    axis: int = -1,
    momentum: float = 0.99,
    epsilon: float = 1e-3,
    training: bool = False,
) -> Tensor:
    """``(x - mean) / sqrt(variance + epsilon) * gamma + beta`` for each channel.

    In training, mean and variance are those of the batch, and the moving statistics are updated in
    place: ``moving = momentum * moving + (1 - momentum) * batch's``, with the biased variance, as in
    Keras. Otherwise they are the moving ones, which count as constants.

    Ioffe and Szegedy (2015), "Batch normalization: accelerating deep network training by reducing
    internal covariate shift".

    Args:
        x: At least 2-D, with the channels along `axis`; floating.
        gamma: The scale, shape ``(channels,)``; None for 1.
        beta: The offset, shape ``(channels,)``; None for 0.
        moving_mean: Shape ``(channels,)``; written to in training.
        moving_variance: Shape ``(channels,)``; written to in training.
        axis: The axis of the channels.
        momentum: How much of the moving statistics a training step keeps.
        epsilon: Added to the variance, so that the root of 0 is not divided by.
        training: Whether to normalise by the batch's own statistics.

    Returns:
        The shape and dtype of `x`.

    Raises:
        ShapeError: If `x` has fewer than 2 dimensions or (in training) no elements, or a parameter has
            another shape than ``(channels,)``.
        AutogradError: If a moving statistic requires a gradient.

    Example:
        >>> mean, variance = pydl.tensor([0.0]), pydl.tensor([1.0])
        >>> pydl.ops.batch_norm([[1.0], [3.0]], None, None, mean, variance, epsilon=0.0, training=True)
        tensor([[-1.],
                [ 1.]])
        >>> mean
        tensor([0.02])
    """
    if training:
        about_to_change(moving_mean)
        about_to_change(moving_variance)
    return _core.batch_norm(
        x, gamma, beta, moving_mean, moving_variance, axis, momentum, epsilon, training
    )


def normalize(
    x: ArrayLike, axis: Shape | None = -1, order: int | float | str = 2, epsilon: float = 1e-7
) -> Tensor:
    """`x` divided by its norm along `axis`, so that the norm becomes 1.

    Args:
        x: Any shape; integers are normalized in float32.
        axis: The axis or axes that each norm is taken over; None for all.
        order: Which norm, as `ord` of `norm`.
        epsilon: The smallest norm divided by, so that zeros stay zeros.

    Returns:
        The shape of `x`.

    Example:
        >>> pydl.ops.normalize([[3.0, 4.0], [0.0, 0.0]])
        tensor([[0.6, 0.8],
                [0. , 0. ]])
    """
    x = _core.as_tensor(x)
    if x.dtype not in ("float32", "float64"):  # squares of 16 bits overflow
        result = normalize(_core.cast(x, "float32"), axis, order, epsilon)
        return _core.cast(result, x.dtype) if "float" in x.dtype else result
    if order == 2:
        total = _core.sum(_core.square(x), axis, True)
        return _core.multiply(x, _core.rsqrt(_core.maximum(total, epsilon**2)))
    return _core.divide(x, _core.maximum(norm(x, order, axis, keepdims=True), epsilon))
