"""Image models: transfer learning, saving, bad arguments, and weights from the network."""

from __future__ import annotations

import subprocess
import sys
from urllib.error import URLError

import numpy as np
import pytest

import pydl
from pydl import applications

rng = np.random.default_rng(0)
SMALL = {"weights": None, "alpha": 0.35, "input_shape": (32, 32, 3)}


def images(count: int = 4, side: int = 32) -> np.ndarray:
    return rng.uniform(-1, 1, (count, side, side, 3)).astype("float32")


def test_a_frozen_base_keeps_its_weights_while_the_head_learns():
    base = applications.MobileNetV2(include_top=False, pooling="avg", **SMALL)
    base.trainable = False
    image = pydl.Input((32, 32, 3))
    model = pydl.Model(image, pydl.layers.Dense(2)(base(image, training=False)))
    before, head = base.get_weights(), model.layers[-1].get_weights()
    assert len(model.trainable_weights) == 2
    model.compile("adam", "mse")
    model.fit(images(), np.ones((4, 2)), verbose=0)
    for old, new in zip(before, base.get_weights()):
        np.testing.assert_array_equal(old, new)
    assert np.abs(model.layers[-1].get_weights()[1] - head[1]).max() > 0


def test_the_whole_model_learns():
    model = applications.MobileNetV3Small(weights=None, input_shape=(32, 32, 3), classes=2)
    model.compile("sgd", "sparse_categorical_crossentropy")
    before = model.get_weights()
    model.fit(images(), np.array([0, 1, 0, 1]), verbose=0)
    changed = [np.abs(old - new).max() > 0 for old, new in zip(before, model.get_weights())]
    assert np.mean(changed) > 0.9


def test_an_input_tensor():
    image = pydl.Input((40, 40, 3), dtype="uint8")
    x = applications.mobilenet_v2.preprocess_input(pydl.ops.cast(image, "float32"))
    model = applications.MobileNetV2(
        weights=None, alpha=0.35, input_tensor=x, classes=3, name="mine"
    )
    assert model.name == "mine" and model.input_shape == (None, 40, 40, 3)
    whole = np.full((2, 40, 40, 3), 255, "uint8")
    assert model(whole).shape == (2, 3)
    with pytest.raises(
        ValueError, match=r"^\[mine\] expected input_tensor to be symbolic, .* ndarray"
    ):
        applications.VGG16(weights=None, input_tensor=whole, name="mine")


def test_sizes_that_vary():
    model = applications.MobileNetV2(weights=None, alpha=0.35, include_top=False)
    assert model.output_shape == (None, None, None, 1280)
    assert model(images(1, 32)).shape == (1, 1, 1, 1280) and model(images(1, 64)).shape[1] == 2


def test_layers_that_only_applications_have_are_saved(tmp_path):
    """In a new process, which has not imported the applications."""
    image = pydl.Input((4,))
    x = applications.LayerScale(0.5, 4)(image)
    model = pydl.Model(image, applications.CustomScaleLayer(0.1)([x, x]))
    model.save(tmp_path / "model.pydl")
    program = (
        f"import pydl; print(len(pydl.models.load_model({str(tmp_path / 'model.pydl')!r}).layers))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "3"


def test_a_saved_model_gives_the_same(tmp_path):
    model = applications.MobileNet(alpha=0.25, weights=None, input_shape=(32, 32, 3), classes=3)
    model.save(tmp_path / "model.pydl")
    again = pydl.models.load_model(tmp_path / "model.pydl")
    x = images()
    np.testing.assert_array_equal(model(x).numpy(), again(x).numpy())
    model.save_weights(tmp_path / "weights.safetensors")
    loaded = applications.MobileNet(
        alpha=0.25, weights=tmp_path / "weights.safetensors", input_shape=(32, 32, 3), classes=3
    )
    np.testing.assert_array_equal(model(x).numpy(), loaded(x).numpy())


@pytest.mark.parametrize(
    "name, options, message",
    [
        (
            "VGG16",
            {"weights": "imagnet"},
            "weights to be None, 'imagenet' or the path of a file, got",
        ),
        ("VGG16", {"classes": 10}, "the 1000 classes of ImageNet .* got classes=10. Hint: incl"),
        (
            "VGG16",
            {"weights": None, "pooling": "mean"},
            "pooling to be None, 'avg' or 'max', got 'mean'",
        ),
        (
            "VGG16",
            {"classifier_activation": "relu"},
            "classifier_activation to be 'softmax' or None",
        ),
        ("VGG16", {"input_shape": (64, 64, 3)}, r"input_shape \(224, 224, 3\) for the weights"),
        ("VGG16", {"input_shape": (64, 64, 1), "include_top": False}, "input_shape 3 channels for"),
        ("VGG16", {"weights": None, "input_shape": (64, 64)}, r"input_shape to be \(height, width"),
        ("VGG16", {"weights": None, "input_shape": (31, 64, 3)}, "images of at least 32 x 32, got"),
        ("VGG16", {"weights": None, "input_shape": (None, 64, 3)}, "a known size of images, got"),
        ("MobileNet", {"alpha": 0.3}, r"alpha to be one of \[0.25, 0.5, 0.75, 1.0\]"),
        ("MobileNet", {"depth_multiplier": 2}, "depth_multiplier=1 for the weights of ImageNet"),
        ("NASNetMobile", {"input_shape": (None, None, 3)}, "a known size of images"),
    ],
    ids=str,
)
def test_bad_arguments(name, options, message):
    with pytest.raises(ValueError, match=rf"^\[\w[\w.]*\] expected {message}"):
        getattr(applications, name)(**options)
    with pytest.raises(TypeError, match="unknown"):
        getattr(applications, name)(unknown=1)


def test_bad_pixels_and_scores():
    with pytest.raises(
        ValueError, match="expected mode to be 'caffe', 'tf' or 'torch', got 'keras'"
    ):
        applications.imagenet_utils.preprocess_input(images(), mode="keras")
    with pytest.raises(ValueError, match="expected data_format to be"):
        applications.vgg16.preprocess_input(images(), "NHWC")
    with pytest.raises(
        ValueError, match=r"expected scores of shape \(images, 1000\), got \(2, 10\)"
    ):
        applications.vgg16.decode_predictions(np.zeros((2, 10)))


def test_pixels_are_left_alone():
    pixels = np.arange(12, dtype="uint8").reshape(1, 2, 2, 3)
    scaled = applications.vgg16.preprocess_input(pixels)
    assert scaled.dtype == "float32" and pixels[0, 0, 0, 0] == 0
    np.testing.assert_allclose(scaled[0, 0, 1], [5 - 103.939, 4 - 116.779, 3 - 123.68], rtol=1e-6)
    image = pydl.Input((2, 2, 3))
    model = pydl.Model(image, applications.vgg16.preprocess_input(image))
    np.testing.assert_allclose(model(pixels.astype("float32")).numpy(), scaled, rtol=1e-6)


@pytest.fixture
def no_network(monkeypatch, tmp_path):
    def refuse(*args, **kwargs):
        raise URLError("no network here")

    monkeypatch.setattr("urllib.request.urlopen", refuse)
    monkeypatch.setenv("PYDL_CACHE_DIR", str(tmp_path))
    return tmp_path


def test_a_failed_download_says_what_to_do(no_network):
    name = "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5"
    host = "https://storage.googleapis.com/tensorflow/keras-applications/vgg16/"
    with pytest.raises(OSError) as error:
        applications.VGG16(include_top=False, input_shape=(32, 32, 3))
    message = str(error.value)
    assert message.startswith(f"[vgg16] expected to download the weights from {host}{name}, but: ")
    assert "no network here" in message and f"put it at {no_network / 'models' / name}" in message
    with pytest.raises(OSError, match=r"^\[decode_predictions\] expected to download .* put it at"):
        applications.vgg16.decode_predictions(np.zeros((1, 1000)))


def test_a_file_with_another_checksum_is_not_loaded(no_network):
    (no_network / "models").mkdir()
    (no_network / "models" / "nasnet_mobile_no_top.h5").write_bytes(b"no weights")
    with pytest.raises(OSError, match="NASNet-mobile-no-top.h5, but: .*nasnet_mobile_no_top.h5"):
        applications.NASNetMobile(include_top=False, input_shape=(32, 32, 3))


def test_weights_from_the_cache(no_network):
    h5py = pytest.importorskip("h5py")
    options = {"alpha": 0.25, "include_top": False, "input_shape": (128, 128, 3)}
    source = applications.MobileNet(weights=None, **options)
    (no_network / "models").mkdir()
    with h5py.File(no_network / "models" / "mobilenet_2_5_128_tf_no_top.h5", "w") as file:
        file.attrs["layer_names"] = [layer.name for layer in source.layers]
        for layer in source.layers:
            group = file.create_group(layer.name)
            weights = layer.trainable_weights + layer.non_trainable_weights
            group.attrs["weight_names"] = [weight.name for weight in weights]
            for weight in weights:
                group[weight.name] = weight.numpy()
    loaded = applications.MobileNet(**options)
    for mine, other in zip(loaded.get_weights(), source.get_weights()):
        np.testing.assert_array_equal(mine, other)
    assert loaded.name == "mobilenet_0.25_128"


def test_importing_pydl_imports_no_model():
    program = (
        "import sys, pydl; assert 'pydl.applications' not in sys.modules; pydl.applications.VGG16"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
