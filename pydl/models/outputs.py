"""The outputs of a model by name, and what their targets look like."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def is_several(value: Any) -> bool:
    """Whether `value` is a list, tuple or dict of arrays rather than one array."""
    return isinstance(value, (list, tuple, dict))


def as_dict(what: str, value: Any, names: Sequence[str] | None) -> dict[str, Any]:
    """One item an output by name; lists go by position.

    Args:
        what: name of the argument in error messages.
        value: one array, or a list or dict of them.
        names: names of the outputs; None numbers them.

    Raises:
        ValueError: a list of another length than `names`.
    """
    if isinstance(value, dict):
        return value
    if not is_several(value):
        return {names[0] if names else "output_1": value}
    if not names:
        return {f"output_{i + 1}": item for i, item in enumerate(value)}
    if len(value) != len(names):
        raise ValueError(
            f"[{what}] expected one item for each of the outputs {list(names)}, got {len(value)}"
        )
    return dict(zip(names, value))


def kind_of_labels(y_true: Any, y_pred: Any) -> str:
    """What class labels look like beside predictions: `binary`, `sparse` or `one_hot`."""
    true_shape, pred_shape = tuple(y_true.shape), tuple(y_pred.shape)
    if not pred_shape or pred_shape[-1] == 1:
        return "binary"
    if len(true_shape) < len(pred_shape) or true_shape[-1] == 1:
        return "sparse"
    return "one_hot"
