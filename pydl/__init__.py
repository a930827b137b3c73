"""pydl: deep learning in one small, fast library with kernels of its own."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from pydl import _core
from pydl._core import Tensor
from pydl import autograd, config, cuda, errors, ops, random
from pydl.autograd import enable_grad, grad, is_grad_enabled, no_grad, value_and_grad
from pydl.config import (
    empty_cache,
    get_num_threads,
    memory_stats,
    set_memory_limit,
    set_num_threads,
)
from pydl.device import device
from pydl.random import set_random_seed
from pydl.tensor import from_dlpack, from_numpy, tensor

if TYPE_CHECKING:
    from pydl import (
        activations,
        applications,
        backend,
        callbacks,
        constraints,
        data,
        datasets,
        dtype_policies,
        extension,
        generation,
        initializers,
        layers,
        losses,
        metrics,
        mixed_precision,
        models,
        optimizers,
        preprocessing,
        quantizers,
        regularizers,
        saving,
        sklearn,
        testing,
        tree,
        utils,
        visualization,
    )
    from pydl.dtype_policies import DTypePolicy, FloatDTypePolicy
    from pydl.initializers import Initializer
    from pydl.layers import Input, InputSpec, KerasTensor, Layer
    from pydl.layers.remat import RematScope, remat
    from pydl.losses import Loss
    from pydl.metrics import Metric
    from pydl.models import Model, Sequential
    from pydl.naming import name_scope
    from pydl.optimizers import Optimizer
    from pydl.quantizers import Quantizer
    from pydl.regularizers import Regularizer
    from pydl.variable import Variable

__version__: str = _core.__version__

float32, float64, float16, bfloat16 = "float32", "float64", "float16", "bfloat16"
int8, uint8, int32, int64, bool_ = "int8", "uint8", "int32", "int64", "bool"

# The Keras world is imported when it is first used, so that `import pydl` stays fast.
_MODULES = (
    "activations", "applications", "backend", "callbacks", "constraints", "data", "datasets",
    "dtype_policies", "extension", "generation", "initializers", "layers", "losses", "metrics", "mixed_precision",
    "models", "optimizers", "preprocessing", "quantizers", "regularizers", "saving", "sklearn", "testing", "tree",
    "utils", "visualization",
)  # fmt: skip
_NAMES = {
    "DTypePolicy": "pydl.dtype_policies",
    "FloatDTypePolicy": "pydl.dtype_policies",
    "Initializer": "pydl.initializers",
    "Input": "pydl.layers",
    "InputSpec": "pydl.layers",
    "KerasTensor": "pydl.layers",
    "Layer": "pydl.layers",
    "Loss": "pydl.losses",
    "Metric": "pydl.metrics",
    "Model": "pydl.models",
    "Optimizer": "pydl.optimizers",
    "Quantizer": "pydl.quantizers",
    "Regularizer": "pydl.regularizers",
    "RematScope": "pydl.layers.remat",
    "Sequential": "pydl.models",
    "Variable": "pydl.variable",
    "name_scope": "pydl.naming",
    "remat": "pydl.layers.remat",
}


def version() -> str:
    """The version of pydl."""
    return __version__


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f"pydl.{name}")
    if name in _NAMES:
        value = getattr(importlib.import_module(_NAMES[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'pydl' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)


__all__ = [
    "DTypePolicy",
    "FloatDTypePolicy",
    "Initializer",
    "Input",
    "InputSpec",
    "KerasTensor",
    "Layer",
    "Loss",
    "Metric",
    "Model",
    "Optimizer",
    "Quantizer",
    "Regularizer",
    "RematScope",
    "Sequential",
    "Tensor",
    "Variable",
    "__version__",
    "activations",
    "applications",
    "autograd",
    "backend",
    "callbacks",
    "config",
    "constraints",
    "cuda",
    "data",
    "datasets",
    "device",
    "dtype_policies",
    "empty_cache",
    "enable_grad",
    "errors",
    "extension",
    "from_dlpack",
    "from_numpy",
    "generation",
    "get_num_threads",
    "grad",
    "initializers",
    "is_grad_enabled",
    "layers",
    "losses",
    "memory_stats",
    "metrics",
    "mixed_precision",
    "models",
    "name_scope",
    "no_grad",
    "ops",
    "optimizers",
    "preprocessing",
    "quantizers",
    "random",
    "regularizers",
    "remat",
    "saving",
    "set_memory_limit",
    "set_num_threads",
    "set_random_seed",
    "sklearn",
    "tensor",
    "testing",
    "tree",
    "utils",
    "value_and_grad",
    "version",
    "visualization",
]
