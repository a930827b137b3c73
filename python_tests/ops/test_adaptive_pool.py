"""Adaptive pooling against NumPy, window by window."""

import itertools

import numpy as np

from pydl import ops
from pydl.errors import ShapeError
from pydl.testing import OpSpec, OpTests, Sample


def reference_of(reduce):
    def reference(x, output_size, data_format="channels_last"):
        if data_format == "channels_first":
            return np.moveaxis(reference(np.moveaxis(x, 1, -1), output_size), -1, 1)
        axes = x.ndim - 2
        sizes = (output_size,) * axes if isinstance(output_size, int) else output_size
        y = np.zeros((x.shape[0], *sizes, x.shape[-1]))
        for place in itertools.product(*map(range, sizes)):
            cut = tuple(
                slice(i * size // n, -(-(i + 1) * size // n))
                for i, n, size in zip(place, sizes, x.shape[1:])
            )
            y[(slice(None), *place)] = reduce(
                x[(slice(None), *cut)], axis=tuple(range(1, axes + 1))
            )
        return y

    return reference


def samples(rng):
    return [
        Sample(rng.normal(size=(2, 7, 3)), 3),
        Sample(rng.normal(size=(1, 6, 4, 2)), (2, 3)),
        Sample(rng.normal(size=(2, 3, 5, 4)), 2, data_format="channels_first"),
        Sample(rng.normal(size=(1, 2, 3, 4, 2)), (2, 2, 3)),
        Sample(rng.normal(size=(1, 2, 2)), 5),
        Sample(np.zeros((0, 4, 2)), 2),
    ]


def errors(op):
    x = np.ones((1, 4, 2), "float32")
    return [
        (lambda: op(x, (2, 2)), ShapeError, rf"\[{op.__name__}\] expected \(batch, ..., channels\)"),
        (lambda: op(x, 0), ShapeError, "none 0"),
        (lambda: op(x, 2**40), ShapeError, "expected at most 65536 windows along an axis, got"),
    ]


class TestAdaptivePool(OpTests):
    specs = [
        OpSpec(op.__name__, op, reference_of(reduce), samples, errors=errors(op))
        for op, reduce in ((ops.adaptive_average_pool, np.mean), (ops.adaptive_max_pool, np.max))
    ]
