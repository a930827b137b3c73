"""CSVLogger: the metrics of every epoch as lines of a file."""

from __future__ import annotations

import csv
import os
from typing import Any

from pydl.callbacks.callback import Callback


class CSVLogger(Callback):
    """Writes the metrics of every epoch to a CSV file.

    Args:
        filename: where to.
        separator: what stands between values.
        append: whether to go on at the end of an old file.

    Example:
        >>> logger = pydl.callbacks.CSVLogger("training.csv")
    """

    def __init__(
        self, filename: str | os.PathLike, separator: str = ",", append: bool = False
    ) -> None:
        super().__init__()
        self.filename = os.fspath(filename)
        self.separator = separator
        self.append = append
        self._file: Any = None
        self._keys: list[str] | None = None

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        self._keys = None
        if self.append and os.path.exists(self.filename):
            with open(self.filename, newline="") as old:
                header = next(csv.reader(old, delimiter=self.separator), None)
            self._keys = header[1:] if header else None
        self._file = open(self.filename, "a" if self.append else "w", newline="")

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        logs = logs or {}
        writer = csv.writer(self._file, delimiter=self.separator, lineterminator="\n")
        if self._keys is None:
            self._keys = sorted(logs)
            if self.params.get("validates") and not any(k.startswith("val_") for k in self._keys):
                self._keys += [f"val_{key}" for key in self._keys]  # later epochs are validated
            writer.writerow(["epoch", *self._keys])
        writer.writerow([epoch, *(logs.get(key, "NA") for key in self._keys)])
        self._file.flush()

    def on_train_end(self, logs: dict[str, float] | None = None) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
