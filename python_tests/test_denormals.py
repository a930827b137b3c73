"""Denormal numbers count as zero inside kernels, and nowhere else."""

import time

import numpy as np
import pytest

import pydl
from pydl import ops

SMALL = {"float32": 1e-40, "float64": 1e-310}


def numpy_keeps_denormals():
    half = np.array([np.finfo("float32").tiny], "float32") * np.float32(0.5)
    return half[0] != 0


@pytest.mark.parametrize("dtype", SMALL)
@pytest.mark.parametrize("threads", [1, 2, 3])
def test_results_and_operands_are_flushed_on_every_thread(dtype, threads):
    tiny = np.finfo(dtype).tiny
    x = ops.full((1_000_000,), tiny, dtype)
    denormal = pydl.tensor(np.full(1_000_000, SMALL[dtype], dtype))
    before = pydl.get_num_threads()
    pydl.set_num_threads(threads)
    try:
        assert not ops.any(ops.not_equal(ops.multiply(x, 0.5), 0)).item()
        assert not ops.any(ops.greater(denormal, 0)).item()
        np.testing.assert_array_equal(ops.multiply(x, 1.0).numpy(), tiny)
    finally:
        pydl.set_num_threads(before)
    assert numpy_keeps_denormals()


def test_nan_and_infinity_stay():
    x = np.array([np.nan, np.inf, -np.inf, 1e38, 0.0, -0.0], "float32")
    np.testing.assert_array_equal(ops.multiply(x, 2.0).numpy(), x * np.float32(2.0))
    np.testing.assert_array_equal(np.signbit(ops.multiply(x, 1.0).numpy()), np.signbit(x))


def test_copies_and_casts_are_exact():
    x = np.array([1e-40, -1e-45, 0.0, 1.5], "float32")
    t = pydl.tensor(x)
    np.testing.assert_array_equal(t.numpy(), x)
    np.testing.assert_array_equal(t.astype("float64").numpy(), x.astype("float64"))
    np.testing.assert_array_equal(t.astype("float64").astype("float32").numpy(), x)
    np.testing.assert_array_equal(t.astype("bool").numpy(), x.astype("bool"))
    np.testing.assert_array_equal(ops.flip(t, 0).numpy(), x[::-1])
    half = np.arange(1, 1024, 37, dtype="uint16").view("float16")  # all denormal in float16
    np.testing.assert_array_equal(ops.multiply(pydl.tensor(half), 1.0).numpy(), half)


def test_errors_and_gradients_written_in_python_see_numpys_mode():
    with pytest.raises(ValueError):
        ops.matmul(np.ones((2, 3)), np.ones((2, 3)))
    assert numpy_keeps_denormals()

    class Identity(pydl.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            assert numpy_keeps_denormals()
            return x * 1.0

        @staticmethod
        def backward(ctx, gradient):
            assert numpy_keeps_denormals()
            return gradient

    x = pydl.tensor([1.0, 2.0], requires_grad=True)
    ops.sum(Identity.apply(x)).backward()
    assert x.grad.numpy().tolist() == [1.0, 1.0]


def test_denormal_operands_cost_nothing():
    random = np.random.default_rng(0)
    x = pydl.tensor(random.random((256, 64)).astype("float32"))
    kernel = random.random((64, 128)).astype("float32")

    def least_time(kernel):
        times = []
        for _ in range(20):
            start = time.process_time_ns()
            ops.matmul(x, kernel)
            times.append(time.process_time_ns() - start)
        return min(times)

    normal = least_time(pydl.tensor(kernel))
    assert least_time(pydl.tensor(kernel * np.float32(1e-40))) < 10 * normal  # it was 190 times
