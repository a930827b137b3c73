"""Low-rank adaptation against Keras: same weights, outputs, gradients; saved and refused."""

import numpy as np
import pytest

import pydl

pytestmark = pytest.mark.conformance
rng = np.random.default_rng(0)
X = rng.standard_normal((2, 3, 6))
NUMBERS = rng.integers(0, 7, (2, 5)).astype("int32")

CASES = [
    ("Dense", X, {"units": 4, "activation": "relu"}),
    ("EinsumDense", X, {"equation": "abc,cde->abde", "output_shape": (None, 2, 4), "bias_axes": "de"}),
    ("Embedding", NUMBERS, {"input_dim": 7, "output_dim": 4}),
]


@pytest.mark.parametrize("alpha", [None, 3.0])
@pytest.mark.parametrize("name, x, arguments", CASES, ids=[c[0] for c in CASES])
def test_like_keras(check_layer, name, x, arguments, alpha):
    if alpha is not None and name != "EinsumDense":
        pytest.skip("Keras ignores lora_alpha of these constructors")
    layer = check_layer(name, x, dtype="float32", rtol=1e-4, lora_rank=2, lora_alpha=alpha, **arguments)
    assert [w.name for w in layer.non_trainable_weights] == [layer._adapted]


def built():
    model = pydl.Sequential([pydl.Input((6,)), pydl.layers.Dense(5), pydl.layers.Dense(1)])
    model.compile("sgd", "mse")
    return model


def test_fine_tuning_leaves_the_kernel_alone(tmp_path):
    model, x = built(), rng.standard_normal((8, 6)).astype("float32")
    before = model(x).numpy()
    kernel = model.layers[0].kernel.numpy().copy()
    model.layers[0].enable_lora(2)
    np.testing.assert_array_equal(model(x).numpy(), before)  # the second matrix is zero
    model.compile("sgd", "mse")
    model.fit(x, np.ones((8, 1)), epochs=2, verbose=0)
    np.testing.assert_array_equal(model.layers[0].kernel.numpy(), kernel)
    assert np.abs(model.layers[0].lora_kernel_b.numpy()).max() > 0
    model.save(tmp_path / "model.pydl")
    again = pydl.models.load_model(tmp_path / "model.pydl")
    np.testing.assert_allclose(again(x).numpy(), model(x).numpy(), rtol=1e-6)
    model.layers[0].trainable = False
    model.layers[0].trainable = True
    assert not model.layers[0].kernel.trainable


def test_errors():
    for call in (
        lambda: pydl.layers.Dense(3).enable_lora(2),
        lambda: pydl.layers.Dense(3, lora_rank=0),
        lambda: built().layers[0].enable_lora(-1),
        lambda: pydl.layers.Dense(3, kernel_constraint="non_neg", lora_rank=2)(X),
    ):
        with pytest.raises(ValueError, match=r"^\[\w+\] expected "):
            call()
    layer = built().layers[0]
    layer.enable_lora(2)
    with pytest.raises(ValueError, match="expected enable_lora once"):
        layer.enable_lora(2)
