"""pydl: deep learning in one small, fast library with kernels of its own."""

from pydl import _core
from pydl._core import Tensor
from pydl import autograd, config, errors, ops, random
from pydl.autograd import enable_grad, grad, is_grad_enabled, no_grad, value_and_grad
from pydl.config import (
    empty_cache,
    get_num_threads,
    memory_stats,
    set_memory_limit,
    set_num_threads,
)
from pydl.random import set_random_seed
from pydl.tensor import from_dlpack, from_numpy, tensor

__version__: str = _core.__version__

float32, float64, float16, bfloat16 = "float32", "float64", "float16", "bfloat16"
int8, uint8, int32, int64, bool_ = "int8", "uint8", "int32", "int64", "bool"

__all__ = [
    "Tensor",
    "__version__",
    "autograd",
    "config",
    "empty_cache",
    "enable_grad",
    "errors",
    "from_dlpack",
    "from_numpy",
    "get_num_threads",
    "grad",
    "is_grad_enabled",
    "memory_stats",
    "no_grad",
    "ops",
    "random",
    "set_memory_limit",
    "set_num_threads",
    "set_random_seed",
    "tensor",
    "value_and_grad",
]
