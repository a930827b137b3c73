"""Matrix products on GPUs against NumPy in float64: shapes that fit no tile, layouts, dtypes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import pydl
from pydl import ops

# Largest error, relative to the largest element of the result.
TOLERANCE = {"float64": 1e-14, "float32": 2e-6, "float16": 1e-3, "bfloat16": 8e-3}
INTEGERS = ["int8", "uint8", "int32", "int64"]


def operand(generator: np.random.Generator, shape: tuple[int, ...], dtype: str) -> tuple[pydl.Tensor, np.ndarray]:
    """A tensor on the GPU, and its numbers as they were rounded to its dtype."""
    tensor = pydl.tensor(generator.standard_normal(shape)).astype(dtype)
    return tensor, tensor.astype("float64").numpy()


def check(got: pydl.Tensor, expected: np.ndarray, dtype: str | None = None) -> None:
    assert got.device == "gpu:0"
    error = np.abs(got.astype("float64").numpy() - expected).max(initial=0)
    assert error <= TOLERANCE[dtype or got.dtype] * max(np.abs(expected).max(initial=0), 1e-30)


SHAPES = [(45, 37, 51), (64, 72, 96), (1, 65, 33), (65, 1, 33), (7, 5, 1), (129, 131, 40), (20, 30, 1500)]


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize(("m", "n", "k"), SHAPES)
@pytest.mark.parametrize("layout", ["nn", "nt", "tn", "tt"])
def test_products_of_any_layout(dtype: str, m: int, n: int, k: int, layout: str):
    generator = np.random.default_rng(0)
    a, exact_a = operand(generator, (m, k) if layout[0] == "n" else (k, m), dtype)
    b, exact_b = operand(generator, (k, n) if layout[1] == "n" else (n, k), dtype)
    if layout[0] == "t":
        a, exact_a = ops.transpose(a), exact_a.T
    if layout[1] == "t":
        b, exact_b = ops.transpose(b), exact_b.T
    check(ops.matmul(a, b), exact_a @ exact_b)


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("offset", [1, 3, 8])
def test_parts_of_matrices_at_any_address(dtype: str, offset: int):
    generator = np.random.default_rng(1)
    a, exact_a = operand(generator, (40, 59), dtype)
    b, exact_b = operand(generator, (59, 50), dtype)
    got = ops.matmul(a[2:, offset:], b[offset:, offset:])
    check(got, exact_a[2:, offset:] @ exact_b[offset:, offset:])


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize(
    ("left", "right"),
    [((3, 2, 17, 20), (3, 2, 20, 9)), ((2, 1, 17, 20), (3, 20, 9)), ((17, 20), (5, 20, 9)), ((0, 4, 3), (0, 3, 2))],
)
def test_batches_broadcast(dtype: str, left: tuple[int, ...], right: tuple[int, ...]):
    generator = np.random.default_rng(2)
    (a, exact_a), (b, exact_b) = operand(generator, left, dtype), operand(generator, right, dtype)
    check(ops.matmul(a, b), exact_a @ exact_b)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("layout", ["nn", "nt", "tn", "tt"])
@pytest.mark.parametrize(
    ("batch", "m", "n", "k"),
    [((), 200, 520, 136), ((2, 3), 136, 264, 64), ((), 400, 300, 200), ((), 264, 136, 72), ((), 104, 128, 2100)],
)
def test_large_products_of_16_bits(dtype: str, layout: str, batch: tuple[int, ...], m: int, n: int, k: int):
    generator = np.random.default_rng(3)
    a, exact_a = operand(generator, (*batch, m, k) if layout[0] == "n" else (*batch, k, m), dtype)
    b, exact_b = operand(generator, (*batch, k, n) if layout[1] == "n" else (*batch, n, k), dtype)
    if layout[0] == "t":
        a, exact_a = ops.swapaxes(a, -1, -2), exact_a.swapaxes(-1, -2)
    if layout[1] == "t":
        b, exact_b = ops.swapaxes(b, -1, -2), exact_b.swapaxes(-1, -2)
    check(ops.matmul(a, b), exact_a @ exact_b)


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("activation", [None, "relu", "relu6", "sigmoid", "tanh", "silu", "gelu", "gelu_tanh"])
def test_bias_and_activation_are_those_of_the_cpu(dtype: str, activation: str | None):
    generator = np.random.default_rng(4)
    shapes = ((33, 40), (40, 21), (21,), (33, 21))
    x, kernel, bias, gradient = (generator.standard_normal(s) for s in shapes)

    def run(device: str, wide: str) -> list[np.ndarray]:
        with pydl.device(device):
            given = [pydl.tensor(v).astype(dtype).astype(wide) for v in (x, kernel, bias)]
            for one in given[:2]:
                one.requires_grad = True
            y = ops.linear(*given, activation=activation)
            y.backward(pydl.tensor(gradient).astype(dtype).astype(wide))
            return [v.astype("float64").numpy() for v in (y, *(v.grad for v in given[:2]))]

    got, expected = run("gpu:0", dtype), run("cpu", "float64")
    for one, other in zip(got, expected):
        assert np.abs(one - other).max() <= 4 * TOLERANCE[dtype] * np.abs(other).max()


@pytest.mark.parametrize("dtype", INTEGERS)
def test_integers_wrap_around(dtype: str):
    limits = np.iinfo(dtype)
    generator = np.random.default_rng(5)
    a = generator.integers(limits.min, limits.max, (2, 19, 23), dtype, endpoint=True)
    b = generator.integers(limits.min, limits.max, (23, 11), dtype, endpoint=True)
    with np.errstate(over="ignore"):
        expected = np.matmul(a, b)
    np.testing.assert_array_equal(ops.matmul(pydl.tensor(a), pydl.tensor(b)).numpy(), expected)


def test_long_sums_are_the_same_every_time():
    generator = np.random.default_rng(6)
    a, b = (pydl.tensor(generator.standard_normal(s).astype("float32")) for s in ((8, 5000), (5000, 8)))
    first = ops.matmul(a, b).numpy()
    for _ in range(3):
        np.testing.assert_array_equal(ops.matmul(a, b).numpy(), first)


EXACT = """
import numpy as np, pydl
from pydl import ops
generator = np.random.default_rng(7)
a, b = (generator.standard_normal(s).astype("float32") for s in ((150, 70), (70, 140)))
with pydl.device("gpu:0"):
    got = ops.matmul(pydl.tensor(a), pydl.tensor(b)).numpy()
    a[3, 5] = np.inf
    infinite = ops.matmul(pydl.tensor(a), pydl.tensor(abs(b))).numpy()[3]
exact = a.astype("float64")[:3] @ b
print(abs(got[:3] - exact).max() / abs(exact).max(), np.isposinf(infinite).all())
"""


@pytest.mark.parametrize(("mode", "infinite"), [("exact", True), ("tf32x3", False)])
def test_float32_is_exact_on_demand_and_nearly_so_without(run_python: Callable[..., str], mode: str, infinite: bool):
    error, keeps_infinity = run_python(EXACT, PYDL_CUDA_FLOAT32=mode).split()
    assert float(error) < 5e-7
    assert (keeps_infinity == "True") == infinite
