"""Weights: where they are found, their order, losses, freezing, errors."""

import numpy as np
import pytest

import pydl
from pydl import layers
from pydl.variable import Variable


class Block(layers.Layer):
    def __init__(self):
        super().__init__()
        self.stack = []
        self.named = {"a": layers.Dense(1, name="a")}
        self.scale = Variable([1.0], name="scale")
        self.stack.append(layers.Dense(2, name="b"))

    def call(self, x):
        return self.named["a"](self.stack[0](x)) * self.scale


def built(layer, size=3):
    layer(pydl.ops.ones((2, size)))
    return layer


def test_weights_in_lists_dicts_and_attributes():
    block = built(Block())
    names = [v.path.split("/", 1)[-1] for v in block.weights]
    assert names == ["scale", "b/kernel", "b/bias", "a/kernel", "a/bias"]
    block.stack.append(built(layers.Dense(1)))
    assert len(block.weights) == 7
    block.stack.pop()
    del block.scale
    assert len(block.weights) == 4


def test_shared_and_circular_layers_count_once():
    outer, inner = Block(), built(layers.Dense(1))
    outer.first = outer.second = inner
    inner.parent = outer
    assert len(built(outer).weights) == 7


def test_own_trainable_weights_come_first():
    layer = layers.Layer()
    layer.add_weight((1,), name="state", trainable=False)
    layer.add_weight((2,), name="w")
    layer.built = True
    assert [v.name for v in layer.weights] == ["w", "state"]
    assert [v.name for v in layer.trainable_weights] == ["w"]
    assert [v.name for v in layer.non_trainable_weights] == ["state"]
    assert layer.count_params() == 3


def test_freezing():
    layer = layers.BatchNormalization()
    built(layer)
    layer.trainable = False
    assert layer.trainable_weights == [] and len(layer.non_trainable_weights) == 4
    assert not any(v.requires_grad for v in layer.weights)
    layer.trainable = True
    assert [v.name for v in layer.trainable_weights] == ["gamma", "beta"]
    frozen = built(layers.Dense(2, trainable=False))
    assert frozen.trainable_weights == [] and not frozen.kernel.requires_grad
    frozen.trainable = True
    assert len(frozen.trainable_weights) == 2


def test_freezing_reaches_inner_layers():
    block = built(Block())
    block.trainable = False
    assert not block.stack[0].trainable and not block.scale.trainable
    block.trainable = True
    assert len(block.trainable_weights) == 5


def test_get_and_set_weights():
    layer = built(layers.Dense(2))
    values = [np.full((3, 2), 5.0), np.array([1.0, 2.0])]
    layer.set_weights(values)
    copies = layer.get_weights()
    copies[0][:] = 0
    assert layer.kernel.numpy().min() == 5.0
    assert layer(pydl.ops.ones((1, 3))).tolist() == [[16.0, 17.0]]


def test_set_weights_errors_change_nothing():
    layer = built(layers.Dense(2, name="head"))
    before = layer.get_weights()
    with pytest.raises(
        ValueError, match=r"\[head\] set_weights expected 2 arrays, got 1.*\(3, 2\)"
    ):
        layer.set_weights([np.zeros((3, 2))])
    with pytest.raises(
        pydl.errors.ShapeError, match=r"expected shape \(2,\) for 'head/bias', got \(3,\)"
    ):
        layer.set_weights([np.zeros((3, 2)), np.zeros(3)])
    np.testing.assert_array_equal(layer.get_weights()[0], before[0])
    with pytest.raises(ValueError, match="not built yet: call it once first"):
        layers.Dense(2).set_weights([np.zeros((3, 2)), np.zeros(2)])


def test_count_params_before_building():
    with pytest.raises(ValueError, match="count_params expected a layer with weights"):
        layers.Dense(2).count_params()


def test_add_weight_errors():
    layer = layers.Layer(name="own")
    with pytest.raises(ValueError, match=r"\[own\] expected known sizes for a weight"):
        layer.add_weight((None, 2))
    with pytest.raises(ValueError, match=r"\[initializers\] expected one of .*, got 'nothing'"):
        layer.add_weight((2,), "nothing")


def test_regularizers_are_losses():
    layer = layers.Dense(1, kernel_regularizer="l2", bias_regularizer=pydl.regularizers.L1(1.0))
    built(layer)
    layer.set_weights([np.full((3, 1), 2.0), np.array([-3.0])])
    assert [round(float(loss), 5) for loss in layer.losses] == [0.12, 3.0]
    layer.trainable = False
    assert layer.losses == []


def test_add_loss_is_of_the_last_call():
    class Costly(layers.Layer):
        def call(self, x):
            self.add_loss(pydl.ops.sum(x))
            return x

    class Outer(layers.Layer):
        def __init__(self):
            super().__init__()
            self.costly = Costly()

        def call(self, x):
            return self.costly(self.costly(x))

    layer, outer = Costly(), Outer()
    for _ in range(3):
        layer(pydl.ops.ones((2,)))
        assert [float(loss) for loss in layer.losses] == [2.0]
        outer(pydl.ops.ones((3,)))
        assert [float(loss) for loss in outer.losses] == [3.0, 3.0]


def test_activity_regularizer_is_a_mean_over_the_batch():
    layer = layers.Dense(1, activity_regularizer="l2", kernel_initializer="ones")
    for _ in range(3):
        layer(pydl.ops.ones((2, 3)))
        assert [round(float(loss), 4) for loss in layer.losses] == [0.09]


def test_constraints_are_kept_with_the_weight():
    layer = built(layers.Dense(1, kernel_constraint="non_neg"))
    assert isinstance(layer.kernel.constraint, pydl.constraints.NonNeg)
