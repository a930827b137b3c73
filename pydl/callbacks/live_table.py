"""LiveTable: a table of the epochs that grows in the terminal."""

from __future__ import annotations

import time
from typing import Any

from pydl.callbacks.callback import Callback
from pydl.callbacks.optional import need
from pydl.callbacks.progress_line import format_seconds, format_value


class LiveTable(Callback):
    """Shows the metrics of all epochs as a table, the best of each in bold.

    Use it with `verbose=0`, in place of the progress bar. The package rich draws it.

    Args:
        rows: how many of the last epochs to show.

    Raises:
        ImportError: rich is not installed (when training begins).

    Example:
        >>> table = pydl.callbacks.LiveTable(rows=10)
    """

    def __init__(self, rows: int = 20) -> None:
        super().__init__()
        self.rows = rows
        self._live: Any = None
        self._lines: list[tuple[int, float, dict[str, float]]] = []
        self._start = 0.0

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        live = need("rich.live", "rich", "LiveTable")
        self._lines = []
        self._live = live.Live(self._table(), auto_refresh=False)
        self._live.start()

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self._start = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        elapsed = time.perf_counter() - self._start
        self._lines.append((epoch, elapsed, dict(logs or {})))
        self._live.update(self._table(), refresh=True)

    def on_train_end(self, logs: dict[str, float] | None = None) -> None:
        self._live.stop()

    def _table(self) -> Any:
        table = need("rich.table", "rich", "LiveTable").Table()
        names = list(dict.fromkeys(name for _, _, logs in self._lines for name in logs))
        best = {
            name: min(logs[name] for _, _, logs in self._lines if name in logs)
            for name in names
            if "loss" in name
        }
        for title in ("epoch", "time", *names):
            table.add_column(title, justify="right")
        for epoch, elapsed, logs in self._lines[-self.rows :]:
            cells = [format_value(logs[name]) if name in logs else "" for name in names]
            bold = [
                f"[bold]{cell}[/bold]" if cell and logs[name] == best.get(name) else cell
                for name, cell in zip(names, cells)
            ]
            total = self.params.get("epochs")
            table.add_row(f"{epoch + 1}/{total}", format_seconds(elapsed), *bold)
        return table
