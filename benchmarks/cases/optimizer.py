"""Optimizer steps over all parameters of a model."""

from __future__ import annotations

import numpy

from benchmarks.case import Case

SIZES = {"1 tensor of 10M": (1, 10**7), "100 of 100k": (100, 10**5), "1000 of 1k": (1000, 1000)}
DECAY = 0.01


def _tensors(count: int, size: int, states: int):
    def inputs(random):
        # Parameters, gradients, and what the optimizer remembers, which starts at zero.
        values = [random.standard_normal(size, numpy.float32) for _ in range(2 * count)]
        return (*values, *(numpy.zeros(size, numpy.float32) for _ in range(states * count)))

    return inputs


def _groups(tensors, states: int):
    count = len(tensors) // (2 + states)
    return [list(tensors[i * count : (i + 1) * count]) for i in range(2 + states)]


def _pydl_adam(weight_decay: float):
    def prepare(pydl, *tensors):
        from pydl.ops.optimizer import adam_step

        parameters, gradients, m, v = _groups(tensors, 2)
        return lambda: adam_step(
            parameters, gradients, m, v, None, 10, learning_rate=1e-3, weight_decay=weight_decay
        )

    return prepare


def _pydl_sgd(momentum: float):
    def prepare(pydl, *tensors):
        from pydl.ops.optimizer import sgd_step

        parameters, gradients, *velocities = _groups(tensors, 1 if momentum else 0)
        velocity = velocities[0] if momentum else None
        return lambda: sgd_step(parameters, gradients, velocity, 1e-3, momentum)

    return prepare


def _torch(name: str, states: int, **options):
    def prepare(torch, *tensors):
        parameters, gradients = _groups(tensors, states)[:2]
        for parameter, gradient in zip(parameters, gradients):
            parameter.requires_grad_()
            parameter.grad = gradient
        return getattr(torch.optim, name)(parameters, fused=True, **options).step

    return prepare


def _case(name: str, label: str, states: int, pydl, torch) -> Case:
    count, size = SIZES[label]
    return Case(
        "optimizer",
        f"{name}, {label}",
        _tensors(count, size, states),
        prepare={"pydl": pydl, "torch": torch},
        # Reads the parameter, its gradient and the states; writes all but the gradient.
        bytes=(12 + 8 * states) * count * size,
    )


CASES = [
    case
    for label in SIZES
    for case in (
        _case("SGD", label, 0, _pydl_sgd(0), _torch("SGD", 0)),
        _case("momentum", label, 1, _pydl_sgd(0.9), _torch("SGD", 1, momentum=0.9)),
        _case("Adam", label, 2, _pydl_adam(0), _torch("Adam", 2)),
        _case("AdamW", label, 2, _pydl_adam(DECAY), _torch("AdamW", 2, weight_decay=DECAY)),
    )
]
