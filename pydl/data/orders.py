"""Changes of which elements come and when, that do not look at the elements."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import count, islice
from typing import Any

import numpy as np

from pydl import random

__all__ = ["Shuffle", "cached", "interleave", "repeat", "windows"]

_DRAWS = 4096  # random numbers drawn at a time


class Shuffle:
    """Draws every element from a buffer of the next ones.

    Args:
        buffer_size: Elements in the buffer; with all of them the order is a random permutation.
        seed: An integer; None takes one from the global stream, so `set_random_seed` fixes it.
        reshuffle: Whether every iteration has an order of its own.
    """

    def __init__(self, buffer_size: int, seed: int | None, reshuffle: bool) -> None:
        if seed is None:
            seed = random.randint((), 0, 2**62, dtype="int64").item()
        self._size = buffer_size
        self._seed = int(seed) % 2**64
        self._reshuffle = reshuffle
        self._epochs = count()

    def __call__(self, items: Iterator[Any]) -> Iterator[Any]:
        epoch = next(self._epochs) if self._reshuffle else 0
        generator = np.random.default_rng([self._seed, epoch])
        buffer = list(islice(items, self._size))
        places: Iterator[int] = iter(())
        for item in items:
            place = next(places, None)
            if place is None:
                places = iter(generator.integers(len(buffer), size=_DRAWS).tolist())
                place = next(places)
            yield buffer[place]
            buffer[place] = item
        for place in generator.permutation(len(buffer)).tolist():
            yield buffer[place]


def repeat(start: Callable[[], Iterator[Any]], times: int | None) -> Iterator[Any]:
    """The items of `start()`, again and again, `times` times or without end.

    Ends when an iteration without a single item would go on for ever.
    """
    for _ in count() if times is None else range(times):
        empty = True
        for item in start():
            empty = False
            yield item
        if empty:
            return


def windows(
    items: Iterable[Any], size: int, shift: int, stride: int, drop_remainder: bool
) -> Iterator[list[Any]]:
    """Lists of `size` items that lie `stride` apart; each starts `shift` behind the one before."""
    span = (size - 1) * stride + 1
    buffer: deque[Any] = deque()
    to_skip = 0
    for item in items:
        if to_skip:
            to_skip -= 1
            continue
        buffer.append(item)
        if len(buffer) == span:
            yield list(islice(buffer, 0, None, stride))
            for _ in range(min(shift, span)):
                buffer.popleft()
            to_skip = max(0, shift - span)
    while buffer and not drop_remainder:
        yield list(islice(buffer, 0, None, stride))
        for _ in range(min(shift, len(buffer))):
            buffer.popleft()


def cached(items: Iterable[Any]) -> Callable[[], Iterator[Any]]:
    """What starts an iteration over items that are kept once one has gone through all of them."""
    kept: list[list[Any]] = []

    def start() -> Iterator[Any]:
        if kept:
            yield from kept[0]
            return
        elements = []
        for element in items:
            elements.append(element)
            yield element
        kept.append(elements)

    return start


def interleave(
    items: Iterable[Any], make: Callable[[Any], Iterable[Any]], cycle: int, block: int
) -> Iterator[Any]:
    """`block` elements of each of `cycle` sequences in turn; a new one takes the place of an ended."""
    remaining = iter(items)
    slots: list[Iterator[Any]] = [iter(make(item)) for item in islice(remaining, cycle)]
    place = 0
    while slots:
        taken = 0
        for element in islice(slots[place], block):
            taken += 1
            yield element
        if taken == block:
            place += 1
        else:
            fresh = [iter(make(item)) for item in islice(remaining, 1)]
            slots[place : place + 1] = fresh
            place += len(fresh)
        place = place % len(slots) if slots else 0
