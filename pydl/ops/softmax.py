"""Building blocks of neural networks."""

from __future__ import annotations

from pydl import _core
from pydl._core import Tensor
from pydl.typing import ArrayLike

__all__ = ["log_softmax", "softmax"]


def softmax(x: ArrayLike, axis: int = -1) -> Tensor:
    """``exp(x) / sum(exp(x))`` along an axis, without overflow.

    Args:
        x: A floating tensor.
        axis: The axis whose elements shall sum to 1.

    Returns:
        The shape and dtype of `x`.

    Raises:
        DTypeError: If `x` is not floating.
        ValueError: If `axis` is outside the rank.

    Example:
        >>> pydl.ops.softmax([[0.0, 0.0]])
        tensor([[0.5, 0.5]])
    """
    return _core.softmax(x, axis)


def log_softmax(x: ArrayLike, axis: int = -1) -> Tensor:
    """The logarithm of `softmax`, without losing small probabilities; arguments as `softmax`.

    Example:
        >>> pydl.ops.log_softmax([[0.0, 100.0]])
        tensor([[-100.,    0.]])
    """
    return _core.log_softmax(x, axis)
