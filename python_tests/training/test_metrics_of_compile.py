"""How compile finds and names metrics."""

import numpy as np
import pytest
from training_problems import data, mlp

import pydl
from pydl import layers, metrics

X, Y = data(30)


def classifier(units, activation, **arguments):
    model = pydl.models.Sequential([layers.Input((5,)), layers.Dense(units, activation=activation)])
    model.compile("sgd", **arguments)
    return model


@pytest.mark.parametrize("units, y, loss, kind", [
    (3, Y, "sparse_categorical_crossentropy", metrics.SparseCategoricalAccuracy),
    (3, Y[:, None], "sparse_categorical_crossentropy", metrics.SparseCategoricalAccuracy),
    (3, np.eye(3)[Y], "categorical_crossentropy", metrics.CategoricalAccuracy),
    (1, Y > 0, "binary_crossentropy", metrics.BinaryAccuracy),
])  # fmt: skip
def test_accuracy_goes_by_the_shapes(units, y, loss, kind):
    activation = "sigmoid" if units == 1 else "softmax"
    model = classifier(units, activation, loss=loss, metrics=["accuracy"])
    got = model.evaluate(X, y, verbose=0, return_dict=True)
    assert isinstance(model.metrics[1].metrics[0], kind) and list(got) == ["loss", "accuracy"]
    other = classifier(units, activation, loss="crossentropy", metrics=["acc"])
    other.set_weights(model.get_weights())
    assert list(other.evaluate(X, y, verbose=0)) == list(got.values())


def test_names():
    def mistakes(y_true, y_pred):
        return pydl.ops.not_equal(pydl.ops.argmax(y_pred, -1), y_true).astype("float32")

    model = mlp(
        metrics=["accuracy", metrics.SparseCategoricalAccuracy(name="mine"), mistakes,
                 pydl.losses.SparseCategoricalCrossentropy(from_logits=True, name="ce")],
        weighted_metrics=["accuracy"],
    )  # fmt: skip
    got = model.evaluate(X, Y, sample_weight=(Y == 0) * 1.0, verbose=0, return_dict=True)
    names = ["loss", "accuracy", "mine", "mistakes", "ce", "weighted_accuracy"]
    assert list(got) == names == model.metrics_names
    assert got["mistakes"] == pytest.approx(1 - got["accuracy"])
    right = model.predict(X, verbose=0).argmax(-1) == Y
    assert got["weighted_accuracy"] == pytest.approx(right[Y == 0].mean())
    plain = model.evaluate(X, Y, verbose=0, return_dict=True)
    assert plain["ce"] == pytest.approx(plain["loss"], rel=1e-6)


def test_metrics_start_anew_each_epoch():
    model = mlp(optimizer=pydl.optimizers.SGD(0.0))
    history = model.fit(X, Y, epochs=2, verbose=0).history
    assert history["accuracy"][0] == history["accuracy"][1]


def test_compile_config():
    model = mlp(optimizer=pydl.optimizers.Adam(0.01), weighted_metrics=["mse"], loss_weights=0.5)
    config = model.get_compile_config()
    other = mlp()
    other.compile_from_config(config)
    assert other.get_compile_config() == config
    assert other.optimizer.built and float(other.optimizer.learning_rate) == pytest.approx(0.01)
    assert other.loss.from_logits
    assert pydl.models.Sequential([]).get_compile_config() is None
