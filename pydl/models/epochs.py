"""Epochs: a source of batches cut into epochs of a number of steps."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

from pydl._call_errors import show


class Epochs:
    """Yields the batches of one epoch each time it is iterated over.

    With `steps`, an epoch goes on where the last one ended, and starts the source anew when it is
    exhausted; without, an epoch is the whole source.

    Args:
        name: of the method that was called, for messages.
        data: source of batches (see `pydl.models.data`).
        steps: batches an epoch, or None.

    Raises:
        ValueError: `steps` is not a positive number.
    """

    def __init__(self, name: str, data: Any, steps: int | None) -> None:
        if steps is not None and (not isinstance(steps, int) or steps < 1):
            raise ValueError(f"[{name}] expected a number of steps of at least 1, got {steps!r}")
        self._name = name
        self._data = data
        self._steps = steps
        self._rest: Iterator[tuple] | None = None
        self.steps_done = 0

    @property
    def num_steps(self) -> int | None:
        """Steps an epoch, where known."""
        return self._data.num_batches if self._steps is None else self._steps

    def groups(self, size: int) -> Iterator[tuple[int, list[tuple]]]:
        """Yields the batches of one epoch `size` at a time, with the number of the first."""
        batches = iter(self)
        for first in itertools.count(0, size):
            group = list(itertools.islice(batches, size))
            if not group:
                return
            yield first, group

    def __iter__(self) -> Iterator[tuple]:
        if self._steps is None:
            return self._checked(iter(self._data))
        return self._checked(itertools.islice(self._endless(), self._steps), self._steps)

    def _endless(self) -> Iterator[tuple]:
        while True:
            starts = self._rest is None
            if starts:
                self._rest = iter(self._data)
            count = 0
            for batch in self._rest:
                count += 1
                yield batch
            if not self._data.restarts or (starts and count == 0):
                return
            self._rest = None

    def _checked(self, batches: Iterator[tuple], wanted: int | None = None) -> Iterator[tuple]:
        self.steps_done = 0
        for batch in batches:
            self.steps_done += 1
            yield batch
        count = self.steps_done
        if wanted is not None and 0 < count < wanted:
            warnings.warn(
                f"[{self._name}] expected {wanted} batches, got {count}: the data ran out. "
                "Make the generator endless, or ask for fewer steps",
                stacklevel=2,
            )
        if count == 0:
            raise ValueError(
                f"[{self._name}] expected at least one batch, got none. "
                "A generator is used up after one epoch: make it endless and give "
                "steps_per_epoch, or pass an object that can be iterated over again"
            )


def check_epochs(epochs: Any, initial_epoch: Any, validation_freq: Any) -> None:
    """Raises ValueError unless `fit` can count with its arguments."""
    for name, value in (("epochs", epochs), ("initial_epoch", initial_epoch)):
        if not isinstance(value, (int, np.integer)) or value < 0:
            raise ValueError(
                f"[fit] expected {name} to be an integer of at least 0, got {show(value)}"
            )
    if isinstance(validation_freq, int):
        valid = validation_freq > 0
    else:
        valid = isinstance(validation_freq, (list, tuple, set))
    if not valid:
        raise ValueError(
            "[fit] expected validation_freq to be a positive integer or a list of epochs, "
            f"got {show(validation_freq)}"
        )
