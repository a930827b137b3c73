"""Reductions against NumPy and SciPy."""

import numpy as np
import pytest
import scipy.special

import pydl
from pydl.testing import FLOATS, HALVES, INTEGERS, OpSpec, OpTests, Sample

# Shapes with axes: rows, columns, the middle, several, none; short, long and cut into pieces; empty.
CASES = [
    ((3, 4), None), ((3, 4), 0), ((3, 4), -1), ((2, 3, 4), 1), ((2, 3, 4), (0, 2)), ((2, 3, 4), (1, 2)),
    ((), None), ((1,), 0), ((5, 1, 3), 1), ((5, 0), 0), ((70, 300), 0), ((70, 300), 1), ((2, 9000), 1),
    ((130, 3), 0), ((130, 3), 1), ((3, 5, 7, 2), (0, 2)), ((20000,), 0),
]
SMALL = [case for case in CASES if np.prod(case[0]) < 100 and case != ((1,), 0)]
EMPTY = [((0,), None), ((0, 3), 0), ((3, 0), -1)]


def normal(rng, shape):
    return np.asarray(rng.normal(size=shape))


def samples(cases, draw=normal):
    def build(rng):
        made = [Sample(draw(rng, shape), axis=axis) for shape, axis in cases]
        return made + [Sample(s.args[0], keepdims=True, **s.kwargs) for s in made[:5]]

    return build


def spec(name, reference, draw=normal, cases=CASES + EMPTY, **options):
    op = getattr(pydl.ops, name)
    errors = [
        (lambda: op(np.ones((2, 3)), axis=2), ValueError, rf"\[{name}\] expected an axis in \[-2, 2\)"),
        (lambda: op(np.ones((2, 3)), axis=(0, -2)), ValueError, rf"\[{name}\] expected different axes"),
    ]
    return OpSpec(name, op, reference, samples(cases, draw), errors=errors + options.pop("errors", []),
                  gradient_samples=options.pop("gradient_samples", samples(SMALL, draw)), **options)


def distinct(rng, shape):
    return np.asarray(rng.permutation(int(np.prod(shape))).reshape(shape) + 0.25)


def near_one(rng, shape):
    return np.asarray(np.exp(rng.normal(scale=0.02, size=shape)))


def with_zeros(rng, shape):
    return np.asarray(rng.integers(0, 3, shape) * rng.uniform(0.5, 1.5, shape))


def total(function):
    """A reference that sums small integers as int32."""

    def reference(x, **kwargs):
        result = function(x, **kwargs)
        return result.astype("int32") if x.dtype in (np.int8, np.uint8) else result.astype(x.dtype)

    return reference


def empty_error(name):
    return [(lambda: getattr(pydl.ops, name)(np.ones((0, 3)), axis=0), ValueError,
             rf"\[{name}\] expected at least one element along the reduced axes, got shape \(0, 3\)")]


class TestReduce(OpTests):
    specs = [
        spec("sum", total(np.sum), dtypes=FLOATS + HALVES + INTEGERS),
        spec("mean", np.mean, cases=CASES, dtypes=FLOATS + HALVES),
        spec("prod", total(np.prod), near_one, dtypes=FLOATS + ("int32", "int64", "int8"), tolerance=20),
        spec("max", np.max, distinct, cases=CASES, errors=empty_error("max"), dtypes=FLOATS + INTEGERS),
        spec("min", np.min, distinct, cases=CASES, errors=empty_error("min"), dtypes=FLOATS + INTEGERS),
        spec("count_nonzero", np.count_nonzero, with_zeros, gradient=False,
             dtypes=FLOATS + HALVES + INTEGERS),
        spec("any", np.any, with_zeros, gradient=False, dtypes=FLOATS + INTEGERS),
        spec("all", np.all, with_zeros, gradient=False, dtypes=FLOATS + INTEGERS),
        spec("var", np.var, cases=CASES, dtypes=FLOATS + HALVES),
        spec("std", np.std, cases=CASES, dtypes=FLOATS + HALVES,
             gradient_samples=samples([c for c in SMALL if c[0] != () and c[0] != (5, 1, 3)])),
        spec("logsumexp", scipy.special.logsumexp, cases=CASES, dtypes=FLOATS + HALVES),
    ]


def arg_reference(function):
    def reference(x, axis=None, keepdims=False):
        return function(x, axis=axis, keepdims=keepdims).astype("int32")

    return reference


ARG_CASES = [(shape, axis) for shape, axis in CASES if not isinstance(axis, tuple) and shape != (5, 0)]


class TestArg(OpTests):
    specs = [
        OpSpec(name, getattr(pydl.ops, name), arg_reference(getattr(np, name)),
               samples(ARG_CASES, lambda rng, shape: np.asarray(rng.integers(0, 9, shape) + 0.5)), gradient=False,
               dtypes=FLOATS + HALVES + INTEGERS,
               errors=[(lambda op=name: getattr(pydl.ops, op)(np.ones((2, 0)), axis=1), ValueError,
                        rf"\[{name}\] expected 1 to 2\^31 - 1 elements along axis 1, got shape \(2, 0\)"),
                       (lambda op=name: getattr(pydl.ops, op)(np.ones(3), axis=1), ValueError,
                        rf"\[{name}\] expected an axis in \[-1, 1\)")])
        for name in ("argmax", "argmin")
    ]


class TestNorm(OpTests):
    specs = [
        spec("norm", lambda x, **kwargs: np.sqrt(np.sum(x * x, **kwargs)), dtypes=FLOATS + HALVES,
             gradient_samples=samples([c for c in SMALL if c[0] != ()]))
    ]


def test_orders_of_norms():
    x = np.random.default_rng(0).normal(size=(3, 4, 5))
    for order in (None, 0, 1, 2, 3, -2, 0.5, np.inf, -np.inf):
        np.testing.assert_allclose(pydl.ops.norm(x, order, axis=1).numpy(), np.linalg.norm(x, order, axis=1))
    for order in (None, "fro", 1, -1, np.inf, -np.inf):
        for keepdims in (False, True):
            np.testing.assert_allclose(
                pydl.ops.norm(x, order, axis=(2, 0), keepdims=keepdims).numpy(),
                np.linalg.norm(x, order, axis=(2, 0), keepdims=keepdims),
            )
    assert pydl.ops.norm([3, 4]).item() == 5
    with pytest.raises(ValueError, match=r"\[norm\] expected 1 axis for vectors or 2 for matrices"):
        pydl.ops.norm(x, 1)
    with pytest.raises(ValueError, match=r"\[norm\] expected None, 'fro', 1, .* got 'nuc'"):
        pydl.ops.norm(x, "nuc", axis=(0, 1))
    with pytest.raises(ValueError, match=r"\[norm\] expected a number .* got 'fro'"):
        pydl.ops.norm(x, "fro", axis=0)


@pytest.mark.parametrize("order", [1, 3, np.inf])
def test_gradients_of_norms(order):
    torch = pytest.importorskip("torch")

    x = np.random.default_rng(0).normal(size=(3, 4))
    ours, theirs = pydl.tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    pydl.ops.sum(pydl.ops.norm(ours, order, axis=1)).backward()
    torch.linalg.vector_norm(theirs, order, dim=1).sum().backward()
    np.testing.assert_allclose(ours.grad.numpy(), theirs.grad.numpy())


@pytest.mark.parametrize("name", ["norm", "std"])
def test_gradient_at_the_kink_is_zero(name):
    x = pydl.tensor(np.zeros((2, 3)), requires_grad=True)
    pydl.ops.sum(getattr(pydl.ops, name)(x, axis=1)).backward()
    np.testing.assert_array_equal(x.grad.numpy(), 0)


@pytest.mark.parametrize("name", ["max", "min"])
def test_ties_share_the_gradient(name):
    torch = pytest.importorskip("torch")

    x = np.random.default_rng(0).integers(0, 3, (4, 5, 6)).astype("float64")
    ours, theirs = pydl.tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    pydl.ops.sum(pydl.ops.square(getattr(pydl.ops, name)(ours, axis=(0, 2)) + 1)).backward()
    torch.square(getattr(torch, "a" + name)(theirs, dim=(0, 2)) + 1).sum().backward()
    np.testing.assert_allclose(ours.grad.numpy(), theirs.grad.numpy())


def test_gradient_of_prod_with_zeros():
    torch = pytest.importorskip("torch")

    for zeros in (0, 1, 2):
        x = np.random.default_rng(0).uniform(0.5, 2, (3, 4, 2))
        x[1, :zeros, 0] = 0
        ours, theirs = pydl.tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
        pydl.ops.sum(pydl.ops.prod(ours, axis=(0, 1))).backward()
        theirs.flatten(0, 1).prod(dim=0).sum().backward()
        np.testing.assert_allclose(ours.grad.numpy(), theirs.grad.numpy())


@pytest.mark.parametrize("shape, axis", [((7,), 0), ((5000,), 0), ((3, 40), 1), ((40, 3), 0), ((40, 300), 0),
                                         ((2, 20), 1), ((9, 4), 1)])
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
def test_nan_wins(shape, axis, dtype):
    rng = np.random.default_rng(0)
    x = rng.normal(size=shape).astype(dtype)
    x.flat[rng.integers(0, x.size, 4)] = np.nan
    for name in ("max", "min", "sum", "argmax", "argmin"):
        ours = getattr(pydl.ops, name)(x, axis=axis).numpy()
        with np.errstate(invalid="ignore"):
            theirs = getattr(np, name)(x, axis=axis)
        if name == "sum":
            ours, theirs = np.isnan(ours), np.isnan(theirs)
        np.testing.assert_array_equal(ours, theirs, err_msg=name)


def test_infinities():
    inf = np.inf
    x = np.array([[-inf, -inf], [inf, 1], [-inf, 1], [inf, -inf], [inf, inf], [np.nan, inf]])
    with np.errstate(invalid="ignore"):
        theirs = np.array([np.logaddexp(*row) for row in x])
    np.testing.assert_array_equal(pydl.ops.logsumexp(x, axis=1).numpy(), theirs)
    np.testing.assert_array_equal(pydl.ops.max(x, axis=1).numpy(), np.max(x, axis=1))
    np.testing.assert_array_equal(pydl.ops.argmin(x, axis=1).numpy(), np.argmin(x, axis=1))
    long = np.full((2, 10000), -inf)
    long[1, 5000:] = -1e4
    np.testing.assert_allclose(pydl.ops.logsumexp(long, axis=1).numpy(), [-inf, -1e4 + np.log(5000)])
    leaf = pydl.tensor(x[:1], requires_grad=True)
    pydl.ops.sum(pydl.ops.logsumexp(leaf, axis=1)).backward()
    np.testing.assert_array_equal(leaf.grad.numpy(), [[0, 0]])


def test_result_dtypes():
    for dtype in ("bool", "int8", "uint8", "int32", "int64", "float16", "bfloat16", "float32", "float64"):
        x = pydl.tensor(np.ones(300)).astype(dtype)
        real = dtype if "float" in dtype else "float32"
        whole = "int32" if dtype in ("bool", "int8", "uint8") else dtype
        for name in ("sum", "prod", "cumsum", "cumprod"):
            assert getattr(pydl.ops, name)(x).dtype == whole, name
        for name in ("mean", "var", "std", "logsumexp", "norm"):
            assert getattr(pydl.ops, name)(x).dtype == real, name
        for name in ("max", "min"):
            assert getattr(pydl.ops, name)(x).dtype == dtype, name
        for name in ("argmax", "argmin", "count_nonzero"):
            assert getattr(pydl.ops, name)(x).dtype == "int32", name
        assert pydl.ops.sum(x).item() == 300 and pydl.ops.all(x).item() is True


def test_sums_are_accurate():
    rng = np.random.default_rng(0)
    x = rng.uniform(0, 1, (1 << 21,)).astype("float32")
    exact = np.sum(x, dtype="float64")
    assert abs(pydl.ops.sum(x).item() - exact) <= 2e-7 * exact
    columns = pydl.ops.sum(x.reshape(-1, 8), axis=0).numpy()
    np.testing.assert_allclose(columns, np.sum(x.reshape(-1, 8), axis=0, dtype="float64"), rtol=4e-7)
    half = pydl.tensor(x[:100000]).astype("bfloat16")
    exact = np.sum(half.numpy(), dtype="float64")
    assert abs(pydl.ops.mean(half).item() - exact / 100000) <= 2**-9


def test_variance_does_not_cancel():
    rng = np.random.default_rng(0)
    for dtype, mean, tolerance in (("float32", 1e4, 1e-5), ("float64", 1e8, 1e-9)):
        x = (mean + rng.normal(size=(3, 100000))).astype(dtype)
        exact = np.var(x.astype("longdouble"), axis=1)
        np.testing.assert_allclose(pydl.ops.var(x, axis=1).numpy(), exact.astype("float64"), rtol=tolerance)


def test_sums_have_the_same_bits_on_every_instruction_set():
    rng = np.random.default_rng(0)
    before = pydl.config.cpu_isa()
    try:
        for shape, axis in [((100003,), None), ((301, 77), 0), ((301, 77), 1), ((9000, 5), 1), ((9, 3), 0)]:
            for dtype in ("float32", "float64", "float16"):
                x = rng.normal(size=shape).astype(dtype)
                results = []
                for isa in pydl.config.supported_cpu_isas():
                    pydl.config.set_cpu_isa(isa)
                    results.append(pydl.ops.sum(x, axis=axis).numpy().tobytes())
                assert len(set(results)) == 1
    finally:
        pydl.config.set_cpu_isa(before)


def test_permuted_and_broadcast_views():
    x = np.random.default_rng(0).normal(size=(4, 5, 6))
    t = pydl.tensor(x)
    for order in [(2, 0, 1), (1, 2, 0), (2, 1, 0), (0, 2, 1)]:
        view = pydl.ops.permute(t, order)
        for axis in (0, 1, 2, (0, 2), None):
            for keepdims in (False, True):
                got = pydl.ops.sum(view, axis=axis, keepdims=keepdims)
                np.testing.assert_allclose(got.numpy(), x.transpose(order).sum(axis=axis, keepdims=keepdims))
    wide = pydl.ops.broadcast_to(pydl.tensor(x[:, :1]), (4, 5, 6))
    for axis in (0, 1, (0, 1), None):
        np.testing.assert_allclose(pydl.ops.sum(wide, axis).numpy(),
                                   np.broadcast_to(x[:, :1], (4, 5, 6)).sum(axis=axis), rtol=1e-13)
    backwards = pydl.from_numpy(x[::-1, :, ::-2])
    np.testing.assert_allclose(pydl.ops.max(backwards, axis=(0, 2)).numpy(), x[::-1, :, ::-2].max(axis=(0, 2)))


def test_integers_wrap_around_and_small_ones_widen():
    big = np.full(3, 2**30, "int32")
    assert pydl.ops.sum(big).item() == np.sum(big, dtype="int32")
    assert pydl.ops.sum(np.full(1000, 255, "uint8")).item() == 255000
    assert pydl.ops.prod(np.full(3, 100, "int8")).item() == 1000000


def test_halves_whose_squares_overflow():
    x = np.array([-300, 400], "float16")
    assert pydl.ops.norm(x).item() == 500 and pydl.ops.std(x).item() == 350
    assert pydl.ops.norm(x).dtype == pydl.ops.std(x).dtype == "float16"
