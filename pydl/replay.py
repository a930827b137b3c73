"""What functions change besides what they return, so that they can run again as they ran before."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

from pydl import _core
from pydl._core import Tensor

__all__ = ["Effects", "about_to_change", "watched"]


class _Watching(threading.local):
    """The effects that are being gathered in this thread, of functions one inside the other."""

    def __init__(self) -> None:
        self.effects: list[Effects] = []


_watching = _Watching()


class Effects:
    """The random streams and the state that a function used up or changed, as they were before."""

    def __init__(self) -> None:
        self._before: dict[int, tuple[Any, Any]] = {}

    def note(self, thing: Any) -> None:
        """Remember what a stream or a tensor is before its first change."""
        if id(thing) not in self._before:
            self._before[id(thing)] = thing, _state_of(thing)

    @contextlib.contextmanager
    def undone(self) -> Iterator[None]:
        """Within it, everything is as it was before; afterwards, as it is now."""
        now = [(thing, _state_of(thing)) for thing, _ in self._before.values()]
        try:
            for thing, state in self._before.values():
                _set_state(thing, state)
            yield
        finally:
            for thing, state in now:
                _set_state(thing, state)


@contextlib.contextmanager
def watched() -> Iterator[Effects]:
    """Gathers the effects of what runs within it."""
    effects = Effects()
    _watching.effects.append(effects)
    try:
        yield effects
    finally:
        _watching.effects.pop()


def about_to_change(thing: Any) -> None:
    """Tell those who watch that a random stream or the values of a tensor will change now."""
    for effects in _watching.effects:
        effects.note(thing)


def _state_of(thing: Any) -> Any:
    return thing.detach().copy() if isinstance(thing, Tensor) else thing.state


def _set_state(thing: Any, state: Any) -> None:
    if isinstance(thing, Tensor):
        _core.assign_(thing.detach(), state)
    else:
        thing.state = state
