"""What code for several frameworks asks about the one it runs on, under the names of `keras.backend`."""

from __future__ import annotations

import itertools
from collections import defaultdict
from typing import Any

from pydl import _core
from pydl.layers.dtype_policy import DTypePolicy, dtype_policy, set_dtype_policy
from pydl.layers.keras_tensor import KerasTensor
from pydl.naming import clear_names
from pydl.typing import DTypeLike

__all__ = [
    "backend",
    "clear_session",
    "dtype_policy",
    "epsilon",
    "floatx",
    "get_uid",
    "image_data_format",
    "is_float_dtype",
    "is_int_dtype",
    "is_keras_tensor",
    "result_type",
    "set_dtype_policy",
    "set_floatx",
    "standardize_dtype",
]

_counts: dict[str, Any] = defaultdict(lambda: itertools.count(1))


def backend() -> str:
    """The name of what computes: "pydl"."""
    return "pydl"


def clear_session(free_memory: bool = True) -> None:
    """Begin to name layers and models from the start again.

    Args:
        free_memory: Whether to give memory that is kept for reuse back to the system.

    Example:
        >>> pydl.backend.clear_session()
        >>> pydl.layers.Dense(1).name
        'dense'
    """
    clear_names()
    _counts.clear()
    if free_memory:
        _core.empty_cache()


def epsilon() -> float:
    """The small number that keeps losses and metrics from dividing by 0: 1e-7."""
    return 1e-7


def floatx() -> str:
    """The dtype of the weights of layers that are given none.

    Example:
        >>> pydl.backend.floatx()
        'float32'
    """
    return dtype_policy().variable_dtype


def set_floatx(value: str) -> None:
    """Make layers that are given no dtype have weights of another one, and compute with it.

    Functions such as `ops.zeros` still make float32 where they are given none.

    Args:
        value: "float16", "bfloat16", "float32" or "float64".

    Raises:
        ValueError: another value.
    """
    if value not in ("float16", "bfloat16", "float32", "float64"):
        raise ValueError(f"[set_floatx] expected a floating dtype, got {value!r}.")
    set_dtype_policy(DTypePolicy(value))


def image_data_format() -> str:
    """Where layers that are not told expect the channels of images: "channels_last"."""
    return "channels_last"


def get_uid(prefix: str = "") -> int:
    """How often this was called with the prefix.

    Example:
        >>> pydl.backend.clear_session()
        >>> pydl.backend.get_uid("a"), pydl.backend.get_uid("a")
        (1, 2)
    """
    return next(_counts[prefix])


def standardize_dtype(dtype: DTypeLike | None) -> str:
    """The name of a dtype; that of `floatx()` for None.

    Raises:
        DTypeError: there is no such dtype.

    Example:
        >>> pydl.backend.standardize_dtype(np.int64)
        'int64'
    """
    return floatx() if dtype is None else _core.empty((0,), dtype).dtype


def is_float_dtype(dtype: DTypeLike) -> bool:
    """Whether a dtype is floating.

    Example:
        >>> pydl.backend.is_float_dtype("bfloat16"), pydl.backend.is_float_dtype("int8")
        (True, False)
    """
    return "float" in standardize_dtype(dtype)


def is_int_dtype(dtype: DTypeLike) -> bool:
    """Whether a dtype is of integers."""
    return "int" in standardize_dtype(dtype)


def is_keras_tensor(x: Any) -> bool:
    """Whether `x` is a `KerasTensor`, which stands for data to come.

    Example:
        >>> pydl.backend.is_keras_tensor(pydl.Input((3,)))
        True
    """
    return isinstance(x, KerasTensor)


def result_type(*dtypes: DTypeLike) -> str:
    """The dtype that tensors of several dtypes are brought to; `float` and `int` are Python numbers.

    Example:
        >>> pydl.backend.result_type("int32", "float16"), pydl.backend.result_type("int8", float)
        ('float16', 'float32')
    """
    if not dtypes:
        return floatx()
    named = [standardize_dtype(d) for d in dtypes if d not in (float, int, None)]
    if not named:
        return "float32" if float in dtypes else "int32"
    dtype = _core.concatenate([_core.empty((0,), d) for d in named], 0).dtype
    return "float32" if float in dtypes and "float" not in dtype else dtype
