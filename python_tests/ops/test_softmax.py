"""Softmax and its logarithm against SciPy."""

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


def spec(op, reference):
    name = op.__name__
    return OpSpec(
        name,
        op,
        lambda x, axis=-1: reference(x, axis=axis) if x.size else x,
        samples,
        dtypes=FLOATS + HALVES,
        gradient_samples=lambda rng: samples(rng)[:3],
        errors=[
            (lambda: op([1, 2]), pydl.errors.DTypeError, rf"\[{name}\] expected a floating dtype, got int32"),
            (lambda: op([1.0], axis=1), ValueError, rf"\[{name}\] expected an axis in \[-1, 1\)"),
        ],
    )


class TestSoftmax(OpTests):
    specs = [spec(pydl.ops.softmax, special.softmax), spec(pydl.ops.log_softmax, special.log_softmax)]


def test_infinite_logits_have_no_probability():
    x = np.array([[0.0, -np.inf, 0.0]], "float32")
    np.testing.assert_allclose(pydl.ops.softmax(x).numpy(), [[0.5, 0.0, 0.5]])
    np.testing.assert_allclose(pydl.ops.log_softmax(x).numpy(), [[np.log(0.5), -np.inf, np.log(0.5)]], rtol=1e-6)
