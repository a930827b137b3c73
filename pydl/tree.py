"""Nested structures: lists, tuples and dicts with anything else as leaves.

>>> from pydl import tree
>>> tree.map_structure(lambda leaf: leaf + 1, {"a": 1, "b": [2, 3]})
{'a': 2, 'b': [3, 4]}
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

__all__ = ["flatten", "map_structure", "pack_sequence_as"]


def flatten(structure: Any) -> list:
    """Return the leaves of `structure`, depth first; dicts keep their insertion order."""
    if isinstance(structure, (list, tuple)):
        return [leaf for item in structure for leaf in flatten(item)]
    if isinstance(structure, dict):
        return [leaf for item in structure.values() for leaf in flatten(item)]
    return [structure]


def map_structure(function: Callable, structure: Any) -> Any:
    """Return a structure of the same form whose leaves are `function(leaf)`."""
    if isinstance(structure, (list, tuple)):
        return _like(structure, [map_structure(function, item) for item in structure])
    if isinstance(structure, dict):
        return {key: map_structure(function, item) for key, item in structure.items()}
    return function(structure)


def pack_sequence_as(structure: Any, leaves: list) -> Any:
    """Return a structure of the same form as `structure` that holds `leaves` in order."""
    remaining: Iterator = iter(leaves)
    return map_structure(lambda _: next(remaining), structure)


def _like(sequence: list | tuple, items: list) -> list | tuple:
    if hasattr(sequence, "_fields"):
        return type(sequence)(*items)
    return tuple(items) if isinstance(sequence, tuple) else items
