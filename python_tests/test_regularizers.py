"""Regularizers and constraints against NumPy."""

import numpy as np
import pytest

import pydl
from pydl import constraints, regularizers

W = np.random.default_rng(0).standard_normal((4, 3))


def test_penalties():
    w = pydl.tensor(W, requires_grad=True)
    penalty = regularizers.L1L2(l1=0.5, l2=0.25)(w)
    np.testing.assert_allclose(float(penalty), 0.5 * abs(W).sum() + 0.25 * (W**2).sum())
    penalty.backward()
    np.testing.assert_allclose(w.grad.numpy(), 0.5 * np.sign(W) + 0.5 * W)
    np.testing.assert_allclose(float(regularizers.get("l1")(pydl.tensor(W))), 0.01 * abs(W).sum())
    np.testing.assert_allclose(float(regularizers.L2(0.1)(pydl.tensor(W))), 0.1 * (W**2).sum())


def test_regularizer_names_and_errors():
    assert regularizers.get(None) is None
    assert regularizers.deserialize(regularizers.serialize(regularizers.L1(0.3))).l1 == 0.3
    with pytest.raises(ValueError, match="expected l2 to be a finite number >= 0, got -1"):
        regularizers.L2(-1)
    with pytest.raises(
        ValueError, match=r"\[regularizers\] expected one of l1, l1_l2, l2, .*, got 'l3'"
    ):
        regularizers.get("l3")


def norms(w, axis):
    return np.sqrt((w**2).sum(axis, keepdims=True))


@pytest.mark.parametrize("axis", [0, 1, (0, 1)])
def test_constraints(axis):
    w, n = pydl.tensor(W), norms(W, axis)
    np.testing.assert_allclose(
        constraints.MaxNorm(1.0, axis)(w).numpy(), W * np.minimum(n, 1) / n, rtol=1e-6
    )
    np.testing.assert_allclose(constraints.UnitNorm(axis)(w).numpy(), W / n, rtol=1e-6)
    wanted = 0.7 * np.clip(n, 0.5, 1.0) + 0.3 * n
    limited = constraints.MinMaxNorm(0.5, 1.0, rate=0.7, axis=axis)(w)
    np.testing.assert_allclose(limited.numpy(), W * wanted / n, rtol=1e-6)
    np.testing.assert_array_equal(constraints.NonNeg()(w).numpy(), np.maximum(W, 0))


def test_constraint_names():
    assert constraints.get("max_norm").max_value == 2
    assert constraints.deserialize(constraints.serialize(constraints.MaxNorm(3))).max_value == 3
    assert constraints.get(abs) is abs
    with pytest.raises(ValueError, match=r"\[constraints\] expected one of"):
        constraints.get("min")
