"""Every layer against Keras: same weights, same inputs, same outputs and gradients."""

import numpy as np
import pytest

import pydl

pytestmark = pytest.mark.conformance
rng = np.random.default_rng(0)


def data(*shape):
    return rng.standard_normal(shape)


@pytest.mark.parametrize(
    "activation",
    [None, "relu", "relu6", "sigmoid", "tanh", "silu", "gelu", "softmax", "elu", "selu"],
)
def test_dense(check_layer, activation):
    check_layer("Dense", data(4, 5), units=3, activation=activation)


def test_dense_of_sequences(check_layer):
    check_layer("Dense", data(2, 3, 5), units=4, use_bias=False)


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"padding": "same", "strides": 2},
        {"padding": "causal", "dilation_rate": 2},
        {"groups": 2, "activation": "relu"},
        {"use_bias": False, "padding": "same", "dilation_rate": 3},
    ],
)
def test_conv1d(check_layer, arguments):
    check_layer("Conv1D", data(2, 9, 4), filters=6, kernel_size=3, **arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"padding": "same", "strides": (2, 1)},
        {"padding": "same", "strides": 2, "activation": "gelu"},
        {"dilation_rate": 2, "activation": "tanh"},
        {"groups": 2, "padding": "same"},
        {"use_bias": False, "activation": "softmax"},
    ],
)
def test_conv2d(check_layer, arguments):
    check_layer("Conv2D", data(2, 8, 7, 4), filters=6, kernel_size=(3, 2), **arguments)


def test_conv2d_channels_first(check_layer):
    check_layer("Conv2D", data(2, 4, 8, 7), filters=6, kernel_size=3, data_format="channels_first")


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"depth_multiplier": 2, "padding": "same", "activation": "relu"},
        {"strides": 2, "padding": "same", "use_bias": False},
        {"dilation_rate": 2},
    ],
)
def test_depthwise_conv2d(check_layer, arguments):
    check_layer("DepthwiseConv2D", data(2, 8, 7, 3), kernel_size=3, **arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"strides": 2},
        {"strides": 2, "padding": "same", "activation": "relu"},
        {"strides": 3, "padding": "valid", "output_padding": 1},
        {"strides": 2, "padding": "same", "output_padding": 1},
        {"dilation_rate": 2, "padding": "same", "use_bias": False},
        {"strides": (1, 3), "kernel_size": 2},
    ],
)
def test_conv2d_transpose(check_layer, arguments):
    arguments = {"kernel_size": 3, **arguments}
    check_layer("Conv2DTranspose", data(2, 5, 4, 3), filters=2, **arguments)


@pytest.mark.parametrize("kind", ["MaxPooling", "AveragePooling"])
@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("strides", [None, 1, 3])
def test_pooling(check_layer, kind, padding, strides):
    check_layer(f"{kind}2D", data(2, 7, 8, 3), pool_size=(3, 2), strides=strides, padding=padding)
    check_layer(f"{kind}1D", data(2, 9, 3), pool_size=2, strides=strides, padding=padding)


@pytest.mark.parametrize("kind", ["GlobalMaxPooling", "GlobalAveragePooling"])
@pytest.mark.parametrize("keepdims", [False, True])
def test_global_pooling(check_layer, kind, keepdims):
    check_layer(f"{kind}2D", data(2, 5, 4, 3), keepdims=keepdims)
    check_layer(f"{kind}1D", data(2, 5, 3), keepdims=keepdims)
    check_layer(f"{kind}2D", data(2, 3, 5, 4), keepdims=keepdims, data_format="channels_first")


def test_global_average_pooling_with_mask(keras):
    mask = np.array([[True, True, False], [True, False, False]])
    x = data(2, 3, 4)
    expected = keras.layers.GlobalAveragePooling1D(dtype="float64")(x, mask=mask)
    ours = pydl.layers.GlobalAveragePooling1D(dtype="float64")(x, mask=mask)
    np.testing.assert_allclose(ours.numpy(), np.asarray(expected), rtol=1e-12)


def test_reshaping(check_layer):
    check_layer("Flatten", data(2, 3, 4))
    check_layer("Flatten", data(2, 3, 4, 5), data_format="channels_first")
    check_layer("Reshape", data(2, 3, 4), target_shape=(6, -1))
    check_layer("Permute", data(2, 3, 4, 5), dims=(3, 1, 2))


@pytest.mark.parametrize("padding", [1, (1, 2), ((1, 0), (2, 3))])
def test_zero_padding(check_layer, padding):
    check_layer("ZeroPadding2D", data(2, 3, 4, 5), padding=padding)
    check_layer("ZeroPadding2D", data(2, 3, 4, 5), padding=padding, data_format="channels_first")


@pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
@pytest.mark.parametrize("size", [2, (3, 1)])
def test_up_sampling(check_layer, interpolation, size):
    check_layer("UpSampling2D", data(2, 3, 4, 2), size=size, interpolation=interpolation)


def test_up_sampling_channels_first(check_layer):
    check_layer("UpSampling2D", data(2, 2, 3, 4), size=2, data_format="channels_first")


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("arguments", [{}, {"center": False}, {"scale": False}, {"momentum": 0.5}])
def test_batch_normalization(check_layer, training, arguments):
    call = {"training": training}
    check_layer("BatchNormalization", data(6, 5), call=call, **arguments)
    check_layer("BatchNormalization", data(3, 4, 4, 5), call=call, **arguments)
    check_layer("BatchNormalization", data(3, 5, 4), axis=1, call=call, **arguments)


@pytest.mark.parametrize("training", [False, True])
def test_batch_normalization_leaves_padding_out(check_layer, training):
    call = {"training": training, "mask": np.arange(5) < np.array([[5], [2], [0]])}
    check_layer("BatchNormalization", data(3, 5, 4), call=call)
    check_layer("BatchNormalization", data(3, 5, 4), call=call, scale=False, center=False)


@pytest.mark.parametrize("arguments", [{}, {"center": False}, {"scale": False}, {"epsilon": 0.1}])
def test_layer_normalization(check_layer, arguments):
    check_layer("LayerNormalization", data(6, 5), **arguments)
    check_layer("LayerNormalization", data(2, 3, 4), axis=(1, 2), **arguments)
    check_layer("LayerNormalization", data(2, 3, 4), axis=1, **arguments)


@pytest.mark.parametrize(
    "arguments", [{"groups": 2}, {"groups": -1}, {"groups": 1, "center": False}]
)
def test_group_normalization(check_layer, arguments):
    check_layer("GroupNormalization", data(2, 3, 3, 6), **arguments)
    check_layer("GroupNormalization", data(2, 6, 3), axis=1, **arguments)


def test_rms_normalization(check_layer):
    check_layer("RMSNormalization", data(4, 6))
    check_layer("RMSNormalization", data(2, 3, 6), epsilon=1e-3)


@pytest.mark.parametrize(
    "name",
    "relu relu6 leaky_relu elu selu celu gelu silu softplus softsign sigmoid tanh hard_sigmoid "
    "hard_silu mish log_sigmoid exponential softmax log_softmax linear swish".split(),
)
def test_activation(check_layer, name):
    check_layer("Activation", data(3, 4), activation=name)


def test_relu_layers(check_layer):
    check_layer("ReLU", data(3, 4))
    check_layer("ReLU", 4 * data(3, 4), max_value=2.0, negative_slope=0.1, threshold=0.5)
    check_layer("LeakyReLU", data(3, 4))
    check_layer("Softmax", data(3, 4))
    check_layer("Softmax", data(2, 3, 4), axis=(1, 2))


def test_softmax_with_mask(keras):
    x, mask = data(3, 4), rng.random((3, 4)) > 0.3
    expected = keras.layers.Softmax(dtype="float64")(x, mask=mask)
    ours = pydl.layers.Softmax(dtype="float64")(x, mask=mask)
    np.testing.assert_allclose(ours.numpy(), np.asarray(expected), rtol=1e-12)


def test_embedding(check_layer):
    check_layer("Embedding", rng.integers(0, 9, (3, 4)).astype("int32"), input_dim=9, output_dim=5)


@pytest.mark.parametrize("name", ["Add", "Multiply", "Average", "Maximum", "Concatenate"])
def test_merging(check_layer, name):
    check_layer(name, [data(3, 4), data(3, 4), data(3, 4)])


def test_merging_of_other_shapes(check_layer):
    check_layer("Concatenate", [data(3, 4, 2), data(3, 1, 2)], axis=1)
    check_layer("Add", [data(3, 4, 2), data(3, 1, 2)])
    check_layer("Multiply", [data(3, 4, 2), data(3, 2)])


def test_rescaling(check_layer):
    check_layer("Rescaling", data(3, 4), scale=0.5, offset=2.0)


def test_normalization(check_layer, keras):
    x, samples = data(3, 4), data(50, 4) * 3 + 1
    for axis in (-1, None):
        for invert in (False, True):
            theirs = keras.layers.Normalization(axis=axis, invert=invert)
            ours = pydl.layers.Normalization(axis=axis, invert=invert)
            theirs.adapt(samples), ours.adapt(samples)
            expected = np.asarray(theirs(x))
            np.testing.assert_allclose(ours(x).numpy(), expected, rtol=1e-4, atol=1e-5)
            mean = [1.0, 2.0, 3.0, 4.0] if axis == -1 else 2.0
            arguments = {"axis": axis, "mean": mean, "variance": mean, "invert": invert}
            check_layer("Normalization", x, rtol=1e-6, **arguments)


def test_normalization_adapts_to_batches():
    samples = data(50, 4) * 3 + 1
    whole, parts = pydl.layers.Normalization(), pydl.layers.Normalization()
    whole.adapt(samples)
    parts.adapt(iter([samples[:7], samples[7:30], samples[30:]]))
    np.testing.assert_allclose(whole.adapt_mean.numpy(), samples.mean(0), rtol=1e-6)
    np.testing.assert_allclose(parts.adapt_variance.numpy(), samples.var(0), rtol=1e-6)
