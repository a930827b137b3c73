"""ProgressLine: one line of a terminal that shows how far a loop is."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Mapping

_BAR_WIDTH = 24


def is_interactive() -> bool:
    """Whether a line on standard output can be drawn over: a terminal, or a notebook."""
    return sys.stdout.isatty() or "ipykernel" in sys.modules


class ProgressLine:
    """Draws a bar, the time and metrics, each time over the last.

    Args:
        total: number of steps, or None when not known.
    """

    def __init__(self, total: int | None) -> None:
        self.total = total
        self._start = time.perf_counter()
        self._drawn = 0
        self._color = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        encoding = getattr(sys.stdout, "encoding", None) or "ascii"
        self._unicode = "utf" in encoding.lower()

    def draw(self, step: int, metrics: Mapping[str, float], done: bool = False) -> None:
        """Draws the line.

        Args:
            step: steps done.
            metrics: what to show, by name.
            done: whether this is the last time; the line then ends.
        """
        total = step if done else self.total
        elapsed = time.perf_counter() - self._start
        count = f"{step}/?" if total is None else f"{step:>{len(str(total))}}/{total}"
        parts = [format_step_time(elapsed, step)]
        if done:
            parts.append(format_seconds(elapsed))
        elif total:
            parts.append(f"{format_seconds(elapsed / step * (total - step))} left")
        parts += [f"{name} {format_value(value)}" for name, value in metrics.items()]
        room = shutil.get_terminal_size().columns - len(count) - _BAR_WIDTH - 4
        text = (" · " if self._unicode else " - ").join(parts)
        if not done and len(text) > room:
            text = text[: max(room, 0)]
        bar = self._bar(step / total if total else 0.0)
        length = len(count) + _BAR_WIDTH + 2 + len(text)
        padding = " " * max(self._drawn - length, 0)
        sys.stdout.write(f"\r{count} {bar} {text}{padding}" + ("\n" if done else ""))
        sys.stdout.flush()
        self._drawn = 0 if done else length

    def interrupt(self) -> None:
        """Ends a line that was drawn but not finished."""
        if self._drawn:
            sys.stdout.write("\n")
            sys.stdout.flush()
            self._drawn = 0

    def _bar(self, share: float) -> str:
        filled = min(int(share * _BAR_WIDTH), _BAR_WIDTH)
        full, rest = ("━", "━" if self._color else "─") if self._unicode else ("=", ".")
        done, todo = full * filled, rest * (_BAR_WIDTH - filled)
        return f"\x1b[32m{done}\x1b[90m{todo}\x1b[0m" if self._color else done + todo


def format_seconds(seconds: float) -> str:
    """`0.4s`, `12s`, `3:05`, `1:02:03`."""
    if seconds < 10:
        return f"{seconds:.1f}s"
    if seconds < 60:
        return f"{seconds:.0f}s"
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def format_step_time(elapsed: float, steps: int) -> str:
    """`250us/step`, `1.4ms/step`, `2.5s/step`."""
    seconds = elapsed / max(steps, 1)
    if seconds >= 1:
        return f"{seconds:.1f}s/step"
    if seconds >= 1e-3:
        return f"{seconds * 1e3:.1f}ms/step" if seconds < 0.01 else f"{seconds * 1e3:.0f}ms/step"
    return f"{seconds * 1e6:.0f}us/step"


def format_value(value: float) -> str:
    """Four decimals, or four digits with an exponent for small numbers."""
    value = float(value)
    return f"{value:.4f}" if value == 0 or abs(value) >= 1e-3 else f"{value:.4e}"
