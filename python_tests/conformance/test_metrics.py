"""Metrics against those of Keras, over batches of different sizes, with and without weights."""

import numpy as np
import pytest

from pydl import metrics

pytestmark = pytest.mark.conformance
keras = pytest.importorskip("keras", reason="compares with Keras, which is not installed")

RNG = np.random.default_rng(0)
SIZES = (7, 7, 3)


def real(n):
    return RNG.normal(size=(n, 4)).astype("float32")


def unit(n):
    return RNG.uniform(0.01, 0.99, size=(n, 4)).astype("float32")


def shares(n):
    x = np.exp(real(n))
    return x / x.sum(-1, keepdims=True)


def classes(n):
    return RNG.integers(0, 4, n)


def one_hot(n):
    return np.eye(4, dtype="float32")[classes(n)]


def bits(n):
    return RNG.integers(0, 2, (n, 4)).astype("float32")


CASES = [
    ("Accuracy", {}, classes, classes),
    ("BinaryAccuracy", {"threshold": 0.3}, bits, unit),
    ("CategoricalAccuracy", {}, one_hot, shares),
    ("SparseCategoricalAccuracy", {}, classes, shares),
    ("SparseCategoricalAccuracy", {}, lambda n: classes(n)[:, None], shares),
    ("TopKCategoricalAccuracy", {"k": 2}, one_hot, shares),
    ("SparseTopKCategoricalAccuracy", {"k": 2}, classes, shares),
    ("MeanSquaredError", {}, real, real),
    ("RootMeanSquaredError", {}, real, real),
    ("MeanAbsoluteError", {}, real, real),
    ("BinaryCrossentropy", {"label_smoothing": 0.1}, bits, unit),
    ("CategoricalCrossentropy", {}, one_hot, shares),
    ("SparseCategoricalCrossentropy", {"from_logits": True}, classes, real),
]


@pytest.mark.parametrize("name, kwargs, make_true, make_pred", CASES, ids=[c[0] for c in CASES])
@pytest.mark.parametrize("weighted", [False, True])
def test_metric(name, kwargs, make_true, make_pred, weighted):
    ours, theirs = getattr(metrics, name)(**kwargs), getattr(keras.metrics, name)(**kwargs)
    assert ours.name == theirs.name
    for epoch in range(2):
        for n in SIZES:
            y_true, y_pred = make_true(n), make_pred(n)
            weights = RNG.uniform(0.5, 2, n).astype("float32") if weighted else None
            ours.update_state(y_true, y_pred, weights)
            theirs.update_state(y_true, y_pred, weights)
        assert float(ours.result()) == pytest.approx(float(theirs.result()), rel=1e-5)
        ours.reset_state()
        theirs.reset_state()
        assert float(ours.result()) == float(theirs.result()) == 0.0


@pytest.mark.parametrize("name", ["Mean", "Sum"])
def test_reductions(name):
    ours, theirs = getattr(metrics, name)(), getattr(keras.metrics, name)()
    for n in SIZES:
        values, weights = real(n), RNG.uniform(size=n).astype("float32")
        for metric in (ours, theirs):
            metric.update_state(values[:, 0], weights)
            metric.update_state(values[:, 1])
    assert float(ours.result()) == pytest.approx(float(theirs.result()), rel=1e-4)
