"""Optimizer steps over all parameters of a model."""

from __future__ import annotations

import numpy

from benchmarks.case import Case


def _tensors(count: int, size: int):
    def inputs(random):
        # Parameters, gradients, and the two moments, which start at zero.
        values = [random.standard_normal(size, numpy.float32) for _ in range(2 * count)]
        return (*values, *(numpy.zeros(size, numpy.float32) for _ in range(2 * count)))

    return inputs


def _quarters(tensors):
    count = len(tensors) // 4
    return [list(tensors[i * count : (i + 1) * count]) for i in range(4)]


def _pydl_adam(pydl, *tensors):
    from pydl.ops.optimizer import adam_step

    parameters, gradients, m, v = _quarters(tensors)
    return lambda: adam_step(parameters, gradients, m, v, None, step=10, learning_rate=1e-3)


def _torch_adam(torch, *tensors):
    parameters, gradients, _, _ = _quarters(tensors)
    for parameter, gradient in zip(parameters, gradients):
        parameter.requires_grad_()
        parameter.grad = gradient
    return torch.optim.Adam(parameters, fused=True).step


def _case(label: str, count: int, size: int) -> Case:
    return Case(
        "optimizer",
        f"Adam, {label}",
        _tensors(count, size),
        prepare={"pydl": _pydl_adam, "torch": _torch_adam},
        bytes=28 * count * size,  # reads parameter, gradient, m, v; writes all but the gradient
    )


CASES = [_case("10 tensors of 1M", 10, 10**6), _case("1000 tensors of 1000", 1000, 1000)]
