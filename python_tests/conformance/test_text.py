"""Layers for text and categories against Keras: what it answered on TensorFlow, kept in a file."""

import json

import numpy as np
import pytest
import text_cases

import pydl

CASES = list(text_cases.cases())
NAMES = [f"{name}-{'-'.join(map(str, arguments.values()))}" for name, arguments, _, _ in CASES]


@pytest.fixture(scope="module")
def reference():
    return json.loads(text_cases.REFERENCE.read_text())


@pytest.mark.parametrize("number", range(len(CASES)), ids=NAMES)
def test_like_keras(reference, number):
    assert len(reference) == len(CASES)
    mine, other = text_cases.answer(pydl.layers, CASES[number]), reference[number]
    assert mine["vocabulary"] == other["vocabulary"]
    assert np.shape(mine["outputs"]) == np.shape(other["outputs"])
    np.testing.assert_allclose(mine["outputs"], other["outputs"], rtol=1e-5, atol=2e-5)


@pytest.mark.parametrize("number", range(0, len(CASES), 5))
def test_configuration_keeps_the_vocabulary(number):
    name, arguments, data, x = CASES[number]
    if name == "HashedCrossing":
        x = [np.array(part) for part in x]
    layer = getattr(pydl.layers, name)(**arguments)
    if data is not None:
        layer.adapt(data)
    again = type(layer).from_config(json.loads(json.dumps(layer.get_config())))
    assert again.get_config() == layer.get_config()
    np.testing.assert_array_equal(again(x).numpy(), layer(x).numpy())
    shape = np.shape(x[0] if name == "HashedCrossing" else x)
    if name != "HashedCrossing" and "split" not in arguments:
        spec = layer.compute_output_shape(shape)
        assert all(a in (None, b) for a, b in zip(spec, layer(x).shape, strict=True))


@pytest.mark.conformance
@pytest.mark.parametrize("mode", ["multi_hot", "one_hot", "count"])
@pytest.mark.parametrize("x", [[[0, 1], [3, 3]], [[2], [0]], [1, 2], 3])
def test_category_encoding(keras, mode, x):
    expected = keras.layers.CategoryEncoding(num_tokens=4, output_mode=mode)(np.array(x))
    ours = pydl.layers.CategoryEncoding(num_tokens=4, output_mode=mode)(np.array(x))
    np.testing.assert_array_equal(ours.numpy(), np.asarray(expected))
    assert ours.dtype == "float32"


@pytest.mark.conformance
def test_category_encoding_with_weights(keras):
    x, weights = np.array([[0, 1], [3, 3]]), np.array([[0.5, 2.0], [1.0, 0.25]], "float32")
    arguments = {"num_tokens": 4, "output_mode": "count"}
    expected = keras.layers.CategoryEncoding(**arguments)(x, count_weights=weights)
    ours = pydl.layers.CategoryEncoding(**arguments)(x, count_weights=weights)
    np.testing.assert_allclose(ours.numpy(), np.asarray(expected), rtol=1e-6)


@pytest.mark.conformance
@pytest.mark.parametrize("mode", ["int", "one_hot", "multi_hot", "count"])
def test_discretization(keras, mode):
    rng = np.random.default_rng(3)
    x, data = rng.normal(size=(5, 3)).astype("float32"), rng.normal(size=(1000, 3))
    for arguments in ({"bin_boundaries": [-1.0, 0.0, 0.5]}, {"num_bins": 7}):
        theirs = keras.layers.Discretization(output_mode=mode, **arguments)
        ours = pydl.layers.Discretization(output_mode=mode, **arguments)
        if "num_bins" in arguments:
            theirs.update_state(data), theirs.finalize_state()  # adapt needs TensorFlow
            ours.adapt(data)
            np.testing.assert_allclose(ours.bin_boundaries, theirs.bin_boundaries, rtol=1e-6)
        expected = np.asarray(theirs(x))
        np.testing.assert_array_equal(ours(x).numpy(), expected)
        assert ours(x).dtype == str(expected.dtype)
        assert ours.compute_output_shape((None, 3))[1:] == expected.shape[1:]
        again = type(ours).from_config(ours.get_config())
        np.testing.assert_array_equal(again(x).numpy(), expected)
