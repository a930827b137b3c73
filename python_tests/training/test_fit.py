"""fit, evaluate and predict on arrays: what they return, what they refuse."""

import gc
import threading

import numpy as np
import pytest
from training_problems import data, mlp, regressor, weights_equal

import pydl
from pydl import layers


def test_learns():
    x, y = data(300)
    model = mlp(optimizer=pydl.optimizers.Adam(0.05))
    history = model.fit(x, y, epochs=10, validation_split=0.2, verbose=0)
    assert list(history.history) == ["loss", "accuracy", "val_loss", "val_accuracy"]
    assert all(len(values) == 10 for values in history.history.values())
    assert history.epoch == list(range(10)) and model.history is history
    assert history.history["val_accuracy"][-1] > 0.9
    assert all(isinstance(v, float) for values in history.history.values() for v in values)


def test_epoch_means_weigh_a_short_last_batch_by_its_size():
    x, y = data(50)
    model = mlp(optimizer=pydl.optimizers.SGD(0.0))
    history = model.fit(x, y, batch_size=32, verbose=0).history
    loss, accuracy = model.evaluate(x, y, batch_size=50, verbose=0)
    assert history["loss"][0] == pytest.approx(loss, rel=1e-6)
    assert history["accuracy"][0] == pytest.approx(accuracy)
    assert model.evaluate(x, y, batch_size=7, verbose=0)[0] == pytest.approx(loss, rel=1e-6)


def test_evaluate_agrees_with_numpy():
    x, y = data(40)
    model = mlp()
    logits = model.predict(x, verbose=0).astype("float64")
    log_p = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    results = model.evaluate(x, y, verbose=0, return_dict=True)
    assert results["loss"] == pytest.approx(-log_p[np.arange(40), y].mean(), rel=1e-5)
    assert results["accuracy"] == pytest.approx((logits.argmax(-1) == y).mean())
    assert regressor().evaluate(x[:, :3], y, verbose=0) == pytest.approx(
        regressor().evaluate(x[:, :3], y, verbose=0)
    )


def test_shuffling_follows_the_seed():
    x, y = data()

    def train(seed, **arguments):
        pydl.set_random_seed(seed)
        model = mlp()
        model.fit(x, y, epochs=2, verbose=0, **arguments)
        return model

    assert weights_equal(train(0), train(0))
    assert not weights_equal(train(0), train(1))
    assert weights_equal(train(0, shuffle=False), train(1, shuffle=False))
    assert not weights_equal(train(0, shuffle="batch"), train(0, shuffle=False))


def test_one_batch_of_all_data_is_a_step_of_gradient_descent():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(20, 3)), rng.normal(size=(20, 1))
    model = regressor(optimizer=pydl.optimizers.SGD(0.1))
    w, b = (v.astype("float64") for v in model.get_weights())
    model.fit(x, y, batch_size=20, verbose=0)
    error = x @ w + b - y
    np.testing.assert_allclose(model.get_weights()[0], w - 0.1 * 2 * x.T @ error / 20, rtol=1e-4)
    np.testing.assert_allclose(model.get_weights()[1], b - 0.1 * 2 * error.mean(0), rtol=1e-4)


def test_initial_epoch_and_validation_freq():
    x, y = data()
    history = mlp().fit(
        x, y, initial_epoch=3, epochs=7, validation_data=(x, y), validation_freq=2, verbose=0
    )
    assert history.epoch == [3, 4, 5, 6]
    assert len(history.history["loss"]) == 4 and len(history.history["val_loss"]) == 2
    history = mlp().fit(x, y, epochs=4, validation_data=(x, y), validation_freq=[1, 4], verbose=0)
    assert len(history.history["val_loss"]) == 2


def test_validation_split_takes_the_last_samples():
    x, y = data(50)
    model = mlp(optimizer=pydl.optimizers.SGD(0.0))
    history = model.fit(x, y, validation_split=0.2, verbose=0).history
    assert history["val_loss"][0] == pytest.approx(model.evaluate(x[40:], y[40:], verbose=0)[0])
    assert history["loss"][0] == pytest.approx(model.evaluate(x[:40], y[:40], verbose=0)[0])


def test_sample_weights():
    x, y = data(30)
    weights = np.r_[np.ones(15), np.zeros(15)]
    weighted, half = mlp(), mlp(optimizer=pydl.optimizers.SGD(0.005))
    weighted.fit(x, y, sample_weight=weights, batch_size=30, verbose=0)
    half.fit(x[:15], y[:15], batch_size=30, verbose=0)
    for a, b in zip(weighted.get_weights(), half.get_weights()):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)
    loss = weighted.evaluate(x, y, sample_weight=weights, verbose=0)[0]
    assert loss == pytest.approx(weighted.evaluate(x[:15], y[:15], verbose=0)[0] / 2, rel=1e-5)


def test_class_weights_are_weights_of_samples():
    x, y = data(60)
    by_class, by_sample, one_hot = mlp(), mlp(), mlp(loss="mse")
    by_class.fit(x, y, class_weight={0: 2.0, 2: 0.5}, shuffle=False, verbose=0)
    weights = np.array([2.0, 1.0, 0.5])[y]
    by_sample.fit(x, y, sample_weight=weights, shuffle=False, verbose=0)
    assert weights_equal(by_class, by_sample)
    other = mlp(loss="mse")
    one_hot.fit(x, np.eye(3)[y], class_weight={0: 2.0, 2: 0.5}, shuffle=False, verbose=0)
    other.fit(x, np.eye(3)[y], sample_weight=weights, shuffle=False, verbose=0)
    assert weights_equal(one_hot, other)


@pytest.mark.parametrize("dtype", ["float64", "float16", "int64", "int16", "uint8", "bool", ">f4"])
def test_inputs_of_other_dtypes_are_cast_to_the_models(dtype):
    x = np.random.default_rng(0).integers(0, 2, (20, 5)).astype(dtype)
    y = data(20)[1]
    ours, reference = mlp(), mlp()
    ours.fit(x, y, shuffle=False, verbose=0)
    reference.fit(x.astype("float32"), y, shuffle=False, verbose=0)
    assert weights_equal(ours, reference)


def test_targets_of_other_dtypes():
    x, y = data(20)
    for dtype in ("int8", "uint8", "int16", "uint16", "int32", "uint32", "uint64", "float64"):
        assert mlp().evaluate(x, y.astype(dtype), verbose=0) == mlp().evaluate(x, y, verbose=0)


def test_lists_tensors_and_frames():
    pandas = pytest.importorskip("pandas")
    x, y = data(20)
    expected = mlp().evaluate(x, y, verbose=0)
    assert mlp().evaluate(x.tolist(), y.tolist(), verbose=0) == pytest.approx(expected, rel=1e-6)
    assert mlp().evaluate(pydl.tensor(x), pydl.tensor(y), verbose=0) == expected
    frame, series = pandas.DataFrame(x), pandas.Series(y)
    assert mlp().evaluate(frame, series, verbose=0) == expected
    history = mlp().fit(frame, series, validation_split=0.5, verbose=0).history
    assert "val_loss" in history


def test_read_only_arrays():
    x, y = data(20)
    x.flags.writeable = y.flags.writeable = False
    mlp().fit(x, y, verbose=0)


def test_predict():
    x, _ = data(50)
    model = mlp()
    predictions = model.predict(x, batch_size=7, verbose=0)
    assert isinstance(predictions, np.ndarray) and predictions.shape == (50, 3)
    np.testing.assert_allclose(
        predictions, model(pydl.tensor(x)).detach().numpy(), rtol=1e-5, atol=1e-6
    )
    np.testing.assert_array_equal(predictions[:5], model.predict_on_batch(x[:5]))


def test_predictions_are_not_the_data():
    x = np.ones((4, 3), "float32")
    model = pydl.Sequential([pydl.Input((3,)), layers.Dropout(0.5), layers.Flatten()])
    for predict in (lambda: model.predict(x, verbose=0), lambda: model.predict_on_batch(x)):
        predict()[:] = 7
        np.testing.assert_array_equal(x, 1)


def test_predict_from_several_threads():
    x, _ = data(500)
    model = mlp()
    expected = model.predict(x, verbose=0)
    results = [None] * 4

    def work(i):
        for _ in range(5):
            results[i] = model.predict(x, verbose=0)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    [t.start() for t in threads], [t.join() for t in threads]
    for result in results:
        np.testing.assert_array_equal(result, expected)


def test_single_batches():
    x, y = data(20)
    model, other = mlp(), mlp()
    loss, accuracy = model.train_on_batch(x, y)
    history = other.fit(x, y, batch_size=20, verbose=0).history
    assert [loss, accuracy] == [history["loss"][0], history["accuracy"][0]]
    assert weights_equal(model, other)
    model.reset_metrics()
    results = model.test_on_batch(x, y, return_dict=True)
    assert results == model.evaluate(x, y, verbose=0, return_dict=True)


def test_compile_again_and_train_on():
    x, y = data()
    model = mlp()
    model.fit(x, y, verbose=0)
    model.compile("adam", "mse")
    history = model.fit(x, np.eye(3)[y], verbose=0).history
    assert list(history) == ["loss"]


def test_frozen_layers_stay():
    x, y = data()
    model = mlp()
    model.layers[0].trainable = False
    model.compile("sgd", model.loss)
    before = model.get_weights()
    model.fit(x, y, verbose=0)
    after = model.get_weights()
    assert np.array_equal(before[0], after[0]) and not np.array_equal(before[2], after[2])


def test_models_are_built_by_the_first_batch():
    x, y = data()
    model = pydl.models.Sequential([layers.Dense(4, activation="relu"), layers.Dense(3)])
    model.compile("sgd", "mse")
    model.fit(x, np.eye(3)[y], verbose=0)
    assert [w.shape for w in model.get_weights()] == [(5, 4), (4,), (4, 3), (3,)]


X, Y = data(10)


@pytest.mark.parametrize("call, kind, message", [
    (lambda m: m.fit(X, Y[:7]), ValueError,
     r"\[fit\] expected as many samples in every array, got x: 10, y: 7"),
    (lambda m: m.fit(X, Y, sample_weight=np.ones(3)), ValueError, r"sample_weight: 3"),
    (lambda m: m.fit(X[:0], Y[:0]), ValueError, r"expected at least one sample"),
    (lambda m: m.fit(None, Y), ValueError, r"\[fit\] expected data x, got None"),
    (lambda m: m.fit(X), ValueError, r"expected targets y for the loss, got none"),
    (lambda m: m.fit(3.0, 4.0), ValueError, r"expected arrays with an axis of samples"),
    (lambda m: m.fit(object(), Y), (TypeError, ValueError), r"\[fit\] expected"),
    (lambda m: m.fit(X.astype(str), Y), TypeError, r"expected arrays of numbers, got dtype <U"),
    (lambda m: m.fit(X, Y, batch_size=0), ValueError, r"batch_size of at least 1, got 0"),
    (lambda m: m.fit(X, Y, validation_split=1.5), ValueError, r"validation_split in \(0, 1\)"),
    (lambda m: m.fit(X, Y, validation_split=0.95), ValueError, r"samples on both sides"),
    (lambda m: m.fit(X, Y, validation_data=(X,)), ValueError, r"validation_data \(x, y\)"),
    (lambda m: m.fit(X, Y, validation_data=(X, Y[:3])), ValueError,
     r"\[fit, validation_data\] expected as many samples"),
    (lambda m: m.fit(X, Y, class_weight={}, sample_weight=np.ones(10)), ValueError, r"got both"),
    (lambda m: m.fit(X, Y, steps_per_epoch=0), ValueError, r"steps of at least 1, got 0"),
    (lambda m: m.fit(X, Y, callbacks=[print]), ValueError, r"objects of class Callback"),
    (lambda m: m.fit(X, Y + 5), ValueError, r"expected labels in \[0, 3\)"),
    (lambda m: m.fit(X[:, :2], Y), ValueError, r"\(10, 2\)"),
    (lambda m: m.fit(X, np.eye(4)[Y]), ValueError, r"expected integer labels of shape \(10,\)"),
    (lambda m: m.evaluate(X, Y[:2]), ValueError, r"\[evaluate\] expected as many samples"),
    (lambda m: m.predict(X[:0]), ValueError, r"\[predict\] expected at least one sample"),
])  # fmt: skip
def test_errors(call, kind, message):
    with pytest.raises(kind, match=message):
        call(mlp())


@pytest.mark.parametrize("method", ["fit", "evaluate", "train_on_batch", "test_on_batch"])
def test_models_that_are_not_compiled(method):
    model = pydl.models.Sequential([layers.Dense(1)])
    with pytest.raises(ValueError, match=rf"{method}\] expected a compiled model.*compile"):
        getattr(model, method)(X, Y)


def test_a_model_without_loss():
    model = regressor(loss=None)
    with pytest.raises(ValueError, match=r"expected a loss to minimise, got none.*compile"):
        model.fit(X[:, :3], Y, verbose=0)


def test_a_loss_that_is_not_one_number():
    model = regressor(loss=pydl.losses.MeanSquaredError(reduction="none"))
    with pytest.raises(
        ValueError, match=r"expected a loss reduced to one number, got shape \(10,\)"
    ):
        model.fit(X[:, :3], Y[:, None], verbose=0)


@pytest.mark.cpu
def test_memory_stays_flat_over_ten_thousand_steps():
    x, y = data(400)
    model = mlp()
    model.fit(x, y, batch_size=4, epochs=2, verbose=0)
    gc.collect()
    before, objects = pydl.memory_stats(), len(gc.get_objects())
    model.fit(x, y, batch_size=4, epochs=100, verbose=0)
    gc.collect()
    after = pydl.memory_stats()
    assert after["allocated_bytes"] <= before["allocated_bytes"] + (1 << 16)
    assert after["cached_bytes"] <= before["cached_bytes"] + (1 << 20)
    assert len(gc.get_objects()) < objects + 2000  # the history holds two numbers an epoch
