"""Multi-head attention."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydl import initializers, ops
from pydl.layers.activation import Softmax
from pydl.layers.arguments import positive_int
from pydl.layers.attention_axes import AttentionAxes
from pydl.layers.attention_mask import band_mask, causal_mask, join_masks
from pydl.layers.dropout import Dropout
from pydl.layers.layer import Layer
from pydl.layers.masking import get_mask

__all__ = ["MultiHeadAttention"]


class HeadProjection(Layer):
    """A linear map between the features of a step and its heads, or back.

    The kernel keeps heads apart, as Keras does: `(features, heads, size)` to split, and
    `(heads, size, *features)` to join. The product itself is one matrix product.

    Args:
        input_axes: How many of the last axes of the input are mapped.
        output_shape: The sizes they are mapped to.
        use_bias: Whether to add a bias.
        arguments: Initializers, regularizers and constraints of kernel and bias.
    """

    def __init__(self, input_axes: int, output_shape, use_bias: bool, arguments: dict, **kwargs):
        super().__init__(**kwargs)
        self.input_axes = input_axes
        self.output_shape = tuple(output_shape)
        self.use_bias = use_bias
        self.arguments = arguments

    def build(self, input_shape):
        sizes = tuple(input_shape[-self.input_axes :])
        shape = sizes + self.output_shape
        initializer = initializers.get(self.arguments["kernel_initializer"])
        if isinstance(initializer, initializers.VarianceScaling):
            axes = range(len(shape))
            initializer = initializer.with_axes(axes[: len(sizes)], axes[len(sizes) :])
        self.kernel = self.add_weight(
            shape=shape,
            initializer=initializer,
            regularizer=self.arguments["kernel_regularizer"],
            constraint=self.arguments["kernel_constraint"],
            name="kernel",
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                shape=self.output_shape,
                initializer=self.arguments["bias_initializer"],
                regularizer=self.arguments["bias_regularizer"],
                constraint=self.arguments["bias_constraint"],
                name="bias",
            )

    def call(self, inputs):
        return ops.linear(inputs, self.kernel, self.bias, axes=self.input_axes)

    def compute_output_shape(self, input_shape):
        return (*input_shape[: -self.input_axes], *self.output_shape)


class MultiHeadAttention(Layer):
    """Attention with several heads: every query takes a weighted mean of the values.

    Queries, keys and values are projected to `num_heads` heads, the weights are
    `softmax(query . key / sqrt(key_dim))`, and the heads' results are joined and projected back.
    Memory grows linearly with the length of the sequences, except when attention scores are
    returned or dropped out.

    Args:
        num_heads: The number of heads.
        key_dim: The size of queries and keys in each head.
        value_dim: The size of values in each head; `key_dim` when None.
        dropout: The share of attention scores dropped while training.
        use_bias: Whether the projections have a bias.
        output_shape: The size or sizes of the output features; those of the query when None.
        attention_axes: The axis or axes of query, key and value that are attended over; all
            between batch and features when None. Along the others, entries are apart, as samples.
        sliding_window: How near query and key must be: fewer steps apart than this. None for any.
        kernel_initializer: First values of the kernels.
        bias_initializer: First values of the biases.
        kernel_regularizer: Penalty on the kernels.
        bias_regularizer: Penalty on the biases.
        activity_regularizer: Penalty on the output.
        kernel_constraint: Projection of the kernels after every step.
        bias_constraint: Projection of the biases after every step.
        use_gate: Whether the heads' results are multiplied by the sigmoid of a further projection
            of the query.
        seed: The seed of dropout.

    Call arguments:
        query: A tensor of shape `(batch, queries, features)`, or with more axes in the middle.
        value: A tensor of shape `(batch, keys, features)`, likewise.
        key: Likewise; `value` when None.
        query_mask: A bool tensor of shape `(batch, queries)`, False for padding; found on `query`.
        value_mask: Likewise for `value`.
        key_mask: Likewise for `key`.
        attention_mask: A bool tensor that broadcasts to `(batch, queries, keys)`, or to
            `(batch, heads, queries, keys)`; False where a query may not look at a key.
        return_attention_scores: Whether to return `(output, scores)`.
        training: Whether to apply dropout.
        use_causal_mask: Whether queries look only at keys up to their own position.

    Returns:
        A tensor of shape `(batch, queries, features)`; with `return_attention_scores` also the
        weights, of shape `(batch, heads, queries, keys)`.

    Raises:
        ValueError: an argument outside the values listed.

    Example:
        >>> import pydl
        >>> layer = pydl.layers.MultiHeadAttention(num_heads=2, key_dim=4)
        >>> x = pydl.ops.ones((1, 5, 8))
        >>> layer(x, x, use_causal_mask=True).shape
        (1, 5, 8)

    Source: Vaswani et al., 2017.
    """

    supports_masking = True

    def __init__(
        self,
        num_heads: int,
        key_dim: int,
        value_dim: int | None = None,
        dropout: float = 0.0,
        use_bias: bool = True,
        output_shape: Any = None,
        attention_axes: int | Sequence[int] | None = None,
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
        self.num_heads = positive_int("num_heads", num_heads, self.name)
        self.key_dim = positive_int("key_dim", key_dim, self.name)
        self.value_dim = positive_int("value_dim", value_dim or key_dim, self.name)
        if sliding_window is not None:
            positive_int("sliding_window", sliding_window, self.name)
        self.sliding_window = sliding_window
        self.dropout = dropout
        self.use_bias = use_bias
        self.use_gate = use_gate
        self.output_features = (output_shape,) if isinstance(output_shape, int) else output_shape
        self.attention_axes = (attention_axes,) if isinstance(attention_axes, int) else attention_axes
        self._axes = None  # for inputs with more axes than one between batch and features
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
        rank = len(query_shape)
        if rank < 3 or len(value_shape) != rank or value_shape[1:-1] != key_shape[1:-1]:
            raise ValueError(
                f"[{self.name}] expected query, value and key of shape (batch, steps, features), "
                f"value and key of as many steps, got {query_shape}, {value_shape}, {key_shape}."
            )
        axes = tuple(range(1, rank - 1)) if self.attention_axes is None else self.attention_axes
        if not all(-rank < axis < rank - 1 and axis not in (0, -1) for axis in axes):
            raise ValueError(
                f"[{self.name}] expected attention_axes between batch and features, got {axes} "
                f"for a query of shape {query_shape}."
            )
        if rank > 3:
            self._axes = AttentionAxes([axis % rank for axis in axes], rank)
        output_shape = self.output_features or (query_shape[-1],)
        self.query_dense = self._project(1, (self.num_heads, self.key_dim), "query", query_shape)
        self.key_dense = self._project(1, (self.num_heads, self.key_dim), "key", key_shape)
        self.gate_dense = None
        if self.use_gate:
            self.gate_dense = self._project(1, (self.num_heads, self.value_dim), "gate", query_shape)
        self.value_dense = self._project(1, (self.num_heads, self.value_dim), "value", value_shape)
        joined = (*query_shape[:-1], self.num_heads, self.value_dim)
        self.output_dense = self._project(2, output_shape, "attention_output", joined)

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
        heads = self.query_dense(query), self.key_dense(key), self.value_dense(value)
        masks = [query_mask, value_mask, key_mask, attention_mask]
        if self._axes is not None:
            heads, masks = self._flattened(heads, masks, use_causal_mask)
        mask = join_masks(*masks)
        if self.sliding_window is not None:
            band = band_mask(heads[0].shape[1], heads[1].shape[1], self.sliding_window)
            mask = band if mask is None else ops.logical_and(mask, band)
        scores = None
        if return_attention_scores or (training and self.dropout > 0):
            outputs, scores = self._attend_with_scores(*heads, mask, use_causal_mask, training)
        else:
            outputs = ops.scaled_dot_product_attention(*heads, mask=mask, is_causal=use_causal_mask)
        if self._axes is not None:
            outputs = self._axes.unflatten(outputs, query.shape)
            if scores is not None:
                scores = self._axes.unflatten_scores(scores, query.shape, key.shape)
        if self.gate_dense is not None:
            outputs = outputs * ops.sigmoid(self.gate_dense(query))
        outputs = self.output_dense(outputs)
        return (outputs, scores) if return_attention_scores else outputs

    def compute_mask(self, inputs, previous_mask):
        """The result has a step for every query, so the mask of the query stays."""
        return get_mask(inputs)

    def compute_output_spec(self, query, value, key=None, **kwargs):
        return super().compute_output_spec(query, value, key, **kwargs)

    def _flattened(self, heads, masks, causal: bool):
        """Heads and masks of inputs with one axis between batch and features."""
        axes = self._axes
        windowed = self.sliding_window is not None
        if (causal or windowed) and len(axes.axes) > 1:
            name = "use_causal_mask" if causal else "sliding_window"
            raise ValueError(
                f"[{self.name}] expected one attention axis with {name}, got {axes.axes}."
            )
        *inner, full = [None if mask is None else ops.cast(mask, "bool") for mask in masks]
        if full is not None:
            full = axes.flatten_mask(full, heads[0].shape, heads[1].shape)
        inner = [None if mask is None else axes.flatten(mask) for mask in inner]
        return [axes.flatten(head) for head in heads], [*inner, full]

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
        products = ops.einsum("bqhd,bkhd->bhqk", query, key) * self.key_dim**-0.5
        if causal:
            lower = causal_mask(*products.shape[-2:])
            mask = lower if mask is None else ops.logical_and(mask, lower)
        scores = self._softmax(products, mask=mask)
        dropped = self._dropout(scores, training=training)
        return ops.einsum("bhqk,bkhd->bqhd", dropped, value), scores
