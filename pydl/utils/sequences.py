"""Sequences of different lengths to one array."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

__all__ = ["pad_sequences"]


def pad_sequences(
    sequences: Sequence[Any],
    maxlen: int | None = None,
    dtype: Any = "int32",
    padding: str = "pre",
    truncating: str = "pre",
    value: Any = 0.0,
) -> np.ndarray:
    """Pads and cuts sequences to one length.

    Args:
        sequences: Lists or arrays, `(length, ...)` with sizes of their own on the first axis only.
        maxlen: The length wanted; None for that of the longest.
        dtype: The dtype of the result; `object` for strings of any length.
        padding: `"pre"` or `"post"`: the side on which `value` is put.
        truncating: `"pre"` or `"post"`: the side on which longer sequences are cut.
        value: What to pad with.

    Returns:
        An array `(number of sequences, maxlen, ...)`.

    Raises:
        ValueError: an item that is no sequence or of another shape; the message says which.

    Example:
        >>> pad_sequences([[1], [2, 3], [4, 5, 6]], maxlen=2)
        array([[0, 1],
               [2, 3],
               [5, 6]], dtype=int32)
    """
    for name, side in (("padding", padding), ("truncating", truncating)):
        if side not in ("pre", "post"):
            raise ValueError(f"[pad_sequences] expected {name} 'pre' or 'post', got {side!r}.")
    if not hasattr(sequences, "__len__"):
        raise ValueError(
            f"[pad_sequences] expected a list of sequences, got {type(sequences).__name__}."
        )
    for i, sequence in enumerate(sequences):
        if not hasattr(sequence, "__len__"):
            raise ValueError(f"[pad_sequences] expected sequences, got {sequence!r} in row {i}.")
    is_text = dtype is object or np.dtype(dtype).kind in "SUO"
    if isinstance(value, str) and not is_text:
        raise ValueError(
            f"[pad_sequences] expected a number to pad {dtype} with, got {value!r}. "
            "Hint: dtype=object holds strings of any length."
        )
    if maxlen is None:
        maxlen = max(map(len, sequences), default=0)
    elif maxlen < 0:
        raise ValueError(f"[pad_sequences] expected maxlen of at least 0, got {maxlen}.")
    rest = next((np.asarray(s).shape[1:] for s in sequences if len(s)), ())
    padded = np.full((len(sequences), maxlen, *rest), value, dtype)
    if maxlen == 0:
        return padded
    for i, sequence in enumerate(sequences):
        kept = sequence[-maxlen:] if truncating == "pre" else sequence[:maxlen]
        try:
            kept = np.asarray(kept, dtype)
        except (ValueError, TypeError) as error:
            raise type(error)(
                f"[pad_sequences] expected items of {dtype} in row {i}: {error}. "
                "Hint: dtype=object holds strings"
            ) from None
        if not len(kept):
            continue
        if kept.shape[1:] != rest:
            raise ValueError(
                f"[pad_sequences] expected items of shape {rest}, as in the first sequence, got "
                f"{kept.shape[1:]} in row {i}."
            )
        start = maxlen - len(kept) if padding == "pre" else 0
        padded[i, start : start + len(kept)] = kept
    return padded
