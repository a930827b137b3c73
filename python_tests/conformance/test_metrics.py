"""Metrics against those of Keras, over batches of different sizes, with and without weights."""

import inspect

import numpy as np
import pytest

from pydl import metrics
from pydl.naming import clear_names

pytestmark = pytest.mark.conformance
keras = pytest.importorskip("keras", reason="compares with Keras, which is not installed")

RNG = np.random.default_rng(0)
SIZES = (7, 3)


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
    ("SparseTopKCategoricalAccuracy", {"k": 2, "from_sorted_ids": True}, classes,
     lambda n: np.argsort(-shares(n), axis=1)),
    ("MeanSquaredError", {}, real, real),
    ("RootMeanSquaredError", {}, real, real),
    ("MeanAbsoluteError", {}, real, real),
    ("BinaryCrossentropy", {"label_smoothing": 0.1}, bits, unit),
    ("CategoricalCrossentropy", {}, one_hot, shares),
    ("SparseCategoricalCrossentropy", {"from_logits": True}, classes, real),
    ("MeanAbsolutePercentageError", {}, unit, real),
    ("MeanSquaredLogarithmicError", {}, unit, unit),
    ("LogCoshError", {}, real, real),
    ("CosineSimilarity", {}, real, real),
    ("Hinge", {}, bits, real),
    ("SquaredHinge", {}, bits, real),
    ("CategoricalHinge", {}, one_hot, real),
    ("KLDivergence", {}, shares, shares),
    ("Poisson", {}, bits, unit),
    ("PearsonCorrelation", {}, real, real),
    ("ConcordanceCorrelation", {}, real, real),
    ("R2Score", {}, real, real),
    ("R2Score", {"class_aggregation": None}, real, real),
    ("R2Score", {"class_aggregation": "variance_weighted_average", "num_regressors": 3},
     real, real),
    *[(name, kwargs, bits, unit)
      for name in ("TruePositives", "FalsePositives", "TrueNegatives", "FalseNegatives")
      for kwargs in ({}, {"thresholds": [0.9, 0.1, 0.5]}, {"thresholds": [0.0, 0.5, 1.0]})],
    *[(name, kwargs, bits, unit)
      for name in ("Precision", "Recall")
      for kwargs in ({}, {"thresholds": [0.3, 0.6]}, {"top_k": 2}, {"class_id": 1},
                     {"top_k": 2, "class_id": 3, "thresholds": 0.4})],
    *[(name, {limit: 0.6, **kwargs}, bits, unit)
      for name, limit in (
          ("SensitivityAtSpecificity", "specificity"), ("SpecificityAtSensitivity", "sensitivity"),
          ("PrecisionAtRecall", "recall"), ("RecallAtPrecision", "precision"))
      for kwargs in ({}, {"num_thresholds": 1}, {"num_thresholds": 17, "class_id": 2})],
    *[("AUC", {"curve": curve, "summation_method": method}, bits, unit)
      for curve in ("ROC", "PR", "PRGAIN")
      for method in ("interpolation", "majoring", "minoring")],
    ("AUC", {"thresholds": [0.2, 0.9, 0.4]}, bits, unit),
    ("AUC", {"from_logits": True, "num_thresholds": 11}, bits, real),
    ("AUC", {"multi_label": True, "curve": "PR"}, bits, unit),
    ("AUC", {"multi_label": True, "label_weights": [0.1, 0.2, 0.3, 0.4], "num_labels": 4},
     bits, unit),
    ("AUC", {"label_weights": [0.1, 0.2, 0.3, 0.4]}, bits, unit),
    *[(name, {"average": average, **kwargs}, bits, unit)
      for name in ("F1Score", "FBetaScore")
      for average in (None, "micro", "macro", "weighted")
      for kwargs in ({}, {"threshold": 0.5})],
    ("FBetaScore", {"beta": 2.0, "threshold": 0.3}, bits, unit),
    ("IoU", {"num_classes": 4, "target_class_ids": [0, 2], "dtype": "float32"}, classes, classes),
    ("IoU", {"num_classes": 4, "target_class_ids": [0, 2], "ignore_class": 1, "dtype": "float32"},
     classes, classes),
    ("MeanIoU", {"num_classes": 4, "dtype": "float32"}, classes, classes),
    ("MeanIoU", {"num_classes": 3, "dtype": "float32"}, classes, classes),
    ("BinaryIoU", {"threshold": 0.3, "dtype": "float32"},
     lambda n: bits(n)[:, 0], lambda n: unit(n)[:, 0]),
    ("OneHotIoU", {"num_classes": 4, "target_class_ids": [1, 3], "dtype": "float32"},
     one_hot, shares),
    ("OneHotMeanIoU", {"num_classes": 4, "dtype": "float32"}, one_hot, shares),
    ("OneHotMeanIoU", {"num_classes": 4, "sparse_y_pred": True, "dtype": "float32"},
     one_hot, classes),
]  # fmt: skip


@pytest.mark.parametrize(
    "name, kwargs, make_true, make_pred", CASES, ids=[f"{c[0]}-{c[1]}" for c in CASES]
)
@pytest.mark.parametrize("weighted", [False, True])
def test_metric(name, kwargs, make_true, make_pred, weighted):
    keras.utils.clear_session(), clear_names()
    ours, theirs = getattr(metrics, name)(**kwargs), getattr(keras.metrics, name)(**kwargs)
    assert ours.name == theirs.name
    for epoch in range(2):
        for n in SIZES:
            y_true, y_pred = make_true(n), make_pred(n)
            weights = RNG.uniform(0.5, 2, n).astype("float32") if weighted else None
            ours.update_state(y_true, y_pred, weights)
            theirs.update_state(y_true, y_pred, weights)
        expected = np.asarray(theirs.result())
        np.testing.assert_allclose(ours.result().numpy(), expected, rtol=2e-5, atol=5e-6)
        ours.reset_state()
        theirs.reset_state()
    config = theirs.get_config()
    assert set(ours.get_config()) >= set(config) | set(kwargs)
    again = type(ours).from_config({**config, **kwargs})
    assert again.get_config() == {**ours.get_config(), "dtype": again.dtype}


@pytest.mark.parametrize("name", ["Mean", "Sum"])
def test_reductions(name):
    ours, theirs = getattr(metrics, name)(), getattr(keras.metrics, name)()
    for n in SIZES:
        values, weights = real(n), RNG.uniform(size=n).astype("float32")
        for metric in (ours, theirs):
            metric.update_state(values[:, 0], weights)
            metric.update_state(values[:, 1])
    assert float(ours.result()) == pytest.approx(float(theirs.result()), rel=1e-4)


def test_every_metric_of_keras_is_here():
    """All public names, and the same arguments with the same defaults (but for names)."""
    for name in dir(keras.metrics):
        if name.startswith("_") or name in ("Metric", "deserialize", "get", "serialize"):
            continue
        ours, theirs = getattr(metrics, name), getattr(keras.metrics, name)
        expected, got = (inspect.signature(f).parameters for f in (theirs, ours))
        assert list(got) == list(expected), name
        for key in set(got) - {"name"}:
            assert got[key].default == expected[key].default, (name, key)


def test_scores_are_apart_at_and_beside_the_thresholds():
    """Predictions that lie on thresholds count the same way."""
    y_pred = np.array([0.0, 0.25, 0.5, 0.75, 1.0] * 2, "float32")
    y_true = np.array([0] * 5 + [1] * 5)
    for name, kwargs in [
        ("TruePositives", {"thresholds": [0.0, 0.25, 0.5, 0.75, 1.0]}),
        ("FalsePositives", {"thresholds": [0.0, 0.25, 0.7]}),
        ("AUC", {"num_thresholds": 5}),
        ("PrecisionAtRecall", {"recall": 0.4, "num_thresholds": 5}),
    ]:
        ours, theirs = getattr(metrics, name)(**kwargs), getattr(keras.metrics, name)(**kwargs)
        expected = np.asarray(theirs(y_true, y_pred))
        np.testing.assert_allclose(ours(y_true, y_pred).numpy(), expected, rtol=1e-6)
