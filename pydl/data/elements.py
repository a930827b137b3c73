"""Elements of a pipeline: tuples and dicts with arrays as leaves; how several become a batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pydl.errors import ShapeError

__all__ = ["describe", "map_leaves", "pad", "rename", "stack", "unpack_call"]


def map_leaves(function: Callable, structure: Any, *others: Any) -> Any:
    """`function` of the leaves at the same place of structures of one form.

    Tuples and dicts are structures; a list is a leaf, as it is for NumPy.
    """
    if isinstance(structure, tuple):
        items = [map_leaves(function, *parts) for parts in zip(structure, *others)]
        return type(structure)(*items) if hasattr(structure, "_fields") else tuple(items)
    if isinstance(structure, dict):
        return {k: map_leaves(function, structure[k], *(o[k] for o in others)) for k in structure}
    return function(structure, *others)


def unpack_call(function: Callable, element: Any) -> Any:
    """`function(*element)` for a tuple, else `function(element)`."""
    return function(*element) if type(element) is tuple else function(element)


def stack(elements: Sequence[Any]) -> Any:
    """A batch of elements: every leaf gains a first axis.

    Raises:
        ShapeError: leaves of different shapes; the message says which element.
        ValueError: elements of different forms.
    """
    return _combine(elements, _stack_leaves)


def pad(elements: Sequence[Any], shapes: Any = None, values: Any = 0) -> Any:
    """A batch of elements, padded behind to one shape.

    Args:
        elements: The elements.
        shapes: For every leaf the sizes wanted, None for that of the longest; None for all.
        values: What to pad with, one for all or a structure like an element.
    """

    def pad_leaves(*leaves: Any, shape: Any, value: Any) -> np.ndarray:
        arrays = [np.asarray(leaf) for leaf in leaves]
        ranks = {array.ndim for array in arrays}
        if len(ranks) != 1:
            raise ShapeError(
                f"[Dataset.padded_batch] expected elements of one rank, got {sorted(ranks)}."
            )
        sizes = np.array([array.shape for array in arrays], int).reshape(len(arrays), -1)
        target = [int(n) for n in sizes.max(axis=0)]
        if shape is not None:
            if len(shape) != len(target):
                raise ShapeError(
                    f"[Dataset.padded_batch] expected elements of {len(shape)} axes, as in "
                    f"padded_shapes, got shape {arrays[0].shape}."
                )
            target = [n if w in (None, -1) else w for n, w in zip(target, shape)]
        dtype = np.result_type(*{array.dtype for array in arrays})
        batch = np.full((len(arrays), *target), value, dtype)
        for i, array in enumerate(arrays):
            if any(n > t for n, t in zip(array.shape, target)):
                raise ShapeError(
                    f"[Dataset.padded_batch] expected elements of at most {tuple(target)}, got "
                    f"{array.shape} in row {i} of the batch."
                )
            batch[(i, *(slice(0, n) for n in array.shape))] = array
        return batch

    def of_structure(first: Any, shapes: Any, values: Any, rows: Sequence[Any]) -> Any:
        if isinstance(first, (tuple, dict)):
            keys = first if isinstance(first, dict) else range(len(first))
            nested_shapes = isinstance(shapes, dict) or (
                isinstance(shapes, (tuple, list)) and isinstance(first, tuple)
            )
            parts = {
                k: of_structure(
                    first[k],
                    shapes[k] if nested_shapes else None,
                    values[k] if isinstance(values, (tuple, dict)) else values,
                    [row[k] for row in rows],
                )
                for k in keys
            }
            return parts if isinstance(first, dict) else tuple(parts.values())
        return pad_leaves(*rows, shape=shapes, value=values)

    _check_forms(elements)
    return of_structure(elements[0], shapes, values, elements)


def describe(element: Any) -> Any:
    """Shapes and dtypes of an element, for messages."""

    def of_leaf(leaf: Any) -> str:
        array = np.asarray(leaf)
        return f"{array.dtype}{list(array.shape)}"

    return map_leaves(of_leaf, element)


def rename(error: Exception, message: str) -> Exception:
    """An error of the same class where that takes one message, with `message` before its text."""
    text = str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error)
    for cls in (ShapeError, ValueError, TypeError, IndexError, KeyError, FileNotFoundError, OSError):
        if type(error) is cls:
            return cls(f"{message}: {text}")
    if isinstance(error, ValueError):
        return ValueError(f"{message}: {type(error).__name__}: {text}")
    return RuntimeError(f"{message}: {type(error).__name__}: {text}")


def _combine(elements: Sequence[Any], combine: Callable) -> Any:
    if isinstance(elements[0], (tuple, dict)):
        _check_forms(elements)
        return map_leaves(combine, *elements)
    return combine(*elements)


def _check_forms(elements: Sequence[Any]) -> None:
    wanted = _form(elements[0])
    for i, element in enumerate(elements):
        if _form(element) != wanted:
            raise ValueError(
                f"[Dataset.batch] expected elements of one form, got {describe(elements[0])} and, "
                f"in row {i} of the batch, {describe(element)}."
            )


def _form(element: Any) -> Any:
    if isinstance(element, tuple):
        return tuple(_form(item) for item in element)
    if isinstance(element, dict):
        return {key: _form(item) for key, item in element.items()}
    return None


def _stack_leaves(*leaves: Any) -> np.ndarray:
    arrays = [np.asarray(leaf) for leaf in leaves]
    shape = arrays[0].shape
    for i, array in enumerate(arrays):
        if array.shape != shape:
            raise ShapeError(
                f"[Dataset.batch] expected elements of shape {shape}, got {array.shape} in row {i} "
                "of the batch. Hint: padded_batch pads them to one shape."
            )
    return np.stack(arrays)
