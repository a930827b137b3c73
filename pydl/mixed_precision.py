"""Computing in 16 bits with weights in 32, under the names of `keras.mixed_precision`."""

from __future__ import annotations

from pydl.layers.dtype_policy import DTypePolicy, dtype_policy, set_dtype_policy
from pydl.optimizers import LossScaleOptimizer

__all__ = [
    "DTypePolicy",
    "LossScaleOptimizer",
    "Policy",
    "dtype_policy",
    "global_policy",
    "set_dtype_policy",
    "set_global_policy",
]

Policy, global_policy, set_global_policy = DTypePolicy, dtype_policy, set_dtype_policy
