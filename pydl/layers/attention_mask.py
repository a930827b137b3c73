"""Which query may look at which key: several masks as one."""

from __future__ import annotations

from typing import Any

from pydl import ops

__all__ = ["band_mask", "causal_mask", "join_masks"]


def join_masks(
    query_mask: Any = None, value_mask: Any = None, key_mask: Any = None, attention_mask: Any = None
) -> Any:
    """Return one bool mask that broadcasts to (batch, heads, queries, keys), or None.

    Args:
        query_mask: Shape (batch, queries), False for padding; or None.
        value_mask: Shape (batch, keys), likewise.
        key_mask: Shape (batch, keys), likewise.
        attention_mask: Shape (batch, queries, keys) or (batch, heads, queries, keys), or what
            broadcasts to it; False where a query may not look at a key; or None.
    """
    masks = []
    if query_mask is not None:
        masks.append(ops.cast(query_mask, "bool")[:, None, :, None])
    for mask in (value_mask, key_mask):
        if mask is not None:
            masks.append(ops.cast(mask, "bool")[:, None, None, :])
    if attention_mask is not None:
        mask = ops.cast(attention_mask, "bool")
        masks.append(ops.expand_dims(mask, 1) if mask.ndim == 3 else mask)
    joined = masks.pop() if masks else None
    for mask in masks:
        joined = ops.logical_and(joined, mask)
    return joined


def causal_mask(queries: int, keys: int) -> Any:
    """Return a bool matrix with True where a key stands no later than the query."""
    return ops.tril(ops.ones((queries, keys), dtype="bool"))


def band_mask(queries: int, keys: int, window: int) -> Any:
    """Return a bool matrix with True where key and query are less than `window` steps apart."""
    distance = ops.expand_dims(ops.arange(queries), 1) - ops.arange(keys)
    return ops.abs(distance) < window
