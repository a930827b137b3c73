"""Models on a GPU: the same programs, the same numbers."""

from __future__ import annotations

import numpy as np
import pytest

import pydl
from pydl import layers


def data(samples: int = 48) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(1)
    x = generator.normal(size=(samples, 8)).astype("float32")
    return x, (x[:, 0] > x[:, 1]).astype("int32")


def make_model(**kwargs) -> pydl.Model:
    pydl.set_random_seed(3)
    model = pydl.Sequential(
        [layers.Dense(16, activation="relu"), layers.Dropout(0.2), layers.Dense(2, activation="softmax")]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"], **kwargs)
    return model


def train(model: pydl.Model) -> dict[str, list[float]]:
    x, y = data()
    return model.fit(x, y, batch_size=16, epochs=3, verbose=0, validation_split=0.25).history


def compare(a: dict[str, list[float]], b: dict[str, list[float]]) -> None:
    assert a.keys() == b.keys()
    for name in a:
        np.testing.assert_allclose(a[name], b[name], rtol=1e-4, err_msg=name)


def test_training_gives_the_numbers_of_the_cpu():
    model = make_model()
    history = train(model)
    assert all(w.device == "gpu:0" for w in model.weights)
    with pydl.device("cpu"):
        compare(history, train(make_model()))


def test_a_model_computes_where_its_weights_are():
    model = make_model()
    model.build((None, 8))
    x, y = data()
    with pydl.device("cpu"):
        train(model)
        assert all(w.device == "gpu:0" for w in model.weights)
        predictions = model.predict(x, verbose=0)
        loss, _ = model.evaluate(x, y, verbose=0)
        model.train_on_batch(x, y)
        assert isinstance(predictions, np.ndarray) and np.isfinite(loss)
        np.testing.assert_allclose(model.predict_on_batch(x).sum(axis=1), 1, rtol=1e-5)


def test_a_step_as_a_graph():
    compare(train(make_model(jit_compile=True)), train(make_model()))


def test_weights_are_saved_and_loaded(tmp_path):
    model = make_model()
    x, _ = data()
    expected = model.predict(x, verbose=0)
    model.save(tmp_path / "model.keras")
    with pydl.device("cpu"):
        loaded = pydl.models.load_model(tmp_path / "model.keras")
        assert loaded.weights[0].device == "cpu"
        np.testing.assert_allclose(loaded.predict(x, verbose=0), expected, rtol=1e-5)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision(policy):
    inputs = layers.Dense(4, dtype=policy)
    model = pydl.Sequential([inputs, layers.Dense(2, dtype=policy)])
    model.compile("sgd", "mse")
    x, _ = data()
    history = model.fit(x, np.ones((48, 2), "float32"), epochs=2, verbose=0).history
    assert history["loss"][1] < history["loss"][0]


def test_loss_scaling_recovers_from_overflow():
    """Gradients of float16 that are not finite change nothing, and the scale falls until they are."""
    model = pydl.Sequential([layers.Dense(4, dtype="mixed_float16"), layers.Dense(2, dtype="mixed_float16")])
    optimizer = pydl.optimizers.LossScaleOptimizer(pydl.optimizers.SGD(0.05), initial_scale=2.0**24)
    model.compile(optimizer, "mse")
    x, _ = data()
    y = np.ones((48, 2), "float32")
    model.build((None, 8))
    before = [w.numpy() for w in model.weights]
    model.train_on_batch(x, y)
    for w, value in zip(model.weights, before, strict=True):
        np.testing.assert_array_equal(w.numpy(), value)
    assert optimizer.dynamic_scale.item() == 2.0**23
    losses = model.fit(x, y, batch_size=16, epochs=8, verbose=0).history["loss"]
    assert optimizer.dynamic_scale.item() < 2.0**23 and optimizer.iterations.item() > 0
    assert all(np.isfinite(w.numpy()).all() for w in model.weights)
    assert losses[-1] < losses[0]


def test_a_model_moves_while_it_learns():
    with pydl.device("cpu"):
        x, y = data()
        model = pydl.Sequential([layers.Dense(4, activation="tanh"), layers.Dense(2, activation="softmax")])
        model.compile("adam", "sparse_categorical_crossentropy")
        first = model.fit(x, y, verbose=0).history["loss"]
        assert model.to("gpu:0") is model and model.weights[0].device == "gpu:0"
        second = model.fit(x, y, verbose=0).history["loss"]
        model.to("cpu")
        third = model.fit(x, y, verbose=0).history["loss"]
        assert third < second < first and int(model.optimizer.iterations) == 6
