"""What the layers inside a running model know of the call around them."""

from __future__ import annotations

import itertools
import threading

__all__ = ["context", "new_call_id"]


class _Context(threading.local):
    """State of this thread.

    training: None outside of any model; inside, whether the outermost call is a training call.
    call_id: number of the outermost call, by which `losses` tells new losses from old ones.
    added_losses: where `remat` wants to know the losses that layers add, as (layer, place, loss).
    repeats: whether `remat` runs a function again, whose losses layers have already.
    """

    training: bool | None = None
    call_id: int = 0
    added_losses: list | None = None
    repeats: bool = False


context = _Context()
_call_ids = itertools.count(1)


def new_call_id() -> int:
    """Return a number larger than any returned before."""
    return next(_call_ids)
