"""Sorting against NumPy."""

import numpy as np
import pytest

import pydl
from pydl.testing import FLOATS, HALVES, INTEGERS, OpSpec, OpTests, Sample, is_emulated

# Lengths on both sides of every change of algorithm.
SHAPES = [((6,), -1), ((3, 40), -1), ((40, 3), 0), ((2, 33, 3), 1), ((500, 7), 0), ((2, 9000), 1), ((70000,), 0),
          ((1,), 0), ((0, 3), 0), ((3, 0), 1), ((4, 5), None)]
SMALL = [SHAPES[0], ((2, 7), 0), ((4, 5), None)]


def affordable(size):
    """On the emulator a few blocks of a long row do, too."""
    return min(size, 10000) if is_emulated() else size


def samples(draw, shapes=SHAPES):
    return lambda rng: [
        Sample(draw(rng, tuple(map(affordable, shape))), axis=axis) for shape, axis in shapes
    ]


def with_ties(rng, shape):
    return np.round(rng.normal(size=shape) * 9)


def distinct(rng, shape):
    return rng.permutation(int(np.prod(shape))).reshape(shape) + 0.5


def bad_axis(name):
    return [(lambda: getattr(pydl.ops, name)(np.ones(3), axis=1), ValueError,
             rf"\[{name}\] expected an axis in \[-1, 1\)")]


class TestSort(OpTests):
    specs = [
        OpSpec("sort", pydl.ops.sort, np.sort, samples(with_ties), dtypes=FLOATS + HALVES + INTEGERS,
               gradient_samples=samples(distinct, SMALL), errors=bad_axis("sort")),
        OpSpec("argsort", pydl.ops.argsort, lambda x, axis: np.argsort(x, axis, kind="stable").astype("int32"),
               samples(with_ties), dtypes=FLOATS + HALVES + INTEGERS, gradient=False,
               errors=bad_axis("argsort")),
    ]


def top_k_reference(x, k):
    # Of -x the stable order puts the first of equal elements first.
    order = np.argsort(-x.astype("float64"), axis=-1, kind="stable")[..., :k]
    return np.take_along_axis(x, order, axis=-1), order.astype("int32")


TOP_K = [((6,), 2), ((3, 40), 5), ((3, 40), 40), ((2, 9000), 3), ((2, 9000), 4000), ((3, 7), 0), ((0, 3), 2), ((4, 1), 1)]


def top_k_samples(draw, cases=TOP_K):
    return lambda rng: [Sample(draw(rng, shape), k=k) for shape, k in cases]


class TestTopK(OpTests):
    specs = [
        OpSpec("top_k", pydl.ops.top_k, top_k_reference, top_k_samples(with_ties),
               dtypes=FLOATS + HALVES + INTEGERS,
               gradient_samples=top_k_samples(distinct, TOP_K[:2] + TOP_K[-3:]),
               errors=[(lambda: pydl.ops.top_k(np.ones((2, 3)), 4), ValueError,
                        r"\[top_k\] expected 0 <= k <= 3, the last extent of shape \(2, 3\), got 4"),
                       (lambda: pydl.ops.top_k(1.0, 1), pydl.errors.ShapeError,
                        r"\[top_k\] expected at least 1 dimension")]),
    ]


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("size", [20, 500, 100000])
def test_special_values(dtype, size):
    rng = np.random.default_rng(0)
    specials = [np.nan, -np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0, 6e-8, -6e-8]
    x = rng.choice(specials, affordable(size)).astype(dtype)
    np.testing.assert_array_equal(pydl.ops.sort(x).numpy(), np.sort(x))
    np.testing.assert_array_equal(pydl.ops.argsort(x).numpy(), np.argsort(x, kind="stable"))
    values, indices = pydl.ops.top_k(x, 2)
    assert np.isnan(values.numpy()).all()
    np.testing.assert_array_equal(indices.numpy(), np.flatnonzero(np.isnan(x))[:2])


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int32", "int64", "float32", "float64"])
@pytest.mark.parametrize("size", [100, 10000, 200000])
def test_whole_range_of_bits(dtype, size):
    size = affordable(size)
    bits = np.random.default_rng(0).integers(0, 256, size * np.dtype(dtype).itemsize, dtype="uint8")
    x = bits.view(dtype)
    x = x[~np.isnan(x)]
    np.testing.assert_array_equal(pydl.ops.sort(x).numpy(), np.sort(x))
    order = pydl.ops.argsort(x).numpy()
    np.testing.assert_array_equal(order, np.argsort(x, kind="stable"))
    values, indices = pydl.ops.top_k(x, 50)
    np.testing.assert_array_equal(values.numpy(), np.sort(x)[::-1][:50])
    np.testing.assert_array_equal(x[indices.numpy()], values.numpy())


def test_patterns():
    n = affordable(50000)
    for x in (np.arange(n), np.arange(n)[::-1], np.zeros(n), np.tile([1, 0], n // 2), np.arange(n) % 7):
        x = x.astype("float32")
        np.testing.assert_array_equal(pydl.ops.sort(x).numpy(), np.sort(x))
        np.testing.assert_array_equal(pydl.ops.argsort(x).numpy(), np.argsort(x, kind="stable"))
        np.testing.assert_array_equal(pydl.ops.top_k(x, 100)[0].numpy(), np.sort(x)[::-1][:100])


def test_bool_and_gradient_through_ties():
    assert pydl.ops.sort([True, False, True]).tolist() == [False, True, True]
    assert pydl.ops.top_k([True, False, True], 2)[1].tolist() == [0, 2]
    x = pydl.tensor([2.0, 1.0, 2.0], requires_grad=True)
    pydl.ops.sum(pydl.ops.sort(x) * pydl.tensor([1.0, 10.0, 100.0])).backward()
    assert x.grad.tolist() == [10.0, 1.0, 100.0]
