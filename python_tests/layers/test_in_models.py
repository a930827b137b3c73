"""Every layer in a functional model: inferred shapes, other batch sizes, saving and loading."""

import numpy as np
import pytest

import pydl
from pydl import tree


def test_layer_in_a_model(sample, tmp_path):
    if sample.name == "Lambda":
        pytest.skip("saved only if its function is registered")
    layer = sample.layer()
    symbols = tree.map_structure(lambda a: pydl.Input(a.shape[1:], dtype=a.dtype.name), sample.inputs)
    outputs = layer(*symbols)
    model = pydl.Model(tree.flatten(symbols), outputs)
    arrays = tree.flatten(sample.inputs)
    expected = model(arrays)
    assert outputs.shape == (None, *expected.shape[1:]) and outputs.dtype == expected.dtype
    single = model([a[:1] for a in arrays])
    assert single.shape == (1, *expected.shape[1:])
    model.save(tmp_path / "model.pydl")
    loaded = pydl.models.load_model(tmp_path / "model.pydl")
    np.testing.assert_array_equal(loaded(arrays).numpy(), expected.numpy())
    assert [v.path.split("/")[-1] for v in loaded.weights] == [
        v.path.split("/")[-1] for v in model.weights
    ]
