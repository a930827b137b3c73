"""Products of int8 numbers against exact integers, and what they stand for against NumPy in float64."""

import numpy as np
import pytest
from scipy import special

import pydl
from pydl import layers
from pydl.errors import DTypeError, ShapeError

OPS = pydl.ops


@pytest.fixture(params=["generic", *pydl.config.supported_cpu_dot_units()])
def unit(request):
    """Each kind of instructions of the CPU; "generic" are kernels that know of none. A GPU has one kind."""
    if request.config.getoption("--device") != "cpu" and request.param != "generic":
        pytest.skip("of the CPU")
    before = pydl.config.cpu_isa(), pydl.config.cpu_dot_unit()
    if request.param == "generic":
        pydl.config.set_cpu_isa("generic")
    else:
        pydl.config.set_cpu_dot_unit(request.param)
    yield request.param
    pydl.config.set_cpu_isa(before[0]), pydl.config.set_cpu_dot_unit(before[1])


def bytes_of(rng, *shape):
    return rng.integers(-128, 128, shape, np.int8)


def layouts(x):
    """The matrix as rows, as columns, and as a part of a larger one."""
    yield pydl.tensor(x)
    yield OPS.transpose(pydl.tensor(np.ascontiguousarray(x.T)))
    yield pydl.tensor(np.pad(x, ((1, 2), (3, 2))))[1 : x.shape[0] + 1, 3 : x.shape[1] + 3]


SHAPES = [
    (1, 1, 1), (1, 70, 40), (2, 3, 5), (14, 64, 32), (15, 65, 33), (31, 63, 48), (33, 130, 17), (64, 64, 64),
    (3, 300, 1000), (70, 1100, 90), (40, 4200, 130), (1100, 200, 35), (300, 140, 260),
]  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES)
def test_exact(unit, shape):
    rows, inner, columns = shape
    rng = np.random.default_rng(0)
    x, kernel = bytes_of(rng, rows, inner), bytes_of(rng, inner, columns)
    x[0], kernel[:, 0] = -128, -128
    exact = x.astype("int64") @ kernel.astype("int64")
    for left in layouts(x):
        for right in layouts(kernel):
            got = OPS.quantized_linear(left, right, 1.0, x_scale=1.0)
            np.testing.assert_array_equal(got.numpy(), exact.astype("float32"))


@pytest.mark.parametrize("shape", SHAPES)
def test_matmul_wraps_around(unit, shape):
    rows, inner, columns = shape
    rng = np.random.default_rng(1)
    x, kernel = bytes_of(rng, rows, inner), bytes_of(rng, inner, columns)
    for left in layouts(x):
        np.testing.assert_array_equal(OPS.matmul(left, pydl.tensor(kernel)).numpy(), x @ kernel)


def test_edges_of_tiles(unit):
    rng = np.random.default_rng(2)
    x, kernel = bytes_of(rng, 66, 140), bytes_of(rng, 140, 70)
    for rows in range(1, 67, 3):
        for columns in range(1, 71, 5):
            inner = (rows * 7 + columns) % 140 + 1
            got = OPS.quantized_linear(pydl.tensor(x[:rows, :inner]), pydl.tensor(kernel[:inner, :columns]), 1.0, x_scale=1.0)
            exact = x[:rows, :inner].astype("int32") @ kernel[:inner, :columns].astype("int32")
            np.testing.assert_array_equal(got.numpy(), exact.astype("float32"))


ACTIVATIONS = {None: lambda y: y, "relu": lambda y: np.maximum(y, 0), "relu6": lambda y: np.clip(y, 0, 6),
               "sigmoid": special.expit, "tanh": np.tanh, "silu": lambda y: y * special.expit(y),
               "gelu": lambda y: y * special.ndtr(y)}  # fmt: skip


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_scales_bias_and_activation(unit, activation):
    rng = np.random.default_rng(3)
    x, kernel = bytes_of(rng, 2, 5, 30), bytes_of(rng, 30, 19)
    rows, columns = rng.uniform(50, 100, (2, 5, 1)).astype("float32"), rng.uniform(50, 100, 19).astype("float32")
    bias = rng.normal(size=19).astype("float32")
    got = OPS.quantized_linear(x, kernel, columns, bias, activation, rows)
    exact = ACTIVATIONS[activation](x.astype("float64") @ kernel.astype("float64") / (rows * columns) + bias)
    np.testing.assert_allclose(got.numpy(), exact, rtol=2e-6, atol=2e-6)


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_floating_inputs(unit, dtype):
    """They are quantized as `abs_max_quantize` does."""
    rng = np.random.default_rng(4)
    x, kernel = pydl.tensor(rng.normal(size=(3, 7, 40)), dtype), bytes_of(rng, 40, 21)
    x = OPS.concatenate([x, OPS.zeros((3, 1, 40), dtype)], axis=1)
    columns = rng.uniform(50, 100, 21).astype("float32")
    integers, rows = pydl.quantizers.abs_max_quantize(x.astype("float32"), -1)
    exact = integers.numpy().astype("float64") @ kernel.astype("float64") / (rows.numpy() * columns)
    got = OPS.quantized_linear(x, kernel, columns)
    assert got.dtype == dtype
    tolerance = {"float32": 2e-6, "float16": 1e-3, "bfloat16": 8e-3}[dtype]
    np.testing.assert_allclose(got.astype("float64").numpy(), exact, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("shape", [(0, 4, 3), (4, 0, 3), (4, 3, 0)])
def test_nothing(unit, shape):
    rows, inner, columns = shape
    for x, scale in ((np.zeros((rows, inner), "int8"), 1.0), (np.zeros((rows, inner), "float32"), None)):
        got = OPS.quantized_linear(x, np.zeros((inner, columns), "int8"), np.ones(columns, "float32"), x_scale=scale)
        np.testing.assert_array_equal(got.numpy(), np.zeros((rows, columns), "float32"))


@pytest.mark.cpu
@pytest.mark.parametrize("rows", [1, 9, 40])
@pytest.mark.parametrize("transposed", [False, True])
def test_kept_weights_follow_the_kernel(unit, rows, transposed):
    rng = np.random.default_rng(6)
    x, kernel = pydl.tensor(bytes_of(rng, rows, 2100)), np.maximum(bytes_of(rng, 2100, 75), -127)
    weights = pydl.tensor(np.ascontiguousarray(kernel.T) if transposed else kernel)
    for factor in (1, -1):
        weights.numpy()[...] *= factor
        exact = factor * (x.numpy().astype("int64") @ kernel.astype("int64"))
        for _ in range(4):
            got = OPS.quantized_linear(x, OPS.transpose(weights) if transposed else weights, 1.0, x_scale=1.0)
            np.testing.assert_array_equal(got.numpy(), exact.astype("float32"))


@pytest.mark.cpu
@pytest.mark.parametrize("shape", [(64, 2100, 70), (300, 500, 400), (2, 900, 3000)])
def test_threads_do_not_change_a_bit(shape):
    rows, inner, columns = shape
    rng = np.random.default_rng(5)
    x, kernel = rng.normal(size=(rows, inner)).astype("float32"), bytes_of(rng, inner, columns)
    before = pydl.get_num_threads()
    results = []
    try:
        for threads in (1, 2, 5):
            pydl.set_num_threads(threads)
            results.append(OPS.quantized_linear(x, kernel, 3.0).numpy().tobytes())
    finally:
        pydl.set_num_threads(before)
    assert len(set(results)) == 1


X, KERNEL = np.zeros((2, 3), "int8"), np.zeros((3, 4), "int8")


@pytest.mark.parametrize(
    "call, error, message",
    [
        (lambda: OPS.quantized_linear(X, KERNEL.T, 1.0, x_scale=1.0), ShapeError, r"expected x of shape"),
        (lambda: OPS.quantized_linear(X, KERNEL.astype("float32"), 1.0), DTypeError, "expected a kernel of int8"),
        (lambda: OPS.quantized_linear(X.astype("float64"), KERNEL, 1.0), DTypeError, "got float64"),
        (lambda: OPS.quantized_linear(X, KERNEL, 1.0), ValueError, "expected x_scale if x is int8"),
        (lambda: OPS.quantized_linear(X.astype("float32"), KERNEL, 1.0, x_scale=1.0), ValueError, "expected x_scale"),
        (lambda: OPS.quantized_linear(X, KERNEL, 1.0, activation="swoosh", x_scale=1.0), ValueError, "swoosh"),
    ],
)
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_quantized_layers_multiply_integers(unit):
    """Beside the product in float32, by which layers with another quantizer go."""
    rng = np.random.default_rng(6)
    for layer, shape in (
        (layers.Dense(5), (4, 6)),
        (layers.EinsumDense("abc,cde->abde", (None, 2, 4)), (2, 3, 5)),
        (layers.EinsumDense("abde,dec->abc", (None, 4)), (2, 3, 2, 5)),
        (layers.EinsumDense("...x,xy->...y", 4), (2, 3, 5)),
    ):
        x = rng.normal(size=shape).astype("float32")
        layer(x)
        layer.quantize("int8")
        assert layer._multiplies_integers(pydl.tensor(x))
        got = layer(x).numpy()
        layer._multiplies_integers = lambda inputs: False
        np.testing.assert_allclose(got, layer(x).numpy(), rtol=1e-5, atol=1e-6)
