"""Ctrl-C in fit, NaN losses, early stopping: how training ends before its time."""

import os
import signal
import subprocess
import sys
import textwrap

import numpy as np
import pytest
from training_problems import data, mlp, regressor

import pydl
from pydl import callbacks

X, Y = data(60)


def test_ctrl_c_ends_training_and_keeps_everything(capsys):
    heard = []

    class Interrupt(callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if self.model.history.epoch[-1:] == [1] and batch == 1:
                os.kill(os.getpid(), signal.SIGINT)

        def on_train_end(self, logs=None):
            heard.append("end")

    model, reference = mlp(), mlp()
    model.history = callbacks.History()
    history = model.fit(
        X, Y, batch_size=20, epochs=9, shuffle=False, callbacks=[callbacks.History(), Interrupt()]
    )
    reference.fit(X, Y, batch_size=20, epochs=2, shuffle=False, verbose=0)
    reference.fit(X[:40], Y[:40], batch_size=20, shuffle=False, verbose=0)
    assert history.epoch == [0, 1] and len(history.history["loss"]) == 2 and heard == ["end"]
    for a, b in zip(model.get_weights(), reference.get_weights()):
        np.testing.assert_array_equal(a, b)
    assert "Training was interrupted" in capsys.readouterr().out
    model.fit(X, Y, verbose=0)


def test_ctrl_c_at_any_moment_of_a_real_program():
    program = """
        import numpy as np, pydl
        model = pydl.Sequential([pydl.Input((50,)), pydl.layers.Dense(200), pydl.layers.Dense(1)])
        model.compile("adam", "mse")
        print("ready", flush=True)
        x = np.ones((4000, 50), "float32")
        history = model.fit(x, np.ones((4000, 1)), epochs=100000, verbose=0)
        assert np.isfinite(model.predict(x[:3], verbose=0)).all()
        print("epochs", len(history.history["loss"]) > 0, len(history.epoch) < 100000)
    """
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout.readline() == "ready\n"
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(timeout=2)
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode == 0 and output == "epochs True True\n"


def test_nan_inputs_with_terminate_on_nan(capsys):
    x = X.copy()
    x[30, 0] = np.nan
    history = mlp().fit(
        x,
        Y,
        batch_size=20,
        epochs=5,
        shuffle=False,
        verbose=0,
        callbacks=callbacks.TerminateOnNaN(),
    )
    assert history.epoch == [0] and np.isnan(history.history["loss"][0])
    assert "expected a finite loss, got nan at batch 1" in capsys.readouterr().out


def test_early_stopping_restores_the_best_weights():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(20, 3)), rng.normal(size=20)
    model = regressor(optimizer=pydl.optimizers.SGD(1.5))  # diverges
    stopping = callbacks.EarlyStopping("loss", patience=2, restore_best_weights=True)
    history = model.fit(x, y, epochs=50, verbose=0, callbacks=[stopping])
    assert len(history.epoch) < 50
    again = regressor(optimizer=pydl.optimizers.SGD(1.5))
    again.fit(x, y, epochs=stopping.best_epoch + 1, verbose=0)
    assert len(again.get_weights()) == 2 and stopping.best == min(history.history["loss"])


def test_stop_training_from_a_batch():
    class Stop(callbacks.Callback):
        batches = 0

        def on_train_batch_end(self, batch, logs=None):
            self.batches += 1
            self.model.stop_training = batch == 1

    stop = Stop()
    history = mlp().fit(X, Y, batch_size=20, epochs=3, verbose=0, callbacks=[stop])
    assert stop.batches == 2 and history.epoch == [0]


def test_order_of_callbacks():
    heard = []

    class Each(callbacks.Callback):
        pass

    def record(name):
        return lambda self, *args: heard.append(name)

    for name in list(vars(callbacks.Callback)):
        if name.startswith("on_"):
            setattr(Each, name, record(name))
    mlp().fit(X, Y, batch_size=60, validation_data=(X, Y), callbacks=[Each()], verbose=0)
    assert heard == [
        "on_train_begin", "on_epoch_begin", "on_train_batch_begin", "on_train_batch_end",
        "on_test_begin", "on_test_batch_begin", "on_test_batch_end", "on_test_end", "on_epoch_end",
        "on_train_end",
    ]  # fmt: skip
    heard.clear()
    mlp().predict(X, batch_size=60, callbacks=[Each()], verbose=0)
    assert heard == [
        "on_predict_begin",
        "on_predict_batch_begin",
        "on_predict_batch_end",
        "on_predict_end",
    ]
