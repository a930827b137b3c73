"""Attention."""

from __future__ import annotations

from pydl import _core, random
from pydl._core import Tensor
from pydl.typing import ArrayLike

__all__ = ["scaled_dot_product_attention"]


def scaled_dot_product_attention(
    query: ArrayLike,
    key: ArrayLike,
    value: ArrayLike,
    mask: ArrayLike | None = None,
    is_causal: bool = False,
    scale: float | None = None,
    dropout: float = 0.0,
    seed: random.Seed = None,
) -> Tensor:
    """``softmax(scale * query @ key.T + mask) @ value`` for each head.

    The scores are made block by block and never stored, so memory grows with the lengths and not with
    their product; only for the gradient of `mask` and for gradients of gradients they are. Several
    heads of `query` may share a head of `key` and `value`: of 8 and 2, the first four share the first.

    Vaswani et al. (2017), "Attention is all you need"; Dao et al. (2022), "FlashAttention: fast and
    memory-efficient exact attention with IO-awareness".

    Args:
        query: Shape ``(batch, queries, heads, head_size)``, floating.
        key: Shape ``(batch, keys, key_heads, head_size)``; `key_heads` divides `heads`.
        value: Shape ``(batch, keys, key_heads, value_size)``.
        mask: Broadcastable to ``(batch, heads, queries, keys)``. Of bool: True where a query may attend
            to a key. Floating: added to the scores. None hides nothing.
        is_causal: Whether query `i` may attend to keys 0 to `i` only.
        scale: The factor on the products; None for ``1 / sqrt(head_size)``.
        dropout: The share of weights to drop, in [0, 1).
        seed: Where dropout's choices come from, as in `pydl.random`.

    Returns:
        Shape ``(batch, queries, heads, value_size)``; 0 for queries that may attend to nothing.

    Raises:
        ShapeError: If the shapes do not fit together.
        DTypeError: If an operand is not floating, or the mask neither that nor bool.

    Example:
        >>> x = np.ones((1, 2, 1, 4), "float32")
        >>> pydl.ops.scaled_dot_product_attention(x, x, x, is_causal=True).shape
        (1, 2, 1, 4)
    """
    generator = random._generator(seed)
    return _core.scaled_dot_product_attention(
        query, key, value, mask, is_causal, scale, dropout, generator
    )
