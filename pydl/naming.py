"""Default names of layers, models and variables, and the path of names that leads to each."""

from __future__ import annotations

import re
import threading
from collections import Counter
from contextlib import contextmanager

__all__ = ["auto_name", "clear_names", "current_path", "name_scope", "to_snake_case"]

_counts: Counter = Counter()


class _Scopes(threading.local):
    names: tuple[str, ...] = ()


_scopes = _Scopes()


def to_snake_case(class_name: str) -> str:
    """Return the name that Keras derives from a class: `MaxPooling2D` gives `max_pooling2d`."""
    name = re.sub(r"\W+", "", class_name)
    name = re.sub(r"(.)([A-Z][a-z0-9]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


def auto_name(class_name: str) -> str:
    """Return a name not given before in this process: `dense`, `dense_1`, `dense_2`, ..."""
    prefix = to_snake_case(class_name)
    count = _counts[prefix]
    _counts[prefix] += 1
    return f"{prefix}_{count}" if count else prefix


def clear_names() -> None:
    """Start the counters of default names anew."""
    _counts.clear()


@contextmanager
def name_scope(name: str):
    """Prefix the path of every variable created inside with `name`."""
    outer = _scopes.names
    _scopes.names = (*outer, name)
    try:
        yield
    finally:
        _scopes.names = outer


def current_path() -> str:
    """Return the open name scopes joined by slashes, or an empty string."""
    return "/".join(_scopes.names)
