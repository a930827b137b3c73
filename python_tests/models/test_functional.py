"""Functional models: structure, order, operators, nesting, errors."""

import json

import numpy as np
import pytest

import pydl
from pydl import layers
from pydl.models import Model, Sequential, model_from_json

rng = np.random.default_rng(0)


def data(*shape):
    return rng.standard_normal(shape).astype("float32")


def same_again(model, inputs):
    """Rebuild a model from its JSON with the same weights; outputs must not change."""
    twin = model_from_json(model.to_json())
    twin.set_weights(model.get_weights())
    expected, got = model(inputs), twin(inputs)
    for one, other in zip(pydl.tree.flatten(expected), pydl.tree.flatten(got)):
        np.testing.assert_array_equal(one.numpy(), other.numpy())
    assert json.loads(twin.to_json()) == json.loads(model.to_json())
    return twin


def test_chain():
    x = pydl.Input((3,), name="x")
    y = layers.Dense(2, activation="relu")(layers.Dense(4)(x))
    model = Model(x, y, name="chain")
    assert model.built and model.name == "chain"
    assert (model.input_shape, model.output_shape) == ((None, 3), (None, 2))
    assert [layer.name for layer in model.layers][0] == "x" and len(model.layers) == 3
    assert model(data(5, 3)).shape == (5, 2)
    assert len(model.weights) == 4 and model.count_params() == 26
    same_again(model, data(5, 3))


def test_several_inputs_and_outputs_by_place_and_name():
    a, b = pydl.Input((3,), name="a"), pydl.Input((3,), name="b")
    first, second = layers.Add()([a, b]), layers.Multiply(name="product")([a, b])
    model = Model([a, b], {"sum": first, "product": second})
    x, y = data(2, 3), data(2, 3)
    for inputs in ([x, y], (x, y), {"a": x, "b": y}, {"b": y, "a": x}):
        result = model(inputs)
        np.testing.assert_allclose(result["sum"].numpy(), x + y, rtol=1e-6)
        np.testing.assert_allclose(result["product"].numpy(), x * y, rtol=1e-6)
    assert model.input_names == ["a", "b"] and model.output_names[1] == "product"
    same_again(model, [x, y])


def test_dict_of_inputs():
    inputs = {"left": pydl.Input((2,)), "right": pydl.Input((2,))}
    model = Model(inputs, inputs["left"] - inputs["right"])
    result = model({"right": np.ones((1, 2)), "left": np.full((1, 2), 3.0)})
    assert result.tolist() == [[2.0, 2.0]]
    same_again(model, {"right": data(1, 2), "left": data(1, 2)})


def test_shared_layer():
    a, b = pydl.Input((3,), name="a"), pydl.Input((3,), name="b")
    shared = layers.Dense(2, name="shared")
    model = Model([a, b], shared(a) + shared(b))
    assert len(model.weights) == 2
    x, y = data(4, 3), data(4, 3)
    expected = (x + y) @ shared.kernel.numpy() + 2 * shared.bias.numpy()
    np.testing.assert_allclose(model([x, y]).numpy(), expected, rtol=1e-5, atol=1e-6)
    same_again(model, [x, y])


def test_operators():
    x = pydl.Input((3,))
    y = (2.0 * x + 1.0) / 3.0 - x**2 + (-x) * np.ones(3, "float32") - (1.0 - x)
    model = Model(x, y)
    v = data(2, 3)
    np.testing.assert_allclose(
        model(v).numpy(), (2 * v + 1) / 3 - v**2 - v - (1 - v), rtol=1e-5, atol=1e-6
    )
    same_again(model, v)


def test_array_on_the_left_of_an_operator():
    x = pydl.Input((3,))
    model = Model(x, np.array([1.0, 2.0, 3.0], "float32") * x)
    np.testing.assert_allclose(model(np.ones((1, 3))).numpy(), [[1, 2, 3]])


def test_indexing():
    x = pydl.Input((4, 5))
    model = Model(x, [x[:, 0], x[:, 1:3, ::2], x[..., -1]])
    assert [tensor.shape for tensor in model.outputs] == [(None, 5), (None, 2, 3), (None, 4)]
    v = data(2, 4, 5)
    for result, expected in zip(model(v), [v[:, 0], v[:, 1:3, ::2], v[..., -1]]):
        np.testing.assert_array_equal(result.numpy(), expected)
    same_again(model, v)


def test_functions_of_ops():
    x = pydl.Input((4, 3))
    y = pydl.ops.concatenate([pydl.ops.exp(x), pydl.ops.transpose(x, (0, 1, 2))], axis=-1)
    y = pydl.ops.sum(y, axis=1)
    assert y.shape == (None, 6)
    model, v = Model(x, y), data(2, 4, 3)
    np.testing.assert_allclose(
        model(v).numpy(), np.concatenate([np.exp(v), v], -1).sum(1), rtol=1e-5, atol=1e-6
    )
    same_again(model, v)


def test_op_errors_on_data_stay():
    with pytest.raises(TypeError):
        pydl.ops.exp("text")
    with pytest.raises(ValueError):
        pydl.ops.matmul(pydl.ops.ones((2, 3)), pydl.ops.ones((2, 3)))


def test_nested_models():
    inner_x = pydl.Input((3,))
    inner = Model(inner_x, [layers.Dense(2)(inner_x), layers.Dense(4)(inner_x)], name="inner")
    chain = Sequential([pydl.Input((4,)), layers.Dense(1)], name="chain")
    x = pydl.Input((3,))
    left, right = inner(x)
    model = Model(x, [left, chain(right)])
    assert [tensor.shape for tensor in model.outputs] == [(None, 2), (None, 1)]
    assert [layer.name for layer in model.layers][1:] == ["inner", "chain"]
    assert len(model.weights) == 6
    same_again(model, data(2, 3))


def test_nested_model_on_another_batch_size():
    inner_x = pydl.Input((None, 3))
    inner = Model(inner_x, layers.Dense(2)(inner_x))
    x = pydl.Input((7, 3), batch_size=5)
    assert Model(x, inner(x)).output_shape == (5, 7, 2)


def test_part_of_a_model():
    x = pydl.Input((3,))
    hidden = layers.Dense(4, name="hidden")(x)
    model = Model(x, layers.Dense(2, name="head")(hidden))
    front = Model(model.inputs, model.get_layer("hidden").output)
    back = Model(hidden, model.outputs)
    v = data(2, 3)
    np.testing.assert_allclose(back(front(v))[0].numpy(), model(v).numpy(), rtol=1e-6)


def test_structure_of_outputs_is_kept():
    x = pydl.Input((3,))
    model = Model([x], [x * 2.0])
    assert isinstance(model([data(1, 3)]), list) and isinstance(model(data(1, 3)), list)


def test_gradients_and_training_flow_through():
    x = pydl.Input((3,))
    model = Model(x, layers.Dropout(0.5, seed=1)(layers.Dense(200)(x)))
    v = np.ones((1, 3), "float32")
    assert (model(v).numpy() != 0).all()
    y = model(v, training=True)
    dropped = (y.numpy() == 0).mean()
    assert 0.3 < dropped < 0.7
    pydl.ops.sum(y).backward()
    assert all(w.grad is not None for w in model.trainable_weights)


def test_inputs_are_fitted():
    x = pydl.Input((28, 28, 1))
    model = Model(x, layers.Flatten()(x))
    assert model(data(2, 28, 28)).shape == (2, 784)  # Keras adds the last axis too
    assert model(np.ones((2, 28, 28, 1), "uint8")).dtype == "float32"
    assert model(np.ones((2, 28, 28, 1), "float64")).dtype == "float32"
    ids = pydl.Input((4,), dtype="int32")
    assert Model(ids, layers.Embedding(9, 2)(ids))(np.ones((1, 4))).shape == (1, 4, 2)


def test_input_errors():
    a, b = pydl.Input((3,), name="a"), pydl.Input((3,), name="b")
    model = Model([a, b], a + b, name="m")
    with pytest.raises(ValueError, match=r"\[m\] expected 2 inputs \['a', 'b'\], got 1"):
        model(data(2, 3))
    with pytest.raises(
        pydl.errors.ShapeError, match=r"shape \(None, 3\) for the input 'b', got \(2, 4\)"
    ):
        model([data(2, 3), data(2, 4)])
    with pytest.raises(ValueError, match=r"expected inputs named \['a', 'b'\], got \['a', 'c'\]"):
        model({"a": data(2, 3), "c": data(2, 3)})


def test_construction_errors():
    a, b = pydl.Input((3,), name="a"), pydl.Input((3,), name="b")
    with pytest.raises(ValueError, match=r"expected the input 'b' among the inputs"):
        Model(a, a + b)
    with pytest.raises(ValueError, match="expected outputs to be symbolic tensors"):
        Model(a, np.ones(3))
    with pytest.raises(ValueError, match="expected both inputs and outputs"):
        Model(a)
    with pytest.raises(ValueError, match="expected different inputs"):
        Model([a, a], a + 1)
    with pytest.raises(ValueError, match=r"expected layers of different names, got \['d'\] twice"):
        Model(a, layers.Dense(1, name="d")(layers.Dense(1, name="d")(a)))
    with pytest.raises(ValueError, match=r"\[(\w|_)+\] expected shape or batch_shape"):
        pydl.Input()
    with pytest.raises(ValueError, match=r"expected a tuple such as \(784,\), got 784"):
        pydl.Input(784)


def test_symbolic_tensors_have_no_values():
    x = pydl.Input((3,))
    with pytest.raises(TypeError, match=r"\[KerasTensor\] expected a value"):
        bool(x > 0)
    with pytest.raises(TypeError, match="expected a known first size"):
        len(x)
    assert repr(x).startswith("<KerasTensor shape=(None, 3), dtype=float32")


def test_get_layer():
    x = pydl.Input((3,), name="x")
    model = Model(x, layers.Dense(1, name="head")(x), name="m")
    assert model.get_layer("head") is model.layers[1] is model.get_layer(index=-1)
    with pytest.raises(
        ValueError, match=r"\[m\] get_layer expected one of \['x', 'head'\], got 'tail'"
    ):
        model.get_layer("tail")
    with pytest.raises(ValueError, match="expected an index below 2, got 2"):
        model.get_layer(index=2)


def test_unused_input():
    a, b = pydl.Input((3,), name="a"), pydl.Input((2,), name="b")
    model = Model([a, b], layers.Dense(1)(a))
    assert model([data(2, 3), data(2, 2)]).shape == (2, 1)
    same_again(model, [data(2, 3), data(2, 2)])


def test_very_deep_graph():
    x = y = pydl.Input((1,))
    for _ in range(1500):
        y = y + 1.0
    assert Model(x, y)(np.zeros((1, 1))).item() == 1500.0


def test_custom_layer_shapes_are_found_by_trial():
    class Pairs(layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.dense = layers.Dense(4)

        def call(self, x):
            return {"twice": pydl.ops.concatenate([x, x], axis=1), "dense": self.dense(x)}

    x = pydl.Input((None, 3))
    y = Pairs(name="pairs")(x)
    assert y["twice"].shape == (None, None, 3) and y["dense"].shape == (None, None, 4)
    model = Model(x, y)
    assert model.weights[0].path.startswith("pairs/dense")
    assert model(data(2, 5, 3))["twice"].shape == (2, 10, 3)


@pytest.mark.cpu
def test_large_windows_on_unknown_sizes():
    class Wide(layers.Layer):
        def __init__(self):
            super().__init__()
            self.conv = layers.Conv2D(2, 9)

        def call(self, x):
            return self.conv(x)

    assert Wide()(pydl.Input((None, None, 3))).shape == (None, None, None, 2)


def test_subclass_with_inputs_and_outputs():
    class Wrapped(Model):
        def __init__(self, units):
            x = pydl.Input((3,))
            super().__init__(x, layers.Dense(units)(x))
            self.units = units

    model = Wrapped(2)
    assert model(data(4, 3)).shape == (4, 2) and len(model.weights) == 2
    assert Wrapped.from_config(model.get_config()).units == 2


def test_functions_are_operations_but_no_layers(capsys):
    x = pydl.Input((3,), name="x")
    model = pydl.Model(x, pydl.ops.exp(pydl.layers.Dense(2, name="d")(x)) + 1.0)
    assert [layer.name for layer in model.layers] == ["x", "d"]
    names = [step.name for step in model.operations]
    assert names[:2] == ["x", "d"] and len(names) == 4
    model.summary()
    assert names[2] in capsys.readouterr().out
    again = pydl.Model.from_config(model.get_config())
    assert [step.name for step in again.operations] == names
