"""Elementwise operations of two tensors against NumPy."""

import numpy as np

import pydl
from pydl.testing import FLOATS, HALVES, INTEGERS, OpSpec, OpTests, Sample


def pairs(rng):
    shapes = [((3, 4), (3, 4)), ((3, 4), (4,)), ((2, 1, 3), (4, 1)), ((), (3,)), ((0, 3), (1, 3)), ((1,), (1,)),
              ((37, 65), (37, 65))]
    return [Sample(rng.normal(size=a), rng.normal(size=b)) for a, b in shapes]


def small(rng):
    return pairs(rng)[:-1]


def spec(name, reference, **options):
    op = getattr(pydl.ops, name)
    error = (lambda: op(np.ones((2, 3)), np.ones((4, 3))), pydl.errors.ShapeError,
             rf"\[{name}\] expected shapes that broadcast together, got \(2, 3\) and \(4, 3\)")
    return OpSpec(name, op, reference, pairs, dtypes=FLOATS + HALVES + INTEGERS, gradient_samples=small,
                  errors=[error], **options)


class TestBinary(OpTests):
    specs = [
        spec("add", np.add),
        spec("subtract", np.subtract),
        spec("multiply", np.multiply),
    ]
