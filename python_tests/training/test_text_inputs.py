"""fit, evaluate and predict of models that take text."""

from __future__ import annotations

import numpy as np
import pytest

import pydl
from pydl import layers

BRANDS = ["bmw", "fiat", "ford"]
RNG = np.random.default_rng(0)
PLACES = RNG.integers(0, 3, 40)
NUMBERS = RNG.normal(size=(40, 2)).astype("float32")
TARGETS = (NUMBERS.sum(axis=1) + PLACES)[:, None]


def model(of_text: bool, as_dict: bool = True) -> pydl.Model:
    """A linear model of two numbers and a brand, given as text or as one-hot numbers."""
    pydl.set_random_seed(0)
    numbers = pydl.Input((2,), name="numbers")
    if of_text:
        brand = pydl.Input((1,), dtype="string", name="brand")
        lookup = layers.StringLookup(vocabulary=BRANDS, num_oov_indices=0, output_mode="one_hot")
        encoded = lookup(brand)
    else:
        brand = encoded = pydl.Input((3,), name="brand")
    inputs = {"numbers": numbers, "brand": brand} if as_dict else [numbers, brand]
    result = pydl.Model(inputs, layers.Dense(1)(layers.Concatenate()([numbers, encoded])))
    result.compile(pydl.optimizers.SGD(0.1), "mse")
    return result


@pytest.mark.parametrize("brands", [
    np.array(BRANDS)[PLACES],
    np.array(BRANDS, object)[PLACES, None],
    np.array(BRANDS)[PLACES].tolist(),
], ids=["flat", "column", "list"])  # fmt: skip
@pytest.mark.parametrize("as_dict", [True, False], ids=["dict", "names"])
def test_text_trains_as_its_numbers_do(brands, as_dict):
    text, plain = model(True, as_dict), model(False, as_dict)
    encoded = np.eye(3, dtype="float32")[PLACES]
    options = {"epochs": 3, "batch_size": 16, "validation_split": 0.25, "verbose": 0}
    pydl.set_random_seed(1)
    found = text.fit({"brand": brands, "numbers": NUMBERS}, TARGETS, **options).history
    pydl.set_random_seed(1)
    expected = plain.fit({"brand": encoded, "numbers": NUMBERS}, TARGETS, **options).history
    assert found.keys() == expected.keys()
    for name in expected:
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-5)
    np.testing.assert_allclose(
        text.predict({"brand": brands, "numbers": NUMBERS}, verbose=0),
        plain.predict({"brand": encoded, "numbers": NUMBERS}, verbose=0),
        rtol=1e-5,
    )
    assert text.evaluate({"brand": brands, "numbers": NUMBERS}, TARGETS, verbose=0) == (
        pytest.approx(plain.evaluate({"brand": encoded, "numbers": NUMBERS}, TARGETS, verbose=0))
    )


def test_batches_of_text_from_a_dataset():
    texts, labels = np.array(["a good film", "a bad film"] * 8), np.tile([1.0, 0.0], 8)
    text = layers.TextVectorization(output_mode="multi_hot")
    text.adapt(texts)
    learner = pydl.Sequential([pydl.Input((1,), dtype="string"), text, layers.Dense(1, "sigmoid")])
    learner.compile(pydl.optimizers.SGD(1.0), "binary_crossentropy")
    learner.fit(pydl.data.Dataset.from_arrays((texts, labels)).batch(4), epochs=20, verbose=0)
    good, bad = learner.predict(["a good film", "a bad film"], verbose=0)[:, 0]
    assert good > 0.8 and bad < 0.2


def test_text_where_numbers_belong():
    plain = model(False)
    with pytest.raises(TypeError, match=r"expected arrays of numbers, got dtype <U4.*dtype='string'"):
        plain.predict({"brand": np.array(["ford", "fiat"]), "numbers": NUMBERS[:2]})
    with pytest.raises(TypeError, match="expected arrays of numbers, got dtype <U"):
        model(True).fit({"brand": ["ford"] * 2, "numbers": NUMBERS[:2]}, ["cheap", "dear"], verbose=0)


def test_a_missing_text_names_its_place():
    brands = np.array(["ford", None], object)
    with pytest.raises(TypeError, match="expected strings, got None of type NoneType in element 1"):
        model(True).predict({"brand": brands, "numbers": NUMBERS[:2]}, verbose=0)
