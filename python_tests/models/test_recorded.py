"""Recorded steps do what steps run as usual do, bit for bit."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import pydl
from pydl.models.recorded import RecordedStep

layers = pydl.layers


def data(count=70, shape=(12,), classes=4, seed=0):
    random = np.random.default_rng(seed)
    return random.standard_normal((count, *shape)).astype("float32"), random.integers(0, classes, count)


def dense_model():
    return [layers.Dense(16, "relu"), layers.BatchNormalization(), layers.Dense(4)]


def conv_model():
    return [
        layers.Reshape((4, 3, 1)), layers.Conv2D(5, 2, activation="relu"), layers.MaxPooling2D(2),
        layers.Flatten(), layers.Dense(4, kernel_regularizer="l2"),
    ]  # fmt: skip


def recurrent_model():
    return [layers.Reshape((4, 3)), layers.LSTM(6), layers.LayerNormalization(), layers.Dense(4)]


def compiled(make, jit, optimizer="adam", **options):
    pydl.set_random_seed(3)
    model = pydl.Sequential([pydl.Input((12,)), *make()])
    options.setdefault("metrics", ["accuracy"])
    model.compile(
        pydl.optimizers.get(optimizer),
        pydl.losses.SparseCategoricalCrossentropy(from_logits=True),
        jit_compile=jit,
        **options,
    )
    return model


def trained(make, jit, epochs=4, optimizer="adam", callbacks=None, **options):
    """The history and the weights after training; 70 samples make batches of 16 and one of 6."""
    model = compiled(make, jit, optimizer, **options)
    x, y = data()
    history = model.fit(
        x, y, batch_size=16, epochs=epochs, verbose=0, validation_split=0.2, callbacks=callbacks
    )
    return history.history, [w.numpy().copy() for w in model.weights], model


def repeats(model):
    """Whether anything was recorded."""
    steps = [cell for step in model._captured.values() for cell in _recorded(step)]
    return any(known is not None and known.works for s in steps for known in s._known.values())


def _recorded(step):
    if isinstance(step, RecordedStep):
        return [step]
    return [c.cell_contents for c in step.__closure__ if isinstance(c.cell_contents, RecordedStep)]


def assert_same(make, **options):
    want_history, want_weights, _ = trained(make, False, **options)
    history, weights, model = trained(make, True, **options)
    assert repeats(model)
    assert history == want_history
    for one, other in zip(weights, want_weights):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("make", [dense_model, conv_model, recurrent_model])
@pytest.mark.parametrize("threads", [1, 2])
def test_same_as_usual(make, threads):
    before = pydl.get_num_threads()
    pydl.set_num_threads(threads)
    try:
        assert_same(make)
    finally:
        pydl.set_num_threads(before)


@pytest.mark.parametrize(
    "optimizer",
    ["sgd", "rmsprop", "adamw", "lamb", "adagrad", "adadelta", "adamax", "nadam", "lion", "ftrl"],
)
def test_optimizers(optimizer):
    assert_same(dense_model, optimizer=optimizer)


class HalvedAdam(pydl.optimizers.Adam):
    """Counts its steps in Python, which no recording would do."""

    def step_all(self, rows, grads, learning_rate):
        self.calls = getattr(self, "calls", 0) + 1
        super().step_all(rows, [grad / self.calls for grad in grads], learning_rate)


@pytest.mark.parametrize(
    "make",
    [
        lambda: pydl.optimizers.SGD(0.1, momentum=0.9, weight_decay=0.01),
        lambda: pydl.optimizers.Adam(amsgrad=True, clipvalue=0.01),
        lambda: pydl.optimizers.Adam(global_clipnorm=0.1),
        lambda: pydl.optimizers.Adam(pydl.optimizers.schedules.ExponentialDecay(0.1, 3, 0.5)),
        lambda: pydl.optimizers.Adam(gradient_accumulation_steps=2),
        lambda: pydl.optimizers.Adam(use_ema=True),
        HalvedAdam,
    ],
)
def test_arguments_of_optimizers(make):
    want = trained(dense_model, False, optimizer=make())
    history, weights, model = trained(dense_model, True, optimizer=make())
    assert repeats(model)
    assert history == want[0]
    for one, other in zip(weights, want[1]):
        np.testing.assert_array_equal(one, other)
    for one, other in zip(model.optimizer.variables, want[2].optimizer.variables):
        np.testing.assert_array_equal(one.numpy(), other.numpy())


def test_optimizer_is_part_of_the_recording():
    model = compiled(dense_model, True)
    x, y = data(64)
    model.fit(x, y, 16, verbose=0)
    model.optimizer.apply = None  # not called again
    model.fit(x, y, 16, epochs=2, verbose=0)
    assert model.optimizer.iterations.item() == 12


def test_another_optimizer_is_seen():
    model = compiled(dense_model, True)
    x, y = data(64)
    model.fit(x, y, 16, epochs=2, verbose=0)
    model.optimizer = pydl.optimizers.SGD(0.0)
    before = model.layers[0].kernel.numpy().copy()
    model.fit(x, y, 16, epochs=2, verbose=0)
    np.testing.assert_array_equal(model.layers[0].kernel.numpy(), before)


def test_settings_may_change():
    def weights(jit):
        model = compiled(dense_model, jit, pydl.optimizers.AdamW())
        x, y = data()
        for decay, beta in ((0.004, 0.9), (np.float32(0.2), 0.9), (0.2, 0.5)):
            model.optimizer.weight_decay, model.optimizer.beta_1 = decay, beta
            model.fit(x, y, batch_size=16, verbose=0, shuffle=False)
        return [w.numpy() for w in model.weights]

    for ours, usual in zip(weights(True), weights(False)):
        np.testing.assert_array_equal(ours, usual)


def test_learning_rate_may_change():
    def schedule(epoch, rate):
        return 0.01 / (epoch + 1)

    assert_same(dense_model, callbacks=[pydl.callbacks.LearningRateScheduler(schedule)])


def test_class_and_sample_weights():
    weights = []
    for jit in (False, True):
        model = compiled(dense_model, jit, weighted_metrics=["accuracy"])
        x, y = data(64)
        model.fit(x, y, 16, epochs=3, verbose=0, class_weight={0: 1.0, 1: 2.0, 2: 0.5, 3: 1.5})
        model.fit(x, y, 16, epochs=3, verbose=0, sample_weight=np.linspace(0, 1, 64))
        weights.append([w.numpy().copy() for w in model.weights])
    for one, other in zip(*weights):
        np.testing.assert_array_equal(one, other)


def test_freezing_and_new_weights_are_seen():
    model = compiled(dense_model, True)
    x, y = data(64)
    model.fit(x, y, 16, epochs=3, verbose=0)
    model.layers[0].trainable = False
    frozen = model.layers[0].kernel.numpy().copy()
    model.fit(x, y, 16, epochs=2, verbose=0)
    np.testing.assert_array_equal(model.layers[0].kernel.numpy(), frozen)
    model.set_weights([np.zeros_like(w.numpy()) for w in model.weights])
    assert model.evaluate(x, y, verbose=0, return_dict=True)["loss"] == pytest.approx(np.log(4), 1e-5)


def test_labels_out_of_range_are_refused_in_a_repetition():
    model = compiled(dense_model, True, metrics=None)
    x, y = data(64)
    model.fit(x, y, 16, epochs=2, verbose=0, shuffle=False)
    assert repeats(model)
    y[-1] = 9
    with pytest.raises((IndexError, ValueError), match="9"):
        model.fit(x, y, 16, verbose=0, shuffle=False)


def test_an_error_while_recording():
    model = compiled(dense_model, True, metrics=None)
    x, y = data(32)
    broken = np.where(np.arange(32) < 16, y, 9)
    with pytest.raises((IndexError, ValueError), match="9"):
        model.fit(x, broken, 16, verbose=0, shuffle=False)
    history = model.fit(x, y, 16, epochs=3, verbose=0, shuffle=False).history["loss"]
    assert history[-1] < history[0]


def test_predictions_after_training_use_new_statistics():
    """Repetitions count as writes to moving averages, by which folded kernels are known."""

    def make():
        return [layers.Reshape((4, 3, 1)), layers.Conv2D(5, 2), layers.BatchNormalization(),
                layers.ReLU(), layers.Flatten(), layers.Dense(4)]  # fmt: skip

    model = compiled(make, True)
    x, y = data(64)
    for _ in range(3):
        model.fit(x, y, 16, verbose=0)
        np.testing.assert_allclose(
            model.predict(x, verbose=0), model(x, training=False).numpy(), rtol=1e-4, atol=1e-5
        )


class ReadsValues(layers.Layer):
    def call(self, x):
        return x * float(pydl.ops.max(x))


class CountsCalls(layers.Layer):
    def call(self, x):
        self.calls = getattr(self, "calls", 0) + 1
        return x


@pytest.mark.parametrize(
    ("layer", "reason"),
    [(lambda: layers.Dropout(0.5), "random numbers"), (ReadsValues, "reads values")],
)
def test_steps_that_differ_go_on_as_usual(layer, reason):
    def make():
        return [layers.Dense(8), layer(), layers.Dense(4)]

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        want = trained(make, False)
    with pytest.warns(UserWarning, match=reason):
        history, weights, model = trained(make, True)
    assert history == want[0]
    for one, other in zip(weights, want[1]):
        np.testing.assert_array_equal(one, other)


def test_python_runs_in_the_first_steps_only():
    layer = CountsCalls()
    model = pydl.Sequential([pydl.Input((12,)), layer, layers.Dense(4)])
    model.compile("sgd", pydl.losses.SparseCategoricalCrossentropy(from_logits=True), jit_compile=True)
    x, y = data(64)
    model.fit(x, y, 16, epochs=1, verbose=0)
    calls = layer.calls
    model.fit(x, y, 16, epochs=5, verbose=0)
    assert layer.calls == calls


def test_large_steps_are_not_kept():
    model = pydl.Sequential([pydl.Input((2048,)), layers.Dense(2048), layers.Dense(4)])
    model.compile("sgd", pydl.losses.SparseCategoricalCrossentropy(from_logits=True), jit_compile=True)
    x, y = data(8192, (2048,))
    before = pydl.memory_stats()["allocated_bytes"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.fit(x, y, 4096, epochs=3, verbose=0)
    assert not repeats(model)
    assert pydl.memory_stats()["allocated_bytes"] < before + x.nbytes + (64 << 20)


def test_single_batches():
    losses = []
    for jit in (False, True):
        model = compiled(dense_model, jit)
        x, y = data(48)
        for _ in range(3):
            for rows in (slice(0, 16), slice(16, 32), slice(32, 48)):
                logs = model.train_on_batch(x[rows], y[rows], return_dict=True)
            losses.append(logs)
    assert repeats(model)
    assert losses[:3] == losses[3:]
