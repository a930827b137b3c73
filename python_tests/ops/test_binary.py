"""Elementwise operations of two tensors against NumPy."""

import numpy as np
import pytest

import pydl
from pydl.testing import FLOATS, HALVES, INTEGERS, OpSpec, OpTests, Sample

SHAPES = [((3, 4), (3, 4)), ((3, 4), (4,)), ((2, 1, 3), (4, 1)), ((), (3,)), ((0, 3), (1, 3)), ((1,), (1,)),
          ((37, 65), (37, 65))]
ROWS = [((200, 3), (3,)), ((300, 5), (300, 1)), ((40, 1, 3), (1, 33, 1)), ((700, 2, 1), (1, 2, 9)),
        ((3, 600), (3, 1)), ((2, 70), (70,))]  # rows too short, and long enough, for a kernel call each


def pairs(rng):
    return [Sample(rng.normal(size=a), rng.normal(size=b)) for a, b in SHAPES]


def positive(rng):
    return [Sample(rng.uniform(0.5, 2, a), rng.uniform(0.5, 2, b)) for a, b in SHAPES]


def apart_from_zero(rng):
    return [Sample(x.args[0], np.where(x.args[1] < 0, -1, 1) * (abs(x.args[1]) + 0.5)) for x in pairs(rng)]


def with_ties(rng):
    return [Sample(np.round(x.args[0]), np.round(x.args[1])) for x in pairs(rng)]


def spec(name, reference, samples=pairs, **options):
    op = getattr(pydl.ops, name)
    error = (lambda: op(np.ones((2, 3)), np.ones((4, 3))), pydl.errors.ShapeError,
             r"\[\w+\] expected shapes that broadcast together, got \(2, 3\) and \(4, 3\)")
    options.setdefault("dtypes", FLOATS + HALVES + INTEGERS)
    return OpSpec(name, op, reference, samples, gradient_samples=lambda rng: samples(rng)[:-1],
                  errors=[error], **options)


class TestBinary(OpTests):
    specs = [
        spec("add", np.add),
        spec("subtract", np.subtract),
        spec("multiply", np.multiply),
        spec("divide", np.divide, apart_from_zero, dtypes=FLOATS + HALVES),
        spec("true_divide", np.divide, apart_from_zero, dtypes=FLOATS + HALVES),
        spec("power", np.power, positive, dtypes=FLOATS + HALVES),
        spec("maximum", np.maximum),
        spec("minimum", np.minimum),
        spec("mod", np.mod, apart_from_zero, dtypes=FLOATS),
        spec("floor_divide", np.floor_divide, apart_from_zero, dtypes=FLOATS),
    ]


class TestComparison(OpTests):
    specs = [
        spec(name, getattr(np, name), with_ties, gradient=False)
        for name in ("equal", "not_equal", "less", "less_equal", "greater", "greater_equal", "logical_and",
                     "logical_or", "logical_xor")
    ]


def triples(rng):
    shapes = [((3, 4), (3, 4), (3, 4)), ((3, 1), (4,), ()), ((4,), (3, 4), (3, 1)), ((0,), (0,), (1,)),
              ((31, 67), (31, 67), (31, 67))]
    return [Sample(rng.random(c) < 0.5, rng.normal(size=a), rng.normal(size=b)) for c, a, b in shapes]


class TestWhere(OpTests):
    specs = [OpSpec("where", pydl.ops.where, np.where, triples, dtypes=FLOATS + HALVES + INTEGERS,
                    gradient_samples=lambda rng: triples(rng)[:-1],
                    errors=[(lambda: pydl.ops.where(np.ones(2, bool), np.ones(3), 1.0), pydl.errors.ShapeError,
                             r"\[where\] expected shapes that broadcast together")])]


@pytest.mark.parametrize("dtype", INTEGERS)
@pytest.mark.parametrize("name", ["floor_divide", "mod", "multiply", "add", "subtract", "power"])
def test_integers_wrap_and_survive_zero(name, dtype):
    info = np.iinfo(dtype)
    values = np.array([info.min, info.min + 1, -1 % 256 if dtype == "uint8" else -1, 0, 1, 2, 7, info.max], dtype)
    a, b = np.repeat(values, len(values)), np.tile(values, len(values))
    if name == "power":
        b = b.clip(0, 7)
    with np.errstate(all="ignore"):
        expected = getattr(np, name)(a, b)
    np.testing.assert_array_equal(getattr(pydl.ops, name)(a, b).numpy(), expected)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("name", ["add", "divide", "floor_divide", "mod", "power", "maximum", "minimum", "less",
                                  "equal"])
def test_special_values(name, dtype):
    values = np.array([0.0, -0.0, 1, -1, 2.5, -2.5, 3, np.inf, -np.inf, np.nan], dtype)
    a, b = np.repeat(values, len(values)), np.tile(values, len(values))
    with np.errstate(all="ignore"):
        expected = getattr(np, name)(a, b)
    got = getattr(pydl.ops, name)(a, b).numpy()
    np.testing.assert_allclose(got, expected, rtol=4 * np.finfo(dtype).eps if name == "power" else 0)


def test_large_results_are_streamed_whole():
    a = np.random.default_rng(0).normal(size=9_000_001).astype("float32")
    np.testing.assert_array_equal(pydl.ops.add(a[1:], a[:-1]).numpy(), a[1:] + a[:-1])


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16", "int8"])
@pytest.mark.parametrize("shapes", ROWS, ids=str)
def test_broadcast_rows(shapes, dtype):
    rng = np.random.default_rng(0)
    a, b = (pydl.tensor(rng.integers(-9, 9, shape)).astype(dtype) for shape in shapes)
    np.testing.assert_array_equal((a + b).numpy(), a.numpy() + b.numpy())
    np.testing.assert_array_equal((b - a).numpy(), b.numpy() - a.numpy())
    np.testing.assert_array_equal((a > b).numpy(), a.numpy() > b.numpy())


def test_transposed_operands_keep_their_layout():
    x = pydl.tensor(np.random.default_rng(0).normal(size=(4, 5, 6)))
    y = pydl.ops.permute(x, (2, 0, 1))
    for result, expected in [(y + y, y.numpy() * 2), (pydl.ops.abs(y), abs(y.numpy())), (y > 0, y.numpy() > 0)]:
        assert result.strides == y.strides and not result.is_contiguous
        np.testing.assert_array_equal(result.numpy(), expected)
    mixed = y + y.contiguous()
    assert mixed.is_contiguous
    np.testing.assert_array_equal(mixed.numpy(), y.numpy() * 2)
    t = pydl.tensor(x.numpy(), requires_grad=True)
    pydl.ops.sum(pydl.ops.tanh(pydl.ops.permute(t, (1, 2, 0)))).backward()
    np.testing.assert_allclose(t.grad.numpy(), 1 - np.tanh(x.numpy()) ** 2)


def test_bools():
    a, b = np.array([True, True, False, False]), np.array([True, False, True, False])
    for name in ("add", "multiply", "maximum", "minimum", "equal", "less"):
        np.testing.assert_array_equal(getattr(pydl.ops, name)(a, b).numpy(), getattr(np, name)(a, b))
    with pytest.raises(pydl.errors.DTypeError, match=r"\[subtract\] expected a numeric dtype, got bool"):
        pydl.ops.subtract(a, b)


def test_operators():
    x, a = pydl.tensor([1.0, -2.0, 3.5]), np.array([1, -2, 3.5], "float32")
    for got, want in [(x / 2, a / 2), (1 / x, 1 / a), (x // 2, a // 2), (x % 2, a % 2), (x ** 2, a ** 2),
                      (abs(x), abs(a)), (x ** 3, a ** 3), (2 ** x, 2 ** a), (x > 1, a > 1), (x <= 1, a <= 1),
                      (x == 1, a == 1), (x != a, a != a), ((x > 0) & (x < 2), (a > 0) & (a < 2)),
                      ((x > 0) | (x < -1), (a > 0) | (a < -1)), (~(x > 0), ~(a > 0)), (3 > x, 3 > a)]:
        np.testing.assert_array_equal(got.numpy(), want)
    assert (x == None) is False and {x: 1}[x] == 1  # noqa: E711
    with pytest.raises(pydl.errors.DTypeError, match="expected bool tensors"):
        x & x


def test_numbers_take_the_dtype_beside_them():
    half, whole = pydl.tensor([2.0], "float16"), pydl.tensor([2])
    assert (half * 1.5).dtype == "float16" and (whole * 2).dtype == "int32" and (whole * 1.5).dtype == "float32"
    assert (whole / 2).dtype == "float32" and (whole ** 2).dtype == "int32" and (whole ** 0.5).dtype == "float32"
    assert (pydl.tensor([True]) + 1).dtype == "int32" and pydl.ops.where([True], half, 0.0).dtype == "float16"
    with pytest.raises(ValueError, match=r"\[power\] expected an exponent of at least 0"):
        whole ** -1


@pytest.mark.parametrize("exponent", [2, 0.5, 3, -1, -0.5, 1, 0])
def test_power_of_a_number(exponent):
    x = pydl.tensor(np.array([0.5, 1.5, 3.0]), requires_grad=True)
    y = x ** exponent
    pydl.ops.sum(y).backward()
    np.testing.assert_allclose(y.numpy(), x.detach().numpy() ** float(exponent))
    np.testing.assert_allclose(x.grad.numpy(), exponent * x.detach().numpy() ** (exponent - 1.0))


def test_gradient_of_power_at_zero():
    x, n = pydl.tensor([0.0, 0.0], requires_grad=True), pydl.tensor([0.0, 2.0], requires_grad=True)
    pydl.ops.sum(x ** n).backward()
    np.testing.assert_array_equal(x.grad.numpy(), [0, 0])
    np.testing.assert_array_equal(n.grad.numpy(), [0, 0])


def test_gradient_of_ties():
    a, b = pydl.tensor([1.0, 2.0, 3.0], requires_grad=True), pydl.tensor([1.0, 3.0, 2.0], requires_grad=True)
    pydl.ops.sum(pydl.ops.maximum(a, b)).backward()
    np.testing.assert_array_equal(a.grad.numpy(), [0.5, 0, 1])
    np.testing.assert_array_equal(b.grad.numpy(), [0.5, 1, 0])
