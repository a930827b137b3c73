"""Callbacks against a stand-in for a model, which plays back given metrics."""

import csv
import math
import os

import numpy as np
import pytest

from pydl import callbacks
from pydl.callbacks import CallbackList
from pydl.optimizers import SGD


class Player:
    """Has what callbacks use of a model: weights, an optimizer, saving, stop_training."""

    def __init__(self):
        self.optimizer = SGD(1.0)
        self.stop_training = False
        self.weights = [0]
        self.saved = []

    def get_weights(self):
        return list(self.weights)

    def set_weights(self, weights):
        self.weights = list(weights)

    def save(self, path):
        self.saved.append(os.path.basename(path))

    def save_weights(self, path):
        self.saved.append(f"weights {os.path.basename(path)}")

    def play(self, given, epochs, batches=2, **params):
        """Goes through `epochs`, dicts of metrics; the weights are the number of the epoch."""
        listeners = CallbackList(given, add_history=True, model=self, **params)
        listeners.call("on_train_begin", {})
        for epoch, logs in enumerate(epochs):
            listeners.call("on_epoch_begin", epoch, {})
            for batch in range(batches):
                listeners.call("on_train_batch_begin", batch, {})
                listeners.batch_end("on_train_batch_end", batch, lambda logs=logs: dict(logs))
            self.weights = [epoch]
            listeners.call("on_epoch_end", epoch, dict(logs))
            if self.stop_training:
                break
        listeners.call("on_train_end", {})
        return listeners.history


def losses(*values, name="val_loss"):
    return [{name: float(v)} for v in values]


def test_history():
    history = Player().play(None, losses(3, 2))
    assert history.epoch == [0, 1] and history.history == {"val_loss": [3.0, 2.0]}


@pytest.mark.parametrize("arguments, values, stops_after, weights", [
    ({}, [3, 2, 4, 1], 3, [2]),
    ({"patience": 2}, [3, 4, 5, 1, 0], 3, [2]),
    ({"patience": 2}, [3, 4, 2, 5, 1], 5, [4]),
    ({"patience": 1, "restore_best_weights": True}, [3, 2, 4, 1], 3, [1]),
    ({"patience": 9, "restore_best_weights": True}, [3, 2, 4, 5], 4, [1]),
    ({"patience": 1, "start_from_epoch": 2}, [3, 4, 5, 6, 1], 4, [3]),
    ({"min_delta": 0.5}, [3.0, 2.8, 2.0], 2, [1]),
    ({"mode": "max"}, [1, 2, 1, 9], 3, [2]),
    ({"patience": 2, "baseline": 1.0}, [3, 3, 1.5, 1.2], 2, [1]),
    ({"patience": 1}, [math.nan, 2, 3], 3, [2]),
])  # fmt: skip
def test_early_stopping(arguments, values, stops_after, weights):
    player = Player()
    history = player.play(callbacks.EarlyStopping(**arguments), losses(*values))
    assert len(history.epoch) == stops_after and player.weights == weights


def test_metrics_that_rise_are_known_by_name():
    player = Player()
    logs = losses(0.5, 0.9, 0.7, name="val_accuracy")
    stopping = callbacks.EarlyStopping(monitor="val_accuracy", restore_best_weights=True)
    player.play(stopping, logs)
    assert player.weights == [1] and stopping.best == 0.9 and stopping.best_epoch == 1


def test_monitoring_a_metric_that_is_missing_warns():
    with pytest.warns(
        UserWarning, match=r"\[EarlyStopping\] expected the metric 'val_loss'.*got loss"
    ):
        Player().play(callbacks.EarlyStopping(), losses(1, 2, name="loss"))
    with pytest.raises(ValueError, match=r"\[EarlyStopping\] expected mode auto, min or max"):
        callbacks.EarlyStopping(mode="up")


def test_early_stopping_says_what_it_does(capsys):
    Player().play(callbacks.EarlyStopping(verbose=1, restore_best_weights=True), losses(1, 2, 3))
    assert capsys.readouterr().out == (
        "Epoch 2: early stopping\nRestoring the weights of the best epoch: 1\n"
    )


@pytest.mark.parametrize("arguments, saved", [
    ({}, ["m-01.pydl", "m-02.pydl", "m-03.pydl"]),
    ({"save_best_only": True}, ["m-01.pydl", "m-03.pydl"]),
    ({"save_best_only": True, "initial_value_threshold": 2.5}, ["m-03.pydl"]),
    ({"save_weights_only": True}, ["weights m-01.pydl", "weights m-02.pydl", "weights m-03.pydl"]),
    ({"save_freq": 4}, ["m-02.pydl"]),
])  # fmt: skip
def test_model_checkpoint(tmp_path, arguments, saved):
    player = Player()
    path = tmp_path / "new" / "m-{epoch:02d}.pydl"
    player.play(callbacks.ModelCheckpoint(path, **arguments), losses(3, 4, 2))
    assert player.saved == saved and (tmp_path / "new").is_dir()


def test_model_checkpoint_names(tmp_path):
    player = Player()
    player.play(callbacks.ModelCheckpoint(tmp_path / "{val_loss:.1f}.pydl"), losses(3))
    assert player.saved == ["3.0.pydl"]
    with pytest.raises(KeyError, match=r"\[ModelCheckpoint\] expected fields of"):
        player.play(callbacks.ModelCheckpoint(tmp_path / "{f1}.pydl"), losses(3))
    with pytest.raises(ValueError, match=r"save_freq 'epoch' or a number of batches, got 'batch'"):
        callbacks.ModelCheckpoint("m.pydl", save_freq="batch")


def test_csv_logger(tmp_path):
    path = tmp_path / "log.csv"
    Player().play(callbacks.CSVLogger(path), losses(3, 2, name="loss"))
    Player().play(callbacks.CSVLogger(path, append=True), losses(1, name="loss"))
    assert list(csv.reader(path.open())) == [
        ["epoch", "loss"], ["0", "3.0"], ["1", "2.0"], ["0", "1.0"]
    ]  # fmt: skip
    Player().play(callbacks.CSVLogger(path, separator=";"), [{"a": 1.0}, {"a": 2.0, "val_a": 3.0}],
                  validates=True)  # fmt: skip
    assert path.read_text() == "epoch;a;val_a\n0;1.0;NA\n1;2.0;3.0\n"


def test_lambda_callback():
    heard = []
    callback = callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: heard.append(("epoch", epoch)),
        on_train_batch_end=lambda batch, logs: heard.append((batch, logs["loss"])),
        on_train_end=lambda logs: heard.append("end"),
    )
    Player().play(callback, losses(3, name="loss"))
    assert heard == [("epoch", 0), (0, 3.0), (1, 3.0), "end"]
    with pytest.raises(TypeError, match=r"expected a moment of Callback, got 'on_lunch'"):
        callbacks.LambdaCallback(on_lunch=print)


def test_terminate_on_nan(capsys):
    player = Player()
    history = player.play(callbacks.TerminateOnNaN(), losses(3, math.nan, 2, name="loss"))
    assert history.epoch == [0, 1]
    assert "expected a finite loss, got nan at batch 0" in capsys.readouterr().out
    with pytest.raises(RuntimeError, match=r"expected a finite loss, got inf at batch 0"):
        Player().play(callbacks.TerminateOnNaN(raise_error=True), losses(math.inf, name="loss"))


def test_reduce_lr_on_plateau():
    player = Player()
    callback = callbacks.ReduceLROnPlateau(factor=0.5, patience=2, cooldown=1, min_lr=0.2)
    history = player.play(callback, losses(3, 3, 3, 3, 3, 3, 3, 3, 3))
    rates = history.history["learning_rate"]
    assert rates == pytest.approx([1, 1, 1, 0.5, 0.5, 0.25, 0.25, 0.2, 0.2])
    assert float(player.optimizer.learning_rate) == pytest.approx(0.2)
    with pytest.raises(ValueError, match=r"expected factor below 1, got 2"):
        callbacks.ReduceLROnPlateau(factor=2)


def test_learning_rate_scheduler():
    player = Player()
    by_rate = callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2)
    assert player.play(by_rate, losses(1, 1)).history["learning_rate"] == [0.5, 0.25]
    by_epoch = callbacks.LearningRateScheduler(lambda epoch: 0.1 * (epoch + 1))
    rates = player.play(by_epoch, losses(1, 1)).history["learning_rate"]
    np.testing.assert_allclose(rates, [0.1, 0.2], rtol=1e-6)
    with pytest.raises(ValueError, match=r"expected the schedule to return a number, got None"):
        player.play(callbacks.LearningRateScheduler(lambda epoch: None), losses(1))


def test_logs_of_batches_are_made_only_when_asked_for():
    class Slow(callbacks.Callback):
        min_interval = 1000.0
        calls = 0

        def on_train_batch_end(self, batch, logs=None):
            self.calls += 1

    made = []
    slow = Slow()
    listeners = CallbackList([slow, callbacks.History()], model=Player())
    for batch in range(5):
        listeners.batch_end("on_train_batch_end", batch, lambda: made.append(1) or {})
    assert slow.calls == 1 and len(made) == 1


def test_only_callbacks_are_taken():
    with pytest.raises(
        ValueError, match=r"\[callbacks\] expected objects of class Callback, got 3"
    ):
        CallbackList([3])
