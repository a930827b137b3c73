"""One layer of every class with inputs for it, for tests of what all layers have in common."""

from __future__ import annotations

import numpy as np
import pytest

from pydl import layers

_rng = np.random.default_rng(0)


def _x(*shape):
    return _rng.standard_normal((2, *shape)).astype("float32")


_STEPS, _IMAGE, _VOLUME = _x(6, 4), _x(6, 5, 4), _x(4, 5, 4, 2)
_ROWS, _PAIR = _x(4), [_x(6, 4), _x(6, 4)]
_WORDS = np.array([[1, 2, 0], [3, 0, 0]], "int32")

# Name of the class, arguments of its constructor, inputs; a tuple holds inputs that are arguments of
# their own, a list is one argument.
SAMPLES = [
    ("Activation", {"activation": "gelu"}, _ROWS),
    ("ActivityRegularization", {"l2": 0.1}, _ROWS),
    ("AdaptiveAveragePooling1D", {"output_size": 4}, _STEPS),
    ("AdaptiveAveragePooling2D", {"output_size": 2}, _IMAGE),
    ("AdaptiveAveragePooling3D", {"output_size": 2}, _VOLUME),
    ("AdaptiveMaxPooling1D", {"output_size": 4}, _STEPS),
    ("AdaptiveMaxPooling2D", {"output_size": 2}, _IMAGE),
    ("AdaptiveMaxPooling3D", {"output_size": 2}, _VOLUME),
    ("Add", {}, _PAIR),
    ("AdditiveAttention", {}, _PAIR),
    ("AlphaDropout", {"rate": 0.5}, _ROWS),
    ("Attention", {"use_scale": True}, _PAIR),
    ("Average", {}, _PAIR),
    ("AveragePooling1D", {"pool_size": 2}, _STEPS),
    ("AveragePooling2D", {"pool_size": 2}, _IMAGE),
    ("AveragePooling3D", {"pool_size": 2}, _VOLUME),
    ("BatchNormalization", {}, _STEPS),
    ("Bidirectional", {"layer": lambda dtype: layers.LSTM(3, dtype=dtype)}, _STEPS),
    ("Concatenate", {}, _PAIR),
    ("Conv1D", {"filters": 3, "kernel_size": 2, "padding": "causal"}, _STEPS),
    ("Conv1DTranspose", {"filters": 3, "kernel_size": 2, "strides": 2}, _STEPS),
    ("Conv2D", {"filters": 3, "kernel_size": 2, "activation": "relu"}, _IMAGE),
    ("Conv2DTranspose", {"filters": 3, "kernel_size": 2, "strides": 2}, _IMAGE),
    ("Conv3D", {"filters": 3, "kernel_size": 2}, _VOLUME),
    ("Conv3DTranspose", {"filters": 3, "kernel_size": 2, "strides": 2}, _VOLUME),
    ("ConvLSTM1D", {"filters": 3, "kernel_size": 2}, _IMAGE),
    ("Cropping1D", {}, _STEPS),
    ("Cropping2D", {"cropping": 1}, _IMAGE),
    ("Cropping3D", {}, _VOLUME),
    ("Dense", {"units": 3, "activation": "tanh"}, _STEPS),
    ("DepthwiseConv1D", {"kernel_size": 2}, _STEPS),
    ("DepthwiseConv2D", {"kernel_size": 2}, _IMAGE),
    ("Dot", {"axes": 1, "normalize": True}, _PAIR),
    ("Dropout", {"rate": 0.5}, _ROWS),
    ("ELU", {}, _ROWS),
    ("EinsumDense", {"equation": "...x,xy->...y", "output_shape": 3, "bias_axes": "y"}, _STEPS),
    ("Embedding", {"input_dim": 5, "output_dim": 3, "mask_zero": True}, _WORDS),
    ("Flatten", {}, _IMAGE),
    ("GaussianDropout", {"rate": 0.5}, _ROWS),
    ("GaussianNoise", {"stddev": 0.5}, _ROWS),
    ("GlobalAveragePooling1D", {}, _STEPS),
    ("GlobalAveragePooling2D", {}, _IMAGE),
    ("GlobalAveragePooling3D", {}, _VOLUME),
    ("GlobalMaxPooling1D", {}, _STEPS),
    ("GlobalMaxPooling2D", {}, _IMAGE),
    ("GlobalMaxPooling3D", {}, _VOLUME),
    ("GRU", {"units": 3, "dropout": 0.1}, _STEPS),
    (
        "GroupQueryAttention",
        {"head_dim": 3, "num_query_heads": 4, "num_key_value_heads": 2, "dropout": 0.1},
        tuple(_PAIR),
    ),
    ("GroupNormalization", {"groups": 2}, _STEPS),
    ("Identity", {}, _ROWS),
    ("Lambda", {"function": lambda x: x * 2}, _ROWS),
    ("LSTM", {"units": 3, "return_sequences": True}, _STEPS),
    ("LayerNormalization", {}, _STEPS),
    ("LeakyReLU", {}, _ROWS),
    ("Masking", {}, _STEPS),
    ("MaxPooling1D", {}, _STEPS),
    ("MaxPooling2D", {}, _IMAGE),
    ("MaxPooling3D", {}, _VOLUME),
    ("Maximum", {}, _PAIR),
    ("Minimum", {}, _PAIR),
    ("MultiHeadAttention", {"num_heads": 2, "key_dim": 3, "dropout": 0.1}, tuple(_PAIR)),
    ("Multiply", {}, _PAIR),
    ("PReLU", {"alpha_initializer": "uniform"}, _ROWS),
    ("Permute", {"dims": (2, 1)}, _STEPS),
    ("PositionEmbedding", {"sequence_length": 8}, _STEPS),
    ("RMSNormalization", {}, _STEPS),
    ("ReLU", {"max_value": 1.0}, _ROWS),
    ("RepeatVector", {"n": 3}, _ROWS),
    ("Rescaling", {"scale": 0.5, "offset": 1.0}, _ROWS),
    ("Reshape", {"target_shape": (3, 8)}, _STEPS),
    ("RotaryEmbedding", {}, _STEPS),
    ("SeparableConv1D", {"filters": 3, "kernel_size": 2}, _STEPS),
    ("SeparableConv2D", {"filters": 3, "kernel_size": 2}, _IMAGE),
    ("SinePositionEncoding", {}, _STEPS),
    ("SimpleRNN", {"units": 3}, _STEPS),
    ("Softmax", {}, _ROWS),
    ("SpatialDropout1D", {"rate": 0.5}, _STEPS),
    ("SpatialDropout2D", {"rate": 0.5}, _IMAGE),
    ("SpatialDropout3D", {"rate": 0.5}, _VOLUME),
    ("SpectralNormalization", {"layer": lambda dtype: layers.Dense(3, dtype=dtype)}, _ROWS),
    ("Subtract", {}, _PAIR),
    ("TimeDistributed", {"layer": lambda dtype: layers.Dense(3, dtype=dtype)}, _STEPS),
    (
        "TokenAndPositionEmbedding",
        {"vocabulary_size": 5, "sequence_length": 4, "embedding_dim": 3},
        _WORDS,
    ),
    ("TransformerDecoder", {"intermediate_dim": 8, "num_heads": 2, "dropout": 0.1}, tuple(_PAIR)),
    ("TransformerEncoder", {"intermediate_dim": 8, "num_heads": 2, "rotary": True}, _STEPS),
    ("UnitNormalization", {}, _ROWS),
    ("UpSampling1D", {}, _STEPS),
    ("UpSampling2D", {"interpolation": "bilinear"}, _IMAGE),
    ("UpSampling3D", {}, _VOLUME),
    ("ZeroPadding1D", {}, _STEPS),
    ("ZeroPadding2D", {}, _IMAGE),
    ("ZeroPadding3D", {}, _VOLUME),
]


class Sample:
    """A class of layers, arguments for its constructor, and the arguments of a call."""

    def __init__(self, name, arguments, inputs):
        self.name = name
        self.arguments = arguments
        self.inputs = inputs if isinstance(inputs, tuple) else (inputs,)

    def layer(self, dtype: str = "float32"):
        """Return a new layer with the given policy."""
        arguments = self.arguments
        if "layer" in arguments:
            arguments = {**arguments, "layer": arguments["layer"](dtype)}
        return getattr(layers, self.name)(dtype=dtype, **arguments)


@pytest.fixture(params=SAMPLES, ids=lambda row: row[0])
def sample(request) -> Sample:
    """Each sample in turn."""
    return Sample(*request.param)
