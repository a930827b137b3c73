"""Masks that travel with tensors from the layer that makes them to the layers that use them.

A mask is a bool tensor of shape (batch, steps); False marks steps that are padding. It rides on
the tensor itself, in a subclass, so that tensors without masks cost nothing.
"""

from __future__ import annotations

from typing import Any

from pydl import tree
from pydl._core import Tensor, as_subclass

__all__ = ["get_mask", "with_mask"]


class MaskedTensor(Tensor):
    """A tensor that carries a mask in its attribute `_keras_mask`."""


def get_mask(x: Any) -> Any:
    """Return the mask of a tensor, or None; of a structure, the structure of masks or None."""
    if not isinstance(x, (list, tuple, dict)):
        return getattr(x, "_keras_mask", None)
    masks = tree.map_structure(lambda leaf: getattr(leaf, "_keras_mask", None), x)
    return masks if any(mask is not None for mask in tree.flatten(masks)) else None


def with_mask(x: Tensor, mask: Tensor | None) -> Tensor:
    """Return the tensor `x` with `mask` attached; without a mask, `x` itself."""
    if mask is None or not isinstance(x, Tensor):
        return x
    masked = as_subclass(x, MaskedTensor)
    masked._keras_mask = mask
    return masked
