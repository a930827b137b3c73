"""A convolution with relu before max pooling, which is trained in the other order."""

from __future__ import annotations

import math
from typing import Any

from pydl import activations, ops
from pydl._core import Tensor
from pydl.autograd import is_grad_enabled
from pydl.layers.layer import Layer
from pydl.layers.pooling import MaxPooling1D, MaxPooling2D, MaxPooling3D

__all__ = ["PooledConv", "can_pool_first"]

_FEWER = 4  # elements to one: relu as an op of its own pays then


class PooledConv:
    """A convolution with relu, and the max pooling of its result.

    The largest of what relu gives is relu of the largest. With gradients pooling comes first, as relu
    and its gradient then see a fraction of the elements. Results and gradients are the same.

    Args:
        conv: The convolution.
        pool: The layer of max pooling.
    """

    def __init__(self, conv: Layer, pool: Layer):
        self._conv, self._pool = conv, pool

    def __call__(self, x: Any) -> Any:
        """Return what the layers make of `x`."""
        conv = self._conv
        if type(x) is Tensor and is_grad_enabled() and x.dtype == conv.kernel.dtype:
            return ops.relu(self._pool.call(conv.convolve(x, conv.kernel, conv.bias, None)))
        return self._pool(conv(x))


def can_pool_first(conv: Layer, pool: Layer) -> bool:
    """Whether a layer after a convolution makes of them a PooledConv.

    Args:
        conv: The convolution.
        pool: The layer that is called on its result.
    """
    return (
        type(pool) in (MaxPooling1D, MaxPooling2D, MaxPooling3D)
        and math.prod(pool.strides) >= _FEWER
        and activations.split_fused(conv.activation) == ("relu", None)
        and all(layer.compute_dtype == layer.variable_dtype for layer in (conv, pool))
        and all(layer._activity_regularizer is None for layer in (conv, pool))
    )
