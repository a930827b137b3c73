"""Relu after max pooling instead of before it: the values and gradients of the layers one by one."""

from __future__ import annotations

import numpy as np
import pytest

import pydl
from pydl.models.pooled_conv import PooledConv

torch = pytest.importorskip("torch")

layers = pydl.layers


def model_of(*rest, activation="relu", **options):
    conv = layers.Conv2D(4, 3, activation=activation, **options)
    return pydl.Sequential([pydl.Input((9, 8, 3)), conv, *rest])


def pools_first(model):
    return any(isinstance(step[0], PooledConv) for step in model._graph._steps)


def images():
    return np.random.default_rng(0).standard_normal((2, 9, 8, 3)).astype("float32")


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("size, strides", [(2, None), (3, 2)])
def test_against_torch(size, strides, padding):
    model = model_of(layers.MaxPooling2D(size, strides, padding=padding), padding="same")
    assert pools_first(model)
    bias = np.random.default_rng(1).standard_normal(4).astype("float32")
    model.layers[0].bias.assign(bias)
    x = pydl.tensor(images(), requires_grad=True)
    y = model(x)
    weight = np.random.default_rng(2).standard_normal(y.shape).astype("float32")
    (y * pydl.tensor(weight)).sum().backward()

    given = torch.tensor(images(), dtype=torch.float64, requires_grad=True)
    kernel, offset = (
        torch.tensor(np.asarray(w.numpy(), "float64"), requires_grad=True) for w in model.weights
    )
    z = torch.nn.functional.conv2d(
        given.permute(0, 3, 1, 2), kernel.permute(3, 2, 0, 1), offset, padding="same"
    ).relu()
    strides = size if strides is None else strides
    if padding == "same":  # what is added of an even number goes behind
        totals = [max(0, (-(-n // strides) - 1) * strides + size - n) for n in (8, 9)]
        pads = [part for total in totals for part in (total // 2, total - total // 2)]
        z = torch.nn.functional.pad(z, pads)  # zeros, which win over nothing that relu leaves
    z = torch.nn.functional.max_pool2d(z, size, strides).permute(0, 2, 3, 1)
    np.testing.assert_allclose(y.numpy(), z.detach().numpy(), rtol=1e-5, atol=1e-5)
    (z * torch.tensor(weight)).sum().backward()
    for got, want in zip((x, *model.weights), (given, kernel, offset)):
        np.testing.assert_allclose(got.grad.numpy(), want.grad.numpy(), rtol=1e-4, atol=1e-4)


def test_same_bits_as_the_layers():
    model = model_of(layers.MaxPooling2D(2), layers.Flatten(), layers.Dense(1))
    assert pools_first(model)
    gradients = []
    for by_layers in (False, True):
        x = pydl.tensor(images(), requires_grad=True)
        y = x
        for layer in model.layers if by_layers else [model]:
            y = layer(y)
        y.sum().backward()
        gradients.append((y.detach().numpy(), x.grad.numpy()))
    for got, want in zip(*gradients):
        np.testing.assert_array_equal(got, want)


def test_without_gradients():
    model = model_of(layers.MaxPooling2D(2))
    with pydl.no_grad():
        got = model(images()).numpy()
        want = model.layers[1](model.layers[0](images())).numpy()
    np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize(
    "make",
    [
        lambda: model_of(layers.MaxPooling2D(2), activation="tanh"),
        lambda: model_of(layers.AveragePooling2D(2)),
        lambda: model_of(layers.MaxPooling2D(3, 1)),
        lambda: model_of(layers.MaxPooling2D(2), activity_regularizer="l2"),
    ],
)
def test_only_where_it_pays_and_is_the_same(make):
    assert not pools_first(make())


def test_mixed_precision():
    model = model_of(layers.MaxPooling2D(2), dtype="mixed_bfloat16")
    assert not pools_first(model)
