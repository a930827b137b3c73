"""All benchmarks, one module a family or two. A new module is found by its name in `_MODULES`."""

from __future__ import annotations

import importlib

from benchmarks.case import Case

_MODULES = (
    "small", "elementwise", "reduce", "shape", "gemm", "low_precision", "conv", "pool", "norm", "loss",
    "embedding", "attention", "generation", "recurrent", "random", "optimizer", "layers", "image",
    "text", "training", "models",
)  # fmt: skip


def all_cases(device: str = "cpu") -> list[Case]:
    """Returns every case, in the order of the report; a GPU has larger ones besides."""
    return [
        case
        for module in (*_MODULES, *(("large",) if device == "gpu" else ()))
        for case in importlib.import_module(f"benchmarks.cases.{module}").CASES
    ]
