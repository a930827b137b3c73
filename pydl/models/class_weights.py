"""Weights of classes as weights of samples."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

import numpy as np


def with_class_weight(
    batch: tuple[Any, Any, Any], class_weight: dict[int, float] | None
) -> tuple[Any, Any, Any]:
    """`batch` with the sample weights that `class_weight` means.

    Args:
        batch: `(x, y, sample_weight)`; `y` holds class numbers, or one-hot rows.
        class_weight: weight of each class; others weigh 1. None changes nothing.

    Raises:
        TypeError: `class_weight` is no dict of numbers by class number.
        ValueError: several outputs, no targets, or sample weights beside class weights.
    """
    if class_weight is None:
        return batch
    if not isinstance(class_weight, dict) or not all(
        isinstance(number, Integral) and isinstance(weight, Real)
        for number, weight in class_weight.items()
    ):
        raise TypeError(
            f"[class_weight] expected a dict of weights by class number, got {class_weight!r}"
        )
    x, y, sample_weight = batch
    if (
        y is None
        or isinstance(y, (dict, tuple))
        or (isinstance(y, list) and hasattr(y[0], "shape"))
    ):
        raise ValueError("[class_weight] expected one array of targets y, got several or none")
    if sample_weight is not None:
        raise ValueError("[class_weight] expected no sample weights beside class_weight, got both")
    labels = np.asarray(y)
    if labels.ndim > 1:
        labels = labels.argmax(-1) if labels.shape[-1] > 1 else labels[..., 0]
    if labels.dtype.kind == "f" and np.isnan(labels).any():
        raise ValueError("[class_weight] expected class numbers as targets y, got NaN")
    classes, positions = np.unique(labels, return_inverse=True)
    weights = np.array([class_weight.get(int(c), 1.0) for c in classes], "float32")
    return x, y, weights[positions].reshape(labels.shape)
