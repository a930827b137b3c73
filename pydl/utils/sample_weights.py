"""Batches of inputs, targets and weights as one tuple."""

from __future__ import annotations

from typing import Any

__all__ = ["pack_x_y_sample_weight", "unpack_x_y_sample_weight"]


def pack_x_y_sample_weight(x: Any, y: Any = None, sample_weight: Any = None) -> Any:
    """A batch as `fit` takes it: a tuple without the parts that are None.

    Example:
        >>> pydl.utils.pack_x_y_sample_weight(1, 2)
        (1, 2)
    """
    if y is None:
        return x if not isinstance(x, (tuple, list)) else (x,)
    return (x, y) if sample_weight is None else (x, y, sample_weight)


def unpack_x_y_sample_weight(data: Any) -> tuple[Any, Any, Any]:
    """Inputs, targets and weights of a batch, None for what it lacks.

    Raises:
        ValueError: a tuple of more than three.

    Example:
        >>> pydl.utils.unpack_x_y_sample_weight((1, 2))
        (1, 2, None)
    """
    parts = tuple(data) if isinstance(data, (tuple, list)) else (data,)
    if not 1 <= len(parts) <= 3:
        raise ValueError(
            f"[unpack_x_y_sample_weight] expected x, (x, y) or (x, y, sample_weight), got {len(parts)} "
            "parts."
        )
    return (*parts, *[None] * (3 - len(parts)))
