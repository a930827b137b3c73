"""Running sums and products against NumPy and torch."""

import numpy as np
import pytest

import pydl
from pydl.testing import FLOATS, HALVES, OpSpec, OpTests, Sample

CASES = [((3, 4), 0), ((3, 4), 1), ((2, 3, 4), 1), ((2, 3, 4), None), ((5,), -1), ((1,), 0), ((0, 3), 0),
         ((3, 0), 0), ((40000,), 0), ((3, 20000), 1), ((50, 600), 0), ((70, 5), 1)]


def samples(draw, cases=CASES):
    return lambda rng: [Sample(draw(rng, shape), axis=axis) for shape, axis in cases]


def spec(name, draw):
    op = getattr(pydl.ops, name)

    def reference(x, axis):
        return getattr(np, name)(x, axis=axis, dtype=x.dtype)

    return OpSpec(name, op, reference, samples(draw), dtypes=FLOATS + HALVES + ("int32", "int64"),
                  gradient_samples=samples(draw, CASES[:8]), tolerance=2,
                  errors=[(lambda: op(np.ones(3), axis=1), ValueError,
                           rf"\[{name}\] expected an axis in \[-1, 1\)")])


class TestScan(OpTests):
    specs = [
        spec("cumsum", lambda rng, shape: rng.normal(size=shape)),
        spec("cumprod", lambda rng, shape: rng.uniform(0.97, 1.03, shape)),
    ]


@pytest.mark.parametrize("shape, axis", [((4, 5), 1), ((5, 3), 0)])
def test_gradient_of_cumprod_with_zeros(shape, axis):
    torch = pytest.importorskip("torch")
    x = np.random.default_rng(0).uniform(0.5, 2, shape)
    x[1, 2] = x[3, 0] = x[3, 1] = 0
    weights = np.random.default_rng(1).normal(size=shape)
    ours, theirs = pydl.tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    pydl.ops.sum(pydl.ops.cumprod(ours, axis) * weights).backward()
    (theirs.cumprod(axis) * torch.tensor(weights)).sum().backward()
    np.testing.assert_allclose(ours.grad.numpy(), theirs.grad.numpy())


def test_sums_of_halves_and_long_rows_are_accurate():
    x = np.full(100000, 0.1, "float32")
    np.testing.assert_allclose(pydl.ops.cumsum(x).numpy(), np.cumsum(x, dtype="float64"), rtol=1e-7)
    half = np.full(2000, 1, "float16")
    np.testing.assert_array_equal(pydl.ops.cumsum(half).numpy(), np.cumsum(half, dtype="float64"))


def test_dtypes():
    x = np.ones(300, "int8")
    assert pydl.ops.cumsum(x).tolist()[-1] == 300
    y = pydl.ops.cumsum(x, dtype="float64")
    assert y.dtype == "float64" and y.shape == (300,)
    big = np.full(4, 2**62, "int64")
    np.testing.assert_array_equal(pydl.ops.cumsum(big).numpy(), np.cumsum(big))


@pytest.mark.parametrize("dtype, tolerance", [("float32", 1e-7), ("float64", 1e-14)])
def test_long_rows_in_both_directions(dtype, tolerance):
    rng = np.random.default_rng(5)
    values, slopes = (rng.uniform(1, 2, (6, 1003)).astype(dtype) for _ in range(2))
    x = pydl.tensor(values, requires_grad=True)
    y = pydl.ops.cumsum(x, 1)
    y.backward(pydl.tensor(slopes))
    exact, backwards = values.astype("longdouble"), slopes.astype("longdouble")[:, ::-1]
    np.testing.assert_allclose(y.detach().numpy(), exact.cumsum(1), rtol=tolerance)
    np.testing.assert_allclose(x.grad.numpy(), backwards.cumsum(1)[:, ::-1], rtol=tolerance)


def test_infinity_and_nan_reach_what_comes_after_them():
    x = np.ones((1, 400), "float32")
    x[0, 150], x[0, 333] = np.inf, -np.inf
    y = pydl.ops.cumsum(x, 1).numpy()[0]
    np.testing.assert_array_equal(y[:150], np.arange(1, 151))
    assert np.isposinf(y[150:333]).all() and np.isnan(y[333:]).all()
