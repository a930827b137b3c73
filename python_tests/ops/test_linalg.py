"""Matrix products against NumPy."""

import numpy as np

import pydl
from pydl.testing import FLOATS, HALVES, OpSpec, OpTests, Sample


def matmul_samples(rng):
    shapes = [
        ((2, 3), (3, 4)),
        ((1, 1), (1, 1)),
        ((17, 33), (33, 65)),
        ((2, 5, 3), (3, 4)),
        ((3,), (3, 4)),
        ((2, 3), (3,)),
        ((3,), (3,)),
        ((2, 1, 4, 3), (5, 3, 2)),
        ((0, 3), (3, 4)),
        ((2, 0), (0, 4)),
    ]
    return [Sample(rng.normal(size=a), rng.normal(size=b)) for a, b in shapes]


class TestLinalg(OpTests):
    specs = [
        OpSpec(
            "matmul",
            pydl.ops.matmul,
            np.matmul,
            matmul_samples,
            dtypes=FLOATS + HALVES,
            gradient_samples=lambda rng: [s for s in matmul_samples(rng) if s.args[0].size < 100],
            errors=[
                (lambda: pydl.ops.matmul(np.ones((2, 3)), np.ones((4, 5))), pydl.errors.ShapeError,
                 r"\[matmul\] expected the last axis .*\(2, 3\) and \(4, 5\)"),
                (lambda: pydl.ops.matmul(1.0, np.ones((4, 5))), pydl.errors.ShapeError,
                 r"\[matmul\] expected operands of at least 1 dimension"),
            ],
        )
    ]
