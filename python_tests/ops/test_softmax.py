"""Softmax against SciPy."""

import numpy as np
from scipy import special

import pydl
from pydl.testing import FLOATS, HALVES, OpSpec, OpTests, Sample


def samples(rng):
    return [
        Sample(rng.normal(size=(3, 5))),
        Sample(rng.normal(size=(2, 3, 4)), axis=1),
        Sample(rng.normal(size=(1, 1))),
        Sample(rng.normal(size=(4, 0))),
        Sample(rng.normal(size=(0, 4))),
        Sample(np.array([[1e4, 1e4 - 1, -1e4]])),
        Sample(rng.normal(size=(7, 133))),
    ]


class TestSoftmax(OpTests):
    specs = [
        OpSpec(
            "softmax",
            pydl.ops.softmax,
            lambda x, axis=-1: special.softmax(x, axis=axis) if x.size else x,
            samples,
            dtypes=FLOATS + HALVES,
            gradient_samples=lambda rng: samples(rng)[:3],
            errors=[
                (lambda: pydl.ops.softmax([1, 2]), pydl.errors.DTypeError,
                 r"\[softmax\] expected a floating dtype, got int32"),
                (lambda: pydl.ops.softmax([1.0], axis=1), ValueError,
                 r"\[softmax\] expected an axis in \[-1, 1\)"),
            ],
        )
    ]
