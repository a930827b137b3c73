"""Data that cannot be categories, numbers or text: an error that names the layer, whatever it is."""

import numpy as np
import pytest

from pydl import layers

LAYERS = {
    "category_encoding": lambda: layers.CategoryEncoding(num_tokens=4),
    "discretization": lambda: layers.Discretization(bin_boundaries=[0.0, 1.0]),
    "hashing": lambda: layers.Hashing(3),
    "hashed_crossing": lambda: layers.HashedCrossing(3),
    "string_lookup": lambda: layers.StringLookup(vocabulary=["a"]),
    "integer_lookup": lambda: layers.IntegerLookup(vocabulary=[1, 2]),
    "text_vectorization": lambda: layers.TextVectorization(vocabulary=["a"]),
    "normalization": lambda: layers.Normalization(axis=None, mean=0.0, variance=1.0),
}
ADAPTED = {
    "discretization": lambda: layers.Discretization(num_bins=3),
    "string_lookup": layers.StringLookup,
    "integer_lookup": layers.IntegerLookup,
    "text_vectorization": layers.TextVectorization,
    "normalization": layers.Normalization,
}
BAD = {
    "ragged lists": [[1, 2], [3]],
    "an object": object(),
    "None": None,
    "a complex number": 3 + 2j,
    "None in a list": [None, 1],
    "bytes that are no text": [b"\xff"],
    "arrays of several widths": [np.zeros((2, 3)), np.zeros((2, 4))],
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
@pytest.mark.parametrize("name", LAYERS)
def test_calls(name, bad):
    with pytest.raises((ValueError, TypeError), match=rf"^\[{name}"):
        LAYERS[name]()([bad, bad] if name == "hashed_crossing" else bad)


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
@pytest.mark.parametrize("name", ADAPTED)
def test_adapt_to_batches(name, bad):
    with pytest.raises((ValueError, TypeError), match=rf"^\[{name}"):
        ADAPTED[name]().adapt(iter([bad]))


@pytest.mark.parametrize("name", ADAPTED)
def test_adapt_to_no_batches(name):
    with pytest.raises(TypeError, match=rf"^\[{name}.*expected an array or an iterable of batches"):
        ADAPTED[name]().adapt(3)


@pytest.mark.parametrize("name", ["category_encoding", "discretization", "integer_lookup"])
def test_strings_are_no_numbers(name):
    with pytest.raises(
        TypeError, match=rf"^\[{name}.*\] expected (numbers|integers), got an array"
    ):
        LAYERS[name]()(["1", "2"])


@pytest.mark.parametrize("name", ["category_encoding", "hashing"])
def test_nan_is_no_category(name):
    with pytest.raises(ValueError, match=rf"^\[{name}.*got nan in element 1"):
        LAYERS[name]()(np.array([1.0, np.nan], "float32"))


def test_numbers_in_an_object_array():
    layer = layers.CategoryEncoding(num_tokens=3, output_mode="one_hot")
    np.testing.assert_array_equal(layer(np.array([2, 0], object)).numpy(), np.eye(3)[[2, 0]])
