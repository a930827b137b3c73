"""The merging layers as functions of a list of tensors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydl.layers.dot_product import Dot
from pydl.layers.merging import (
    Add,
    Average,
    Concatenate,
    Maximum,
    Minimum,
    Multiply,
    Subtract,
)

__all__ = [
    "add", "average", "concatenate", "dot", "maximum", "minimum", "multiply", "subtract",
]  # fmt: skip


def add(inputs: Sequence[Any], **kwargs) -> Any:
    """Return `Add(**kwargs)(inputs)`, the sum of tensors.

    Example:
        >>> import pydl
        >>> pydl.layers.add([pydl.tensor([[1.0]]), pydl.tensor([[2.0]])]).tolist()
        [[3.0]]
    """
    return Add(**kwargs)(inputs)


def average(inputs: Sequence[Any], **kwargs) -> Any:
    """Return `Average(**kwargs)(inputs)`, the mean of tensors."""
    return Average(**kwargs)(inputs)


def concatenate(inputs: Sequence[Any], axis: int = -1, **kwargs) -> Any:
    """Return `Concatenate(axis, **kwargs)(inputs)`, tensors joined along an axis."""
    return Concatenate(axis, **kwargs)(inputs)


def dot(inputs: Sequence[Any], axes: int | Sequence[int] = -1, **kwargs) -> Any:
    """Return `Dot(axes, **kwargs)(inputs)`, scalar products of two tensors."""
    return Dot(axes, **kwargs)(inputs)


def maximum(inputs: Sequence[Any], **kwargs) -> Any:
    """Return `Maximum(**kwargs)(inputs)`, the largest of the tensors' elements."""
    return Maximum(**kwargs)(inputs)


def minimum(inputs: Sequence[Any], **kwargs) -> Any:
    """Return `Minimum(**kwargs)(inputs)`, the smallest of the tensors' elements."""
    return Minimum(**kwargs)(inputs)


def multiply(inputs: Sequence[Any], **kwargs) -> Any:
    """Return `Multiply(**kwargs)(inputs)`, the product of tensors."""
    return Multiply(**kwargs)(inputs)


def subtract(inputs: Sequence[Any], **kwargs) -> Any:
    """Return `Subtract(**kwargs)(inputs)`, the first tensor less the second."""
    return Subtract(**kwargs)(inputs)
