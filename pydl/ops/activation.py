"""Activation functions, element by element.

Each returns the shape of its argument in its dtype; integers become float32 (but `relu` keeps them).
"""

from __future__ import annotations

from pydl import _core
from pydl._core import Tensor
from pydl.typing import ArrayLike

__all__ = [
    "celu",
    "elu",
    "exponential",
    "gelu",
    "hard_sigmoid",
    "hard_silu",
    "hard_swish",
    "leaky_relu",
    "log_sigmoid",
    "mish",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "silu",
    "softplus",
    "softsign",
    "swish",
    "tanh",
]


def relu(x: ArrayLike) -> Tensor:
    """``max(x, 0)``. NaN stays NaN; the gradient at 0 is 0.

    Example:
        >>> pydl.ops.relu([-1.0, 2.0])
        tensor([0., 2.])
    """
    return _core.relu(x)


def relu6(x: ArrayLike) -> Tensor:
    """``min(max(x, 0), 6)``, as in MobileNet (https://arxiv.org/abs/1704.04861).

    Example:
        >>> pydl.ops.relu6([-1.0, 2.0, 8.0])
        tensor([0., 2., 6.])
    """
    return _core.relu6(x)


def leaky_relu(x: ArrayLike, negative_slope: float = 0.2) -> Tensor:
    """`x` where it is positive, ``negative_slope * x`` elsewhere.

    Args:
        x: Any shape.
        negative_slope: The slope for negative values.

    Example:
        >>> pydl.ops.leaky_relu([-1.0, 2.0])
        tensor([-0.2,  2. ])
    """
    return _core.leaky_relu(x, negative_slope)


def elu(x: ArrayLike, alpha: float = 1.0) -> Tensor:
    """`x` where it is positive, ``alpha * (exp(x) - 1)`` elsewhere (https://arxiv.org/abs/1511.07289).

    Args:
        x: Any shape.
        alpha: What large negative values go to, negated.

    Example:
        >>> pydl.ops.elu([-100.0, 2.0])
        tensor([-1.,  2.])
    """
    return _core.elu(x, alpha)


def exponential(x: ArrayLike) -> Tensor:
    """``exp(x)``; the same as `exp`."""
    return _core.exp(x)


def selu(x: ArrayLike) -> Tensor:
    """``1.0507 * elu(x, 1.6733)``, which keeps mean 0 and variance 1 (https://arxiv.org/abs/1706.02515).

    Example:
        >>> pydl.ops.selu([0.0, 1.0])
        tensor([0.      , 1.050701])
    """
    return _core.selu(x)


def celu(x: ArrayLike, alpha: float = 1.0) -> Tensor:
    """``max(x, 0) + min(alpha * (exp(x / alpha) - 1), 0)`` (https://arxiv.org/abs/1704.07483).

    Args:
        x: Any shape.
        alpha: What large negative values go to, negated; not 0.

    Raises:
        ValueError: If `alpha` is 0.

    Example:
        >>> pydl.ops.celu([-100.0, 2.0], alpha=0.5)
        tensor([-0.5,  2. ])
    """
    if alpha == 0:
        raise ValueError("[celu] expected an alpha other than 0, got 0. Hint: use relu")
    return _core.celu(x, alpha)


def gelu(x: ArrayLike, approximate: bool = True) -> Tensor:
    """``x`` times the chance that a normal variable is below `x` (https://arxiv.org/abs/1606.08415).

    Args:
        x: Any shape.
        approximate: Whether to take the tanh approximation instead of the error function.

    Example:
        >>> pydl.ops.gelu([0.0, 100.0], approximate=False)
        tensor([  0., 100.])
    """
    return _core.gelu_tanh(x) if approximate else _core.gelu(x)


def sigmoid(x: ArrayLike) -> Tensor:
    """``1 / (1 + exp(-x))``, without overflow.

    Example:
        >>> pydl.ops.sigmoid([-1000.0, 0.0])
        tensor([0. , 0.5])
    """
    return _core.sigmoid(x)


def tanh(x: ArrayLike) -> Tensor:
    """The hyperbolic tangent.

    Example:
        >>> pydl.ops.tanh([0.0, 100.0])
        tensor([0., 1.])
    """
    return _core.tanh(x)


def silu(x: ArrayLike) -> Tensor:
    """``x * sigmoid(x)``, also called swish (https://arxiv.org/abs/1702.03118).

    Example:
        >>> pydl.ops.silu([0.0, 100.0])
        tensor([  0., 100.])
    """
    return _core.silu(x)


def swish(x: ArrayLike) -> Tensor:
    """The same as `silu`."""
    return _core.silu(x)


def softplus(x: ArrayLike) -> Tensor:
    """``log(1 + exp(x))``, a smooth `relu`, without overflow.

    Example:
        >>> pydl.ops.softplus([-1000.0, 1000.0])
        tensor([   0., 1000.])
    """
    return _core.softplus(x)


def softsign(x: ArrayLike) -> Tensor:
    """``x / (1 + |x|)``.

    Example:
        >>> pydl.ops.softsign([-1.0, 3.0])
        tensor([-0.5 ,  0.75])
    """
    return _core.softsign(x)


def hard_sigmoid(x: ArrayLike) -> Tensor:
    """``relu6(x + 3) / 6``, a piecewise linear sigmoid.

    Example:
        >>> pydl.ops.hard_sigmoid([-3.0, 0.0, 3.0])
        tensor([0. , 0.5, 1. ])
    """
    return _core.hard_sigmoid(x)


def hard_silu(x: ArrayLike) -> Tensor:
    """``x * hard_sigmoid(x)``, as in MobileNetV3 (https://arxiv.org/abs/1905.02244).

    Example:
        >>> pydl.ops.hard_silu([-3.0, 0.0, 3.0])
        tensor([-0.,  0.,  3.])
    """
    return _core.hard_silu(x)


def hard_swish(x: ArrayLike) -> Tensor:
    """The same as `hard_silu`."""
    return _core.hard_silu(x)


def mish(x: ArrayLike) -> Tensor:
    """``x * tanh(softplus(x))`` (https://arxiv.org/abs/1908.08681).

    Example:
        >>> pydl.ops.mish([0.0, 100.0])
        tensor([  0., 100.])
    """
    return _core.mish(x)


def log_sigmoid(x: ArrayLike) -> Tensor:
    """``log(sigmoid(x))``, without overflow.

    Example:
        >>> pydl.ops.log_sigmoid([-1000.0, 1000.0])
        tensor([-1000.,    -0.])
    """
    return _core.log_sigmoid(x)
