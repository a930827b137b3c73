"""Functions of one tensor against NumPy and SciPy."""

import numpy as np
import pytest
from scipy import special

import pydl
from pydl.testing import FLOATS, HALVES, INTEGERS, OpSpec, OpTests, Sample

SHAPES = [(3, 5), (), (1,), (0, 4), (2, 3, 4), (37, 65)]


def between(low, high):
    return lambda rng: [Sample(np.asarray(rng.uniform(low, high, shape))) for shape in SHAPES]


def spec(name, reference=None, samples=between(-3, 3), **options):
    options.setdefault("dtypes", FLOATS + HALVES)
    bad = (lambda: getattr(pydl.ops, name)("a"), TypeError, r"\[\w+\] expected \(x: ArrayLike")
    return OpSpec(name, getattr(pydl.ops, name), reference or getattr(np, name), samples,
                  gradient_samples=lambda rng: samples(rng)[:-1], errors=[bad], **options)


EVERY = FLOATS + HALVES + INTEGERS


class TestUnary(OpTests):
    specs = [
        spec("abs", dtypes=EVERY),
        spec("absolute", dtypes=EVERY),
        spec("neg", np.negative, dtypes=EVERY),
        spec("negative", dtypes=EVERY),
        spec("square", dtypes=EVERY),
        spec("sign", dtypes=EVERY),
        spec("floor"),
        spec("ceil"),
        spec("round"),
        spec("exp"),
        spec("expm1"),
        spec("log", samples=between(0.1, 3)),
        spec("log1p", samples=between(-0.9, 3)),
        spec("sqrt", samples=between(0.1, 3)),
        spec("rsqrt", lambda x: 1 / np.sqrt(x), samples=between(0.1, 3)),
        spec("reciprocal", samples=between(0.3, 3)),
        spec("sin"),
        spec("cos"),
        spec("tan", samples=between(-1.2, 1.2)),
        spec("tanh"),
        spec("sigmoid", special.expit),
        spec("erf", special.erf),
    ]


class TestPredicates(OpTests):
    specs = [
        spec(name, samples=lambda rng: [Sample(np.array([0, 1, -1, np.inf, -np.inf, np.nan])), *between(-1, 1)(rng)],
             gradient=False)
        for name in ("isnan", "isinf", "isfinite", "logical_not")
    ]


def clip_samples(rng):
    x = rng.normal(size=(4, 5)) * 2
    return [Sample(x, -0.5, 1.5), Sample(x, None, 0.3), Sample(x, -0.2, None), Sample(x, rng.uniform(-2, -1, 5), 1.0),
            Sample(x, 0, rng.uniform(1, 2, (4, 1))), Sample(np.zeros((0, 3)), -1, 1)]


class TestClip(OpTests):
    specs = [OpSpec("clip", pydl.ops.clip, np.clip, clip_samples, dtypes=FLOATS + HALVES,
                    errors=[(lambda: pydl.ops.clip("a", 0, 1), TypeError, r"\[clip\] expected \(x: ArrayLike"),
                            (lambda: pydl.ops.clip([1.0], [1.0, 2.0, 3.0], np.ones((2, 2))), ValueError,
                             r"\[\w+\] expected")])]


def test_clip_of_integers():
    x = np.arange(-5, 6)
    assert pydl.ops.clip(x, -2, 3).dtype == "int64"
    np.testing.assert_array_equal(pydl.ops.clip(x, -2, 3).numpy(), x.clip(-2, 3))
    np.testing.assert_array_equal(pydl.ops.clip(x, -1.5, 2.5).numpy(), x.clip(-1.5, 2.5))
    np.testing.assert_array_equal(pydl.ops.clip(x.astype("uint8"), -7, 300).numpy(), x.astype("uint8"))


def test_round_to_decimals():
    x = np.array([1.234, -5.678, 1234.5])
    for decimals in (2, 1, -2):
        np.testing.assert_allclose(pydl.ops.round(x, decimals).numpy(), x.round(decimals))


def test_integers_become_float32():
    for name in ("exp", "log1p", "sqrt", "sin", "tanh", "sigmoid", "gelu", "softplus"):
        y = getattr(pydl.ops, name)([1, 2, 3])
        assert y.dtype == "float32"
        np.testing.assert_allclose(y.numpy(), getattr(pydl.ops, name)(np.array([1.0, 2, 3])).numpy(), rtol=1e-6)


def test_bool_has_no_sign():
    with pytest.raises(pydl.errors.DTypeError, match=r"\[neg\] expected a numeric dtype, got bool"):
        pydl.ops.neg([True])


def ulps(got, want):
    """The distance from `want` (float64) in units in the last place of float32."""
    exact = np.abs(want) < 3e38
    spacing = np.spacing(np.abs(want[exact]).astype("float32")).astype("float64")
    return (np.abs(got[exact].astype("float64") - want[exact]) / spacing).max()


# The largest errors that csrc/cpu/simd/math.h and math_wide.h promise.
ACCURACY = {"exp": 1.2, "expm1": 1.6, "log": 1, "log1p": 2, "sin": 1, "cos": 1, "tan": 1, "tanh": 2.5, "erf": 2.2,
            "sigmoid": 2.5, "sqrt": 0.51}
REFERENCE = {"sigmoid": special.expit, "erf": special.erf}


@pytest.mark.parametrize("isa", pydl.config.supported_cpu_isas())
@pytest.mark.parametrize("name", ACCURACY)
def test_accuracy_over_the_whole_range(name, isa):
    bits = np.arange(0, 2**32, 40_009, dtype=np.uint64).astype(np.uint32)  # every exponent, both signs
    near = np.random.default_rng(0).uniform(-90, 90, 100_000).astype("float32")
    special_values = np.array([0.0, -0.0, 1, -1, np.inf, -np.inf, np.nan, 1e-45, 88.73, -104], "float32")
    x = np.concatenate([bits.view("float32"), near, near / 40, special_values])
    before = pydl.config.cpu_isa()
    pydl.config.set_cpu_isa(isa)
    try:
        got = getattr(pydl.ops, name)(x).numpy()
    finally:
        pydl.config.set_cpu_isa(before)
    tiny = np.finfo("float32").tiny
    with np.errstate(all="ignore"):
        # Below the smallest normal number, operands and results count as zero.
        flushed = np.where(np.abs(x) < tiny, np.copysign(np.float32(0), x), x)
        want = REFERENCE.get(name, getattr(np, name, None))(flushed.astype("float64"))
        rounded = want.astype("float32")
        small = np.abs(want) < 16 * tiny  # intermediate results are flushed too
    np.testing.assert_array_equal(np.isnan(got), np.isnan(rounded))
    np.testing.assert_array_equal(np.isinf(got), np.isinf(rounded))
    np.testing.assert_array_equal(np.signbit(got[got == 0]), np.signbit(rounded[got == 0]))
    assert np.abs(got[small] - want[small]).max(initial=0) <= tiny
    compared = np.isfinite(rounded) & ~small
    assert ulps(got[compared], want[compared]) <= ACCURACY[name]


def test_clip_of_large_integers():
    x = np.array([2**60, -(2**60)], "int64")
    assert pydl.ops.clip(x, -(2**53) - 1, 2**53 + 1).tolist() == [2**53 + 1, -(2**53) - 1]
