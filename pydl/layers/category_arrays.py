"""Numbers of categories as rows of zeros, ones and counts; strings as arrays."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from pydl._core import Tensor

__all__ = [
    "as_array",
    "as_numbers",
    "as_text",
    "batches",
    "check_mode",
    "check_range",
    "encode",
    "encode_rows",
    "rows_shape",
    "text_list",
]

_RENAMED = {"binary": "multi_hot", "tf-idf": "tf_idf"}


def check_mode(owner: str, mode: str, allowed: tuple[str, ...], sparse: bool = False) -> str:
    """The output mode by its name of today.

    Raises:
        ValueError: another mode, or sparse outputs, which pydl has none of.
    """
    mode = _RENAMED.get(mode, mode)
    if mode not in allowed:
        raise ValueError(f"[{owner}] expected output_mode in {list(allowed)}, got {mode!r}.")
    if sparse:
        raise ValueError(f"[{owner}] expected sparse=False: pydl has no sparse tensors.")
    return mode


def as_array(owner: str, values: Any, dtype: Any = None) -> np.ndarray:
    """Tensors, lists and pandas objects as an array, of `dtype` where they have none.

    Raises:
        ValueError: lists of different lengths.
    """
    if isinstance(values, Tensor):
        return values.numpy()
    try:
        return np.asarray(values, dtype)
    except ValueError as error:
        raise ValueError(
            f"[{owner}] expected an array, or lists of equal lengths, got {type(values).__name__}: "
            f"{error}."
        ) from None


def as_numbers(owner: str, values: Any, dtype: str | None = None) -> np.ndarray:
    """Numbers as an array, of `dtype` if given; integers are floats without their fraction.

    Raises:
        TypeError: strings or other objects.
        ValueError: NaN or an infinity where integers are asked for; the message names its place.
    """
    array = as_array(owner, values)
    if array.dtype.kind == "O":
        array = as_array(owner, array.tolist())
    if array.dtype.kind not in "biuf":
        raise TypeError(f"[{owner}] expected numbers, got an array of {array.dtype}.")
    if dtype is None:
        return array
    if array.dtype.kind == "f" and np.dtype(dtype).kind == "i":
        wrong = np.flatnonzero(~np.isfinite(array))
        if wrong.size:
            raise ValueError(
                f"[{owner}] expected integers, got {array.flat[wrong[0]]} in element {wrong[0]}."
            )
    return array.astype(dtype)


def batches(owner: str, data: Any, steps: int | None = None) -> Iterator[Any]:
    """The first `steps` batches of an iterable, or all of them.

    Raises:
        TypeError: data that cannot be iterated over.
    """
    if not isinstance(data, Iterable):
        raise TypeError(
            f"[{owner}] expected an array or an iterable of batches, got {type(data).__name__}."
        )
    return itertools.islice(data, steps)


def as_text(owner: str, values: Any) -> np.ndarray:
    """Strings, or bytes in UTF-8, as an object array of str.

    Raises:
        TypeError: an item that is no string; the message names its place.
        ValueError: bytes that are not in UTF-8.
    """
    array = values if isinstance(values, np.ndarray) else as_array(owner, values, object)
    if array.dtype.kind == "U":
        return array.astype(object)
    if array.dtype.kind == "S":
        array = array.astype(object)
    if array.dtype.kind != "O":
        raise TypeError(f"[{owner}] expected strings, got an array of {array.dtype}.")
    flat = array.ravel()
    kinds = set(map(type, flat))
    if kinds <= {str}:
        return array
    cleaned = np.empty(flat.size, dtype=object)
    for i, item in enumerate(flat):
        if isinstance(item, bytes):
            try:
                item = item.decode("utf-8")
            except UnicodeDecodeError as error:
                raise ValueError(
                    f"[{owner}] expected bytes in UTF-8, got {item!r} in element {i}: {error}."
                ) from None
        if not isinstance(item, str):
            raise TypeError(
                f"[{owner}] expected strings, got {item!r} of type {type(item).__name__} in "
                f"element {i}."
            )
        cleaned[i] = str(item)
    return cleaned.reshape(array.shape)


def text_list(array: np.ndarray) -> list[str]:
    """The strings of an object array, row by row."""
    return array.ravel().tolist()


def check_range(owner: str, indices: np.ndarray, depth: int) -> None:
    """Raises ValueError for a number outside of 0 to depth - 1, with its row."""
    wrong = (indices < 0) | (indices >= depth)
    if wrong.any():
        place = int(np.flatnonzero(wrong)[0])
        row = place // max(1, indices.size // max(1, len(indices))) if indices.ndim else 0
        raise ValueError(
            f"[{owner}] expected integers from 0 to {depth - 1}, got {indices.flat[place]} in row "
            f"{row}."
        )


def encode(
    indices: np.ndarray, mode: str, depth: int, dtype: str, weights: np.ndarray | None = None
) -> np.ndarray:
    """Rows of `depth` for numbers of categories, of which negative ones count for nothing.

    Args:
        indices: `(..., items)`, or a single number.
        mode: `"one_hot"` a row for every item (a last axis of size 1 goes away), `"multi_hot"` and
            `"count"` a row for all items of the last axis.
        depth: The length of the rows.
        dtype: Of the result.
        weights: What each item counts for, like `indices`.
    """
    indices = np.atleast_1d(indices)
    if mode == "one_hot":
        if indices.ndim > 1 and indices.shape[-1] == 1:
            indices = indices[..., 0]
        rows = np.zeros((indices.size, depth), dtype)
        known = np.flatnonzero(indices.ravel() >= 0)
        rows[known, indices.ravel()[known]] = 1
        return rows.reshape(*indices.shape, depth)
    items = indices.reshape(-1, indices.shape[-1])
    row_of = np.repeat(np.arange(len(items)), items.shape[1])
    flat_weights = None if weights is None else np.broadcast_to(weights, indices.shape).ravel()
    rows = encode_rows(items.ravel(), row_of, len(items), mode, depth, dtype, flat_weights)
    return rows.reshape(*indices.shape[:-1], depth)


def rows_shape(input_shape: Sequence[int | None], mode: str, depth: int | None) -> tuple:
    """The shape of what `encode` returns."""
    shape = tuple(input_shape)
    if mode == "one_hot":
        return (shape[:-1] if len(shape) > 1 and shape[-1] == 1 else shape) + (depth,)
    return shape[:-1] + (depth,)


def encode_rows(
    indices: np.ndarray,
    row_of: np.ndarray,
    count: int,
    mode: str,
    depth: int,
    dtype: str,
    weights: np.ndarray | None = None,
) -> np.ndarray:
    """`count` rows of `depth`: item `i` is number `indices[i]` of row `row_of[i]`."""
    rows = np.zeros(count * depth, dtype)
    known = indices >= 0
    places = row_of[known] * depth + indices[known]
    if mode == "multi_hot":
        rows[places] = 1
    else:
        np.add.at(rows, places, 1 if weights is None else weights[known].astype(dtype))
    return rows.reshape(count, depth)
