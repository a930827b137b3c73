"""Attention in which several heads of queries share one of keys and values."""

from __future__ import annotations

from typing import Any

from pydl import ops
from pydl.layers.activation import Softmax
from pydl.layers.arguments import positive_int
from pydl.layers.attention import HeadProjection
from pydl.layers.attention_mask import band_mask, causal_mask, join_masks
from pydl.layers.dropout import Dropout
from pydl.layers.layer import Layer
from pydl.layers.masking import get_mask

__all__ = ["GroupQueryAttention"]


class GroupQueryAttention(Layer):
    """Multi-head attention with fewer heads of keys and values than of queries.

    Keys and values are what a model that writes text has to keep: with a quarter of the heads
    they take a quarter of the memory. One head of them for all queries is multi-query attention.

    Args:
        head_dim: The size of queries, keys and values in each head.
        num_query_heads: The number of heads of queries.
        num_key_value_heads: The number of heads of keys and values; it divides the other.
        dropout: The share of attention scores dropped while training.
        use_bias: Whether the projections have a bias.
        sliding_window: Queries look only at keys less than so many steps away; no limit when None.
        kernel_initializer: First values of the kernels.
        bias_initializer: First values of the biases.
        kernel_regularizer: Penalty on the kernels.
        bias_regularizer: Penalty on the biases.
        activity_regularizer: Penalty on the output.
        kernel_constraint: Projection of the kernels after every step.
        bias_constraint: Projection of the biases after every step.
        use_gate: Whether the heads' results are multiplied by the sigmoid of another projection
            of the query.
        seed: The seed of dropout.

    Call arguments:
        query: A tensor of shape `(batch, queries, features)`.
        value: A tensor of shape `(batch, keys, features)`.
        key: Likewise; `value` when None.
        query_mask: A bool tensor of shape `(batch, queries)`, False for padding; found on `query`.
        value_mask: Likewise for `value`.
        key_mask: Likewise for `key`.
        attention_mask: A bool tensor that broadcasts to `(batch, queries, keys)`; False where a
            query may not look at a key.
        return_attention_scores: Whether to return `(output, scores)`.
        training: Whether to apply dropout.
        use_causal_mask: Whether queries look only at keys up to their own position.

    Returns:
        A tensor of shape `(batch, queries, features)`; with `return_attention_scores` also the
        weights, of shape `(batch, query heads, queries, keys)`.

    Raises:
        ValueError: an argument outside the values listed.

    Example:
        >>> import pydl
        >>> layer = pydl.layers.GroupQueryAttention(8, num_query_heads=4, num_key_value_heads=2)
        >>> x = pydl.ops.ones((1, 5, 16))
        >>> layer(x, x, use_causal_mask=True).shape
        (1, 5, 16)

    Source: Ainslie et al., 2023.
    """

    supports_masking = True

    def __init__(
        self,
        head_dim: int,
        num_query_heads: int,
        num_key_value_heads: int,
        dropout: float = 0.0,
        use_bias: bool = True,
        sliding_window: int | None = None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        use_gate: bool = False,
        seed: Any = None,
        **kwargs,
    ):
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.head_dim = positive_int("head_dim", head_dim, self.name)
        self.num_query_heads = positive_int("num_query_heads", num_query_heads, self.name)
        self.num_key_value_heads = positive_int(
            "num_key_value_heads", num_key_value_heads, self.name
        )
        if num_query_heads % num_key_value_heads:
            raise ValueError(
                f"[{self.name}] expected num_query_heads to be a multiple of num_key_value_heads, "
                f"got {num_query_heads} and {num_key_value_heads}."
            )
        if sliding_window is not None:
            positive_int("sliding_window", sliding_window, self.name)
        self.sliding_window = sliding_window
        self.dropout = dropout
        self.use_bias = use_bias
        self.use_gate = use_gate
        self._projection_arguments = {
            "kernel_initializer": kernel_initializer,
            "bias_initializer": bias_initializer,
            "kernel_regularizer": kernel_regularizer,
            "bias_regularizer": bias_regularizer,
            "kernel_constraint": kernel_constraint,
            "bias_constraint": bias_constraint,
        }
        self._softmax = Softmax(dtype=self.dtype_policy)
        self._dropout = Dropout(dropout, seed=seed, dtype=self.dtype_policy)

    def build(self, query_shape, value_shape, key_shape=None):
        key_shape = value_shape if key_shape is None else key_shape
        queries = (self.num_query_heads, self.head_dim)
        keys = (self.num_key_value_heads, self.head_dim)
        self.query_dense = self._project(1, queries, "query", query_shape)
        self.key_dense = self._project(1, keys, "key", key_shape)
        self.gate_dense = None
        if self.use_gate:
            self.gate_dense = self._project(1, queries, "gate", query_shape)
        self.value_dense = self._project(1, keys, "value", value_shape)
        joined = (*query_shape[:-1], *queries)
        self.output_dense = self._project(2, query_shape[-1:], "attention_output", joined)

    def call(
        self,
        query,
        value,
        key=None,
        query_mask=None,
        value_mask=None,
        key_mask=None,
        attention_mask=None,
        return_attention_scores=False,
        training=False,
        use_causal_mask=False,
    ):
        key = value if key is None else key
        mask = join_masks(query_mask, value_mask, key_mask, attention_mask)
        if self.sliding_window is not None:
            band = band_mask(query.shape[1], key.shape[1], self.sliding_window)
            mask = band if mask is None else ops.logical_and(mask, band)
        heads = self.query_dense(query), self.key_dense(key), self.value_dense(value)
        scores = None
        if return_attention_scores or (training and self.dropout > 0):
            outputs, scores = self._attend_with_scores(*heads, mask, use_causal_mask, training)
        else:
            outputs = ops.scaled_dot_product_attention(*heads, mask=mask, is_causal=use_causal_mask)
        if self.gate_dense is not None:
            outputs = outputs * ops.sigmoid(self.gate_dense(query))
        outputs = self.output_dense(outputs)
        return (outputs, scores) if return_attention_scores else outputs

    def compute_mask(self, inputs, previous_mask):
        """The result has a step for every query, so the mask of the query stays."""
        return get_mask(inputs)

    def _project(self, input_axes: int, output_shape, name: str, input_shape) -> HeadProjection:
        layer = HeadProjection(
            input_axes,
            output_shape,
            self.use_bias,
            self._projection_arguments,
            name=name,
            dtype=self.dtype_policy,
        )
        layer.build(input_shape)
        return layer

    def _attend_with_scores(self, query, key, value, mask, causal: bool, training: bool):
        """Attention by its definition, for which the matrix of scores exists."""
        shared = self.num_query_heads // self.num_key_value_heads
        key, value = ops.repeat(key, shared, axis=2), ops.repeat(value, shared, axis=2)
        products = ops.einsum("bqhd,bkhd->bhqk", query, key) * self.head_dim**-0.5
        if causal:
            lower = causal_mask(*products.shape[-2:])
            mask = lower if mask is None else ops.logical_and(mask, lower)
        scores = self._softmax(products, mask=mask)
        dropped = self._dropout(scores, training=training)
        return ops.einsum("bhqk,bkhd->bqhd", dropped, value), scores
