"""Sequential: building, adding, removing, errors."""

import numpy as np
import pytest

import pydl
from pydl import layers
from pydl.models import Model, Sequential, clone_model, model_from_json


def test_built_at_once_with_input_first():
    model = Sequential([pydl.Input((3,)), layers.Dense(2, name="d")], name="s")
    assert model.built and model.output_shape == (None, 2)
    assert [layer.name for layer in model.layers] == ["d"]
    assert [v.path for v in model.weights] == ["s/d/kernel", "s/d/bias"]


@pytest.mark.parametrize("arguments", [{"input_shape": (3,)}, {"input_dim": 3}])
def test_input_shape_in_the_first_layer(arguments):
    assert Sequential([layers.Dense(2, **arguments)]).output_shape == (None, 2)


def test_built_by_first_data():
    model = Sequential([layers.Flatten(), layers.Dense(2)])
    assert not model.built and model.weights == []
    assert model(np.ones((4, 2, 3))).shape == (4, 2)
    assert model.built and model.input_shape == (None, 2, 3)
    assert model(np.ones((1, 2, 3))).shape == (1, 2)


def test_integer_data_stays_integer():
    model = Sequential([layers.Embedding(10, 2)])
    assert model(np.ones((1, 3), "int64")).shape == (1, 3, 2)
    assert model.inputs[0].dtype == "int64"


def test_build_by_hand():
    model = Sequential([layers.Dense(2)])
    model.build((None, 5))
    assert model.count_params() == 12


def test_add_and_pop():
    model = Sequential()
    model.add(pydl.Input((4,)))
    model.add(layers.Dense(3))
    model.add(layers.Dense(2))
    assert model.output_shape == (None, 2) and len(model.weights) == 4
    assert isinstance(model.pop(), layers.Dense)
    assert model.output_shape == (None, 3) and len(model.weights) == 2
    assert model(np.ones((1, 4))).shape == (1, 3)
    model.add(layers.Dense(1))
    assert model(np.ones((1, 4))).shape == (1, 1)


def test_weights_in_the_order_of_layers():
    model = Sequential(
        [pydl.Input((4,)), layers.Dense(3), layers.BatchNormalization(), layers.Dense(2)]
    )
    assert [v.shape for v in model.weights] == [(4, 3), (3,), (3,), (3,), (3,), (3,), (3, 2), (2,)]
    assert len(model.trainable_weights) == 6 and len(model.non_trainable_weights) == 2


def test_sequential_in_sequential():
    inner = Sequential([pydl.Input((4,)), layers.Dense(3)])
    model = Sequential([inner, layers.Dense(2)])
    assert model.output_shape == (None, 2) and len(model.layers) == 2


def test_errors():
    with pytest.raises(TypeError, match=r"\[s\] add expected a layer, got 3"):
        Sequential([3], name="s")
    with pytest.raises(ValueError, match="name of its own, got a second 'd'"):
        Sequential([layers.Dense(1, name="d"), layers.Dense(1, name="d")])
    with pytest.raises(ValueError, match="expected the input before all layers"):
        Sequential([layers.Dense(1), pydl.Input((3,))])
    with pytest.raises(ValueError, match=r"\[s\] expected at least one layer"):
        Sequential(name="s")(np.ones((1, 2)))
    with pytest.raises(IndexError, match="pop expected at least one layer"):
        Sequential().pop()
    with pytest.raises(ValueError, match="window"):
        Sequential([pydl.Input((4, 4, 1)), layers.Conv2D(2, 5)])


def test_wrong_data():
    model = Sequential([pydl.Input((4,), name="x"), layers.Dense(3)], name="s")
    with pytest.raises(
        pydl.errors.ShapeError, match=r"\[s\] expected shape \(None, 4\) .* got \(2, 5\)"
    ):
        model(np.ones((2, 5)))
    with pytest.raises(pydl.errors.ShapeError, match="the first dimension is the batch"):
        model(np.ones(4))


def test_configuration():
    model = Sequential([pydl.Input((4,)), layers.Dense(3, activation="relu"), layers.Dropout(0.5)])
    twin = model_from_json(model.to_json())
    assert isinstance(twin, Sequential) and twin.get_config() == model.get_config()
    assert [v.shape for v in twin.weights] == [(4, 3), (3,)]
    later = Sequential.from_config(Sequential([layers.Dense(2)]).get_config())
    assert not later.built and later(np.ones((1, 3))).shape == (1, 2)


def test_clone():
    model = Sequential([pydl.Input((4,)), layers.Dense(3)])
    copy = clone_model(model)
    assert copy.layers[0] is not model.layers[0] and copy.output_shape == (None, 3)
    assert not np.array_equal(copy.get_weights()[0], model.get_weights()[0])
    relu = clone_model(model, clone_function=lambda layer: layers.Dense(3, activation="relu"))
    assert relu(np.full((1, 4), -1.0)).numpy().min() >= 0
    x = pydl.Input((4,))
    functional = Model(x, layers.Dense(2)(x) * 2.0)
    copy = clone_model(functional, input_tensors=pydl.Input((4,), batch_size=7))
    assert copy.output_shape == (7, 2)
    with pytest.raises(ValueError, match=r"\[clone_model\] expected a functional model"):
        clone_model(Sequential([layers.Dense(1)]), clone_function=lambda layer: layer)


def test_a_failed_build_leaves_the_model_as_it_was():
    model = Sequential([layers.Reshape((4,)), layers.Dense(3), layers.Dense(2)])
    names = [layer.name for layer in model.layers]
    for bad in (lambda: model(np.ones((2, 7), "float32")), lambda: model.build((None, 7))):
        with pytest.raises(ValueError, match=r"as many elements as \(4,\), got shape \(None, 7\)"):
            bad()
        assert [layer.name for layer in model.layers] == names and not model.built
    assert model(np.ones((2, 2, 2), "float32")).shape == (2, 2)
    model.build((None, 4))  # built already
    with pytest.raises(ValueError, match="expected an input of 4 dimensions"):
        model.add(layers.Conv2D(2, 3))
    assert [layer.name for layer in model.layers] == names
    assert model(np.ones((3, 2, 2), "float32")).shape == (3, 2)


def test_a_failed_build_of_a_layer_leaves_no_weights():
    class Hesitant(layers.Layer):
        ready = False

        def build(self, input_shape):
            self.scale = self.add_weight(shape=input_shape[-1:], initializer="ones")
            if not self.ready:
                raise ValueError("not yet")

        def call(self, x):
            return x * self.scale

    layer = Hesitant()
    with pytest.raises(ValueError, match="not yet"):
        layer([[1.0, 2.0]])
    layer.ready = True
    assert layer([[1.0, 2.0]]).shape == (1, 2) and len(layer.weights) == len(layer._weights) == 1
