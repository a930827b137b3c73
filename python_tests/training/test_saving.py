"""Saving while training, and going on with training from a file."""

import numpy as np
from training_problems import data, mlp, weights_equal

import pydl
from pydl import callbacks, layers

X, Y = data(60)


def train(model, epochs, **arguments):
    return model.fit(X, Y, batch_size=16, shuffle=False, epochs=epochs, verbose=0, **arguments)


def test_training_resumes_bit_for_bit(tmp_path):
    schedule = pydl.optimizers.schedules.ExponentialDecay(0.05, 5, 0.7)
    whole, half = (mlp(optimizer=pydl.optimizers.Adam(schedule, amsgrad=True)) for _ in range(2))
    expected = train(whole, 4).history["loss"]
    train(half, 2)
    half.save(tmp_path / "half.pydl")
    again = pydl.saving.load_model(tmp_path / "half.pydl")
    got = train(again, 4, initial_epoch=2).history["loss"]
    assert got == expected[2:] and weights_equal(again, whole)
    for a, b in zip(again.optimizer.variables, whole.optimizer.variables):
        assert a.numpy().tobytes() == b.numpy().tobytes()


def test_checkpoints_hold_the_best_model(tmp_path):
    path = tmp_path / "best-{epoch}.pydl"
    model = mlp(optimizer=pydl.optimizers.SGD(0.1))
    checkpoint = callbacks.ModelCheckpoint(path, monitor="loss", save_best_only=True)
    history = train(model, 3, callbacks=[checkpoint]).history["loss"]
    best = int(np.argmin(history)) + 1
    saved = pydl.saving.load_model(tmp_path / f"best-{best}.pydl")
    assert checkpoint.best == min(history)
    assert weights_equal(saved, model) == (best == 3)


def test_checkpoints_of_weights(tmp_path):
    model, other = mlp(), mlp(seed=2)
    path = tmp_path / "w.safetensors"
    train(model, 1, callbacks=[callbacks.ModelCheckpoint(path, save_weights_only=True)])
    other.load_weights(path)
    assert weights_equal(model, other)


def test_layers_that_behave_otherwise_in_training():
    pydl.set_random_seed(0)
    model = pydl.Sequential(
        [layers.Input((5,)), layers.Dense(16), layers.BatchNormalization(), layers.ReLU(),
         layers.Dropout(0.5), layers.Dense(3)]
    )  # fmt: skip
    model.compile("adam", pydl.losses.SparseCategoricalCrossentropy(from_logits=True))
    before = [v.numpy().copy() for v in model.non_trainable_variables]
    model.fit(X, Y, epochs=2, verbose=0)
    after = [v.numpy() for v in model.non_trainable_variables]
    assert any(not np.array_equal(a, b) for a, b in zip(before, after))
    kept = [a.copy() for a in after]
    first = model.evaluate(X, Y, verbose=0)
    assert first == model.evaluate(X, Y, verbose=0)
    assert all(np.array_equal(a, b.numpy()) for a, b in zip(kept, model.non_trainable_variables))
    assert not np.allclose(model(X, training=True).numpy(), model.predict(X, verbose=0))
