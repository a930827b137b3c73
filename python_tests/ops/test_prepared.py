"""Weights that kernels keep in an order of their own from call to call, against torch in float64."""

from __future__ import annotations

import gc
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import pydl

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.cpu


def array(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype("float32")


def conv_reference(x, kernel, stride=1):
    pad = kernel.shape[0] // 2
    y = torch.nn.functional.conv2d(
        torch.tensor(x, dtype=torch.float64).permute(0, 3, 1, 2),
        torch.tensor(kernel, dtype=torch.float64).permute(3, 2, 0, 1), None, stride, pad,
    )  # fmt: skip
    return y.permute(0, 2, 3, 1).numpy()


def conv(x, kernel, stride=1):
    pad = kernel.shape[0] // 2
    return pydl.ops.conv(x, kernel, strides=stride, padding=[(pad, pad)] * 2)


# Label: input, kernel, stride: a matrix product, Winograd's method, patches.
CONVOLUTIONS = {
    "product": ((1, 7, 9, 40), (1, 1, 40, 70), 1),
    "winograd": ((1, 14, 13, 160), (3, 3, 160, 72), 1),
    "strided": ((1, 15, 11, 48), (3, 3, 48, 40), 2),
    "product of parts": ((1, 19, 17, 700), (1, 1, 700, 90), 1),
    "patches of parts": ((1, 37, 35, 80), (3, 3, 80, 72), 2),
    "few tiles": ((1, 7, 7, 200), (3, 3, 200, 136), 1),
}


@pytest.mark.parametrize("label", CONVOLUTIONS)
def test_conv_gives_the_same_at_every_call(label):
    x_shape, kernel_shape, stride = CONVOLUTIONS[label]
    x, kernel = array(*x_shape), array(*kernel_shape, seed=1)
    weights = pydl.tensor(kernel)
    results = [conv(pydl.tensor(x), weights, stride).numpy() for _ in range(4)]
    want = conv_reference(x, kernel, stride)
    np.testing.assert_allclose(results[0], want, atol=2e-5 * np.abs(want).max())
    for result in results[1:]:
        np.testing.assert_array_equal(result, results[0])


@pytest.mark.parametrize("label", CONVOLUTIONS)
def test_kept_kernels_have_no_order_of_threads(label):
    x_shape, kernel_shape, stride = CONVOLUTIONS[label]
    x, weights = pydl.tensor(array(*x_shape)), pydl.tensor(array(*kernel_shape, seed=1))
    before, results = pydl.get_num_threads(), []
    try:
        for threads in (1, 1, 1, 2, 3, 8):
            pydl.set_num_threads(threads)
            results.append(conv(x, weights, stride).numpy())
    finally:
        pydl.set_num_threads(before)
    for result in results[1:]:
        np.testing.assert_array_equal(result, results[0])


@pytest.mark.parametrize("label", ["product of parts", "patches of parts"])
def test_kept_numbers_without_parts(label):
    x_shape, kernel_shape, stride = CONVOLUTIONS[label]
    kernel = array(*kernel_shape, seed=1)
    kernel[..., 5, 7] = np.inf
    x, weights = np.ones(x_shape, "float32"), pydl.tensor(kernel)
    for _ in range(3):
        result = conv(x, weights, stride).numpy()
        assert not np.isfinite(result[..., 7]).any()  # zeros around images give NaN
        assert np.isfinite(np.delete(result, 7, axis=-1)).all()


def test_linear_gives_the_same_at_every_call():
    x, kernel = array(30, 500), array(500, 90, seed=1)
    weights = pydl.tensor(kernel)
    results = [pydl.ops.linear(pydl.tensor(x), weights).numpy() for _ in range(4)]
    np.testing.assert_allclose(results[0], x.astype("float64") @ kernel, atol=1e-4)
    for result in results[1:]:
        np.testing.assert_array_equal(result, results[0])


def scale_in_place(weights):
    with pydl.no_grad():
        weights.assign(weights * 2)


def write_through_numpy(weights):
    weights.numpy()[...] *= 2


def write_through_dlpack(weights):
    torch.from_dlpack(weights.detach())[...] *= 2


@pytest.mark.parametrize("change", [scale_in_place, write_through_numpy, write_through_dlpack])
@pytest.mark.parametrize("label", CONVOLUTIONS)
def test_follows_the_weights(label, change):
    x_shape, kernel_shape, stride = CONVOLUTIONS[label]
    x = pydl.tensor(array(*x_shape))
    weights = pydl.Variable(array(*kernel_shape, seed=1))
    with pydl.no_grad():
        first = [conv(x, weights, stride).numpy() for _ in range(3)][0]
        for times in (2, 4):
            change(weights)
            for _ in range(3):
                np.testing.assert_allclose(
                    conv(x, weights, stride).numpy(), times * first, rtol=1e-4, atol=1e-3
                )


def test_follows_a_view_that_stays():
    x, weights = pydl.tensor(array(20, 64)), pydl.tensor(array(64, 64, seed=1))
    for _ in range(3):
        pydl.ops.linear(x, weights)
    view = weights.numpy()
    for value in (0.5, 0.75, 1.0):
        view[...] = value
        want = value * x.numpy().sum(1, keepdims=True) * np.ones((1, 64))
        np.testing.assert_allclose(pydl.ops.linear(x, weights).numpy(), want, rtol=1e-4, atol=1e-4)


def test_parts_of_one_storage():
    stack = pydl.tensor(array(2, 64, 64))
    x = pydl.tensor(array(20, 64, seed=1))
    for _ in range(3):
        for weights in (stack[0], stack[1], stack[0].T, stack[1][::-1]):
            want = x.numpy().astype("float64") @ weights.numpy()
            np.testing.assert_allclose(pydl.ops.linear(x, weights).numpy(), want, atol=1e-4)


def test_memory_goes_with_the_weights():
    x = pydl.tensor(array(1, 14, 14, 256))
    before = pydl.memory_stats()["allocated_bytes"]
    weights = pydl.tensor(array(3, 3, 256, 256))
    for _ in range(3):
        conv(x, weights)
    gc.collect()
    kept = pydl.memory_stats()["allocated_bytes"] - before
    assert kept > 1.5 * 9 * 256 * 256 * 4
    del weights
    gc.collect()
    assert pydl.memory_stats()["allocated_bytes"] - before < 9 * 256 * 256 * 4


@pytest.mark.parametrize("label", CONVOLUTIONS)
def test_the_number_of_threads_changes_nothing(label):
    x_shape, kernel_shape, stride = CONVOLUTIONS[label]
    x, weights = pydl.tensor(array(*x_shape)), pydl.tensor(array(*kernel_shape, seed=1))
    before = pydl.get_num_threads()
    results = []
    try:
        for threads in (1, 2, 3, 5):
            pydl.set_num_threads(threads)
            results += [conv(x, weights, stride).numpy() for _ in range(2)]
    finally:
        pydl.set_num_threads(before)
    for result in results[1:]:
        np.testing.assert_array_equal(result, results[0])


def test_threads_share_it():
    x, kernel = array(1, 14, 14, 64), array(3, 3, 64, 64, seed=1)
    weights, images = pydl.tensor(kernel), pydl.tensor(x)
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda _: conv(images, weights).numpy(), range(32)))
    for result in results:
        np.testing.assert_array_equal(result, results[0])
    want = conv_reference(x, kernel)
    np.testing.assert_allclose(results[0], want, atol=2e-5 * np.abs(want).max())
