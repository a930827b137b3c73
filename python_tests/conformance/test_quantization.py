"""Layers quantized to int8 against Keras: same weights, same integers, outputs and gradients."""

import numpy as np
import pytest

import pydl
from pydl import layers, quantizers

pytestmark = pytest.mark.conformance
rng = np.random.default_rng(0)


@pytest.mark.parametrize("axis", [0, -1, (0, 1)])
@pytest.mark.parametrize("options", [{}, {"value_range": (-8, 7)}, {"epsilon": 0.1}])
def test_abs_max(keras, axis, options):
    x = rng.normal(size=(5, 6)).astype("float32")
    for mine, other in zip(quantizers.abs_max_quantize(x, axis, **options), keras.quantizers.abs_max_quantize(x, axis, **options)):
        np.testing.assert_allclose(mine.numpy(), np.asarray(other), rtol=1e-6)
        assert mine.dtype == str(other.dtype)
    quantizer = quantizers.AbsMaxQuantizer(axis=axis, **options)
    np.testing.assert_array_equal(quantizer(x)[0].numpy(), quantizers.abs_max_quantize(x, axis, **options)[0].numpy())
    again = quantizers.deserialize(quantizers.serialize(quantizer))
    assert again.get_config() == quantizer.get_config()


LAYERS = [
    ("Dense", {"units": 5, "activation": "tanh"}, (4, 6)), ("Dense", {"units": 5, "use_bias": False}, (2, 3, 6)),
    ("Dense", {"units": 5, "lora_rank": 2}, (4, 6)),
    ("EinsumDense", {"equation": "ab,bc->ac", "output_shape": (7,), "bias_axes": "c"}, (3, 5)),
    ("EinsumDense", {"equation": "abc,cde->abde", "output_shape": (None, 2, 4), "bias_axes": "de"}, (2, 3, 5)),
    ("EinsumDense", {"equation": "abde,dec->abc", "output_shape": (None, 4), "activation": "relu"}, (2, 3, 2, 5)),
    ("EinsumDense", {"equation": "btd,ndh->btnh", "output_shape": (None, 3, 4)}, (2, 3, 5)),
]  # fmt: skip


def both(keras, name, arguments, shape):
    """A layer of each library with the same weights."""
    own, other = (getattr(m.layers, name)(**arguments) for m in (pydl, keras))
    own.build((None, *shape[1:])), other.build((None, *shape[1:]))
    own.set_weights([rng.normal(size=v.shape) for v in own.weights])
    other.set_weights(own.get_weights())
    return own, other


def same_weights(own, other):
    assert [v.name for v in own.weights] == [v.name for v in other.weights]
    assert [v.dtype for v in own.weights] == [str(v.dtype) for v in other.weights]
    assert len(own.trainable_weights) == len(other.trainable_weights)
    for mine, theirs in zip(own.weights, other.weights):
        np.testing.assert_allclose(mine.numpy(), np.asarray(theirs), rtol=1e-6, atol=1 if mine.dtype == "int8" else 1e-6)


@pytest.mark.parametrize("inputs_too", [True, False])
@pytest.mark.parametrize("name, arguments, shape", LAYERS, ids=[f"{n}-{i}" for i, (n, _, _) in enumerate(LAYERS)])
def test_layers(keras, name, arguments, shape, inputs_too):
    import jax

    own, other = both(keras, name, arguments, shape)
    x = rng.normal(size=shape).astype("float32")
    plain = own(x).numpy()
    if inputs_too:
        own.quantize("int8"), other.quantize("int8")
    else:
        own.quantize(config=quantizers.Int8QuantizationConfig(activation_quantizer=None))
        other.quantize("int8", config=keras.quantizers.Int8QuantizationConfig(activation_quantizer=None))
    same_weights(own, other)
    assert own.dtype_policy.name == other.dtype_policy.name == "int8_from_float32"
    tensor = pydl.tensor(x, requires_grad=True)
    y = own(tensor)
    expected, pull_back = jax.vjp(lambda x: other(x), x)
    np.testing.assert_allclose(y.numpy(), np.asarray(expected), rtol=1e-4, atol=1e-4)
    if not own.lora_enabled:
        np.testing.assert_allclose(y.numpy(), plain, atol=0.1)
    seed = rng.normal(size=y.shape).astype("float32")
    y.backward(pydl.tensor(seed))
    np.testing.assert_allclose(tensor.grad.numpy(), np.asarray(pull_back(seed)[0]), rtol=1e-4, atol=1e-4)
    again = type(own).from_config(own.get_config())
    again.build((None, *shape[1:]))
    again.set_weights(own.get_weights())
    np.testing.assert_array_equal(again(x).numpy(), y.numpy())


@pytest.mark.parametrize("equation, units, shape", [("...x,xy->...y", 4, (2, 3, 2, 5)), ("ab...,bc->ac...", 6, (2, 3, 4))])
def test_equations_with_dots(equation, units, shape):
    """Which Keras does not quantize; here the results are close to those of floating point."""
    layer, x = layers.EinsumDense(equation, units), pydl.tensor(rng.normal(size=shape).astype("float32"), requires_grad=True)
    results = []
    for _ in range(2):
        x.grad = None
        y = layer(x)
        pydl.ops.sum(y * y).backward()
        results.append([y.numpy(), x.grad.numpy()])
        if not results[1:]:
            layer.quantize("int8")
    for plain, quantized in zip(*results):
        np.testing.assert_allclose(quantized, plain, atol=0.05 * np.abs(plain).max())


@pytest.mark.parametrize("arguments", [{}, {"lora_rank": 2}])
def test_embedding(keras, arguments):
    own, other = both(keras, "Embedding", {"input_dim": 9, "output_dim": 4, **arguments}, (2, 3))
    own.quantize("int8"), other.quantize("int8")
    same_weights(own, other)
    x = rng.integers(0, 9, (2, 3))
    np.testing.assert_allclose(own(x).numpy(), np.asarray(other(x)), rtol=1e-5, atol=1e-5)


def test_policies(keras):
    for name in ("int8_from_float32", "int8_from_mixed_bfloat16"):
        own, other = pydl.dtype_policies.get(name), keras.dtype_policies.get(name)
        assert (own.compute_dtype, own.variable_dtype) == (other.compute_dtype, other.variable_dtype)
        assert own.quantization_mode == other.quantization_mode == "int8"
        assert pydl.dtype_policies.deserialize(pydl.dtype_policies.serialize(own)) == own
    layer = layers.Dense(3, dtype="int8_from_mixed_bfloat16")
    assert layer(rng.normal(size=(2, 4)).astype("float32")).dtype == "bfloat16"


def model():
    pydl.set_random_seed(1)
    return pydl.Sequential([
        pydl.Input((6,)), layers.Embedding(50, 16), layers.LSTM(8, return_sequences=True), layers.EinsumDense("abc,cd->abd", (6, 16), bias_axes="d"),
        layers.Flatten(), layers.Dense(32, "relu", name="hidden"), layers.Dense(3, "softmax", name="out"),
    ])  # fmt: skip


@pytest.mark.parametrize("ending", ["pydl", "keras"])
def test_save_and_load(tmp_path, ending):
    x, one = rng.integers(0, 50, (8, 6)), model()
    plain = one.predict(x, verbose=0)
    one.save(tmp_path / f"plain.{ending}")
    one.quantize("int8")
    quantized = one.predict(x, verbose=0)
    np.testing.assert_allclose(quantized, plain, atol=0.02)
    one.save(tmp_path / f"small.{ending}")
    again = pydl.models.load_model(tmp_path / f"small.{ending}")
    np.testing.assert_array_equal(again.predict(x, verbose=0), quantized)
    assert [w.dtype for w in again.weights] == [w.dtype for w in one.weights]
    again.compile("adam", "sparse_categorical_crossentropy")
    before = again.layers[-1].kernel.numpy().copy()
    again.fit(x, rng.integers(0, 3, 8), verbose=0)
    np.testing.assert_array_equal(again.layers[-1].kernel.numpy(), before)


def test_large_models_take_a_quarter(tmp_path):
    one = pydl.Sequential([pydl.Input((512,)), layers.Dense(512), layers.Dense(512)])
    one.save_weights(tmp_path / "plain.safetensors")
    one.quantize("int8")
    one.save_weights(tmp_path / "small.safetensors")
    sizes = [(tmp_path / f"{name}.safetensors").stat().st_size for name in ("plain", "small")]
    assert 3.8 < sizes[0] / sizes[1] < 4.1


@pytest.mark.parametrize("filters, chosen", [
    ("hid", ["hidden"]), (["^out$", "hidden"], ["hidden", "out"]), (lambda layer: isinstance(layer, layers.Embedding), ["embedding"]), (None, None),
])  # fmt: skip
def test_filters(filters, chosen):
    one = model()
    one.quantize("int8", filters=filters)
    found = [layer.name.rstrip("_0123456789") for layer in one.layers if getattr(layer, "quantization_mode", None)]
    assert found == (chosen or ["embedding", "einsum_dense", "hidden", "out"])


def test_subclasses_are_left_alone():
    class Own(layers.Dense):
        def call(self, inputs):
            return super().call(inputs) * 2

    one = pydl.Sequential([pydl.Input((4,)), Own(3)])
    with pytest.warns(UserWarning, match="expected no subclass"):
        one.quantize("int8")
    assert one.layers[0].kernel.dtype == "float32"
    one.quantize("int8", type_check=False)
    assert one.layers[0].kernel.dtype == "int8"


def built(layer):
    layer.build((None, 4))
    return layer


def twice():
    layer = built(layers.Dense(3))
    layer.quantize("int8")
    layer.quantize("int8")


@pytest.mark.parametrize("make", [
    lambda: built(layers.Dense(3)).quantize("int4"), lambda: layers.Dense(3).quantize("int8"), lambda: built(layers.Dense(3)).quantize(), twice,
    lambda: quantizers.AbsMaxQuantizer(value_range=(-200, 127)), lambda: quantizers.get("half"), lambda: pydl.dtype_policies.get("int8_from_float16"),
    lambda: quantizers.Int8QuantizationConfig(quantizers.AbsMaxQuantizer(output_dtype="int32")), lambda: pydl.dtype_policies.get("int4_from_float32"),
    lambda: model().quantize("int8", filters=3), lambda: pydl.dtype_policies.QuantizedDTypePolicy("int4"),
])  # fmt: skip
def test_errors(make):
    with pytest.raises(ValueError, match=r"^\[\w+\] expected "):
        make()
    with pytest.raises(NotImplementedError, match="to quantize"):
        built(layers.LayerNormalization()).quantize("int8")
