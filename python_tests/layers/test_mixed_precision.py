"""Every layer under the policies that compute in 16 bits and keep weights in 32."""

import numpy as np
import pytest

import pydl
from pydl import tree


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
    np.testing.assert_allclose(rounded, expected.numpy(), atol=0.05 * scale)
    check_gradients(mixed, sample.inputs)


def check_gradients(layer, inputs):
    """Train once, with dropout; every gradient is in the dtype of its weight and finite."""
    tensors = tree.map_structure(
        lambda a: pydl.tensor(a, requires_grad=a.dtype == np.float32), inputs
    )
    outputs = layer(*tensors, training=True)
    if not outputs.requires_grad:  # of positions alone
        return
    pydl.ops.sum(pydl.ops.cast(outputs, "float32")).backward()
    gradients = [v.grad for v in layer.trainable_weights]
    gradients += [x.grad for x in tree.flatten(tensors) if x.grad is not None]
    for gradient in gradients:
        assert gradient.dtype == "float32"
        assert np.isfinite(gradient.numpy()).all()
