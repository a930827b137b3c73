"""Models that override train_step, test_step, predict_step, compute_loss or compute_metrics."""

import numpy as np
import pytest
from training_problems import data, regressor

import pydl
from pydl import layers, metrics

X, _ = data(20, features=3)
Y = X.sum(-1, keepdims=True)


class Base(pydl.models.Model):
    def __init__(self):
        super().__init__()
        self.dense = layers.Dense(1)

    def call(self, x):
        return self.dense(x)


def prepared(cls):
    model = cls()
    model.compile("sgd", "mse", metrics=["mae"])
    model(X[:1])
    model.set_weights(regressor().get_weights())
    return model


def plain_history(epochs=2):
    model = prepared(Base)
    return model.fit(X, Y, epochs=epochs, shuffle=False, verbose=0).history


def test_train_step():
    class Custom(Base):
        def train_step(self, data):
            x, y = data
            loss = self.compute_loss(y=y, y_pred=self(x, training=True))
            loss.backward()
            self.optimizer.apply(
                [v.grad for v in self.trainable_variables], self.trainable_variables
            )
            for v in self.trainable_variables:
                v.grad = None
            return {"mine": loss}

    model = prepared(Custom)
    history = model.fit(X, Y, batch_size=20, epochs=2, shuffle=False, verbose=0).history
    assert list(history) == ["mine"]
    other = prepared(Base)
    other.fit(X, Y, batch_size=20, epochs=2, shuffle=False, verbose=0)
    np.testing.assert_array_equal(model.get_weights()[0], other.get_weights()[0])


def test_own_metrics_are_reset_each_epoch():
    class Custom(Base):
        def __init__(self):
            super().__init__()
            self.seen = metrics.Sum(name="seen")

        def train_step(self, data):
            self.seen.update_state(pydl.ops.sum(data[0] * 0 + 1))
            return {"seen": self.seen.result()}

    history = prepared(Custom).fit(X, Y, batch_size=7, epochs=2, verbose=0).history
    assert history["seen"] == [60.0, 60.0]


def test_compute_loss_and_metrics():
    class Custom(Base):
        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            return 2.0 * super().compute_loss(x, y, y_pred, sample_weight, training)

        def compute_metrics(self, x, y, y_pred, sample_weight=None):
            results = super().compute_metrics(x, y, y_pred, sample_weight)
            return {**results, "twice": results["mae"] * 2}

    history = prepared(Custom).fit(X, Y, batch_size=20, verbose=0).history
    plain = plain_history(1)
    assert history["loss"][0] == pytest.approx(2 * plain["loss"][0], rel=1e-5)
    assert history["twice"][0] == pytest.approx(2 * plain["mae"][0], rel=1e-5)


def test_test_step_and_predict_step():
    class Custom(Base):
        def test_step(self, data):
            assert not pydl.is_grad_enabled()
            return {"answer": 42.0}

        def predict_step(self, data):
            return {"doubled": 2 * self(data[0])}

    model = prepared(Custom)
    assert model.evaluate(X, Y, verbose=0) == 42.0
    assert model.evaluate(X, Y, verbose=0, return_dict=True) == {"answer": 42.0}
    np.testing.assert_allclose(
        model.predict(X, verbose=0)["doubled"], 2 * prepared(Base).predict(X, verbose=0), rtol=1e-6
    )


def test_regularizers_count_in_the_loss():
    model = pydl.models.Sequential(
        [layers.Input((3,)), layers.Dense(1, kernel_regularizer=pydl.regularizers.L2(0.5))]
    )
    model.compile("sgd", "mse")
    plain = regressor()
    model.set_weights(plain.get_weights())
    penalty = 0.5 * (plain.get_weights()[0] ** 2).sum()
    expected = plain.evaluate(X, Y, verbose=0) + penalty
    assert model.evaluate(X, Y, batch_size=7, verbose=0) == pytest.approx(expected, rel=1e-5)


def test_metrics_property_in_a_train_step():
    """The loop over `self.metrics` that Keras's guides write into train_step."""

    class Custom(Base):
        def train_step(self, data):
            x, y = data
            y_pred = self(x, training=True)
            loss = self.compute_loss(y=y, y_pred=y_pred)
            variables = self.trainable_variables
            self.optimizer.apply(pydl.grad(loss, variables), variables)
            for metric in self.metrics:
                if metric.name == "loss":
                    metric.update_state(loss)
                else:
                    metric.update_state(y, y_pred)
            return {metric.name: metric.result() for metric in self.metrics}

    history = prepared(Custom).fit(X, Y, batch_size=20, epochs=2, shuffle=False, verbose=0).history
    plain = prepared(Base).fit(X, Y, batch_size=20, epochs=2, shuffle=False, verbose=0).history
    assert history == plain and list(history) == ["loss", "mae"]


def test_metrics_in_lists_of_layers():
    class Watched(layers.Layer):
        def __init__(self):
            super().__init__()
            self.watchers = [metrics.Sum(name="rows")]

        def call(self, x):
            self.watchers[0].update_state(x[:, 0] * 0 + 1)
            return x

    model = pydl.Sequential([pydl.Input((3,)), Watched(), layers.Dense(1)])
    model.compile("sgd", "mse")
    history = model.fit(X, Y, batch_size=6, epochs=2, verbose=0).history
    assert history["rows"] == [20.0, 20.0]
