"""Attention without weights, or with few: of Luong and of Bahdanau."""

from __future__ import annotations

from typing import Any

from pydl import ops
from pydl.layers.attention_mask import causal_mask
from pydl.layers.dropout import Dropout
from pydl.layers.layer import Layer

__all__ = ["AdditiveAttention", "Attention"]


class Attention(Layer):
    """Every query takes a mean of the values, weighted by the product of query and key.

    Args:
        use_scale: Whether to train a factor on the scores.
        score_mode: "dot" for products of query and key, "concat" for the sum of
            `tanh(query + key)`.
        dropout: The share of weights dropped while training.
        seed: The seed of dropout.

    Call arguments:
        inputs: A list of query `(batch, queries, size)`, value `(batch, keys, value size)`, and
            maybe key `(batch, keys, size)`, which is the value otherwise.
        mask: A list of the masks of query and value, bool tensors of shapes `(batch, queries)`
            and `(batch, keys)`, or None in place of one; found on the inputs.
        training: Whether to apply dropout.
        return_attention_scores: Whether to return `(output, scores)`.
        use_causal_mask: Whether queries look only at keys up to their own position.

    Returns:
        A tensor of shape `(batch, queries, value size)`; with `return_attention_scores` also the
        weights, of shape `(batch, queries, keys)`.

    Raises:
        ValueError: another number of inputs or masks, or an unknown `score_mode`.

    Example:
        >>> import pydl
        >>> query, value = pydl.ops.ones((1, 3, 4)), pydl.ops.ones((1, 5, 4))
        >>> pydl.layers.Attention()([query, value]).shape
        (1, 3, 4)

    Source: Luong et al., 2015.
    """

    supports_masking = True

    def __init__(
        self,
        use_scale: bool = False,
        score_mode: str = "dot",
        dropout: float = 0.0,
        seed: Any = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if score_mode not in ("dot", "concat"):
            raise ValueError(
                f"[{self.name}] expected score_mode to be dot or concat, got {score_mode!r}."
            )
        self.use_scale = use_scale
        self.score_mode = score_mode
        self.dropout = dropout
        self._dropout = Dropout(dropout, seed=seed, dtype=self.dtype_policy)

    def build(self, input_shape):
        self._check_list("inputs", input_shape)
        self.scale = self.concat_score_weight = None
        if self.use_scale:
            self.scale = self.add_weight((), "ones", name="scale")
        if self.score_mode == "concat":
            self.concat_score_weight = self.add_weight((), "ones", name="concat_score_weight")

    def call(
        self,
        inputs,
        mask=None,
        training=False,
        return_attention_scores=False,
        use_causal_mask=False,
    ):
        self._check_list("inputs", inputs)
        if mask is not None:
            self._check_list("mask", mask)
        query, value, key = inputs[0], inputs[1], inputs[-1]
        query_mask, value_mask = mask[:2] if mask else (None, None)
        scores = self._scores(query, key)
        seen = causal_mask(*scores.shape[-2:]) if use_causal_mask else None
        if value_mask is not None:
            columns = ops.expand_dims(ops.cast(value_mask, "bool"), -2)
            seen = columns if seen is None else ops.logical_and(columns, seen)
        if seen is not None:
            scores = ops.where(seen, scores, scores - (6e4 if scores.dtype == "float16" else 1e9))
        weights = self._dropout(ops.softmax(scores), training=training)
        outputs = ops.matmul(weights, value)
        if query_mask is not None:
            outputs = ops.where(ops.expand_dims(ops.cast(query_mask, "bool"), -1), outputs, 0.0)
        return (outputs, weights) if return_attention_scores else outputs

    def compute_mask(self, inputs, previous_mask):
        """The result has a step for every query, so the mask of the query stays."""
        return previous_mask[0] if previous_mask else None

    def _scores(self, query, key):
        scale = 1.0 if self.scale is None else self.scale
        if self.score_mode == "dot":
            return ops.matmul(query, ops.swapaxes(key, -2, -1)) * scale
        return self.concat_score_weight * ops.sum(ops.tanh(scale * _pairs(query, key)), axis=-1)

    def _check_list(self, what: str, value: Any) -> None:
        if not isinstance(value, (list, tuple)) or len(value) not in (2, 3):
            raise ValueError(
                f"[{self.name}] expected {what} to be a list for query and value, and maybe key, "
                f"got {value!r}."
            )


class AdditiveAttention(Attention):
    """Every query takes a mean of the values, weighted by the sum of `scale * tanh(query + key)`.

    Args:
        use_scale: Whether to train a factor for each feature.
        dropout: The share of weights dropped while training.
        seed: The seed of dropout.

    Call arguments:
        inputs: A list of query `(batch, queries, size)`, value `(batch, keys, value size)`, and
            maybe key `(batch, keys, size)`, which is the value otherwise.
        mask: A list of the masks of query and value, bool tensors of shapes `(batch, queries)`
            and `(batch, keys)`, or None in place of one; found on the inputs.
        training: Whether to apply dropout.
        return_attention_scores: Whether to return `(output, scores)`.
        use_causal_mask: Whether queries look only at keys up to their own position.

    Returns:
        A tensor of shape `(batch, queries, value size)`; with `return_attention_scores` also the
        weights, of shape `(batch, queries, keys)`.

    Raises:
        ValueError: another number of inputs or masks.

    Example:
        >>> import pydl
        >>> query, value = pydl.ops.ones((1, 3, 4)), pydl.ops.ones((1, 5, 4))
        >>> pydl.layers.AdditiveAttention()([query, value]).shape
        (1, 3, 4)

    Source: Bahdanau et al., 2015.
    """

    def __init__(self, use_scale: bool = True, dropout: float = 0.0, seed: Any = None, **kwargs):
        super().__init__(use_scale, dropout=dropout, seed=seed, **kwargs)

    def build(self, input_shape):
        self._check_list("inputs", input_shape)
        self.scale = None
        if self.use_scale:
            self.scale = self.add_weight(input_shape[0][-1:], "glorot_uniform", name="scale")

    def _scores(self, query, key):
        scale = 1.0 if self.scale is None else self.scale
        return ops.sum(scale * ops.tanh(_pairs(query, key)), axis=-1)


def _pairs(query, key):
    """Return the sum of every query and every key."""
    return ops.expand_dims(query, -2) + ops.expand_dims(key, -3)
