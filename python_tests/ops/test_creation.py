"""Tensors made from a rule against NumPy."""

import numpy as np
import pytest

import pydl
from pydl import ops
from pydl.testing import FLOATS, HALVES, INTEGERS, OpSpec, OpTests, Sample

NUMBERS = FLOATS + HALVES + INTEGERS


@pytest.mark.parametrize("dtype", NUMBERS + ("bool",))
def test_constant(dtype):
    for shape in [(), (3,), 3, (2, 0), (2, 3, 1)]:
        for made, value in [(ops.zeros(shape, dtype), 0), (ops.ones(shape, dtype), 1),
                            (ops.full(shape, 3, dtype), 3), (ops.full(shape, 3.0, dtype), 3)]:
            assert made.dtype == dtype
            expected = np.full(shape, value != 0 if dtype == "bool" else value)
            np.testing.assert_array_equal(made.numpy(), expected)
            assert made.shape == expected.shape
        assert ops.empty(shape, dtype).dtype == dtype


def test_like():
    x = pydl.tensor(np.ones((2, 3), "int64"))
    for made, value in [(ops.zeros_like(x), 0), (ops.ones_like(x), 1), (ops.full_like(x, 7), 7)]:
        assert made.dtype == "int64" and (made.numpy() == value).all() and made.shape == (2, 3)
    assert ops.zeros_like(x, "float16").dtype == "float16"
    assert ops.ones_like([1.0, 2.0]).dtype == "float32"
    np.testing.assert_array_equal(ops.full((2, 3), [1, 2, 3], "int32").numpy(), [[1, 2, 3]] * 2)


def test_default_dtypes():
    assert [f((2,)).dtype for f in (ops.zeros, ops.ones, ops.empty)] == ["float32"] * 3
    assert ops.full((2,), 1).dtype == "float32"
    assert (ops.arange(3).dtype, ops.arange(3.0).dtype, ops.arange(2**40, 2**40 + 2).dtype) == (
        "int32", "float32", "int64")
    assert (ops.linspace(0, 1, 3).dtype, ops.eye(2).dtype, ops.one_hot([0], 2).dtype) == ("float32",) * 3


RANGES = [(5,), (0,), (2, 9), (2, 9, 3), (9, 2, -3), (9, 2), (-3, 4, 2), (0, 100_000), (1, 2, 5), (7, -1, -1)]


@pytest.mark.parametrize("dtype", NUMBERS)
@pytest.mark.parametrize("args", RANGES)
def test_arange(args, dtype):
    if dtype in ("int8", "uint8", "float16", "bfloat16") and max(map(abs, args)) > 200:
        return
    made = ops.arange(*args, dtype=dtype)
    assert made.dtype == dtype
    np.testing.assert_array_equal(made.numpy(), np.arange(*args).astype("int64").astype(
        dtype if dtype in INTEGERS else "float64"))


@pytest.mark.parametrize("args", [(0.5, 3.0), (0.0, 1.0, 0.1), (1.0, -1.0, -0.25), (0.0, 1e5, 0.7), (3.5,)])
def test_arange_of_floats(args):
    np.testing.assert_allclose(ops.arange(*args, dtype="float64").numpy(), np.arange(*args), rtol=1e-14)
    np.testing.assert_allclose(ops.arange(*args).numpy(), np.arange(*args), rtol=2e-7)
    results = []
    before = pydl.config.cpu_isa()
    for isa in pydl.config.supported_cpu_isas():
        pydl.config.set_cpu_isa(isa)
        results.append(ops.arange(*args, dtype="float64").numpy().tobytes())
    pydl.config.set_cpu_isa(before)
    assert len(set(results)) == 1


def test_arange_of_large_integers():
    made = ops.arange(2**62, 2**62 + 3)
    assert made.tolist() == [2**62, 2**62 + 1, 2**62 + 2]
    assert ops.arange(-(2**63), 2**63 - 1, 2**62).tolist() == [-(2**63), -(2**62), 0, 2**62]
    assert ops.arange(pydl.tensor(3), np.int64(5)).tolist() == [3, 4]


@pytest.mark.parametrize("num", [0, 1, 2, 7, 50])
@pytest.mark.parametrize("endpoint", [True, False])
def test_linspace(num, endpoint):
    for ends in [(0, 1), (-2.5, 7.3), (3, 3), (5, -5)]:
        expected = np.linspace(*ends, num, endpoint)
        for dtype, tolerance in [("float64", 1e-14), ("float32", 2e-6), ("float16", 4e-3)]:
            made = ops.linspace(*ends, num, endpoint, dtype=dtype)
            assert made.dtype == dtype
            np.testing.assert_allclose(made.astype("float64").numpy(), expected, atol=tolerance * 10)
    start, stop = np.array([0.0, 10.0]), np.array([[1.0, 2.0], [3.0, 4.0]])
    for axis in (0, 1, -1):
        made, step = ops.linspace(start, stop, num, endpoint, retstep=True, dtype="float64", axis=axis)
        expected, expected_step = np.linspace(start, stop, num, endpoint, retstep=True, axis=axis)
        np.testing.assert_allclose(made.numpy(), expected, rtol=1e-13, atol=1e-13)
        if num > 1:
            np.testing.assert_allclose(step.numpy(), expected_step)


def test_linspace_ends_exactly():
    values = ops.linspace(0.1, 0.7, 11).numpy()
    assert values[0] == np.float32(0.1) and values[-1] == np.float32(0.7)


@pytest.mark.parametrize("dtype", NUMBERS + ("bool",))
@pytest.mark.parametrize("args", [(3,), (3, 4), (4, 3, 1), (3, 3, -2), (2, 3, 9), (0,), (2, 0)])
def test_eye(args, dtype):
    np.testing.assert_array_equal(ops.eye(*args, dtype=dtype).numpy(), np.eye(*args))


def test_identity():
    np.testing.assert_array_equal(ops.identity(3).numpy(), np.eye(3))


@pytest.mark.parametrize("dtype", NUMBERS + ("bool",))
@pytest.mark.parametrize("axis", [-1, 0, 1])
def test_one_hot(dtype, axis):
    indices = np.array([[0, 2, -1], [4, 1, 0]])
    expected = np.moveaxis((indices[..., None] == np.arange(5)).astype("float64"), -1, axis)
    for kind in ("int32", "int64", "int8"):
        made = ops.one_hot(indices.astype(kind), 5, axis=axis, dtype=dtype)
        assert made.dtype == dtype
        np.testing.assert_array_equal(made.numpy(), expected)
    assert ops.one_hot(np.zeros((0,), "int32"), 3).shape == (0, 3)
    assert ops.one_hot(1, 3).tolist() == [0.0, 1.0, 0.0]


def test_cast():
    x = pydl.tensor([1.7, -2.3, 1e10, float("nan")])
    assert x.astype("int32").tolist() == [1, -2, 2**31 - 1, 0]
    assert ops.cast(x, "float32").version == x.version
    y = pydl.tensor([1.5], requires_grad=True)
    (ops.cast(y, "float64") * 2.0).sum().backward()
    assert y.grad.dtype == "float32" and y.grad.item() == 2


SIZES = [(2, 3), (), (0, 4), 5, (2, 1, 3, 1)]
BAD_SHAPES = [
    (lambda name: (lambda: getattr(ops, name)((-1,))), ValueError, "at least 0, got shape"),
    (lambda name: (lambda: getattr(ops, name)((2,), dtype="float31")), pydl.errors.DTypeError, "float31"),
]


def created(name, samples, reference=None, dtypes=NUMBERS, errors=(), **options):
    """The row of an op that makes a tensor of any dtype."""
    return OpSpec(name, getattr(ops, name), reference or getattr(np, name), lambda rng: samples, dtypes=dtypes,
                  gradient=False, takes_dtype=True, errors=errors, **options)


def one_hot(indices, classes, axis=-1):
    return np.moveaxis((np.asarray(indices)[..., None] == np.arange(classes)).astype("float64"), -1, axis)


class TestCreation(OpTests):
    specs = [
        *(created(name, [Sample(size) for size in SIZES], dtypes=NUMBERS + ("bool",),
                  errors=[(bad(name), kind, text) for bad, kind, text in BAD_SHAPES])
          for name in ("zeros", "ones")),
        created("full", [Sample(size, 3) for size in SIZES] + [Sample((2, 3), np.array([1, 2, 3]))],
                errors=[(lambda: ops.full((2,), 300, "uint8"), ValueError, r"\[full\] expected a value in")]),
        *(created(name, [Sample(np.ones((2, 3))), Sample(np.zeros((0, 4))), Sample(np.array(5.0))],
                  errors=[(lambda name=name: getattr(ops, name)("a"), TypeError, rf"\[{name}\] expected \(x: A")])
          for name in ("zeros_like", "ones_like")),
        created("full_like", [Sample(np.ones((2, 3)), 7), Sample(np.zeros((0, 4)), 1)],
                errors=[(lambda: ops.full_like("a", 1), TypeError, r"\[full_like\] expected \(x: ArrayLike")]),
        created("arange", [Sample(*args) for args in ((5,), (0,), (2, 9), (2, 9, 3), (9, 2, -3), (9, 2))],
                errors=[(lambda: ops.arange(3, step=0), ValueError, r"\[arange\] expected a step other than 0")]),
        created("linspace", [Sample(0, 1, 7), Sample(-2.0, 3.0, 5, endpoint=False), Sample(5, -5, 0),
                             Sample(3, 3, 1), Sample(0.0, 1.0, 1000)], dtypes=FLOATS + HALVES,
                errors=[(lambda: ops.linspace(0, 1, -1), ValueError, r"\[linspace\] expected at least 0 values")]),
        created("eye", [Sample(3), Sample(3, 5), Sample(5, 3, -1), Sample(2, 2, k=9), Sample(0)],
                errors=[(lambda: ops.eye(-1), ValueError, "at least 0")]),
        created("identity", [Sample(1), Sample(4), Sample(0)],
                errors=[(lambda: ops.identity(-1), ValueError, "at least 0")]),
        created("one_hot", [Sample([0, 2, 1], 3), Sample([[0], [4]], 5, axis=0), Sample([-1, 1], 2), Sample(1, 3)],
                one_hot, errors=[(lambda: ops.one_hot([0, 5], 5), IndexError, r"\[one_hot\] expected indices")]),
    ]


class TestCast(OpTests):
    bad = (lambda: ops.cast([1.0], "float31"), pydl.errors.DTypeError, "expected .*float31")
    specs = [
        OpSpec("cast", ops.cast, lambda x, dtype: x, errors=[bad], dtypes=FLOATS + HALVES + INTEGERS,
               samples=lambda rng: [Sample(np.asarray(rng.uniform(0, 9, shape)), "float64")
                                    for shape in ((3, 5), (), (0, 4), (37, 65))]),
        OpSpec("cast", ops.cast, lambda x, dtype: np.trunc(x).astype(dtype), errors=[bad],
               dtypes=FLOATS + HALVES + INTEGERS, gradient=False,
               samples=lambda rng: [Sample(rng.uniform(0, 99, (37, 65)), dtype) for dtype in INTEGERS]),
        OpSpec("cast", ops.cast, lambda x, dtype: x != 0, errors=[bad], gradient=False,
               samples=lambda rng: [Sample(rng.integers(0, 2, (5, 7)).astype("float64"), "bool")]),
    ]


class TestTriangles(OpTests):
    specs = [
        OpSpec(name, getattr(ops, name), getattr(np, name),
               lambda rng: [Sample(rng.normal(size=(4, 3))), Sample(rng.normal(size=(3, 5)), 1),
                            Sample(rng.normal(size=(2, 4, 4)), k=-2), Sample(rng.normal(size=(3, 3)), 10),
                            Sample(rng.normal(size=(3, 3)), -2**62), Sample(rng.normal(size=(0, 3))),
                            Sample(rng.normal(size=(2, 0, 3)))],
               dtypes=NUMBERS,
               errors=[(lambda name=name: getattr(ops, name)([1.0]), pydl.errors.ShapeError,
                        rf"\[{name}\] expected at least two axes, got shape \(1,\)")])
        for name in ("tril", "triu")
    ]


@pytest.mark.parametrize("call, kind, text", [
    (lambda: ops.zeros((-1,)), ValueError, "at least 0, got shape"),
    (lambda: ops.zeros((2**40, 2**40)), ValueError, r"2\^63"),
    (lambda: ops.ones((2**62,)), ValueError, r"2\^63 bytes"),
    (lambda: ops.zeros((2**55,)), MemoryError, "bytes"),
    (lambda: ops.zeros((2,), "float31"), pydl.errors.DTypeError, "float31"),
    (lambda: ops.full((2,), 300, "uint8"), ValueError, r"\[full\] expected a value in \[0, 255\] for uint8"),
    (lambda: ops.full((2,), [1, 2, 3]), pydl.errors.ShapeError, r"\[broadcast_to\]"),
    (lambda: ops.arange(3, step=0), ValueError, r"\[arange\] expected a step other than 0"),
    (lambda: ops.arange(0.0, 1.0, 0.0), ValueError, r"\[arange\] expected a finite step other than 0"),
    (lambda: ops.arange(0.0, 1e300, 1e-9), ValueError, r"\[arange\] expected fewer elements"),
    (lambda: ops.arange(0.0, float("nan")), ValueError, r"\[arange\]"),
    (lambda: ops.arange("a"), pydl.errors.DTypeError, r"\[arange\] expected numbers, got 'a'"),
    (lambda: ops.arange(3, dtype="bool"), pydl.errors.DTypeError, r"\[arange\] expected a dtype of numbers"),
    (lambda: ops.linspace(0, 1, -1), ValueError, r"\[linspace\] expected at least 0 values, got -1"),
    (lambda: ops.linspace(0, 1, 3, dtype="int32"), pydl.errors.DTypeError, r"\[linspace\] expected a floating"),
    (lambda: ops.eye(-1), ValueError, "at least 0"),
    (lambda: ops.one_hot([0, 5], 5), IndexError, r"\[one_hot\] expected indices .*5.*, got 5"),
    (lambda: ops.one_hot([0.5], 5), pydl.errors.DTypeError, r"\[one_hot\] expected integer indices, got float32"),
    (lambda: ops.one_hot([0], -1), ValueError, r"\[one_hot\] expected at least 0 classes"),
    (lambda: ops.one_hot([0], 2, axis=2), ValueError, r"\[one_hot\] expected an axis in \[-2, 2\)"),
])
def test_errors(call, kind, text):
    with pytest.raises(kind, match=text):
        call()
