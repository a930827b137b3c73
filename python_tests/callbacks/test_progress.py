"""What training prints: a bar in a terminal, one line an epoch in a pipe."""

import io
import re
import sys

import pytest

from pydl.callbacks import CallbackList, progress_line
from pydl.callbacks.progress_line import (
    ProgressLine,
    format_seconds,
    format_step_time,
    format_value,
)


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self):
        return True


@pytest.fixture
def in_terminal(monkeypatch):
    """Returns a function that makes standard output a terminal and gives what it shows."""

    def attach(columns=100, **environment):
        screen = Terminal()
        monkeypatch.setattr(sys, "stdout", screen)
        monkeypatch.delenv("NO_COLOR", raising=False)
        monkeypatch.setenv("COLUMNS", str(columns))
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        return screen

    return attach


def run(verbose="auto", epochs=2, batches=3):
    listeners = CallbackList(add_progbar=True, verbose=verbose, epochs=epochs, steps=batches)
    for callback in listeners.callbacks:
        callback.min_interval = 0
    listeners.call("on_train_begin", {})
    for epoch in range(epochs):
        listeners.call("on_epoch_begin", epoch, {})
        for batch in range(batches):
            listeners.batch_end("on_train_batch_end", batch, lambda: {"loss": 1.5})
        listeners.call("on_test_begin", {})
        listeners.call("on_test_end", {"loss": 2.0})
        listeners.call("on_epoch_end", epoch, {"loss": 1.25, "val_loss": 2.0})
    listeners.call("on_train_end", {})


@pytest.mark.parametrize("verbose", ["auto", 1, 2])
def test_a_pipe_gets_one_line_an_epoch(capsys, verbose):
    run(verbose)
    lines = capsys.readouterr().out.splitlines()
    pattern = r"Epoch {}/2 - [\d.]+s - \d+\S+/step - loss: 1\.2500 - val_loss: 2\.0000"
    assert len(lines) == 2
    assert all(re.fullmatch(pattern.format(i + 1), line) for i, line in enumerate(lines))


def plain(screen):
    return re.sub(r"\x1b\[\d+m", "", screen.getvalue())


def test_a_terminal_gets_a_bar_that_is_drawn_over(in_terminal):
    screen = in_terminal()
    run()
    lines = plain(screen).split("\n")
    assert lines[0] == "Epoch 1/2" and lines[2] == "Epoch 2/2" and lines[4] == ""
    frames = lines[1].split("\r")
    assert frames[1].startswith("1/3 ━━━━") and "left · loss 1.5000" in frames[1]
    assert frames[-1].startswith("3/3 ") and frames[-1].rstrip().endswith(
        "loss 1.2500 · val_loss 2.0000"
    )
    assert all(len(frame) <= 100 for frame in frames)


def test_a_terminal_with_verbose_2_gets_one_line_an_epoch(in_terminal):
    screen = in_terminal()
    run(verbose=2)
    assert "\r" not in screen.getvalue() and screen.getvalue().count("\n") == 2


def test_lines_fit_narrow_terminals(in_terminal):
    screen = in_terminal(columns=50)
    ProgressLine(10).draw(3, {f"metric_{i}": 0.5 for i in range(10)})
    assert len(plain(screen).lstrip("\r")) <= 50


def test_no_color(in_terminal):
    screen = in_terminal(NO_COLOR="1")
    ProgressLine(10).draw(5, {})
    assert "\x1b" not in screen.getvalue()
    assert "━" * 12 + "─" * 12 in screen.getvalue()


def test_steps_of_unknown_number(in_terminal):
    screen = in_terminal()
    ProgressLine(None).draw(5, {"loss": 1.0})
    assert "5/? " in screen.getvalue()


def test_formats():
    assert [format_seconds(s) for s in (0.42, 12.3, 185, 3723)] == [
        "0.4s",
        "12s",
        "3:05",
        "1:02:03",
    ]
    assert [format_step_time(s, 1) for s in (2.5, 0.25, 0.0014, 25e-6)] == [
        "2.5s/step", "250ms/step", "1.4ms/step", "25us/step"
    ]  # fmt: skip
    assert [format_value(v) for v in (0.5, 0.0, 1e-5)] == ["0.5000", "0.0000", "1.0000e-05"]
    assert progress_line.is_interactive() == (sys.stdout.isatty() or "ipykernel" in sys.modules)
