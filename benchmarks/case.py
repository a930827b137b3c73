"""What one benchmark is. A `Case` drives its row in the report and its pytest-benchmark tests."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Arrays = tuple[Any, ...]


@dataclass(frozen=True, eq=False)
class Case:
    """One operation on one size of input, in every library that has it.

    Args:
        family: the group it belongs to: "gemm", "conv", ...
        name: what it is and how big.
        inputs: makes the NumPy inputs from a random generator.
        run: by library (see `libraries.py`), what to time. A value is a function of the library's
            module and its inputs; or an `Onnx` node. A library may have variants, "torch:nhwc":
            the report takes the fastest.
        prepare: like `run`, but the function is called once, untimed, with the module and the
            inputs, and returns the function without arguments that is timed. For optimizers,
            training steps and the like.
        gradient: positions of the inputs whose gradients are computed too; () times forward only.
        adapt: by library, converts its inputs to the layout that it likes best, untimed.
        flops: floating-point operations of one operation, for the machine's limit.
        bytes: bytes that one operation has to read and write at least, for the limit too.
        calls: how many operations one call holds, such as training steps in an epoch.
        rotate: whether sets of inputs take turns. Not for networks, each of which would be built
            for every set, and whose weights fill the caches anyway.
    """

    family: str
    name: str
    inputs: Callable[[np.random.Generator], Arrays]
    run: Mapping[str, Any] = field(default_factory=dict)
    prepare: Mapping[str, Callable[..., Callable[[], Any]]] = field(default_factory=dict)
    gradient: tuple[int, ...] = ()
    adapt: Mapping[str, Callable[..., Arrays]] = field(default_factory=dict)
    flops: float = 0
    bytes: float = 0
    calls: int = 1
    rotate: bool = True

    @property
    def variants(self) -> tuple[str, ...]:
        return (*self.run, *self.prepare)

    def __str__(self) -> str:
        return f"{self.family}: {self.name}"


@dataclass(frozen=True)
class Onnx:
    """An ONNX node for ONNX Runtime to run.

    Args:
        operator: "MatMul", "Conv", ...
        attributes: of the node.
        constants: positions of inputs that are weights, which ONNX Runtime may repack beforehand.
    """

    operator: str
    attributes: Mapping[str, Any] = field(default_factory=dict)
    constants: tuple[int, ...] = ()


def floats(*shapes: tuple[int, ...] | int) -> Callable[[np.random.Generator], Arrays]:
    """Returns a maker of normally distributed float32 arrays of these shapes."""
    return lambda random: tuple(random.standard_normal(s, np.float32) for s in shapes)
