"""Products of matrices."""

from __future__ import annotations

from pydl import _core
from pydl._core import Tensor
from pydl.typing import ArrayLike

__all__ = ["matmul"]


def matmul(x1: ArrayLike, x2: ArrayLike) -> Tensor:
    """Matrix product of two tensors, as ``numpy.matmul``.

    Leading axes are batches and broadcast; a 1-D operand counts as one row or one column.
    Transposed operands are used in place, without a copy.

    Args:
        x1: Shape ``(..., m, k)`` or ``(k,)``.
        x2: Shape ``(..., k, n)`` or ``(k,)``.

    Returns:
        Shape ``(..., m, n)``; a 1-D operand leaves its axis out.

    Raises:
        ShapeError: If the inner extents differ or the batches do not broadcast.

    Example:
        >>> pydl.ops.matmul([[1.0, 2.0]], [[3.0], [4.0]])
        tensor([[11.]])
    """
    return _core.matmul(x1, x2)
