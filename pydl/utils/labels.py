"""Class numbers to rows of zeros and ones; rows to unit length."""

from __future__ import annotations

from typing import Any

import numpy as np

from pydl import ops
from pydl._core import Tensor

__all__ = ["normalize", "to_categorical"]


def to_categorical(x: Any, num_classes: int | None = None) -> Any:
    """Turns class numbers into rows with a 1 in the place of the class.

    Args:
        x: Integers from 0 to `num_classes - 1`, of any shape; a last axis of size 1 goes away.
        num_classes: The length of the rows; None for the largest number and one.

    Returns:
        An array of float64, or a float32 Tensor for a Tensor, with one axis more.

    Raises:
        ValueError: a number outside of the range; the message names its row.

    Example:
        >>> to_categorical([0, 2], num_classes=3)
        array([[1., 0., 0.],
               [0., 0., 1.]])
    """
    try:
        labels = np.asarray(x).astype("int64")
    except (ValueError, TypeError) as error:
        raise type(error)(f"[to_categorical] expected integers: {error}.") from None
    if labels.ndim > 1 and labels.shape[-1] == 1:
        labels = labels[..., 0]
    if not num_classes:
        num_classes = int(labels.max(initial=-1)) + 1
    wrong = np.flatnonzero((labels < 0) | (labels >= num_classes))
    if wrong.size:
        raise ValueError(
            f"[to_categorical] expected integers from 0 to {num_classes - 1}, got "
            f"{labels.flat[wrong[0]]} in row {wrong[0]}."
        )
    if isinstance(x, Tensor):
        return ops.one_hot(labels, num_classes)
    return np.eye(num_classes)[labels]


def normalize(x: Any, axis: int = -1, order: int | float = 2) -> Any:
    """Divides by the norm along an axis; rows of zeros stay zeros.

    Args:
        x: An array or a Tensor.
        axis: The axis that the norm goes over.
        order: Of the norm, 2 for the Euclidean one.

    Returns:
        An array, or a Tensor for a Tensor, of the same shape.

    Example:
        >>> normalize(np.array([[3.0, 4.0], [0.0, 0.0]]))
        array([[0.6, 0.8],
               [0. , 0. ]])
    """
    if isinstance(x, Tensor):
        norm = ops.norm(x, ord=order, axis=axis, keepdims=True)
        return x / ops.where(norm == 0, ops.ones_like(norm), norm)
    x = np.asarray(x)
    norm = np.linalg.norm(x, order, axis, keepdims=True)
    return x / np.where(norm == 0, 1, norm)
