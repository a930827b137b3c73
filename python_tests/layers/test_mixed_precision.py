"""Every layer under the policies that compute in 16 bits and keep weights in 32."""

import numpy as np
import pytest

import pydl
from pydl import layers, tree

# Layers that work on text or have no weights and no arithmetic, or are for other layers to build on.
NO_SAMPLE = {
    "CategoryEncoding", "Discretization", "HashedCrossing", "Hashing", "InputLayer", "IntegerLookup",
    "Layer", "Normalization", "Operation", "StringLookup", "TextVectorization", "Wrapper",
}  # fmt: skip


def test_every_layer_has_a_sample(sample_names):
    public = {getattr(layers, name) for name in layers.__all__}
    classes = {c.__name__ for c in public if isinstance(c, type) and issubclass(c, layers.Layer)}
    assert classes - sample_names == NO_SAMPLE


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_layer(sample, policy):
    exact, mixed = sample.layer(), sample.layer(policy)
    expected = exact(*sample.inputs)
    mixed(*sample.inputs)
    assert [v.dtype for v in mixed.weights] == ["float32"] * len(mixed.weights)
    mixed.set_weights(exact.get_weights())
    outputs = mixed(*sample.inputs)
    assert outputs.dtype == policy.removeprefix("mixed_")
    scale = np.abs(expected.numpy()).max() + 1
    rounded = outputs.astype("float32").numpy()
    np.testing.assert_allclose(rounded, expected.numpy(), atol=0.02 * scale)
    check_gradients(mixed, sample.inputs)


def check_gradients(layer, inputs):
    """Train once, with dropout; every gradient is in the dtype of its weight and finite."""
    tensors = tree.map_structure(
        lambda a: pydl.tensor(a, requires_grad=a.dtype == np.float32), inputs
    )
    outputs = layer(*tensors, training=True)
    pydl.ops.sum(pydl.ops.cast(outputs, "float32")).backward()
    for tensor in [*layer.trainable_weights, *tree.flatten(tensors)]:
        if tensor.requires_grad:
            assert tensor.grad.dtype == "float32"
            assert np.isfinite(tensor.grad.numpy()).all()
