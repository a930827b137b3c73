"""Matrix products of bfloat16 with the dot-product instructions of CPUs, against NumPy in float64."""

import numpy as np
import pytest

import pydl

OPS = pydl.ops
pytestmark = pytest.mark.cpu


@pytest.fixture(params=pydl.config.supported_cpu_dot_units())
def unit(request):
    before = pydl.config.cpu_dot_unit()
    pydl.config.set_cpu_dot_unit(request.param)
    yield request.param
    pydl.config.set_cpu_dot_unit(before)


def bfloat16(values):
    """A tensor of bfloat16, and what it holds in float64."""
    tensor = OPS.cast(OPS.convert_to_tensor(np.asarray(values, "float32")), "bfloat16")
    return tensor, OPS.cast(tensor, "float64").numpy()


def check(got, exact, inner):
    """Sums of float32 of products of normally distributed numbers, rounded to bfloat16."""
    got = OPS.cast(got, "float64").numpy()
    np.testing.assert_allclose(got, exact, rtol=2**-8, atol=2e-6 * inner)


def views(rng, rows, columns):
    """A matrix as rows, as columns, and as a part of a larger one, each with its values."""
    yield bfloat16(rng.normal(size=(rows, columns)))
    tensor, values = bfloat16(rng.normal(size=(columns, rows)))
    yield OPS.transpose(tensor), values.T
    tensor, values = bfloat16(rng.normal(size=(rows + 1, columns + 3)))
    yield tensor[1:, 2 : columns + 2], values[1:, 2 : columns + 2]


SHAPES = [
    (1, 1, 1), (5, 1, 1), (5, 2, 3), (6, 3, 17), (14, 32, 32), (15, 31, 33), (16, 32, 16), (17, 33, 48),
    (31, 64, 40), (32, 65, 31), (33, 95, 65), (64, 64, 64), (100, 100, 100), (70, 1100, 90), (40, 2500, 330),
    (1100, 1025, 35), (257, 4096, 16),
]  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES)
def test_layouts(unit, shape):
    rows, inner, columns = shape
    rng = np.random.default_rng(1)
    for left, a in views(rng, rows, inner):
        for right, b in views(rng, inner, columns):
            check(OPS.matmul(left, right), a @ b, inner)


def test_edges_of_tiles(unit):
    rng = np.random.default_rng(2)
    left, a = bfloat16(rng.normal(size=(66, 70)))
    right, b = bfloat16(rng.normal(size=(70, 70)))
    for rows in range(5, 67, 2):
        for columns in range(1, 71, 3):
            inner = (rows * 7 + columns) % 70 + 1
            got = OPS.matmul(left[:rows, :inner], right[:inner, :columns])
            check(got, a[:rows, :inner] @ b[:inner, :columns], inner)


@pytest.mark.parametrize("shape", [(7, 0, 5), (0, 8, 5), (7, 8, 0), (3, 0, 40, 8)])
def test_nothing(unit, shape):
    *rows, inner, columns = shape
    left = OPS.ones((*rows, inner), dtype="bfloat16")
    right = OPS.ones((inner, columns), dtype="bfloat16")
    got = OPS.matmul(left, right)
    assert got.shape == (*rows, columns) and got.dtype == "bfloat16"
    np.testing.assert_array_equal(OPS.cast(got, "float32").numpy(), np.full(got.shape, inner, "float32"))


@pytest.mark.parametrize("activation", [None, "relu", "gelu", "tanh"])
@pytest.mark.parametrize("columns", [5, 64, 70])
def test_linear(unit, activation, columns):
    rng = np.random.default_rng(3)
    left, x = bfloat16(rng.normal(size=(2, 37, 50)))
    right, kernel = bfloat16(rng.normal(size=(50, columns)) / 7)
    offsets, bias = bfloat16(rng.normal(size=columns))
    wide = [OPS.convert_to_tensor(each) for each in (x, kernel, bias)]
    exact = OPS.linear(*wide, activation).numpy()
    check(OPS.linear(left, right, offsets, activation), exact, 50)


def test_gradients_of_linear(unit):
    rng = np.random.default_rng(4)
    given = [bfloat16(rng.normal(size=shape)) for shape in ((40, 50), (50, 33), (33,))]
    tensors = [tensor for tensor, _ in given]
    for tensor in tensors:
        tensor.requires_grad = True
    OPS.sum(OPS.linear(*tensors, "relu")).backward()
    x, kernel, bias = (values for _, values in given)
    mask = ((x @ kernel + bias) > 0).astype("float64")
    for tensor, exact in zip(tensors, (mask @ kernel.T, x.T @ mask, mask.sum(0)), strict=True):
        check(tensor.grad, exact, 50)


def test_not_finite(unit):
    """They stay in their rows and columns, and padding makes no new ones."""
    a, b = np.ones((20, 41)), np.ones((41, 35))
    a[3, 40], a[7, 2], a[9, 0], a[9, 1], b[5, 34] = np.inf, -np.inf, np.inf, np.nan, np.nan
    left, right = bfloat16(a)[0], bfloat16(b)[0]
    with np.errstate(invalid="ignore"):
        exact = a @ b
    np.testing.assert_array_equal(OPS.cast(OPS.matmul(left, right), "float64").numpy(), exact)


def test_batches(unit):
    rng = np.random.default_rng(5)
    left, a = bfloat16(rng.normal(size=(3, 1, 20, 33)))
    right, b = bfloat16(rng.normal(size=(4, 33, 18)))
    check(OPS.matmul(left, right), a @ b, 33)


@pytest.mark.parametrize("shape", [(64, 2100, 70), (300, 500, 400), (8, 900, 3000), (3000, 900, 8)])
def test_threads_do_not_change_a_bit(unit, shape):
    rows, inner, columns = shape
    rng = np.random.default_rng(6)
    left, right = bfloat16(rng.normal(size=(rows, inner)))[0], bfloat16(rng.normal(size=(inner, columns)))[0]
    before = pydl.get_num_threads()
    results = []
    try:
        for threads in (1, 2, 3, 7):
            pydl.set_num_threads(threads)
            results.append(OPS.cast(OPS.matmul(left, right), "float32").numpy().tobytes())
    finally:
        pydl.set_num_threads(before)
    assert len(set(results)) == 1


def test_unknown_unit():
    with pytest.raises(ValueError, match=r"\[set_cpu_dot_unit\] expected one of none.*got 'tpu'"):
        pydl.config.set_cpu_dot_unit("tpu")
