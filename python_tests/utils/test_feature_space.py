"""Feature spaces against what Keras answered on TensorFlow, kept in a file; models, files, errors."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

import pydl
from pydl.utils import FeatureSpace

sys.path.insert(0, str(Path(__file__).parent.parent / "conformance"))
import feature_space_cases

CASES = list(feature_space_cases.cases(FeatureSpace))
DATA = feature_space_cases.DATA
MIXED = {"size": "float_normalized", "price": "float_discretized", "zip": "integer_categorical", "town": "string_categorical"}


@pytest.mark.parametrize("number", range(len(CASES)))
def test_like_keras(number):
    reference = json.loads(feature_space_cases.REFERENCE.read_text())
    assert len(reference) == len(CASES)
    for mine, other in zip(feature_space_cases.answers(FeatureSpace, CASES[number]), reference[number]):
        assert list(mine) == list(other)
        for key in mine:
            assert np.shape(mine[key]) == np.shape(other[key])
            np.testing.assert_allclose(mine[key], other[key], rtol=1e-4, atol=2e-5)


def adapted(**arguments):
    space = FeatureSpace(dict(MIXED), crosses=[("zip", "town")], crossing_dim=7, **arguments)
    space.adapt(DATA)
    return space


def test_in_models():
    """As in Keras's tutorial: trained on encoded rows, used on raw ones."""
    pydl.set_random_seed(1)
    space = adapted()
    encoded = space.get_encoded_features()
    predictions = pydl.layers.Dense(1)(pydl.layers.Dense(8, activation="relu")(encoded))
    training = pydl.Model(encoded, predictions)
    whole = pydl.Model(space.get_inputs(), predictions)
    y = DATA["price"] + (DATA["town"] == "Bern")
    dataset = pydl.data.Dataset.from_arrays((DATA, y)).batch(16).map(lambda x, y: (space(x), y))
    training.compile("adam", "mse")
    losses = training.fit(dataset, epochs=8, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    raw = {key: value[:5] for key, value in DATA.items()}
    np.testing.assert_allclose(whole.predict(raw, verbose=0), training.predict(space(raw), verbose=0), rtol=1e-5)
    whole.compile("adam", "mse")
    whole.fit(DATA, y, epochs=1, verbose=0)


@pytest.mark.parametrize("output_mode", ["concat", "dict"])
def test_save_and_load(tmp_path, output_mode):
    space = adapted(output_mode=output_mode)
    space.save(tmp_path / "space.keras")
    again = pydl.models.load_model(tmp_path / "space.keras")
    assert again.get_config() == space.get_config()
    for mine, other in zip(pydl.tree.flatten(space(DATA)), pydl.tree.flatten(again(DATA))):
        np.testing.assert_array_equal(mine.numpy(), other.numpy())


@pytest.mark.parametrize("batched", [False, True])
def test_adapt_to_datasets(batched):
    dataset = pydl.data.Dataset.from_arrays(DATA)
    space = FeatureSpace(dict(MIXED), crosses=[("zip", "town")], crossing_dim=7)
    space.adapt(dataset.batch(32) if batched else dataset)
    np.testing.assert_allclose(space(DATA).numpy(), adapted()(DATA).numpy(), rtol=1e-5, atol=1e-6)


def test_own_preprocessor():
    layer = pydl.layers.TextVectorization(output_mode="tf_idf")
    space = FeatureSpace({"text": FeatureSpace.feature("string", layer, "float"), "zip": "float"})
    data = {"text": ["first word", "second word", "third"], "zip": [1.0, 2.0, 3.0]}
    space.adapt(data)
    assert space.preprocessors["text"] is layer
    expected = np.concatenate([layer(np.array(data["text"])).numpy(), [[1], [2], [3]]], axis=1)
    np.testing.assert_allclose(space(data).numpy(), expected, rtol=1e-6)


@pytest.mark.parametrize("make", [
    lambda: FeatureSpace({}), lambda: FeatureSpace({"a": "text"}), lambda: FeatureSpace({"a": "float"}, output_mode="list"),
    lambda: FeatureSpace({"a": "integer_hashed"}, crosses=[("a", "b")]), lambda: FeatureSpace.cross(("a", "b"), 3, "count"),
    lambda: FeatureSpace.feature("string", len, "int"), lambda: FeatureSpace.integer_hashed(3, "multi_hot"),
    lambda: FeatureSpace({"a": "float_normalized"})({"a": [1.0]}), lambda: FeatureSpace({"a": "float"})([1.0]),
    lambda: FeatureSpace({"a": "float"})({"b": [1.0]}), lambda: FeatureSpace({"a": "float_normalized"}).adapt(3),
    lambda: FeatureSpace({"a": "float_normalized"}).adapt({"b": [1.0]}),
    lambda: FeatureSpace({"a": FeatureSpace.integer_hashed(3, "int")})({"a": [1]}),
    lambda: FeatureSpace({"a": FeatureSpace.feature("float32", pydl.layers.Identity(), "one_hot")})({"a": [1.0]}),
])  # fmt: skip
def test_errors(make):
    with pytest.raises(ValueError, match=r"^\[\w+\] expected "):
        make()
