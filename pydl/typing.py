"""Types that annotations use."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Union

from pydl._core import Tensor

ArrayLike = Union[Tensor, float, int, bool, Sequence[Any], Any]
"""A Tensor, a number, nested lists, a numpy array, or anything with ``__array__``."""

DTypeLike = Union[str, type, Any]
"""A dtype's name such as ``"float32"``, a Python number type, or a numpy dtype."""

Shape = Union[int, Sequence[int]]
"""One extent or a sequence of extents."""

Axis = Union[int, Sequence[int], None]
"""One axis, several, or None for all; negative ones count from the end."""
