"""Models that define `call` themselves."""

import numpy as np
import pytest

import pydl
from pydl import layers
from pydl.models import Model


class Net(Model):
    def __init__(self, units=3, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.hidden = [layers.Dense(units, activation="relu") for _ in range(2)]
        self.drop = layers.Dropout(0.5)
        self.head = layers.Dense(2)

    def call(self, x, training=False):
        for layer in self.hidden:
            x = layer(x)
        return self.head(self.drop(x, training=training))


def test_call_builds_the_layers():
    model = Net(name="net")
    assert not model.built and model.weights == []
    assert model(np.ones((4, 5))).shape == (4, 2)
    assert model.built and len(model.weights) == 6
    assert [layer.units for layer in model.layers if hasattr(layer, "units")] == [3, 3, 2]
    assert model.weights[0].path.startswith("net/dense")
    assert model.inputs is None and model.output_names is None


def test_build_by_hand():
    model = Net()
    model.build((None, 5))
    assert [v.shape for v in model.weights] == [(5, 3), (3,), (3, 3), (3,), (3, 2), (2,)]


def test_used_symbolically():
    x = pydl.Input((5,))
    net = Net()
    model = Model(x, net(x))
    assert model.output_shape == (None, 2) and len(model.weights) == 6


def test_configuration():
    model = Net(units=7)
    assert Net.from_config(model.get_config()).units == 7


def test_model_without_call():
    with pytest.raises(NotImplementedError, match="expected the class Model to define call"):
        Model()(np.ones((1, 2)))
