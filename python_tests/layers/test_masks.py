"""Masks: from Embedding, through layers that keep them, to layers that use them."""

import os
import warnings

import numpy as np
import pytest

import pydl
from pydl import layers
from pydl.layers.masking import get_mask

TOKENS = np.array([[1, 2, 0], [3, 0, 0]], "int32")


def embedded():
    return layers.Embedding(5, 4, mask_zero=True)(TOKENS)


def test_embedding_makes_a_mask():
    assert get_mask(embedded()).tolist() == [[True, True, False], [True, False, False]]
    assert get_mask(layers.Embedding(5, 4)(TOKENS)) is None


def test_mask_passes_through_layers_and_models():
    x = embedded()
    for layer in (layers.Dense(3), layers.Dropout(0.5), layers.LayerNormalization()):
        x = layer(x)
        assert get_mask(x).shape == (2, 3), layer
    model = pydl.models.Sequential([layers.Embedding(5, 4, mask_zero=True), layers.Dense(2)])
    assert get_mask(model(TOKENS)).shape == (2, 3)


def test_mask_ends_where_it_is_used():
    x = embedded()
    pooled = layers.GlobalAveragePooling1D()(x)
    assert get_mask(pooled) is None
    np.testing.assert_allclose(pooled.numpy()[1], x.numpy()[1, 0], rtol=1e-6)


def test_gradient_flows_through_masked_tensors():
    embedding = layers.Embedding(5, 4, mask_zero=True)
    pydl.ops.sum(layers.GlobalAveragePooling1D()(embedding(TOKENS))).backward()
    used = np.abs(embedding.embeddings.grad.numpy()).sum(1) > 0
    assert used.tolist() == [False, True, True, True, False]


def test_merging_masks():
    a, b = embedded(), embedded()
    assert get_mask(layers.Add()([a, b])).tolist() == [[True, True, False], [True, False, False]]
    assert get_mask(layers.Concatenate(axis=1)([a, b])).shape == (2, 6)


def test_layer_that_takes_a_mask_gets_it():
    class Count(layers.Layer):
        def call(self, x, mask=None):
            return pydl.ops.sum(pydl.ops.cast(mask, "int32"), axis=1)

    assert Count()(embedded()).tolist() == [2, 1]


def test_batch_normalization_counts_no_padding():
    x = pydl.layers.Masking(0.0)(np.array([[[1.0], [3.0], [0.0]]], "float32"))
    layer = pydl.layers.BatchNormalization(momentum=0.0)
    y = layer(x, training=True)
    np.testing.assert_allclose(layer.moving_mean.numpy(), [2.0], rtol=1e-6)
    np.testing.assert_allclose(layer.moving_variance.numpy(), [1.0], rtol=1e-6)
    np.testing.assert_allclose(y.detach().numpy()[0, :2, 0], [-1.0, 1.0], atol=1e-3)
    assert pydl.layers.masking.get_mask(y).tolist() == [[True, True, False]]


@pytest.mark.conformance
def test_masks_flow_as_in_keras(sample):
    """Give a masked input to every layer of both: the masks of the results agree."""
    os.environ.setdefault("KERAS_BACKEND", "jax")
    keras = pytest.importorskip("keras", reason="compares with Keras, which is not installed")
    if sample.name in ("ConvLSTM1D", "Embedding", "Lambda", "Softmax"):
        pytest.skip("takes integers, or any function, or a mask of another shape")
    if not hasattr(keras.layers, sample.name):
        pytest.skip("Keras has no such layer")
    arguments = dict(sample.arguments)
    if "layer" in arguments:
        recurrent = sample.name == "Bidirectional"
        arguments["layer"] = keras.layers.LSTM(3) if recurrent else keras.layers.Dense(3)
    theirs, ours = getattr(keras.layers, sample.name)(**arguments), sample.layer()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a layer drops the mask
        expected = theirs(*masked(keras.layers.Masking(), sample.inputs))
    expected = getattr(expected, "_keras_mask", None)
    mask = get_mask(ours(*masked(layers.Masking(), sample.inputs)))
    if expected is None:
        assert mask is None
    else:
        np.testing.assert_array_equal(mask.numpy(), np.asarray(expected))


def masked(masking, inputs):
    """Return the inputs with steps of zeros, which `masking` marks."""

    def mask(array):
        array = array.copy()
        array[0, -1:] = array[1, -2:] = 0
        return masking(array)

    return [[mask(a) for a in x] if isinstance(x, list) else mask(x) for x in inputs]
