"""Bidirectional, TimeDistributed and ConvLSTM against Keras."""

import numpy as np
import pytest

import pydl

pytestmark = pytest.mark.conformance
rng = np.random.default_rng(0)


def data(*shape):
    return rng.standard_normal(shape)


def same_results(make, keras, x, **call):
    """Build a layer in both libraries, give them the same weights, compare all results."""
    ours, theirs = make(pydl), make(keras)
    ours(x), theirs(x)
    assert [v.shape for v in ours.weights] == [tuple(v.shape) for v in theirs.weights]
    weights = [rng.uniform(-0.5, 0.5, v.shape) for v in theirs.weights]
    ours.set_weights(weights), theirs.set_weights(weights)
    mine, other = (pydl.tree.flatten(list_of(layer(x, **call))) for layer in (ours, theirs))
    assert len(mine) == len(other)
    for one, two in zip(mine, other):
        np.testing.assert_allclose(one.numpy(), np.asarray(two), rtol=1e-5, atol=2e-6)
    shapes = ours.compute_output_shape(x.shape)
    assert [s.shape for s in mine] == ([shapes] if isinstance(shapes[0], int) else list(shapes))
    return ours


def list_of(results):
    return list(results) if isinstance(results, (tuple, list)) else [results]


@pytest.mark.parametrize(
    "merge_mode, kind, return_sequences",
    [
        ("concat", "SimpleRNN", True),
        ("concat", "LSTM", False),
        ("sum", "GRU", True),
        ("ave", "LSTM", True),
        ("mul", "GRU", False),
        (None, "LSTM", True),
        (None, "GRU", False),
    ],
)
def test_bidirectional(keras, merge_mode, kind, return_sequences):
    def make(module, return_state):
        inner = getattr(module.layers, kind)(
            4, return_sequences=return_sequences, return_state=return_state
        )
        return module.layers.Bidirectional(inner, merge_mode=merge_mode)

    x = data(3, 5, 2).astype("float32")
    mask = np.array([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0], [0, 0, 1, 0, 1]], bool)
    same_results(lambda module: make(module, True), keras, x)
    same_results(lambda module: make(module, False), keras, x, mask=mask)


def test_bidirectional_gradients():
    """Against the two layers by themselves."""
    inner = pydl.layers.LSTM(4, return_sequences=True, dtype="float64")
    layer = pydl.layers.Bidirectional(inner, dtype="float64")
    x = pydl.tensor(data(3, 5, 2), requires_grad=True)
    y = layer(x)
    seed = data(*y.shape)
    y.backward(pydl.tensor(seed))
    got = x.grad.numpy().copy()
    apart = pydl.tensor(x.numpy(), requires_grad=True)
    layer.forward_layer(apart).backward(pydl.tensor(seed[..., :4]))
    backward = pydl.ops.flip(layer.backward_layer(apart), axis=1)
    backward.backward(pydl.tensor(np.ascontiguousarray(seed[..., 4:])))
    np.testing.assert_allclose(got, apart.grad.numpy(), rtol=1e-10)


def test_bidirectional_of_other_layer_and_states(keras):
    def make(module):
        layers = module.layers
        options = {"return_sequences": True, "dtype": "float64"}
        return layers.Bidirectional(
            layers.LSTM(4, **options),
            backward_layer=layers.GRU(4, go_backwards=True, **options),
            dtype="float64",
        )

    same_results(make, keras, data(3, 5, 2))
    ours = pydl.layers.Bidirectional(pydl.layers.GRU(4), dtype="float64")
    theirs = keras.layers.Bidirectional(keras.layers.GRU(4), dtype="float64")
    x, states = data(3, 5, 2).astype("float32"), [data(3, 4).astype("float32") for _ in range(2)]
    ours(x), theirs(x)
    ours.set_weights(theirs.get_weights())
    mine = ours(x, initial_state=[pydl.tensor(s) for s in states])
    other = theirs(x, initial_state=[keras.ops.array(s) for s in states])
    np.testing.assert_allclose(mine.numpy(), np.asarray(other), atol=1e-6)


def test_mask_passes_through_bidirectional(keras):
    tokens = np.array([[3, 1, 0, 0], [2, 4, 5, 0], [0, 0, 0, 1]], "int32")

    def model(module):
        layers = module.layers
        return module.Sequential(
            [
                module.Input((4,), dtype="int32"),
                layers.Embedding(6, 3, mask_zero=True),
                layers.Bidirectional(layers.LSTM(5, return_sequences=True)),
                layers.Bidirectional(layers.GRU(4)),
                layers.Dense(2),
            ]
        )

    ours, theirs = model(pydl), model(keras)
    ours.set_weights(theirs.get_weights())
    np.testing.assert_allclose(ours(tokens).numpy(), np.asarray(theirs(tokens)), atol=1e-6)


@pytest.mark.parametrize("training", [False, True])
def test_time_distributed(keras, training):
    def of(inner):
        return lambda module: module.layers.TimeDistributed(inner(module.layers), dtype="float64")

    x = data(3, 4, 6, 5, 2)
    call = {"training": training}
    same_results(of(lambda n: n.Conv2D(3, 2, dtype="float64")), keras, x, **call)
    same_results(of(lambda n: n.Flatten(dtype="float64")), keras, x, **call)
    same_results(of(lambda n: n.Dense(4, dtype="float64")), keras, data(3, 4, 2), **call)
    same_results(of(lambda n: n.BatchNormalization(dtype="float64")), keras, data(5, 4, 2), **call)
    mask = rng.random((3, 4, 6)) < 0.7
    same_results(of(lambda n: n.LSTM(4, dtype="float64")), keras, data(3, 4, 6, 2), mask=mask)


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"padding": "same", "return_sequences": True},
        {"strides": 2, "return_state": True, "return_sequences": True},
        {"dilation_rate": 2, "use_bias": False},
        {"go_backwards": True, "return_sequences": True, "recurrent_activation": "hard_sigmoid"},
        {"padding": "same", "data_format": "channels_first", "return_sequences": True},
    ],
)
def test_conv_lstm(check_layer, arguments):
    check_layer("ConvLSTM1D", data(2, 3, 7, 6), filters=4, kernel_size=3, **arguments)
    if len(arguments) < 3:
        images = data(2, 3, 6, 7, 2)
        check_layer("ConvLSTM2D", images, filters=4, kernel_size=(3, 2), **arguments)
    if len(arguments) == 2:
        check_layer("ConvLSTM3D", data(2, 3, 4, 5, 6, 2), filters=3, kernel_size=(2, 3, 2), **arguments)


def test_conv_lstm_with_mask(keras):
    def make(module):
        options = {"return_sequences": True, "return_state": True, "dtype": "float64"}
        # Only unrolled, Keras on JAX takes masks of images.
        return module.layers.ConvLSTM2D(3, 3, padding="same", unroll=True, **options)

    mask = np.array([[True, True, False, True], [False, True, True, False]])
    same_results(make, keras, data(2, 4, 5, 5, 2), mask=mask)
