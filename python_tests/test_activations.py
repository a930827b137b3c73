"""Activations: names, defaults of Keras, and which of them are fused."""

import numpy as np
import pytest

import pydl
from pydl import activations

X = np.linspace(-4, 4, 41)


def test_relu_arguments():
    def ours(**arguments):
        return activations.relu(pydl.tensor(X), **arguments).numpy()

    np.testing.assert_allclose(ours(), np.maximum(X, 0))
    np.testing.assert_allclose(ours(negative_slope=0.1), np.where(X > 0, X, 0.1 * X))
    np.testing.assert_allclose(ours(max_value=2.0), np.clip(X, 0, 2))
    expected = np.minimum(np.where(X > 1, X, 0.1 * (X - 1)), 3)
    np.testing.assert_allclose(ours(negative_slope=0.1, max_value=3.0, threshold=1.0), expected)


def test_gelu_is_exact_by_default():
    from math import erf

    expected = [x / 2 * (1 + erf(x / 2**0.5)) for x in X]
    np.testing.assert_allclose(activations.gelu(pydl.tensor(X)).numpy(), expected, atol=1e-12)
    tanh = X / 2 * (1 + np.tanh((2 / np.pi) ** 0.5 * (X + 0.044715 * X**3)))
    np.testing.assert_allclose(activations.gelu(pydl.tensor(X), True).numpy(), tanh, atol=1e-9)


def test_names():
    for name in activations._BY_NAME:
        function = activations.get(name)
        assert (
            callable(function)
            and activations.deserialize(activations.serialize(function)) is function
        )
        if name not in ("glu", "threshold"):  # half as many elements; needs arguments
            assert function(pydl.tensor(X)).shape == X.shape
    assert activations.get(None) is activations.linear
    assert activations.get("swish") is activations.silu
    assert activations.get(np.tanh) is np.tanh
    with pytest.raises(ValueError, match=r"\[activations\] expected one of celu, .*, got 'rellu'"):
        activations.get("rellu")
    with pytest.raises(ValueError, match="expected a name or a function, got 3"):
        activations.get(3)


def test_fused_activations_are_those_of_linear():
    x = pydl.tensor(np.random.default_rng(0).standard_normal((3, 4)))
    kernel = pydl.tensor(np.random.default_rng(1).standard_normal((4, 5)))
    plain = pydl.ops.linear(x, kernel)
    for function in (activations.get(name) for name in activations._BY_NAME):
        name, rest = activations.split_fused(function)
        if rest is None:
            fused = pydl.ops.linear(x, kernel, activation=name)
            np.testing.assert_allclose(fused.numpy(), function(plain).numpy(), atol=1e-12)
        else:
            assert rest is function
