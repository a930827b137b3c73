"""The base class: calls, building, training, names, errors."""

import threading

import numpy as np
import pytest

import pydl
from pydl import layers


class Scale(layers.Layer):
    def __init__(self, factor=2.0, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor

    def build(self, input_shape):
        self.builds = getattr(self, "builds", 0) + 1
        self.scale = self.add_weight(shape=input_shape[-1:], initializer="ones", name="scale")

    def call(self, inputs):
        return inputs * self.scale * self.factor


class Remember(layers.Layer):
    """Keeps the value of `training` that it was called with."""

    def call(self, inputs, training=None):
        self.seen = training
        return inputs


def test_first_call_builds_once():
    layer = Scale()
    assert not layer.built and layer.weights == []
    assert layer(np.ones((2, 3), "float32")).tolist() == [[2.0] * 3] * 2
    layer(np.ones((5, 3), "float32"))
    assert layer.built and layer.builds == 1
    assert layer.weights[0].path == f"{layer.name}/scale"


def test_build_by_hand():
    layer = Scale(name="s")
    layer.build((None, 4))
    assert layer.built and layer.weights[0].path == "s/scale"
    assert layer.get_build_config() == {"input_shape": (None, 4)}
    twin = Scale()
    twin.build_from_config({"input_shape": [None, 4]})
    assert twin.weights[0].shape == (4,)


def test_build_with_a_shape_for_every_argument():
    class Two(layers.Layer):
        def build(self, left_shape, right_shape):
            self.shapes = left_shape, right_shape

        def call(self, left, right):
            return left

    layer = Two()
    layer(pydl.ops.ones((2, 3)), right=pydl.ops.ones((4, 5)))
    assert layer.shapes == ((2, 3), (4, 5))


@pytest.mark.parametrize(
    "make", [lambda: np.ones((1, 2), "float32"), lambda: [[1.0, 1.0]], lambda: ((1, 1),),
             lambda: pydl.tensor([[1.0, 1.0]])]
)  # fmt: skip
def test_arrays_become_tensors(make):
    result = Scale()(make())
    assert isinstance(result, pydl.Tensor) and result.tolist() == [[2.0, 2.0]]


def test_floats_are_cast_and_integers_are_not():
    class Same(layers.Layer):
        def call(self, inputs):
            return inputs

    assert Same()(np.ones(2)).dtype == "float32"
    assert Same(dtype="float64")(np.ones(2, "float32")).dtype == "float64"
    assert Same(autocast=False)(np.ones(2)).dtype == "float64"
    assert Same()(np.ones(2, "int32")).dtype == "int32"


def test_training_reaches_inner_layers():
    class Outer(layers.Layer):
        def __init__(self):
            super().__init__()
            self.inner = Remember()

        def call(self, inputs):
            return self.inner(inputs)

    outer, x = Outer(), pydl.ops.ones((1, 1))
    for training in (True, False, True):
        outer(x, training=training)
        outer(x, training=training)
        assert outer.inner.seen is training
    outer(x)
    assert outer.inner.seen is False
    outer.inner(x, training=True)
    outer.inner(x)
    assert not outer.inner.seen


def test_explicit_training_wins_over_the_call_around():
    class Outer(layers.Layer):
        def __init__(self):
            super().__init__()
            self.inner = Remember()

        def call(self, inputs):
            return self.inner(inputs, training=False)

    outer = Outer()
    outer(pydl.ops.ones((1, 1)), training=True)
    assert outer.inner.seen is False


def test_training_ends_with_the_call_even_after_an_error():
    class Failing(layers.Layer):
        def call(self, inputs):
            raise ValueError("no")

    with pytest.raises(ValueError):
        Failing()(pydl.ops.ones((1, 1)), training=True)
    layer = Remember()
    layer(pydl.ops.ones((1, 1)))
    assert not layer.seen


def test_threads_do_not_share_training():
    layer, x, results = Remember(), pydl.ops.ones((1, 1)), []

    class Slow(layers.Layer):
        def call(self, inputs):
            thread = threading.Thread(target=lambda: results.append(layer(x) is not None))
            thread.start(), thread.join()
            return inputs

    Slow()(x, training=True)
    assert results == [True] and not layer.seen


def test_error_names_the_innermost_layer_once():
    class Broken(layers.Layer):
        def call(self, inputs):
            raise ValueError("[op] expected something else.")

    model = pydl.models.Sequential([Broken(name="broken")], name="outside")
    with pytest.raises(ValueError, match=r"^\[broken\] \[op\] expected something else\.$"):
        model.call(pydl.ops.ones((1, 1))) if model.built else model.build((None, 1))


def test_input_spec_errors():
    layer = layers.Dense(2, name="head")
    with pytest.raises(
        pydl.errors.ShapeError, match=r"\[head\] expected at least an input of 2 dim"
    ):
        layer(pydl.ops.ones((3,)))
    layer(pydl.ops.ones((1, 3)))
    with pytest.raises(
        pydl.errors.ShapeError, match=r"\[head\] expected size 3 on axis -1.*\(1, 4\)"
    ):
        layer(pydl.ops.ones((1, 4)))
    with pytest.raises(pydl.errors.ShapeError, match=r"\[conv\] expected an input of 4 dimensions"):
        layers.Conv2D(1, 3, name="conv")(pydl.ops.ones((2, 8, 8)))
    with pytest.raises(TypeError, match=r"\[head\] expected a tensor or an array, got 'text'"):
        layer("text")


def test_wrong_constructor_arguments():
    with pytest.raises(TypeError, match=r"\[Dense\] expected no argument named unit"):
        layers.Dense(3, unit=3)
    with pytest.raises(ValueError, match="units to be a positive integer, got -1"):
        layers.Dense(-1)


def test_forgotten_super_init():
    class Forgetful(layers.Layer):
        def __init__(self):
            self.x = 1

        def call(self, inputs):
            return inputs

    with pytest.raises(RuntimeError, match=r"\[Forgetful\] expected the constructor to call super"):
        Forgetful()(pydl.ops.ones((1,)))


def test_call_must_be_defined():
    with pytest.raises(NotImplementedError, match="expected the class Layer to define call"):
        layers.Layer()(pydl.ops.ones((1,)))


def test_several_shapes_in_turn():
    layer = Scale()
    for rows in (1, 5, 2, 5, 0, 1):
        assert layer(pydl.ops.ones((rows, 3))).shape == (rows, 3)
    assert layer(pydl.tensor(np.ones((2, 3)))).dtype == "float32"


def test_names():
    pydl.naming.clear_names()
    assert [layers.Dense(1).name for _ in range(2)] == ["dense", "dense_1"]
    assert layers.MaxPooling2D().name == "max_pooling2d"
    assert layers.Dense(1, name="mine").name == "mine"


def test_compute_output_shape_of_any_layer():
    class Twice(layers.Layer):
        def call(self, x):
            return pydl.ops.concatenate([x, x], axis=-1), pydl.ops.sum(x, axis=1)

    assert Twice().compute_output_shape((None, 3)) == ((None, 6), (None,))


def test_config_is_the_constructor_arguments():
    layer = Scale(factor=3.0, name="three")
    config = layer.get_config()
    assert config == {"factor": 3.0, "name": "three", "trainable": True, "dtype": "float32"}
    layer.trainable = False
    twin = Scale.from_config(layer.get_config())
    assert (twin.factor, twin.name, twin.trainable) == (3.0, "three", False)


def test_config_the_keras_way():
    class Old(layers.Layer):
        def __init__(self, units, function=None, **kwargs):
            super().__init__(**kwargs)
            self.units = units

        def get_config(self):
            return {**super().get_config(), "units": self.units, "function": None}

    config = Old(3, function=lambda x: x, name="old").get_config()
    assert config["units"] == 3 and Old.from_config(config).name == "old"


def test_mixed_policy_casts_inputs_and_weights():
    layer = layers.Dense(2, dtype="mixed_bfloat16", activation="relu")
    y = layer(np.ones((1, 3), "float32"))
    assert layer.kernel.dtype == "float32" and y.dtype == "bfloat16"
    pydl.ops.sum(pydl.ops.cast(y, "float32")).backward()
    assert layer.kernel.grad.dtype == "float32" and layer.kernel.grad.shape == (3, 2)


def test_default_policy():
    layers.set_dtype_policy("float64")
    try:
        assert layers.Dense(1)(np.ones((1, 2), "float32")).dtype == "float64"
    finally:
        layers.set_dtype_policy("float32")
    with pytest.raises(ValueError, match=r"\[DTypePolicy\] expected one of float16"):
        layers.Dense(1, dtype="float31")
