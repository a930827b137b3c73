"""Attention over some of several axes: these become one sequence, the others join the batch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from pydl import ops
from pydl._core import Tensor

__all__ = ["AttentionAxes"]


class AttentionAxes:
    """Turns tensors of shape (batch, *inner, ...) into (batches, steps, ...), and results back.

    Args:
        axes: The axes of the inputs that are attended over.
        rank: The number of dimensions of the inputs.
    """

    def __init__(self, axes: Sequence[int], rank: int):
        self.axes = tuple(axes)
        self.others = tuple(axis for axis in range(1, rank - 1) if axis not in self.axes)

    def flatten(self, x: Tensor) -> Tensor:
        """Join axes of `x`; what comes behind the inner axes stays."""
        inner = len(self.others) + len(self.axes)
        x = ops.permute(x, (0, *self.others, *self.axes, *range(1 + inner, x.ndim)))
        batch = 1 + len(self.others)
        sizes = math.prod(x.shape[:batch]), math.prod(x.shape[batch : 1 + inner])
        return ops.reshape(x, (*sizes, *x.shape[1 + inner :]))

    def flatten_mask(self, mask: Tensor, query: Sequence[int], key: Sequence[int]) -> Tensor:
        """Bring a mask to the shape (batches, heads or 1, queries, keys).

        Args:
            mask: Shape (batch, ..., *queries, *keys); axes it lacks are put before the queries.
            query: The shape of the query.
            key: The shape of the key.
        """
        steps = [query[axis] for axis in self.axes] + [key[axis] for axis in self.axes]
        outer = [query[0], *(query[axis] for axis in self.others)]
        while mask.ndim < len(outer) + 1 + len(steps):
            mask = ops.expand_dims(mask, -len(steps) - 1)
        heads = mask.shape[len(outer)]
        mask = ops.broadcast_to(mask, (*outer, heads, *steps))
        half = len(self.axes)
        shape = math.prod(outer), heads, math.prod(steps[:half]), math.prod(steps[half:])
        return ops.reshape(mask, shape)

    def unflatten(self, x: Tensor, query: Sequence[int]) -> Tensor:
        """Undo `flatten` for a result with as many steps as the query, whose shape is given."""
        order = (0, *self.others, *self.axes)
        x = ops.reshape(x, (*(query[axis] for axis in order), *x.shape[2:]))
        back = sorted(range(len(order)), key=order.__getitem__)
        return ops.permute(x, (*back, *range(len(order), x.ndim)))

    def unflatten_scores(self, scores: Tensor, query: Sequence[int], key: Sequence[int]) -> Any:
        """Give scores the shape (batch, *others, heads, *queries, *keys)."""
        outer = query[0], *(query[axis] for axis in self.others)
        steps = (shape[axis] for shape in (query, key) for axis in self.axes)
        return ops.reshape(scores, (*outer, scores.shape[1], *steps))
