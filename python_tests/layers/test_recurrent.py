"""Recurrent layers: dropout, models, saving, dtype policies and errors."""

import numpy as np
import pytest

import pydl
from pydl import layers

KINDS = ["SimpleRNN", "LSTM", "GRU"]
rng = np.random.default_rng(0)


def data(*shape):
    return rng.standard_normal(shape).astype("float32")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("options", [{"dropout": 0.5}, {"recurrent_dropout": 0.5}])
def test_dropout_is_for_training_and_of_whole_sequences(kind, options):
    layer = getattr(layers, kind)(6, return_sequences=True, seed=3, **options)
    plain = getattr(layers, kind)(6, return_sequences=True)
    x = data(4, 5, 3)
    layer(x), plain(x)
    plain.set_weights(layer.get_weights())
    np.testing.assert_allclose(layer(x).numpy(), plain(x).numpy(), rtol=1e-6)
    first, second = layer(x, training=True), layer(x, training=True)
    assert not np.allclose(first.numpy(), plain(x).numpy())
    assert not np.allclose(first.numpy(), second.numpy())


def test_dropout_of_inputs_drops_the_same_at_every_step():
    """With identity kernels and no state, what is dropped shows in the output."""
    layer = layers.SimpleRNN(8, activation=None, use_bias=False, dropout=0.5, return_sequences=True)
    layer.build((None, None, 8))
    layer.set_weights([np.eye(8), np.zeros((8, 8))])
    y = layer(np.ones((3, 5, 8), "float32"), training=True).numpy()
    assert set(np.unique(y)) == {0.0, 2.0}
    np.testing.assert_array_equal(y, np.broadcast_to(y[:, :1], y.shape))


@pytest.mark.parametrize("kind", KINDS)
def test_step_by_step_gives_what_the_kernel_gives(kind):
    """A subclass of a cell goes step by step, since it may change what a step does."""
    cell_class = getattr(layers, f"{kind}Cell")

    class Same(cell_class):
        def call(self, inputs, states, training=False):
            return super().call(inputs, states, training)

    x, mask = data(4, 5, 3), rng.random((4, 5)) < 0.6
    options = {"return_sequences": True, "return_state": True}
    fused, stepwise = layers.RNN(cell_class(6), **options), layers.RNN(Same(6), **options)
    fused(x), stepwise(x)
    stepwise.set_weights(fused.get_weights())
    for given in (None, mask):
        for one, other in zip(fused(x, mask=given), stepwise(x, mask=given)):
            np.testing.assert_allclose(one.numpy(), other.numpy(), atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16", "float64"])
@pytest.mark.parametrize("training", [False, True])
def test_dtype_policies(kind, policy, training):
    x = data(4, 5, 3)
    layer = getattr(layers, kind)(6, dtype=policy, return_state=True, recurrent_dropout=0.1)
    results = layer(x, training=training)
    assert {r.dtype for r in results} == {policy.removeprefix("mixed_")}
    pydl.ops.sum(results[0]).backward()
    assert all(w.grad is not None and w.grad.dtype == w.dtype for w in layer.weights)


def test_encoder_decoder():
    """States of one layer start another in a functional model, and it learns."""
    encoder_inputs, decoder_inputs = pydl.Input((None, 3)), pydl.Input((None, 2))
    _, hidden, carry = layers.LSTM(8, return_state=True)(encoder_inputs)
    decoded = layers.LSTM(8, return_sequences=True)(decoder_inputs, initial_state=[hidden, carry])
    model = pydl.Model([encoder_inputs, decoder_inputs], layers.Dense(1)(decoded))
    x, z = data(16, 6, 3), data(16, 4, 2)
    assert model.output_shape == (None, None, 1)
    y = x.mean((1, 2)).reshape(-1, 1, 1) + 0 * z[..., :1]
    model.compile(pydl.optimizers.Adam(0.02), "mse")
    losses = model.fit([x, z], y, epochs=40, verbose=0).history["loss"]
    assert losses[-1] < 0.3 * losses[0]
    clone = pydl.Model.from_config(model.get_config())
    clone.set_weights(model.get_weights())
    np.testing.assert_array_equal(clone([x, z]).numpy(), model([x, z]).numpy())


def test_saving(tmp_path):
    model = pydl.Sequential(
        [
            pydl.Input((5, 3)),
            layers.Bidirectional(layers.LSTM(4, return_sequences=True), merge_mode="sum"),
            layers.TimeDistributed(layers.Dense(3)),
            layers.RNN([layers.GRUCell(4), layers.SimpleRNNCell(2)], return_sequences=True),
            layers.GRU(3, reset_after=False),
        ]
    )
    x = data(2, 5, 3)
    model.save(tmp_path / "model.pydl")
    loaded = pydl.saving.load_model(tmp_path / "model.pydl")
    np.testing.assert_array_equal(loaded(x).numpy(), model(x).numpy())


def test_learns_to_remember_the_first_step():
    pydl.set_random_seed(0)
    x = rng.integers(0, 2, (256, 12, 1)).astype("float32")
    y = x[:, 0, 0]
    model = pydl.Sequential([layers.GRU(16), layers.Dense(1, activation="sigmoid")])
    model.compile(pydl.optimizers.Adam(0.01), "binary_crossentropy", metrics=["accuracy"])
    model.fit(x, y, batch_size=64, epochs=30, verbose=0)
    assert model.evaluate(x, y, verbose=0)[1] > 0.95


def test_state_variables_are_no_weights():
    layer = layers.LSTM(4, stateful=True)
    layer(data(2, 3, 2))
    assert len(layer.weights) == 3
    assert np.abs(layer.states[0].numpy()).max() > 0
    layer.reset_state()
    assert np.abs(layer.states[0].numpy()).max() == 0


def test_stateful_layer_trains():
    layer = layers.GRU(4, stateful=True)
    for _ in range(2):
        layer(data(2, 3, 2)).sum().backward()
    assert all(w.grad is not None for w in layer.weights)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: layers.LSTM(0), "expected units to be a positive integer, got 0"),
        (lambda: layers.RNN("lstm"), "expected a cell with call"),
        (lambda: layers.StackedRNNCells([3]), "expected cells with call"),
        (lambda: layers.LSTM(3)(data(2, 3)), "expected an input of 3 dimensions"),
        (lambda: layers.LSTM(3)(data(2, 4, 3), mask=np.ones((2, 3), bool)), "expected a mask of"),
        (
            lambda: layers.LSTM(3)(data(2, 4, 3), initial_state=[data(2, 3)]),
            "expected 2 initial states, got 1",
        ),
        (
            lambda: layers.GRU(3)(data(2, 4, 3), initial_state=data(1, 3)),
            r"expected initial states of shape \(2, 3\), got \(1, 3\)",
        ),
        (lambda: layers.GRU(3, stateful=True)(pydl.Input((4, 3))), "expected a known batch size"),
        (lambda: layers.Bidirectional(layers.GRU(3), merge_mode="max"), "expected merge_mode"),
        (lambda: layers.Bidirectional(3), "expected a layer, got 3"),
        (
            lambda: layers.Bidirectional(layers.GRU(3), backward_layer=layers.GRU(3)),
            "one layer with go_backwards=True and one without",
        ),
        (lambda: layers.TimeDistributed(layers.Dense(3))(data(2, 3)), r"of shape \(batch, steps"),
        (
            lambda: layers.TimeDistributed(layers.GRU(3))(data(2, 3, 4, 5), mask=np.ones((2, 2))),
            r"expected a mask of shape \(2, 3\)",
        ),
        (lambda: layers.ConvLSTM2D(3, 3, padding="causal"), "expected padding to be valid or same"),
        (lambda: layers.ConvLSTM1D(3, 3, strides=2, dilation_rate=2), "strides or dilation_rate"),
    ],
)
def test_errors(call, message):
    with pytest.raises(ValueError, match=message):
        call()
