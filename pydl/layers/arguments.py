"""Checks of constructor arguments that several layers share."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["check_data_format", "positive_int", "side_pairs", "size_tuple"]


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


def side_pairs(name: str, value: Any, rank: int, layer: str) -> tuple[tuple[int, int], ...]:
    """Return `value` as a pair (before, after) of numbers for each of `rank` axes.

    One number counts for all sides, a number in place of a pair for both sides of its axis.
    """
    if isinstance(value, int):
        value = (value,) * rank
    elif rank == 1 and all(isinstance(one, int) for one in value):
        value = (value,)
    pairs = tuple((one, one) if isinstance(one, int) else tuple(one) for one in value)
    if len(pairs) != rank or any(len(pair) != 2 or min(pair) < 0 for pair in pairs):
        raise ValueError(
            f"[{layer}] expected {name} to be a number, or a number or a pair (before, after) for "
            f"each of {rank} axes, none negative, got {value!r}."
        )
    return pairs
