"""Convolution and pooling layers beyond the common ones against Keras."""

import numpy as np
import pytest

import pydl

pytestmark = pytest.mark.conformance
rng = np.random.default_rng(0)
SIZES = {1: (9,), 2: (8, 7), 3: (5, 6, 4)}


def data(rank, channels=4, first=False):
    shape = (channels, *SIZES[rank]) if first else (*SIZES[rank], channels)
    return rng.standard_normal((2, *shape))


@pytest.mark.parametrize("rank", [1, 2])
@pytest.mark.parametrize(
    "arguments",
    [
        {"depth_multiplier": 2, "activation": "relu"},
        {"strides": 2, "padding": "same"},
        {"dilation_rate": 2, "use_bias": False},
    ],
)
def test_depthwise_and_separable(check_layer, rank, arguments):
    arguments = {"kernel_size": 3, **arguments}
    check_layer(f"SeparableConv{rank}D", data(rank), filters=5, **arguments)
    if rank == 1:
        check_layer("DepthwiseConv1D", data(1), **arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        {"strides": 2, "activation": "relu"},
        {"strides": 3, "padding": "same"},
        {"strides": 2, "padding": "same", "output_padding": 1, "use_bias": False},
        {"dilation_rate": 2},
    ],
)
def test_conv1d_transpose(check_layer, arguments):
    check_layer("Conv1DTranspose", data(1), filters=3, kernel_size=3, **arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        {"activation": "relu"},
        {"strides": (2, 1, 3), "padding": "same"},
        {"dilation_rate": (2, 1, 1), "groups": 2, "use_bias": False},
        {"padding": "same", "dilation_rate": 2, "activation": "softmax"},
    ],
)
def test_conv3d(check_layer, arguments):
    check_layer("Conv3D", data(3), filters=6, kernel_size=(3, 2, 2), **arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        {"activation": "relu"},
        {"strides": (2, 1, 3), "padding": "same"},
        {"strides": 2, "padding": "same", "output_padding": 1},
        {"strides": (3, 2, 2), "output_padding": (2, 0, 1), "use_bias": False},
        {"kernel_size": 2, "strides": 3},
    ],
)
def test_conv3d_transpose(check_layer, arguments):
    arguments = {"kernel_size": (3, 2, 3), **arguments}
    check_layer("Conv3DTranspose", data(3, 3), filters=2, **arguments)


FIRST = {
    "Conv": {"filters": 6, "kernel_size": 3, "groups": 2},
    "SeparableConv": {"filters": 6, "kernel_size": 3, "padding": "same"},
    "DepthwiseConv": {"kernel_size": 3, "depth_multiplier": 2},
    "MaxPooling": {"pool_size": 2, "padding": "same"},
    "AveragePooling": {"pool_size": 3, "strides": 1},
    "GlobalMaxPooling": {},
    "GlobalAveragePooling": {"keepdims": True},
    "AdaptiveMaxPooling": {"output_size": 3},
    "AdaptiveAveragePooling": {"output_size": 2},
}


@pytest.mark.parametrize("kind", FIRST)
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_channels_first(check_layer, kind, rank):
    """Keras on JAX has no separable or transposed convolution with channels first on the CPU."""
    name = f"{kind}{rank}D"
    if rank == 3 and kind in ("SeparableConv", "DepthwiseConv"):
        pytest.skip("there is no such layer")
    check_layer(name, data(rank, first=True), data_format="channels_first", **FIRST[kind])


@pytest.mark.parametrize("name", ["Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose"])
def test_transposed_channels_first(name):
    """Against our own channels last, which is checked against Keras."""
    rank = int(name[4])
    x = data(rank)
    last = getattr(pydl.layers, name)(3, 2, strides=2)
    expected = last(x).numpy()
    first = getattr(pydl.layers, name)(3, 2, strides=2, data_format="channels_first")
    x = np.moveaxis(x, -1, 1)
    assert first.compute_output_shape(x.shape) == np.moveaxis(expected, -1, 1).shape
    first.build(x.shape)
    first.set_weights(last.get_weights())
    np.testing.assert_allclose(np.moveaxis(first(x).numpy(), 1, -1), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", ["MaxPooling", "AveragePooling"])
@pytest.mark.parametrize("padding", ["valid", "same"])
def test_pooling3d(check_layer, kind, padding):
    for strides in (None, (1, 2, 3)):
        arguments = {"pool_size": (3, 2, 2), "strides": strides, "padding": padding}
        check_layer(f"{kind}3D", data(3), **arguments)


@pytest.mark.parametrize("kind", ["Max", "Average"])
def test_global_and_adaptive_pooling(check_layer, kind):
    check_layer(f"Global{kind}Pooling3D", data(3))
    check_layer(f"Global{kind}Pooling3D", data(3), keepdims=True)
    for rank, size in ((1, 4), (2, (4, 3)), (3, (2, 4, 3))):
        check_layer(f"Adaptive{kind}Pooling{rank}D", data(rank), output_size=size)


def test_causal_padding(check_layer):
    check_layer("Conv1D", data(1), filters=3, kernel_size=4, padding="causal", dilation_rate=2)
    check_layer("Conv1D", data(1), filters=3, kernel_size=2, padding="causal", strides=3)


def test_errors(check_error):
    check_error("Conv3D", data(2), filters=2, kernel_size=2)
    check_error("Conv3D", data(3), filters=2, kernel_size=(2, 2))
    check_error("Conv3D", data(3), filters=2, kernel_size=2, padding="causal")
    check_error("Conv3D", data(3), filters=2, kernel_size=2, strides=2, dilation_rate=2)
    check_error("SeparableConv1D", data(1), filters=2, kernel_size=2, depth_multiplier=0)
    check_error("DepthwiseConv1D", data(1), kernel_size=2, padding="causal")
    check_error("Conv1DTranspose", data(1), filters=-1, kernel_size=2)
    check_error("AdaptiveMaxPooling1D", data(1), output_size=(1, 2))
    check_error("AdaptiveMaxPooling2D", data(2), output_size="2")
    check_error("MaxPooling3D", data(3), padding="causal")
