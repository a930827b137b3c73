"""Anything array-like to a Tensor, without a copy where none is needed."""

from __future__ import annotations

from typing import Any

import numpy as np

from pydl import _core
from pydl._core import Tensor
from pydl.tensor import tensor


def as_tensor(value: Any, dtype: str | None = None) -> Tensor:
    """`value` as a Tensor of `dtype`; a Tensor, or an array of that dtype, is not copied.

    Args:
        value: Tensor, numpy array, scalar, nested list, or anything that numpy can read.
        dtype: dtype of the result; None keeps that of `value`.
    """
    if not isinstance(value, Tensor):
        if isinstance(value, (bool, int, float, list, tuple)):
            return tensor(value, dtype)
        array = np.asarray(value)
        value = _core.as_tensor(array) if array.flags.writeable else tensor(array)
    return value if dtype is None or value.dtype == dtype else value.astype(dtype)
