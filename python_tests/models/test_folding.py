"""Batch normalization folded into convolutions, against torch in float64."""

from __future__ import annotations

import numpy as np
import pytest

import pydl
from pydl.models.folding import FoldedConv

torch = pytest.importorskip("torch")

layers = pydl.layers


def filled(model, seed=0):
    """The model with random weights, variances positive."""
    random = np.random.default_rng(seed)
    model.set_weights([random.uniform(0.5, 1.5, w.shape).astype(w.dtype) for w in model.weights])
    return model


def images(seed=1, channels=3):
    return np.random.default_rng(seed).standard_normal((2, 7, 6, channels)).astype("float32")


def expected(x, conv, norm, relu):
    """What torch makes of it; weights of the pydl layers."""
    tensors = [None if w is None else torch.tensor(w.numpy().astype("float64")) for w in (
        conv.kernel, conv.bias, norm.moving_mean, norm.moving_variance, norm.gamma, norm.beta)]  # fmt: skip
    kernel, bias, mean, variance, gamma, beta = tensors
    groups = conv.groups
    if isinstance(conv, layers.DepthwiseConv2D):
        groups = kernel.shape[2]
        kernel = kernel.reshape(*kernel.shape[:2], 1, -1)
    y = torch.nn.functional.conv2d(
        torch.tensor(x.astype("float64")).permute(0, 3, 1, 2), kernel.permute(3, 2, 0, 1), bias,
        padding="same" if conv.padding == "same" else 0, groups=groups,
    )  # fmt: skip
    y = torch.nn.functional.batch_norm(y, mean, variance, gamma, beta, eps=norm.epsilon)
    return (y.relu() if relu else y).permute(0, 2, 3, 1).numpy()


def predicted(model, x):
    with pydl.no_grad():
        return model(x, training=False).numpy().copy()


def chain(conv, norm=None, *rest):
    model = pydl.Sequential([pydl.Input((7, 6, 3)), conv, norm or layers.BatchNormalization(), *rest])
    return filled(model)


def is_folded(model):
    return any(isinstance(step[0], FoldedConv) for step in model._graph._steps)


@pytest.mark.parametrize("relu", [False, True])
@pytest.mark.parametrize(
    "conv",
    [
        lambda: layers.Conv2D(4, 3, use_bias=False, padding="same"),
        lambda: layers.Conv2D(6, 3, groups=3),
        lambda: layers.DepthwiseConv2D(3, depth_multiplier=2),
    ],
)
@pytest.mark.parametrize("options", [{}, {"scale": False}, {"center": False, "epsilon": 0.1}])
def test_values(conv, options, relu):
    norm = layers.BatchNormalization(**options)
    model = chain(conv(), norm, *([layers.ReLU()] if relu else []))
    assert is_folded(model)
    x = images()
    want = expected(x, model.layers[0], norm, relu)
    np.testing.assert_allclose(predicted(model, x), want, rtol=2e-5, atol=2e-5)
    np.testing.assert_allclose(model.predict(x, verbose=0), want, rtol=2e-5, atol=2e-5)


def double(weight):
    weight.assign(weight * 2)


def write_unseen(weight):
    weight.numpy()[...] = 0.25


def write_through_dlpack(weight):
    torch.from_dlpack(weight.detach())[...] = 0.25


@pytest.mark.parametrize("change", [double, write_unseen, write_through_dlpack])
@pytest.mark.parametrize("which", range(6))
def test_follows_weights(change, which):
    model = chain(layers.Conv2D(4, 3), None, layers.Activation("relu"))
    conv, norm, _ = model.layers
    x = images()
    predicted(model, x)
    change(model.weights[which])
    want = expected(x, conv, norm, True)
    np.testing.assert_allclose(predicted(model, x), want, rtol=2e-5, atol=2e-5)


def test_follows_a_view_that_stays():
    model = chain(layers.Conv2D(4, 3))
    conv, norm = model.layers
    view = conv.kernel.numpy()
    for value in (0.5, 0.75):
        view[...] = value
        want = expected(images(), conv, norm, False)
        np.testing.assert_allclose(predicted(model, images()), want, rtol=2e-5, atol=2e-5)


def test_follows_another_weight():
    model = chain(layers.Conv2D(4, 3))
    conv, norm = model.layers
    predicted(model, images())
    conv.kernel = pydl.Variable(np.ones(conv.kernel.shape, "float32"))
    want = expected(images(), conv, norm, False)
    np.testing.assert_allclose(predicted(model, images()), want, rtol=2e-5, atol=2e-5)


def test_training_uses_the_batch():
    model = chain(layers.Conv2D(4, 3), layers.BatchNormalization(center=False, scale=False))
    y = model(images(), training=True).numpy()
    np.testing.assert_allclose(y.mean((0, 1, 2)), 0, atol=1e-5)
    np.testing.assert_allclose(y.std((0, 1, 2)), 1, atol=1e-3)
    before = predicted(model, images())
    model(images(), training=True)
    assert np.abs(predicted(model, images()) - before).max() > 1e-4


def test_gradients_reach_every_weight():
    model = chain(layers.Conv2D(4, 3))
    grads = pydl.autograd.grad(
        pydl.ops.sum(model(images(), training=False) ** 2), model.trainable_variables
    )
    assert all(np.abs(g.numpy()).max() > 0 for g in grads)


def test_results_between_are_kept():
    x = inputs = pydl.Input((7, 6, 3))
    between = layers.Conv2D(4, 3)(x)
    y = layers.ReLU()(layers.BatchNormalization()(between))
    model = filled(pydl.Model(inputs, [between, y]))
    assert not is_folded(model)
    whole = filled(pydl.Model(inputs, layers.Add()([between, y])))
    assert not is_folded(whole)
    first, second = (v.numpy() for v in model(images()))
    np.testing.assert_allclose(predicted(whole, images()), first + second, rtol=1e-6)


@pytest.mark.parametrize(
    "parts",
    [
        lambda: [layers.Conv2D(4, 3, activation="relu"), layers.BatchNormalization()],
        lambda: [layers.Conv2D(4, 3), layers.BatchNormalization(axis=1)],
        lambda: [layers.Conv2D(4, 3), layers.LayerNormalization()],
        lambda: [layers.Conv2D(4, 3, activity_regularizer="l2"), layers.BatchNormalization()],
    ],
)
def test_what_cannot_be_folded(parts):
    model = filled(pydl.Sequential([pydl.Input((7, 6, 3)), *parts()]))
    assert not is_folded(model)
    np.testing.assert_allclose(predicted(model, images()), model(images()).numpy(), rtol=1e-6)


@pytest.mark.parametrize("last", [layers.ReLU(max_value=3.0), layers.Activation("softplus")])
def test_other_activations_stay_layers(last):
    model = chain(layers.Conv2D(4, 3), None, last)
    want = model(images()).numpy()
    np.testing.assert_allclose(predicted(model, images()), want, rtol=2e-5, atol=2e-5)


def residual_block(order, relu, shortcut):
    """A block that ends with an addition; the layers beside it for the reference."""
    inputs = pydl.Input((7, 6, 4))
    beside = layers.Conv2D(4, 1)(inputs) if shortcut else inputs
    y = layers.Conv2D(4, 3, padding="same", use_bias=False)(inputs)
    y = layers.BatchNormalization()(y)
    y = layers.Add()([beside, y] if order else [y, beside])
    return filled(pydl.Model(inputs, layers.ReLU()(y) if relu else y))


@pytest.mark.parametrize("relu", [False, True])
@pytest.mark.parametrize("order", [False, True])
@pytest.mark.parametrize("shortcut", [False, True])
def test_residual(order, relu, shortcut):
    model = residual_block(order, relu, shortcut)
    assert is_folded(model)
    if order or not shortcut:  # or else what is added is computed after the convolution
        assert not any(type(step[0]) is layers.Add for step in model._graph._steps)
    x = images(channels=4)
    find = {type(layer).__name__: layer for layer in model.layers}
    conv = next(v for v in model.layers if getattr(v, "kernel_size", None) == (3, 3))
    want = expected(x, conv, find["BatchNormalization"], False)
    if shortcut:
        beside = next(v for v in model.layers if getattr(v, "kernel_size", None) == (1, 1))
        want = want + (x.astype("float64") @ beside.kernel.numpy()[0, 0] + beside.bias.numpy())
    else:
        want = want + x
    want = np.maximum(want, 0) if relu else want
    np.testing.assert_allclose(predicted(model, x), want, rtol=2e-5, atol=2e-5)
    np.testing.assert_allclose(model(x, training=False).numpy(), want, rtol=2e-5, atol=2e-5)


def test_addition_of_two_convolutions():
    inputs = pydl.Input((7, 6, 4))
    units = [
        layers.BatchNormalization()(layers.Conv2D(4, size, padding="same")(inputs)) for size in (3, 1)
    ]
    model = filled(pydl.Model(inputs, layers.Add()(units)))
    x = images(channels=4)
    want = model(x, training=False).numpy()
    np.testing.assert_allclose(predicted(model, x), want, rtol=2e-5, atol=2e-5)


def test_an_addition_that_broadcasts_stays():
    inputs, offset = pydl.Input((7, 6, 4)), pydl.Input((1, 1, 4))
    y = layers.BatchNormalization()(layers.Conv2D(4, 3, padding="same")(inputs))
    model = filled(pydl.Model([inputs, offset], layers.Add()([y, offset])))
    data = [images(channels=4), np.ones((2, 1, 1, 4), "float32")]
    want = model(data, training=False).numpy()
    np.testing.assert_allclose(predicted(model, data), want, rtol=2e-5, atol=2e-5)
