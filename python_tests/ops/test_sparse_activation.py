"""Activation functions that are 0 over a range against their definitions in NumPy."""

import numpy as np
from scipy import special

import pydl
from pydl import ops
from pydl.testing import FLOATS, HALVES, OpSpec, OpTests, Sample

SHAPES = [(3, 6), (), (1,), (0, 4), (2, 3, 4), (37, 64)]


def spec(name, reference, *args, shapes=SHAPES, **options):
    def samples(rng):
        return [Sample(np.asarray(rng.normal(size=shape) * 3), *args) for shape in shapes]

    return OpSpec(
        name, getattr(ops, name), reference, samples, dtypes=FLOATS + HALVES,
        gradient_samples=lambda rng: samples(rng)[:-1],
        errors=[(lambda: getattr(ops, name)("a", *args), TypeError, rf"\[{name}\] expected \(x: ArrayLike")],
        **options,
    )  # fmt: skip


def glu(x):
    value, gate = np.split(x, 2, -1)
    return value * special.expit(gate)


def sparse_sigmoid(x):
    return np.clip((x + 1) / 2, 0, 1)


def sparsemax(x):
    """The projection on the simplex, by bisection for the shift."""
    if x.size == 0:
        return x
    low, high = x.min(-1, keepdims=True) - 1, x.max(-1, keepdims=True)
    for _ in range(100):
        middle = (low + high) / 2
        over = np.maximum(x - middle, 0).sum(-1, keepdims=True) > 1
        low, high = np.where(over, middle, low), np.where(over, high, middle)
    return np.maximum(x - (low + high) / 2, 0)


class TestSparseActivation(OpTests):
    specs = [
        spec("hard_shrink", lambda x, t: np.where(abs(x) > t, x, 0), 0.7),
        spec("soft_shrink", lambda x, t: np.sign(x) * np.maximum(abs(x) - t, 0), 0.7),
        spec("tanh_shrink", lambda x: x - np.tanh(x), tolerance=4),
        spec("threshold", lambda x, t, value: np.where(x > t, x, value), 0.5, 2.0),
        spec("hard_tanh", lambda x: np.clip(x, -1, 1)),
        spec("squareplus", lambda x, b: (x + np.sqrt(x**2 + b)) / 2, 3.0, tolerance=4),
        spec("sparse_plus", lambda x: np.where(abs(x) < 1, (x + 1) ** 2 / 4, np.maximum(x, 0))),
        spec("sparse_sigmoid", sparse_sigmoid),
        spec("sparsemax", sparsemax, shapes=[(3, 6), (1,), (0, 4), (2, 3, 4), (7, 33)], tolerance=8,
             double_gradient=False),
        spec("glu", glu, shapes=[(3, 6), (2,), (0, 4), (2, 3, 4), (37, 64)]),
    ]


def test_glu_needs_two_halves():
    try:
        ops.glu(np.ones((2, 3)))
    except pydl.errors.ShapeError as error:
        assert "[glu] expected an even extent along axis -1, got shape (2, 3)" in str(error)
    else:
        raise AssertionError
