"""Attention that keeps the keys and values of earlier steps, for writing sequences step by step."""

from __future__ import annotations

from typing import Any

from pydl import ops
from pydl.autograd import is_grad_enabled
from pydl.layers.attention import MultiHeadAttention
from pydl.layers.attention_mask import join_masks
from pydl.layers.position import RotaryEmbedding

__all__ = ["CachedMultiHeadAttention", "KeyValueCache"]


class KeyValueCache:
    """The keys and values of all steps so far, in memory that grows by doubling.

    Example:
        >>> import pydl
        >>> cache = pydl.layers.KeyValueCache()
        >>> x = pydl.ops.ones((1, 3, 2, 4))  # (batch, steps, heads, size)
        >>> keys, values = cache.append(x, x)
        >>> keys, values = cache.append(x[:, :1], x[:, :1])
        >>> cache.length, keys.shape
        (4, (1, 4, 2, 4))
    """

    def __init__(self):
        self.length = 0
        self._keys = self._values = None

    def append(self, keys: Any, values: Any) -> tuple[Any, Any]:
        """Add steps, and return the keys and values of all steps.

        Args:
            keys: Shape (batch, steps, heads, size).
            values: Likewise, of as many steps.

        Raises:
            RuntimeError: the keys have a gradient, which would be lost.
        """
        if is_grad_enabled() and keys.requires_grad:
            raise RuntimeError(
                "[KeyValueCache] expected keys without gradients, got ones that need them. "
                "Hint: call the model under pydl.no_grad()."
            )
        end = self.length + keys.shape[1]
        if self._keys is None or end > self._keys.shape[1]:
            capacity = end if self._keys is None else max(end, 2 * self._keys.shape[1])
            self._keys = self._grown(self._keys, keys, capacity)
            self._values = self._grown(self._values, values, capacity)
        self._keys[:, self.length : end] = keys
        self._values[:, self.length : end] = values
        self.length = end
        return self.all()

    def all(self) -> tuple[Any, Any]:
        """Return the keys and values of all steps."""
        return self._keys[:, : self.length], self._values[:, : self.length]

    def reorder(self, samples: Any) -> None:
        """Put the samples of the batch in another order, some of them several times.

        Args:
            samples: The number of the sample for each place of the batch.
        """
        if self._keys is not None:
            self._keys = ops.take(self._keys, samples, axis=0)
            self._values = ops.take(self._values, samples, axis=0)

    def _grown(self, old: Any, like: Any, capacity: int):
        grown = ops.zeros((like.shape[0], capacity, *like.shape[2:]), dtype=like.dtype)
        if old is not None:
            grown[:, : self.length] = old[:, : self.length]
        return grown


class CachedMultiHeadAttention(MultiHeadAttention):
    """MultiHeadAttention for the blocks of a transformer: with a cache, or rotary positions.

    Args:
        num_heads: The number of heads.
        key_dim: The size of queries, keys and values in each head.
        dropout: The share of attention weights dropped while training.
        rotary: Whether queries and keys are turned by their positions.

    Call arguments:
        query: A tensor of shape `(batch, queries, features)`.
        value: A tensor of shape `(batch, keys, features)`.
        attention_mask: A bool tensor that broadcasts to `(batch, heads, queries, all keys)`.
        cache: A KeyValueCache; the queries stand behind the steps in it.
        is_causal: Whether queries look only at keys up to their own position.
        is_fixed: Whether keys and values are the same in every call with the cache.
        training: Whether to apply dropout.

    Returns:
        A tensor of shape `(batch, queries, features)`.
    """

    def __init__(self, num_heads: int, key_dim: int, dropout: float = 0.0, rotary=False, **kwargs):
        super().__init__(num_heads, key_dim, dropout=dropout, **kwargs)
        if self.sliding_window is not None or self.use_gate:
            raise ValueError(f"[{self.name}] expected neither sliding_window nor use_gate.")
        self.rotary = RotaryEmbedding(dtype=self.dtype_policy) if rotary else None

    def call(
        self,
        query,
        value,
        attention_mask=None,
        cache=None,
        is_causal=False,
        is_fixed=False,
        training=False,
    ):
        start = 0 if cache is None or is_fixed else cache.length
        query = self.query_dense(query)
        keys, values = self._keys_and_values(value, cache, is_fixed, start)
        if self.rotary is not None:
            query = self.rotary(query, start_index=start)
        if is_causal and start > 0:
            if query.shape[1] > 1:  # a single query is the last step, and may see every key
                late = ops.tril(ops.ones((query.shape[1], keys.shape[1]), dtype="bool"), start)
                attention_mask = join_masks(attention_mask=attention_mask)
                attention_mask = late if attention_mask is None else attention_mask & late
            is_causal = False
        outputs = ops.scaled_dot_product_attention(
            query,
            keys,
            values,
            mask=attention_mask,
            is_causal=is_causal,
            dropout=self.dropout if training else 0.0,
            seed=self._dropout.seed_generator,
        )
        return self.output_dense(outputs)

    def _keys_and_values(self, value, cache, is_fixed: bool, start: int):
        if is_fixed and cache is not None and cache.length > 0:
            return cache.all()
        keys, values = self.key_dense(value), self.value_dense(value)
        if self.rotary is not None:
            keys = self.rotary(keys, start_index=start)
        return (keys, values) if cache is None else cache.append(keys, values)
