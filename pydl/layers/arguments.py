"""Checks of constructor arguments that several layers share."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["check_data_format", "positive_int", "size_tuple"]


def positive_int(name: str, value: Any, layer: str) -> int:
    """Return `value` if it is an integer above zero; raise ValueError naming the argument."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value <= 0:
        raise ValueError(f"[{layer}] expected {name} to be a positive integer, got {value!r}.")
    return int(value)


def size_tuple(name: str, value: Any, rank: int, layer: str) -> tuple[int, ...]:
    """Return `value` as a tuple of `rank` positive integers; an integer counts for every axis."""
    values = tuple(value) if isinstance(value, (list, tuple)) else (value,) * rank
    if len(values) != rank:
        raise ValueError(f"[{layer}] expected {name} to have {rank} numbers, got {value!r}.")
    return tuple(positive_int(name, one, layer) for one in values)


def check_data_format(value: str | None, layer: str) -> str:
    """Return "channels_last" (also for None) or "channels_first"; raise ValueError otherwise."""
    value = "channels_last" if value is None else value
    if value not in ("channels_last", "channels_first"):
        raise ValueError(
            f"[{layer}] expected data_format to be channels_last or channels_first, got {value!r}."
        )
    return value
