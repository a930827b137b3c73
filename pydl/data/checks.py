"""Checks of the arguments of data sets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from numbers import Integral
from typing import Any

__all__ = ["check_counts", "check_datasets", "check_iterable", "checked_range"]


def check_counts(method: str, least: int = 1, end: int | None = None, **values: Any) -> None:
    """Raises TypeError for an argument that is no integer, ValueError for one out of range."""
    for name, value in values.items():
        if not isinstance(value, Integral):
            raise TypeError(f"[Dataset.{method}] expected {name} to be an integer, got {value!r}.")
        if value < least:
            raise ValueError(
                f"[Dataset.{method}] expected {name} to be at least {least}, got {value}."
            )
        if end is not None and value >= end:
            raise ValueError(f"[Dataset.{method}] expected {name} below {end}, got {value}.")


def check_datasets(method: str, kind: type, parts: Sequence[Any]) -> None:
    """Raises TypeError unless there are data sets, and nothing else."""
    if not parts or not all(isinstance(part, kind) for part in parts):
        raise TypeError(f"[Dataset.{method}] expected at least one data set, got {parts!r}.")


def checked_range(args: tuple[Any, ...]) -> range:
    """`range(*args)`, or its TypeError or ValueError with the name of the method."""
    try:
        return range(*args)
    except (TypeError, ValueError) as error:
        raise type(error)(
            f"[Dataset.range] expected the arguments of range(), got {args}: {error}."
        ) from None


def check_iterable(method: str, made: Any) -> Iterable[Any]:
    """Returns what a function made of an element, or raises TypeError if it has no elements."""
    if not isinstance(made, Iterable):
        raise TypeError(
            f"[Dataset.{method}] expected map_func to make data sets or other iterables, got "
            f"{type(made).__name__}."
        )
    return made
