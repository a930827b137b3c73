"""BackupAndRestore: training that was killed goes on where it was."""

from __future__ import annotations

import os
import shutil
from typing import Any

import numpy as np

from pydl import random
from pydl.callbacks.callback import Callback
from pydl.saving import safetensors
from pydl.saving.atomic import write_atomically
from pydl.saving.weight_names import assign_weights, named_generators, named_weights

_FILE = "training.safetensors"


class BackupAndRestore(Callback):
    """Saves the whole state of training as it goes on; `fit` with the same arguments resumes it.

    The state is the weights, the state of the optimizer, the random streams and the number of the
    epoch. A run that is killed at any moment and started again ends with the same weights, bit for
    bit, as one that was not, if the data come in the same order. A backup within an epoch resumes
    at the start of that epoch, with the weights that it had.

    Args:
        backup_dir: folder for the backup; nothing else may be in it.
        save_freq: `"epoch"`, or a number of batches.
        double_checkpoint: whether to keep the backup before the last as well.
        delete_checkpoint: whether to remove the folder at the end of training.

    Example:
        >>> model = pydl.Sequential([pydl.Input((2,)), pydl.layers.Dense(1)])
        >>> model.compile("sgd", "mse")
        >>> backup = pydl.callbacks.BackupAndRestore("backup", delete_checkpoint=False)
        >>> data = np.ones((4, 2)), np.ones((4, 1))
        >>> history = model.fit(*data, epochs=2, callbacks=backup, verbose=0)
        >>> model.fit(*data, epochs=3, callbacks=backup, verbose=0).epoch
        [2]
    """

    def __init__(
        self,
        backup_dir: str | os.PathLike,
        save_freq: str | int = "epoch",
        double_checkpoint: bool = False,
        delete_checkpoint: bool = True,
    ) -> None:
        super().__init__()
        self.backup_dir = os.fspath(backup_dir)
        if not self.backup_dir:
            raise ValueError("[BackupAndRestore] expected a backup_dir, got an empty name")
        if save_freq != "epoch" and not (isinstance(save_freq, int) and save_freq > 0):
            raise ValueError(
                f"[BackupAndRestore] expected save_freq 'epoch' or a number of batches, "
                f"got {save_freq!r}"
            )
        self.save_freq = save_freq
        self.double_checkpoint = double_checkpoint
        self.delete_checkpoint = delete_checkpoint
        self._path = os.path.join(self.backup_dir, _FILE)
        self._epoch = 0
        self._batches = 0
        if save_freq != "epoch":
            self.on_train_batch_end = self._after_batch

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        paths = [path for path in (self._path, f"{self._path}.bkp") if os.path.exists(path)]
        for i, path in enumerate(paths):
            try:
                with open(path, "rb") as file:
                    tensors, metadata = safetensors.parse(file.read())
            except ValueError:  # a damaged file; perhaps the one before is whole
                if i == len(paths) - 1:
                    raise
                continue
            self._restore(tensors, int(metadata["epoch"]))
            return

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self._epoch = epoch

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self._epoch = epoch + 1
        if self.save_freq == "epoch":
            self._save()

    def _after_batch(self, batch: int, logs: dict[str, float] | None = None) -> None:
        self._batches += 1
        if self._batches % self.save_freq == 0:
            self._save()

    def on_train_end(self, logs: dict[str, float] | None = None) -> None:
        if self.delete_checkpoint and os.path.exists(self.backup_dir):
            shutil.rmtree(self.backup_dir)

    def _save(self) -> None:
        os.makedirs(self.backup_dir, exist_ok=True)
        if self.double_checkpoint and os.path.exists(self._path):
            shutil.copy2(self._path, f"{self._path}.bkp")
        tensors: dict[str, Any] = {}
        for name, value in named_weights(self.model).items():
            tensors[f"weights/{name}"] = value
        for i, value in enumerate(self.model.optimizer.variables):
            tensors[f"optimizer/{i}"] = value
        for name, generator in self._generators().items():
            tensors[f"random/{name}"] = np.array(generator.state, "uint64").view("int64")
        chunks = safetensors.dump(tensors, {"epoch": str(self._epoch)})
        write_atomically(self._path, lambda file: file.writelines(chunks))

    def _restore(self, tensors: dict[str, Any], epoch: int) -> None:
        if not self.model.built:
            raise ValueError(
                "[BackupAndRestore] expected a built model to restore. "
                "Start it with pydl.Input, or call build"
            )
        optimizer = self.model.optimizer
        if not optimizer.built:
            optimizer.build(self.model.trainable_variables)
        assign_weights(self.model, _part(tensors, "weights/"), self._path)
        optimizer.load_own_variables(_part(tensors, "optimizer/"))
        states = _part(tensors, "random/")
        for name, generator in self._generators().items():
            generator.state = tuple(int(x) for x in states[name].numpy().view("uint64"))
        self._epoch = epoch
        self.params["initial_epoch"] = max(epoch, self.params.get("initial_epoch", 0))

    def _generators(self) -> dict[str, Any]:
        return {**named_generators(self.model), "global": random.global_generator()}


def _part(tensors: dict[str, Any], prefix: str) -> dict[str, Any]:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
