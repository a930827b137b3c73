"""The blocks that transformers are made of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydl.layers.arguments import positive_int
from pydl.layers.attention_mask import join_masks
from pydl.layers.cached_attention import CachedMultiHeadAttention, KeyValueCache
from pydl.layers.dense import Dense
from pydl.layers.dropout import Dropout
from pydl.layers.layer import Layer
from pydl.layers.masking import get_mask
from pydl.layers.normalization import LayerNormalization

__all__ = ["DecoderCache", "TransformerDecoder", "TransformerEncoder"]


class DecoderCache:
    """What a TransformerDecoder keeps from step to step: keys and values.

    Example:
        >>> import pydl
        >>> decoder, cache = pydl.layers.TransformerDecoder(16, 2), pydl.layers.DecoderCache()
        >>> with pydl.no_grad():
        ...     y = decoder(pydl.ops.ones((1, 5, 8)), cache=cache)
        ...     y = decoder(pydl.ops.ones((1, 1, 8)), cache=cache)  # the sixth step
        >>> y.shape, cache.length
        ((1, 1, 8), 6)
    """

    def __init__(self):
        self.self_attention = KeyValueCache()
        self.cross_attention = KeyValueCache()

    @property
    def length(self) -> int:
        """How many steps of the decoder's sequence are in the cache."""
        return self.self_attention.length

    def reorder(self, samples: Any) -> None:
        """Put the samples of the batch in another order, some of them several times."""
        self.self_attention.reorder(samples)
        self.cross_attention.reorder(samples)


class TransformerBlock(Layer):
    """What encoder and decoder share: sublayers with a residual connection and a normalization."""

    supports_masking = True

    def __init__(
        self,
        intermediate_dim,
        num_heads,
        dropout=0.0,
        activation="relu",
        layer_norm_epsilon=1e-5,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        normalize_first=False,
        rotary=False,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.intermediate_dim = positive_int("intermediate_dim", intermediate_dim, self.name)
        self.num_heads = positive_int("num_heads", num_heads, self.name)
        self.dropout = dropout
        self.activation = activation
        self.layer_norm_epsilon = layer_norm_epsilon
        self.kernel_initializer = kernel_initializer
        self.bias_initializer = bias_initializer
        self.normalize_first = normalize_first
        self.rotary = rotary
        self._dropout = Dropout(dropout, dtype=self.dtype_policy)

    def compute_output_shape(self, input_shape):
        return input_shape

    def _build_attention(self, name: str, shape: tuple, value_shape: tuple, rotary: bool) -> None:
        features = shape[-1]
        if features is None or features % self.num_heads:
            raise ValueError(
                f"[{self.name}] expected the features to be a multiple of num_heads = "
                f"{self.num_heads}, got shape {shape}."
            )
        layer = CachedMultiHeadAttention(
            self.num_heads,
            features // self.num_heads,
            self.dropout,
            rotary,
            kernel_initializer=self.kernel_initializer,
            bias_initializer=self.bias_initializer,
            dtype=self.dtype_policy,
            name=name,
        )
        layer.build(shape, value_shape)
        setattr(self, name, layer)
        self._build_normalization(f"{name}_norm", shape)

    def _build_feedforward(self, shape: tuple) -> None:
        common = {
            "kernel_initializer": self.kernel_initializer,
            "bias_initializer": self.bias_initializer,
            "dtype": self.dtype_policy,
        }
        inner, activation = self.intermediate_dim, self.activation
        self.intermediate = Dense(inner, activation, name="intermediate", **common)
        self.intermediate.build(shape)
        self.output_dense = Dense(shape[-1], name="output", **common)
        self.output_dense.build((*shape[:-1], inner))
        self._build_normalization("feedforward_norm", shape)

    def _build_normalization(self, name: str, shape: tuple) -> None:
        layer = LayerNormalization(
            epsilon=self.layer_norm_epsilon, dtype=self.dtype_policy, name=name
        )
        layer.build(shape)
        setattr(self, name, layer)

    def _residual(self, x, norm: Layer, sublayer: Callable):
        """Add what the sublayer makes of `x`; normalize before or after."""
        if self.normalize_first:
            return x + self._dropout(sublayer(norm(x)))
        return norm(x + self._dropout(sublayer(x)))

    def _feedforward(self, x):
        return self.output_dense(self.intermediate(x))


class TransformerEncoder(TransformerBlock):
    """A block of self-attention and two dense layers, each with a residual connection.

    Args:
        intermediate_dim: The size between the two dense layers.
        num_heads: The number of heads; it divides the features.
        dropout: The share of attention weights and of sublayers' outputs dropped while training.
        activation: Between the two dense layers.
        layer_norm_epsilon: Added to the variance by the normalizations.
        kernel_initializer: First values of the kernels.
        bias_initializer: First values of the biases.
        normalize_first: Whether to normalize before each sublayer instead of after the addition.
        rotary: Whether queries and keys are turned by their positions (RotaryEmbedding).

    Call arguments:
        inputs: A tensor of shape `(batch, steps, features)`.
        padding_mask: A bool tensor of shape `(batch, steps)`, False for padding; found on the
            inputs.
        attention_mask: A bool tensor that broadcasts to `(batch, steps, steps)`, False where a
            step may not look at another.
        use_causal_mask: Whether steps look only at steps up to themselves.
        training: Whether to apply dropout.

    Returns:
        A tensor of the same shape.

    Raises:
        ValueError: the features are not a multiple of `num_heads`.

    Example:
        >>> import pydl
        >>> pydl.layers.TransformerEncoder(32, num_heads=2)(pydl.ops.ones((1, 5, 8))).shape
        (1, 5, 8)

    Source: Vaswani et al., 2017; Xiong et al., 2020, for `normalize_first`.
    """

    def build(self, input_shape):
        self._build_attention("attention", input_shape, input_shape, self.rotary)
        self._build_feedforward(input_shape)

    def call(
        self,
        inputs,
        padding_mask=None,
        attention_mask=None,
        use_causal_mask=False,
        training=False,
    ):
        if padding_mask is None:
            padding_mask = get_mask(inputs)
        mask = join_masks(value_mask=padding_mask, attention_mask=attention_mask)
        x = self._residual(
            inputs,
            self.attention_norm,
            lambda x: self.attention(x, x, mask, is_causal=use_causal_mask),
        )
        return self._residual(x, self.feedforward_norm, self._feedforward)


class TransformerDecoder(TransformerBlock):
    """A block of causal self-attention, attention to an encoder if given, and two dense layers.

    Args:
        intermediate_dim: The size between the two dense layers.
        num_heads: The number of heads; it divides the features.
        dropout: The share of attention weights and of sublayers' outputs dropped while training.
        activation: Between the two dense layers.
        layer_norm_epsilon: Added to the variance by the normalizations.
        kernel_initializer: First values of the kernels.
        bias_initializer: First values of the biases.
        normalize_first: Whether to normalize before each sublayer instead of after the addition.
        rotary: Whether queries and keys of the self-attention are turned by their positions.

    Call arguments:
        decoder_sequence: A tensor of shape `(batch, steps, features)`.
        encoder_sequence: A tensor of shape `(batch, encoder steps, features)`; there is no cross
            attention without it. Give it in the first call or never.
        decoder_padding_mask: A bool tensor of shape `(batch, steps)`, False for padding; found on
            the sequence. With a cache it is for all steps in it too.
        decoder_attention_mask: A bool tensor that broadcasts to `(batch, steps, steps)`.
        encoder_padding_mask: A bool tensor of shape `(batch, encoder steps)`.
        encoder_attention_mask: A bool tensor that broadcasts to `(batch, steps, encoder steps)`.
        cache: A DecoderCache: the sequence follows the steps in it, which need not be computed
            again. It cannot be used while training.
        use_causal_mask: Whether steps look only at steps up to themselves.
        training: Whether to apply dropout.

    Returns:
        A tensor of the shape of `decoder_sequence`.

    Raises:
        ValueError: the features are not a multiple of `num_heads`, or an encoder sequence is
            given to a layer that was built without one or the other way around.

    Example:
        >>> import pydl
        >>> decoder = pydl.layers.TransformerDecoder(32, num_heads=2)
        >>> decoder(pydl.ops.ones((1, 5, 8)), pydl.ops.ones((1, 7, 8))).shape
        (1, 5, 8)

    Source: Vaswani et al., 2017; Xiong et al., 2020, for `normalize_first`.
    """

    def build(self, decoder_sequence_shape, encoder_sequence_shape=None):
        shape = decoder_sequence_shape
        self._build_attention("self_attention", shape, shape, self.rotary)
        self.cross_attention = None
        if encoder_sequence_shape is not None:
            self._build_attention("cross_attention", shape, encoder_sequence_shape, False)
        self._build_feedforward(shape)

    def call(
        self,
        decoder_sequence,
        encoder_sequence=None,
        decoder_padding_mask=None,
        decoder_attention_mask=None,
        encoder_padding_mask=None,
        encoder_attention_mask=None,
        cache=None,
        use_causal_mask=True,
        training=False,
    ):
        if (encoder_sequence is None) != (self.cross_attention is None):
            raise ValueError(
                f"[{self.name}] expected an encoder_sequence in every call or in none, "
                f"got {'none' if encoder_sequence is None else 'one'} this time."
            )
        if decoder_padding_mask is None and cache is None:
            decoder_padding_mask = get_mask(decoder_sequence)
        if encoder_padding_mask is None:
            encoder_padding_mask = get_mask(encoder_sequence)
        own = join_masks(value_mask=decoder_padding_mask, attention_mask=decoder_attention_mask)
        caches = (cache.self_attention, cache.cross_attention) if cache else (None, None)
        x = self._residual(
            decoder_sequence,
            self.self_attention_norm,
            lambda x: self.self_attention(x, x, own, caches[0], is_causal=use_causal_mask),
        )
        if encoder_sequence is not None:
            mask = join_masks(
                value_mask=encoder_padding_mask, attention_mask=encoder_attention_mask
            )
            x = self._residual(
                x,
                self.cross_attention_norm,
                lambda x: self.cross_attention(x, encoder_sequence, mask, caches[1], is_fixed=True),
            )
        return self._residual(x, self.feedforward_norm, self._feedforward)

    def compute_output_shape(self, decoder_sequence_shape, encoder_sequence_shape=None):
        return decoder_sequence_shape
