"""Activations computed again: the same results and gradients, with less memory."""

import os

import numpy as np
import pytest

import pydl
from pydl import layers, ops
from pydl.saving.weight_names import named_generators

rng = np.random.default_rng(0)


def data(*shape):
    return pydl.tensor(rng.standard_normal(shape).astype("float32"), requires_grad=True)


def block():
    return pydl.Sequential([
        layers.Dense(8, "gelu"), layers.Dropout(0.4, seed=3), layers.BatchNormalization(),
        layers.Dense(5, activity_regularizer="l2"), layers.GaussianNoise(0.3), layers.LayerNormalization(),
    ])  # fmt: skip


def run(call, model, x):
    """Results, losses, gradients of weights and input, and the state afterwards."""
    pydl.set_random_seed(4)
    for weight in model.weights:
        weight.grad = None
    x.grad = None
    y = call(x, training=True)
    total = ops.sum(y * y[::-1]) + sum(model.losses)
    total.backward()
    return [y, total, *(w.grad for w in model.trainable_weights), x.grad, *model.get_weights(), pydl.random.uniform((2,))]


def test_same_as_without():
    x = data(6, 4)
    pydl.set_random_seed(1)
    model = block()
    model.build((None, 4))
    start, states = model.get_weights(), {k: v.state for k, v in named_generators(model).items()}
    results = []
    for call in (model, pydl.remat(model)):
        model.set_weights(start)
        for name, generator in named_generators(model).items():
            generator.state = states[name]
        results.append(run(call, model, x))
    for mine, other in zip(*results):
        np.testing.assert_array_equal(np.asarray(mine), np.asarray(other))


@pytest.mark.parametrize("mode, options, chosen", [
    ("full", {}, [0, 1, 2, 3, 4]), ("activations", {}, [0]), ("larger_than", {"output_size_threshold": 40}, [0, 1, 2]),
    ("list_of_layers", {"layer_names": ["noise"]}, [4]), (None, {}, []),
])  # fmt: skip
def test_scopes(monkeypatch, mode, options, chosen):
    import pydl.layers.call

    calls = []
    monkeypatch.setattr(pydl.layers.call, "remat", lambda f: calls.append(f.__self__.name) or pydl.remat(f))

    def make():
        pydl.set_random_seed(2)
        names = iter(["dense", "dropout", "norm", "out", "noise"])
        kinds = [(layers.Dense, 8, "tanh"), (layers.Dropout, 0.5), (layers.BatchNormalization,), (layers.Dense, 5), (layers.GaussianNoise, 0.2)]
        return pydl.Sequential([kind(*arguments, name=next(names)) for kind, *arguments in kinds])

    plain, x = make(), data(6, 4)
    with pydl.RematScope("full"), pydl.RematScope(mode, **options):
        scoped = make()
    results = [run(model, model, x) for model in (plain, scoped)]
    for mine, other in zip(*results):
        np.testing.assert_array_equal(np.asarray(mine), np.asarray(other))
    assert calls == [scoped.layers[i].name for i in chosen]


def test_training_with_a_scope():
    x, y = rng.standard_normal((64, 5)).astype("float32"), rng.integers(0, 3, 64)
    histories = []
    for mode in (None, "full"):
        pydl.set_random_seed(3)
        with pydl.RematScope(mode):
            model = pydl.Sequential([layers.Dense(16, "silu"), layers.Dropout(0.2), layers.Dense(3, "softmax")])
        model.compile("adam", "sparse_categorical_crossentropy")
        histories.append(model.fit(x, y, epochs=3, verbose=0).history["loss"])
    assert histories[0] == histories[1]


def test_closures_structures_and_keywords():
    w, x = data(3), data(3)
    inner = w * 2.0

    @pydl.remat
    def f(pair, *, scale):
        a, b = pair["a"], pair["b"]
        return {"sum": a * b * inner * scale, "text": "kept", "same": a * w}

    def plain(pair, *, scale):
        return {"sum": pair["a"] * pair["b"] * inner * scale, "text": "kept", "same": pair["a"] * w}

    grads = []
    for g in (plain, f):
        out = g({"a": x, "b": x}, scale=3.0)
        assert out["text"] == "kept"
        grads.append(pydl.grad(ops.sum(out["sum"]) + ops.sum(out["same"]), [x, w], retain_graph=True))
    for mine, other in zip(*grads):
        np.testing.assert_allclose(mine.numpy(), other.numpy(), rtol=1e-6)


def test_second_derivative():
    f = pydl.remat(lambda x: ops.sin(x) * x * x)
    slope = pydl.grad(pydl.grad(lambda x: ops.sum(f(x))))
    plain = pydl.grad(pydl.grad(lambda x: ops.sum(ops.sin(x) * x * x)))
    np.testing.assert_allclose(slope(0.7).numpy(), plain(0.7).numpy(), rtol=1e-6)


def test_one_inside_the_other():
    w = pydl.Variable(rng.standard_normal((4, 4)).astype("float32"))
    dropout = layers.Dropout(0.5, seed=1)
    grads = []
    for wrap in (lambda f: f, pydl.remat):
        inner = wrap(lambda x: dropout(ops.tanh(ops.matmul(x, w)), training=True))
        outer = wrap(lambda x: inner(inner(x)) * x)
        x, w.grad = data(3, 4), None
        x = pydl.tensor(np.arange(12, dtype="float32").reshape(3, 4) / 10, requires_grad=True)
        dropout.seed_generator.state = (1, 0)
        outer(x).sum().backward()
        grads.append([x.grad.numpy(), w.grad.numpy(), dropout.seed_generator.state])
    for mine, other in zip(*grads):
        np.testing.assert_array_equal(mine, other)


def test_own_losses_of_layers():
    class Sampling(layers.Layer):
        def call(self, x):
            self.add_loss(0.1 * ops.sum(ops.square(x)))
            return ops.exp(x)

    x, grads = data(3, 4), []
    for mode in (None, "full"):
        with pydl.RematScope(mode):
            layer = Sampling()
        x.grad = None
        (ops.sum(layer(x)) + sum(layer.losses)).backward()
        grads.append(x.grad.numpy())
        assert len(layer.losses) == 1
    np.testing.assert_array_equal(*grads)


def test_masks_go_through():
    words = np.array([[1, 2, 0], [3, 0, 0]])
    pydl.set_random_seed(1)
    with pydl.RematScope("full"):
        model = pydl.Sequential([layers.Embedding(5, 4, mask_zero=True), layers.LSTM(3, return_sequences=True), layers.LSTM(2)])
    model(words).sum().backward()
    expected = [w.grad.numpy().copy() for w in model.weights]
    other = pydl.Sequential([layers.Embedding(5, 4, mask_zero=True), layers.LSTM(3, return_sequences=True), layers.LSTM(2)])
    other.build((None, 3))
    other.set_weights(model.get_weights())
    np.testing.assert_array_equal(other(words).numpy(), model(words).numpy())
    other(words).sum().backward()
    for mine, weight in zip(expected, other.weights):
        np.testing.assert_array_equal(mine, weight.grad.numpy())


def test_less_memory():
    def f(x):
        for _ in range(8):
            x = ops.sin(x) * 1.5
        return x

    def peak(parts):
        x = pydl.tensor(np.ones(1 << 18, "float32"), requires_grad=True)
        pydl.config.reset_peak_memory()
        before = pydl.memory_stats()["allocated_bytes"]
        y = x
        for part in parts:
            y = part(y)
        y.sum().backward()
        return (pydl.memory_stats()["peak_bytes"] - before) / x.numpy().nbytes, x.grad.numpy()

    (kept, expected), (again, grad) = peak([f] * 6), peak([pydl.remat(f)] * 6)
    np.testing.assert_array_equal(grad, expected)
    assert kept > 40  # arrays: the inputs of 48 sines
    assert again < 0.5 * kept


def test_errors():
    with pytest.raises(TypeError, match=r"^\[remat\] expected "):
        pydl.remat(3)
    with pytest.raises(ValueError, match=r"^\[RematScope\] expected "):
        pydl.RematScope("some")
    w = pydl.Variable([1.0, 2.0])
    y = pydl.remat(lambda x: x * w)(data(2))
    w.assign([3.0, 4.0])
    with pytest.raises(pydl.errors.AutogradError, match="changed in place"):
        y.sum().backward()


@pytest.mark.conformance
def test_gradients_like_keras():
    os.environ.setdefault("KERAS_BACKEND", "jax")
    keras, jax = pytest.importorskip("keras"), pytest.importorskip("jax")
    x = rng.standard_normal((3, 4)).astype("float32")

    def f(module):
        return lambda x: module.ops.sum(module.remat(lambda x: module.ops.sin(x) * module.ops.tanh(x * 2.0))(x))

    np.testing.assert_allclose(pydl.grad(f(pydl))(x).numpy(), jax.grad(f(keras))(x), rtol=1e-5, atol=1e-6)
