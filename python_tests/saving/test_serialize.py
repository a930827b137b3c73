"""Descriptions of objects, and the names of the user's own classes."""

import json

import numpy as np
import pytest

import pydl
from pydl import layers
from pydl.saving import (
    custom_object_scope,
    deserialize_keras_object,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
    serialize_keras_object,
)

LAYERS = [
    layers.Dense(3, activation="relu", kernel_regularizer=pydl.regularizers.L2(0.1)),
    layers.Conv1D(2, 3, padding="causal"),
    layers.Conv2D(2, (3, 2), strides=2, kernel_initializer=pydl.initializers.HeNormal(seed=3)),
    layers.DepthwiseConv2D(3, depth_multiplier=2, depthwise_constraint="max_norm"),
    layers.Conv2DTranspose(2, 3, output_padding=0),
    layers.MaxPooling1D(), layers.MaxPooling2D((2, 3), strides=1), layers.AveragePooling1D(2),
    layers.AveragePooling2D(2, padding="same"), layers.GlobalMaxPooling1D(keepdims=True),
    layers.GlobalMaxPooling2D(), layers.GlobalAveragePooling1D(), layers.GlobalAveragePooling2D(),
    layers.Flatten(), layers.Reshape((2, -1)), layers.Permute((2, 1)), layers.Dropout(0.5, seed=3),
    layers.BatchNormalization(momentum=0.9), layers.LayerNormalization(axis=(1, 2)),
    layers.GroupNormalization(4), layers.RMSNormalization(), layers.Activation("gelu"),
    layers.Activation(pydl.activations.tanh), layers.ReLU(6.0), layers.LeakyReLU(0.1),
    layers.Softmax(axis=1), layers.Embedding(10, 3, mask_zero=True),
    layers.MultiHeadAttention(2, 4, dropout=0.1, seed=1), layers.Add(), layers.Multiply(),
    layers.Average(), layers.Maximum(), layers.Concatenate(axis=1), layers.ZeroPadding2D((1, 2)),
    layers.UpSampling2D(3), layers.Rescaling(1 / 255), layers.Normalization(axis=None),
    layers.Normalization(mean=np.array([1.0, 2.0]), variance=np.array([1.0, 4.0])),
    layers.InputLayer((3, None)), layers.Operation("exp"),
    layers.EinsumDense("abc,cde->abde", (None, 2, 8), bias_axes="de"), layers.Identity(),
    layers.Masking(1.0), layers.Subtract(), layers.Minimum(), layers.Dot(axes=(1, 2)),
    layers.Cropping1D((1, 2)), layers.Cropping2D(1), layers.Cropping3D((1, 0, 2)),
    layers.ZeroPadding1D(2), layers.ZeroPadding3D(((1, 0), (2, 0), (0, 0))),
    layers.RepeatVector(3), layers.UpSampling1D(3), layers.UpSampling3D((1, 2, 3)),
    layers.SpatialDropout1D(0.5, seed=1), layers.SpatialDropout2D(0.5, "channels_first"),
    layers.SpatialDropout3D(0.5), layers.GaussianNoise(0.5), layers.GaussianDropout(0.5, seed=2),
    layers.AlphaDropout(0.5, (None, 1)), layers.ActivityRegularization(l1=0.1, l2=0.2),
    layers.UnitNormalization(axis=(1, 2)), layers.Wrapper(layers.Dense(2)),
    layers.SpectralNormalization(layers.Conv2D(3, 2), power_iterations=2), layers.ELU(0.5),
    layers.PReLU(shared_axes=[1, 2]), layers.Conv3D(2, 3, activation="relu"),
    layers.Conv1DTranspose(2, 3, output_padding=0), layers.Conv3DTranspose(2, 3, strides=2),
    layers.DepthwiseConv1D(3, depth_multiplier=2), layers.SeparableConv1D(4, 3),
    layers.SeparableConv2D(4, (3, 2), pointwise_constraint="max_norm"), layers.MaxPooling3D(),
    layers.AveragePooling3D((1, 2, 3)), layers.GlobalMaxPooling3D(), layers.GlobalAveragePooling3D(),
    layers.AdaptiveAveragePooling1D(2), layers.AdaptiveAveragePooling2D((2, 3)),
    layers.AdaptiveAveragePooling3D(2), layers.AdaptiveMaxPooling1D(2),
    layers.AdaptiveMaxPooling2D((2, 3)), layers.AdaptiveMaxPooling3D(2),
    layers.Attention(True, "concat", seed=1), layers.AdditiveAttention(dropout=0.1),
    layers.GroupQueryAttention(8, 4, 2, sliding_window=3, use_gate=True),
    layers.ReversibleEmbedding(9, 4, tie_weights=False), layers.SinePositionEncoding(100.0), layers.PositionEmbedding(9), layers.RotaryEmbedding(),
    layers.TokenAndPositionEmbedding(9, 8, 4, mask_zero=True),
    layers.TransformerEncoder(16, 2, activation="gelu"), layers.TransformerDecoder(16, 2, rotary=True),
    layers.SimpleRNN(3), layers.LSTM(3, return_sequences=True, seed=1), layers.GRU(3, dropout=0.1),
    layers.SimpleRNNCell(3), layers.LSTMCell(3), layers.GRUCell(3, reset_after=False),
    layers.RNN([layers.LSTMCell(2), layers.GRUCell(3)], go_backwards=True),
    layers.StackedRNNCells([layers.LSTMCell(2), layers.LSTMCell(3)]),
    layers.Bidirectional(layers.LSTM(3), merge_mode="sum"), layers.TimeDistributed(layers.Dense(2)),
    layers.ConvLSTM1D(3, 2), layers.ConvLSTM2D(3, (2, 3), padding="same"),
    layers.ConvLSTM3D(3, 2), layers.STFTSpectrogram("psd", frame_length=8, window=None),
    layers.CategoryEncoding(4, "count"), layers.Discretization([0.0, 1.0]), layers.Hashing(7),
    layers.HashedCrossing(7), layers.IntegerLookup(vocabulary=[3, 5]),
    layers.StringLookup(vocabulary=["a", "b"]), layers.TextVectorization(vocabulary=["a", "b"]),
    layers.AugMix(num_chains=2), layers.AutoContrast(), layers.CenterCrop(4, 5), layers.CutMix(), layers.Equalization(),
    layers.MixUp(0.3), layers.RandAugment(num_ops=1), layers.RandomBrightness(0.2),
    layers.RandomColorJitter(brightness_factor=0.1), layers.RandomGaussianBlur(0.5, 3, 0.7),
    layers.RandomColorDegeneration(0.3), layers.RandomContrast(0.2), layers.RandomCrop(4, 5),
    layers.RandomErasing(), layers.RandomFlip("horizontal", seed=1), layers.RandomGrayscale(),
    layers.RandomHue(0.2), layers.RandomInvert(), layers.RandomPosterization(4),
    layers.RandomRotation(0.2), layers.RandomSaturation(0.3), layers.RandomSharpness(0.3),
    layers.RandomShear(0.2, 0.1), layers.RandomTranslation(0.2, (-0.1, 0.1)), layers.RandomZoom(0.2),
    layers.Resizing(4, 5, interpolation="bicubic"), layers.Solarization(0.5, 0.5),
    layers.MaxNumBoundingBoxes(3), layers.MelSpectrogram(num_mel_bins=8),
    layers.Pipeline([layers.RandomFlip(), layers.Rescaling(2.0)]),
    layers.RandomElasticTransform(0.5), layers.RandomPerspective(0.5, scale=0.1),
]  # fmt: skip


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: layer.name)
def test_every_layer(layer):
    text = json.dumps(serialize_keras_object(layer))
    twin = deserialize_keras_object(json.loads(text))
    assert type(twin) is type(layer) and twin.name == layer.name
    assert json.dumps(serialize_keras_object(twin)) == text


def test_every_public_layer_is_covered():
    classes = {getattr(layers, name) for name in layers.__all__}
    classes = {c for c in classes if isinstance(c, type) and issubclass(c, layers.Layer)}
    assert classes - {type(layer) for layer in LAYERS} == {layers.Layer, layers.Lambda}


def test_plain_values():
    value = {"a": [1, 2.5, None, True], "b": (slice(1, None), ...), "c": np.float32(2)}
    twin = deserialize_keras_object(json.loads(json.dumps(serialize_keras_object(value))))
    assert twin == {"a": [1, 2.5, None, True], "b": [slice(1, None), ...], "c": 2.0}
    array = deserialize_keras_object(serialize_keras_object(np.arange(3, dtype="int8")))
    assert array.dtype == "int8" and array.tolist() == [0, 1, 2]


def test_registered_names():
    @register_keras_serializable(package="mine", name="Thing")
    class Anything(layers.Layer):
        pass

    assert get_registered_name(Anything) == "mine>Thing"
    assert get_registered_object("mine>Thing") is Anything
    config = serialize_keras_object(Anything(name="x"))
    assert config["registered_name"] == "mine>Thing" and "module" not in config
    assert isinstance(deserialize_keras_object(config), Anything)
    with pytest.raises(ValueError, match="expected a class with get_config"):
        register_keras_serializable()(int)


def test_scopes_end():
    class Other(layers.Layer):
        pass

    config = serialize_keras_object(Other())
    with custom_object_scope({"Other": Other}):
        assert isinstance(deserialize_keras_object(config), Other)
    with pytest.raises(ValueError, match="known here, got 'Other'"):
        deserialize_keras_object(config)
    assert isinstance(deserialize_keras_object(config, {"Other": Other}), Other)


def test_own_functions():
    @register_keras_serializable()
    def cube(x):
        return x**3

    layer = layers.Dense(2, activation=cube)
    twin = deserialize_keras_object(json.loads(json.dumps(serialize_keras_object(layer))))
    assert twin.activation is cube
    assert pydl.activations.serialize(pydl.activations.relu) == "relu"
    assert pydl.activations.deserialize(pydl.activations.serialize(cube)) is cube


def test_what_cannot_be_described():
    with pytest.raises(TypeError, match="expected a named function, got a lambda"):
        serialize_keras_object(lambda x: x)
    with pytest.raises(TypeError, match="expected a value that can be described in JSON"):
        serialize_keras_object(object())
    with pytest.raises(TypeError, match=r"\[Dense\] cannot describe activation"):
        layers.Dense(1, activation=lambda x: x).get_config()


@pytest.mark.parametrize("module", ["os", "subprocess", "builtins", "pydl.nothing", None])
def test_other_modules_are_never_imported(module):
    for config in (
        {"module": module, "class_name": "system", "config": {}},
        {"module": module, "class_name": "function", "config": "eval"},
    ):
        with pytest.raises(ValueError, match="known here"):
            deserialize_keras_object(config)
