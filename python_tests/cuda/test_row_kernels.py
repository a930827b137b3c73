"""Kernels over rows and columns at the sizes where they change their way of working, against float64."""

from __future__ import annotations

import numpy as np
import pytest

import pydl
from pydl import ops

COLUMNS = [1, 7, 32, 33, 256, 300, 1024, 1028, 4100]  # either side of each team of threads


def random(*shape, seed=0, scale=1.0):
    return (np.random.default_rng(seed).normal(size=shape) * scale).astype("float32")


def tolerance(x, factor=64):
    return {"rtol": factor * 1.2e-7, "atol": factor * 1.2e-7 * float(np.abs(x).max())}


@pytest.mark.parametrize("columns", COLUMNS)
def test_softmax_and_its_gradient(columns):
    x, dy = random(3, columns, scale=5), random(3, columns, seed=1)
    e = np.exp(x.astype("float64") - x.max(-1, keepdims=True))
    y = e / e.sum(-1, keepdims=True)
    t = pydl.tensor(x, requires_grad=True)
    result = ops.softmax(t)
    np.testing.assert_allclose(result.numpy(), y, **tolerance(y))
    result.backward(pydl.tensor(dy))
    dx = y * (dy - (y * dy).sum(-1, keepdims=True))
    np.testing.assert_allclose(t.grad.numpy(), dx, **tolerance(dy))


@pytest.mark.parametrize("columns", COLUMNS[1:])
def test_layer_norm_and_its_gradients(columns):
    x, dy = random(19, columns, scale=3) + 2, random(19, columns, seed=1)
    gamma, beta = random(columns, seed=2), random(columns, seed=3)
    wide = x.astype("float64")
    inverse_std = 1 / np.sqrt(wide.var(-1, keepdims=True) + 1e-3)
    normal = (wide - wide.mean(-1, keepdims=True)) * inverse_std
    tensors = [pydl.tensor(a, requires_grad=True) for a in (x, gamma, beta)]
    result = ops.layer_norm(*tensors)
    expected = normal * gamma + beta
    np.testing.assert_allclose(result.numpy(), expected, **tolerance(expected))
    result.backward(pydl.tensor(dy))
    g = dy.astype("float64") * gamma
    slope = (g * normal).mean(-1, keepdims=True)
    dx = inverse_std * (g - g.mean(-1, keepdims=True) - normal * slope)
    for tensor, gradient in zip(tensors, (dx, (dy * normal).sum(0), dy.sum(0)), strict=True):
        np.testing.assert_allclose(tensor.grad.numpy(), gradient, **tolerance(gradient, 256))


@pytest.mark.parametrize("columns", [10, 65, 1030])
def test_cross_entropy(columns):
    x, labels = random(9, columns, scale=4), np.arange(9) * 7 % columns
    wide = x.astype("float64")
    top = wide.max(-1, keepdims=True)
    log_p = wide - top - np.log(np.exp(wide - top).sum(-1, keepdims=True))
    t = pydl.tensor(x, requires_grad=True)
    losses = ops.softmax_cross_entropy(t, labels, label_smoothing=0.1)
    target = np.full(x.shape, 0.1 / columns)
    target[np.arange(9), labels] += 0.9
    np.testing.assert_allclose(losses.numpy(), -(target * log_p).sum(-1), rtol=1e-5)
    losses.backward(pydl.tensor(np.ones(9, "float32")))
    np.testing.assert_allclose(t.grad.numpy(), np.exp(log_p) - target, atol=1e-6)


@pytest.mark.parametrize("shape,axis", [((70001,), 0), ((3, 40000), 1), ((5000, 33), 0), ((2, 600, 65), 1)])
def test_reductions_in_chunks(shape, axis):
    x = random(*shape) + 100
    wide = x.astype("float64")
    np.testing.assert_allclose(ops.sum(x, axis=axis).numpy(), wide.sum(axis), rtol=1e-6)
    np.testing.assert_allclose(ops.var(x, axis=axis).numpy(), wide.var(axis), rtol=1e-4)
    np.testing.assert_array_equal(ops.max(x, axis=axis).numpy(), x.max(axis))
    np.testing.assert_array_equal(ops.argmin(x, axis=axis).numpy(), x.argmin(axis))
    small = (wide - 100).astype("float32")
    expected = np.log(np.exp(small.astype("float64")).sum(axis))
    np.testing.assert_allclose(ops.logsumexp(small, axis=axis).numpy(), expected, rtol=1e-5)


@pytest.mark.parametrize("shape,axis", [((40000,), 0), ((3, 1025), 1), ((50, 7), 0)])
def test_scans_in_chunks(shape, axis):
    x = random(*shape)
    expected = np.cumsum(x.astype("float64"), axis)
    np.testing.assert_allclose(ops.cumsum(x, axis=axis).numpy(), expected, rtol=1e-6, atol=1e-5)


@pytest.mark.parametrize("shape", [(33, 70), (2, 9, 40), (5, 1, 17)])
@pytest.mark.parametrize("dtype", ["uint8", "float16", "float32", "float64"])
def test_transposed_copies_and_broadcasts(shape, dtype):
    x = (random(*shape) * 50 + 100).astype(dtype)
    np.testing.assert_array_equal(pydl.tensor(x).transpose().contiguous().numpy(), x.transpose())
    total = (pydl.tensor(x) + pydl.tensor(x[..., :1])).numpy()
    np.testing.assert_array_equal(total, x + x[..., :1])
