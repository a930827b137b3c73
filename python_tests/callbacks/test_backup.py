"""Training that is killed and started again ends with the same bits."""

import os
import subprocess
import sys
import time

import numpy as np
import pytest

import pydl
from pydl.callbacks import BackupAndRestore

PROGRAM = """
import sys, time
import numpy as np
import pydl
from pydl import layers

class Slow(pydl.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        time.sleep(float(sys.argv[3]))

pydl.set_random_seed(1)
rng = np.random.default_rng(0)
x, y = rng.standard_normal((48, 6)).astype("float32"), rng.integers(0, 3, 48)
model = pydl.Sequential([
    pydl.Input((6,)), layers.Dense(16, "relu"), layers.BatchNormalization(), layers.Dropout(0.3),
    layers.Dense(3),
])
loss = pydl.losses.SparseCategoricalCrossentropy(from_logits=True)
schedule = pydl.optimizers.schedules.CosineDecayRestarts(0.01, 5)
model.compile(pydl.optimizers.Adam(schedule, use_ema=True, ema_overwrite_frequency=4), loss)
backup = pydl.callbacks.BackupAndRestore(sys.argv[1])
model.fit(x, y, batch_size=8, epochs=6, verbose=0, callbacks=[backup, Slow()])
np.savez(sys.argv[2], *model.get_weights())
"""


def start(folder, result, delay):
    # The tests' own pydl, wherever the programs run.
    path = os.pathsep.join([os.path.dirname(os.path.dirname(pydl.__file__)), *sys.path])
    command = [sys.executable, "-c", PROGRAM, str(folder), str(result), str(delay)]
    return subprocess.Popen(command, env={**os.environ, "PYTHONPATH": path})


def test_a_killed_run_ends_with_the_same_weights(tmp_path):
    assert start(tmp_path / "b1", tmp_path / "whole.npz", 0).wait(120) == 0
    backup = tmp_path / "b2"
    run = start(backup, tmp_path / "killed.npz", 0.05)
    deadline = time.monotonic() + 60
    while not (backup / "training.safetensors").exists():
        assert time.monotonic() < deadline and run.poll() is None
        time.sleep(0.02)
    time.sleep(0.4)  # into a later epoch
    run.kill()
    run.wait(30)
    assert not (tmp_path / "killed.npz").exists() and list(backup.iterdir())
    assert start(backup, tmp_path / "killed.npz", 0).wait(120) == 0
    with np.load(tmp_path / "whole.npz") as whole, np.load(tmp_path / "killed.npz") as killed:
        assert whole.files == killed.files
        for name in whole.files:
            assert whole[name].tobytes() == killed[name].tobytes()
    assert not backup.exists()


def model_and_data():
    pydl.set_random_seed(0)
    model = pydl.Sequential([pydl.Input((3,)), pydl.layers.Dense(2)])
    model.compile("adam", "mse")
    rng = np.random.default_rng(0)
    return model, rng.normal(size=(12, 3)).astype("float32"), rng.normal(size=(12, 2))


def test_epochs_that_are_done_are_not_done_again(tmp_path):
    model, x, y = model_and_data()
    backup = BackupAndRestore(tmp_path / "b", delete_checkpoint=False)
    model.fit(x, y, epochs=2, verbose=0, callbacks=backup)
    again, _, _ = model_and_data()
    history = again.fit(x, y, epochs=4, verbose=0, callbacks=backup)
    assert history.epoch == [2, 3]
    straight, _, _ = model_and_data()
    straight.fit(x, y, epochs=4, verbose=0)
    for one, other in zip(straight.get_weights(), again.get_weights()):
        np.testing.assert_array_equal(one, other)


def test_backups_by_batches_and_a_damaged_file(tmp_path):
    model, x, y = model_and_data()
    backup = BackupAndRestore(
        tmp_path / "b", save_freq=2, double_checkpoint=True, delete_checkpoint=False
    )
    model.fit(x, y, batch_size=3, epochs=2, verbose=0, callbacks=backup)
    path = tmp_path / "b" / "training.safetensors"
    path.write_bytes(path.read_bytes()[:50])
    again, _, _ = model_and_data()
    assert again.fit(x, y, epochs=3, verbose=0, callbacks=backup).epoch == [1, 2]
    (tmp_path / "b" / "training.safetensors.bkp").unlink()
    path.write_bytes(b"damaged")
    with pytest.raises(ValueError, match="safetensors"):
        again.fit(x, y, epochs=3, verbose=0, callbacks=backup)


def test_errors(tmp_path):
    with pytest.raises(ValueError, match=r"expected a backup_dir"):
        BackupAndRestore("")
    with pytest.raises(ValueError, match=r"save_freq 'epoch' or a number of batches, got 'day'"):
        BackupAndRestore("b", save_freq="day")
    model, x, y = model_and_data()
    backup = BackupAndRestore(tmp_path / "b", delete_checkpoint=False)
    model.fit(x, y, verbose=0, callbacks=backup)
    unbuilt = pydl.Sequential([pydl.layers.Dense(2)])
    unbuilt.compile("adam", "mse")
    with pytest.raises(ValueError, match=r"\[BackupAndRestore\] expected a built model"):
        unbuilt.fit(x, y, verbose=0, callbacks=backup)
