"""Small models and data that tests of training share."""

import numpy as np

import pydl
from pydl import layers


def data(n=100, features=5, classes=3, seed=0):
    """Inputs and integer labels that depend on them."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, features)).astype("float32")
    return x, (x @ rng.normal(size=(features, classes))).argmax(-1)


def mlp(features=5, classes=3, seed=1, **compile_arguments):
    """A classifier with logits, the same weights every time."""
    model = pydl.models.Sequential(
        [layers.Input((features,)), layers.Dense(8, activation="relu"), layers.Dense(classes)]
    )
    rng = np.random.default_rng(seed)
    model.set_weights([rng.normal(size=w.shape) * 0.5 for w in model.get_weights()])
    settings = {"optimizer": "sgd", "loss": classification_loss(), "metrics": ["accuracy"]}
    model.compile(**{**settings, **compile_arguments})
    return model


def classification_loss():
    return pydl.losses.SparseCategoricalCrossentropy(from_logits=True)


def regressor(seed=1, **compile_arguments):
    """One linear unit on three features."""
    model = pydl.models.Sequential([layers.Input((3,)), layers.Dense(1)])
    rng = np.random.default_rng(seed)
    model.set_weights([rng.normal(size=w.shape) for w in model.get_weights()])
    model.compile(**{"optimizer": "sgd", "loss": "mse", **compile_arguments})
    return model


def weights_equal(a, b):
    return all(np.array_equal(x, y) for x, y in zip(a.get_weights(), b.get_weights()))
