"""Losses against those of Keras: values for every reduction and weighting, and gradients."""

import inspect

import numpy as np
import pytest

import pydl
from pydl import losses

pytestmark = pytest.mark.conformance
keras = pytest.importorskip("keras", reason="compares with Keras, which is not installed")
jax = pytest.importorskip("jax", reason="runs Keras on JAX, which is not installed")

RNG = np.random.default_rng(0)
X = RNG.normal(size=(6, 4)).astype("float32")
P = np.exp(X) / np.exp(X).sum(-1, keepdims=True)
UNIT = RNG.uniform(size=(6, 4)).astype("float32")
CLASSES = RNG.integers(0, 4, 6)
ONE_HOT = np.eye(4, dtype="float32")[CLASSES]
SEQUENCE = RNG.normal(size=(6, 5, 4)).astype("float32")
SEQUENCE_CLASSES = RNG.integers(-1, 4, (6, 5))
UNIT_VECTORS = X / np.linalg.norm(X, axis=-1, keepdims=True)
SIGNS = np.sign(X)
BITS = (UNIT[::-1] > 0.5).astype("float32")
COUNTS = RNG.integers(0, 5, (6, 4))
CTC_LABELS = np.array([[1, 2, 3], [2, 2, 0], [1, 0, 0], [3, 1, 3], [0, 0, 0], [1, 1, 2]])
FRAMES = RNG.normal(size=(6, 8, 4)).astype("float32")
EDGE = np.array([[0.0, 1.0], [1.0, 0.0], [0.5, 1e-9]], "float32")

CASES = [
    ("MeanSquaredError", {}, X, UNIT),
    ("MeanSquaredError", {}, SEQUENCE, SEQUENCE[::-1].copy()),
    ("MeanSquaredError", {}, X[:, :1], CLASSES),
    ("MeanAbsoluteError", {}, X, UNIT),
    ("Huber", {"delta": 0.5}, X, UNIT),
    ("BinaryCrossentropy", {}, UNIT, (UNIT[::-1] > 0.5).astype("int32")),
    ("BinaryCrossentropy", {"from_logits": True}, X, UNIT),
    ("BinaryCrossentropy", {"label_smoothing": 0.2}, UNIT, UNIT[::-1].copy()),
    ("BinaryCrossentropy", {}, EDGE, EDGE[::-1].copy()),
    ("CategoricalCrossentropy", {}, P, ONE_HOT),
    ("CategoricalCrossentropy", {}, P * 3, P[::-1].copy()),
    ("CategoricalCrossentropy", {}, EDGE, EDGE[::-1].copy()),
    ("CategoricalCrossentropy", {"from_logits": True, "label_smoothing": 0.1}, X, ONE_HOT),
    ("CategoricalCrossentropy", {"from_logits": True, "axis": 1}, SEQUENCE, np.abs(SEQUENCE)),
    ("SparseCategoricalCrossentropy", {}, P, CLASSES),
    ("SparseCategoricalCrossentropy", {"from_logits": True}, X, CLASSES[:, None]),
    ("SparseCategoricalCrossentropy", {"from_logits": True, "ignore_class": -1},
     SEQUENCE, SEQUENCE_CLASSES),
    ("MeanAbsolutePercentageError", {}, X, UNIT),
    ("MeanAbsolutePercentageError", {}, X[:3, :2], EDGE),
    ("MeanSquaredLogarithmicError", {}, UNIT, UNIT[::-1].copy()),
    ("MeanSquaredLogarithmicError", {}, X, UNIT),
    ("LogCosh", {}, X * 30, UNIT),
    ("CosineSimilarity", {}, X, UNIT),
    ("CosineSimilarity", {"axis": 1}, SEQUENCE, SEQUENCE[::-1].copy()),
    ("Hinge", {}, X, SIGNS),
    ("Hinge", {}, X, BITS),
    ("SquaredHinge", {}, X, BITS),
    ("CategoricalHinge", {}, X, ONE_HOT),
    ("KLDivergence", {}, P, P[::-1].copy()),
    ("Poisson", {}, UNIT, COUNTS),
    ("BinaryFocalCrossentropy", {}, UNIT, BITS),
    ("BinaryFocalCrossentropy",
     {"apply_class_balancing": True, "from_logits": True, "label_smoothing": 0.1, "gamma": 1.5},
     X, BITS),
    ("CategoricalFocalCrossentropy", {}, P, ONE_HOT),
    ("CategoricalFocalCrossentropy",
     {"from_logits": True, "alpha": [0.1, 0.2, 0.3, 0.4], "label_smoothing": 0.1, "gamma": 3.0},
     X, ONE_HOT),
    ("Dice", {}, UNIT, BITS),
    ("Dice", {"axis": (1,)}, UNIT, BITS),
    ("Tversky", {"alpha": 0.3, "beta": 0.9}, UNIT, BITS),
    ("Tversky", {"axis": (1,)}, UNIT, BITS),
    ("Circle", {}, UNIT_VECTORS, CLASSES),
    ("Circle", {"gamma": 5.0, "margin": 0.2, "remove_diagonal": False}, UNIT_VECTORS, CLASSES),
    ("CTC", {}, FRAMES, CTC_LABELS),
    ("CategoricalGeneralizedCrossEntropy", {"q": 0.7}, P, CLASSES),
]  # fmt: skip
IDS = [f"{name}-{kwargs}-{x.shape}" for name, kwargs, x, _ in CASES]


@pytest.mark.parametrize("name, kwargs, y_pred, y_true", CASES, ids=IDS)
@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "sum", "none"])
@pytest.mark.parametrize("weighted", [False, True])
def test_values(name, kwargs, y_pred, y_true, reduction, weighted):
    ours = getattr(losses, name)(reduction=reduction, **kwargs)
    theirs = getattr(keras.losses, name)(reduction=reduction, **kwargs)
    weights = None
    if weighted:
        if "ignore_class" in kwargs:
            pytest.skip("Keras wants the weights of masked losses in another shape")
        per_sample = getattr(keras.losses, name)(reduction="none", **kwargs)(y_true, y_pred)
        weights = np.linspace(0.5, 2.0, per_sample.size).reshape(per_sample.shape).astype("float32")
    expected = np.asarray(theirs(y_true, y_pred, weights))
    np.testing.assert_allclose(
        ours(y_true, y_pred, weights).numpy(), expected, rtol=2e-5, atol=2e-6
    )


@pytest.mark.parametrize("name, kwargs, y_pred, y_true", CASES, ids=IDS)
def test_gradients(name, kwargs, y_pred, y_true):
    x = pydl.tensor(y_pred, requires_grad=True)
    getattr(losses, name)(**kwargs)(y_true, x).backward()
    theirs = getattr(keras.losses, name)(**kwargs)
    expected = jax.grad(lambda v: theirs(y_true, v).astype("float32"))(jax.numpy.asarray(y_pred))
    np.testing.assert_allclose(x.grad.numpy(), np.asarray(expected), rtol=1e-4, atol=2e-6)


@pytest.mark.parametrize(
    "name",
    ["mse", "mae", "bce", "huber", "categorical_crossentropy", "KLD", "mape", "msle", "poisson",
     "hinge", "squared_hinge", "categorical_hinge", "log_cosh", "cosine_similarity", "dice",
     "tversky", "binary_focal_crossentropy", "categorical_focal_crossentropy"],
)  # fmt: skip
def test_functions(name):
    expected = keras.losses.get(name)(ONE_HOT, P)
    got = losses.get(name)(ONE_HOT, P)
    np.testing.assert_allclose(got.numpy(), np.asarray(expected), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name, kwargs, y_pred, y_true", CASES, ids=IDS)
def test_config_of_keras_makes_our_loss(name, kwargs, y_pred, y_true):
    config = getattr(keras.losses, name)(**kwargs).get_config()
    ours = getattr(losses, name).from_config(config)
    assert {**ours.get_config(), **config} == ours.get_config()


def test_every_loss_of_keras_is_here():
    """All public names, and the same arguments with the same defaults (but for names)."""
    for name in dir(keras.losses):
        if name.startswith("_"):
            continue
        ours, theirs = getattr(losses, name), getattr(keras.losses, name)
        if name in ("Loss", "deserialize", "get", "serialize"):
            continue
        expected, got = (inspect.signature(f).parameters for f in (theirs, ours))
        assert list(got) == list(expected), name
        for key in set(got) - {"name"}:
            assert got[key].default == expected[key].default, (name, key)
        if isinstance(ours, type):
            assert ours().name == theirs().name


@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "mean", "sum", "mean_with_sample_weight", None])
@pytest.mark.parametrize("weights", [None, (4, 1), (4, 3)], ids=str)
def test_masked_predictions(reduction, weights):
    """Steps that a layer masked count nothing."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(4, 3, 5)).astype("float32")
    x[0, 1:] = x[2, 2] = 0.0
    y = rng.integers(0, 5, (4, 3))
    sample_weight = None if weights is None else rng.uniform(0.5, 2, weights).astype("float32")

    def run(library):
        y_pred = library.layers.Activation("softmax")(library.layers.Masking(0.0)(x))
        loss = library.losses.SparseCategoricalCrossentropy(reduction=reduction)
        return np.asarray(loss(y, y_pred, sample_weight=sample_weight))

    np.testing.assert_allclose(run(pydl), run(keras), rtol=1e-5)
