"""Activation functions that are exactly 0 over a range, or that several elements share.

Most are a few of the other ops, chained; each returns the dtype of its argument, integers as float32.
"""

from __future__ import annotations

from pydl import _core
from pydl._core import Tensor
from pydl.errors import ShapeError
from pydl.ops.activation import relu, sigmoid, tanh
from pydl.ops.creation import arange
from pydl.ops.elementwise import where
from pydl.ops.math import clip, sqrt, square
from pydl.ops.reduce import cumsum, sum
from pydl.ops.shape import flip, reshape, split
from pydl.ops.sort import sort
from pydl.typing import ArrayLike

__all__ = [
    "glu",
    "hard_shrink",
    "hard_tanh",
    "soft_shrink",
    "sparse_plus",
    "sparse_sigmoid",
    "sparsemax",
    "squareplus",
    "tanh_shrink",
    "threshold",
]


def glu(x: ArrayLike, axis: int = -1) -> Tensor:
    """The first half of `x` times the sigmoid of the second half (https://arxiv.org/abs/1612.08083).

    Args:
        x: Any shape with an even extent along `axis`.
        axis: The axis to halve.

    Raises:
        ShapeError: If the extent is odd.

    Example:
        >>> pydl.ops.glu([3.0, 0.0])
        tensor([1.5])
    """
    x = _core.as_tensor(x)
    if x.shape[axis] % 2:
        raise ShapeError(f"[glu] expected an even extent along axis {axis}, got shape {x.shape}")
    value, gate = split(x, 2, axis)
    return value * sigmoid(gate)


def hard_shrink(x: ArrayLike, threshold: float = 0.5) -> Tensor:
    """`x` where its magnitude is above `threshold`, 0 elsewhere.

    Example:
        >>> pydl.ops.hard_shrink([-2.0, 0.3, 1.0])
        tensor([-2.,  0.,  1.])
    """
    x = _core.as_tensor(x)
    return where(_core.abs(x) > threshold, x, 0.0)


def soft_shrink(x: ArrayLike, threshold: float = 0.5) -> Tensor:
    """`x` moved towards 0 by `threshold`, and 0 where it would cross.

    Example:
        >>> pydl.ops.soft_shrink([-2.0, 0.3, 1.0])
        tensor([-1.5,  0. ,  0.5])
    """
    x = _core.as_tensor(x)
    return relu(x - threshold) - relu(-threshold - x)


def tanh_shrink(x: ArrayLike) -> Tensor:
    """``x - tanh(x)``.

    Example:
        >>> pydl.ops.tanh_shrink([0.0, 100.0])
        tensor([ 0., 99.])
    """
    return _core.as_tensor(x) - tanh(x)


def threshold(x: ArrayLike, threshold: float, default_value: float) -> Tensor:
    """`x` where it is above `threshold`, `default_value` elsewhere.

    Example:
        >>> pydl.ops.threshold([-2.0, 0.3, 1.0], 0.5, 9.0)
        tensor([9., 9., 1.])
    """
    x = _core.as_tensor(x)
    return where(x > threshold, x, default_value)


def hard_tanh(x: ArrayLike) -> Tensor:
    """`x` cut off below -1 and above 1.

    Example:
        >>> pydl.ops.hard_tanh([-2.0, 0.3, 1.5])
        tensor([-1. ,  0.3,  1. ])
    """
    return clip(x, -1.0, 1.0)


def squareplus(x: ArrayLike, b: float = 4) -> Tensor:
    """``(x + sqrt(x**2 + b)) / 2``, a smooth `relu` without exponentials.

    Args:
        x: Any shape.
        b: How smooth; 0 gives `relu`.

    Example:
        >>> pydl.ops.squareplus([0.0, 1.5])
        tensor([1., 2.])
    """
    x = _core.as_tensor(x)
    return (x + sqrt(square(x) + b)) / 2


def sparse_plus(x: ArrayLike) -> Tensor:
    """0 below -1, `x` above 1 and ``(x + 1)**2 / 4`` between.

    Example:
        >>> pydl.ops.sparse_plus([-2.0, 0.0, 3.0])
        tensor([0.  , 0.25, 3.  ])
    """
    x = _core.as_tensor(x)
    return square(sparse_sigmoid(x)) + relu(x - 1.0)


def sparse_sigmoid(x: ArrayLike) -> Tensor:
    """0 below -1, 1 above 1 and ``(x + 1) / 2`` between.

    Example:
        >>> pydl.ops.sparse_sigmoid([-2.0, 0.0, 3.0])
        tensor([0. , 0.5, 1. ])
    """
    return (hard_tanh(x) + 1.0) / 2


def sparsemax(x: ArrayLike, axis: int = -1) -> Tensor:
    """The probabilities closest to `x`: those of small scores are exactly 0.

    Args:
        x: Scores of any shape.
        axis: The axis along which the result sums to 1.

    Example:
        >>> pydl.ops.sparsemax([1.0, 0.5, -3.0])
        tensor([0.75, 0.25, 0.  ])

    Source: Martins and Astudillo, 2016 (https://arxiv.org/abs/1602.02068).
    """
    x = _core.as_tensor(x)
    ranks = [1] * x.ndim
    ranks[axis] = x.shape[axis]
    count = reshape(arange(1, x.shape[axis] + 1, dtype=x.dtype), ranks)
    descending = flip(sort(x, axis), axis)
    in_support = count * descending > cumsum(descending, axis) - 1.0
    size = sum(_core.cast(in_support, x.dtype), axis, keepdims=True)
    total = sum(where(in_support, descending, 0.0), axis, keepdims=True)
    return relu(x - (total - 1.0) / size)
