"""How far a case's result is from the same computation in float64."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np

from benchmarks import libraries
from benchmarks.case import Case, Onnx
from benchmarks.timing import input_sets

_MOST_FLOPS = 3e10  # a reference in float64 takes too long beyond


def error(case: Case) -> float | None:
    """Returns the largest error of pydl's result, as a share of the largest exact value.

    The reference is the case's own function in NumPy, or else in JAX, on the same inputs in
    float64, rounded to bfloat16 if that is what pydl gets.

    Args:
        case: the benchmark, whose first set of inputs counts.

    Returns:
        None where the case has no such function, its result is not floating point or is random, or
        it is too large to be computed again.
    """
    peer = _reference_library(case)
    if peer is None or "pydl" not in case.run or case.flops > _MOST_FLOPS:
        return None
    inputs = input_sets(case)[0]
    ours = list(_arrays(libraries.prepare(case, "pydl", inputs)()))
    if not all(array.dtype.kind == "f" for array in ours):
        return None
    exact = _exact(case, peer, inputs)
    return max(_relative(a, b) for a, b in zip(ours, exact, strict=True))


def _reference_library(case: Case) -> str | None:
    if case.family == "random":
        return None
    usable = ("jax",) if case.gradient else ("numpy", "jax")
    found = (name for name in usable if case.run.get(name) and libraries.load(name))
    return next((name for name in found if not isinstance(case.run[name], Onnx)), None)


def _exact(case: Case, peer: str, inputs: tuple[Any, ...]) -> list[np.ndarray]:
    if adapt := case.adapt.get("pydl"):
        inputs = tuple(_arrays(adapt(*map(libraries.load("pydl").tensor, inputs))))
    case = dataclasses.replace(case, adapt={})
    wide = tuple(a.astype("float64") if a.dtype.kind == "f" else a for a in inputs)
    if peer == "numpy":
        return list(_arrays(libraries.prepare(case, peer, wide)()))
    jax = libraries.load("jax")
    with jax.enable_x64(True):
        result = libraries.prepare(case, peer, wide)()
        return list(_arrays(result[1] if case.gradient else result))  # not the output too


def _arrays(result: Any) -> Iterator[np.ndarray]:
    for value in result if isinstance(result, (tuple, list)) else (result,):
        if str(value.dtype) in ("bfloat16", "float16"):
            value = value.astype("float32")
        yield np.asarray(value)


def _relative(mine: np.ndarray, exact: np.ndarray) -> float:
    largest = np.abs(exact).max(initial=0)
    return float(np.abs(mine - exact).max(initial=0) / largest) if largest else 0.0
