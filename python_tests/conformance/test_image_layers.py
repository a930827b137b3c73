"""Image layers against Keras: the same random choice, the same images."""

import itertools
import random

import numpy as np
import pytest

import pydl
from pydl.ops import image

pytestmark = pytest.mark.conformance
rng = np.random.default_rng(0)


def pictures(*shape):
    return rng.uniform(0, 255, shape or (3, 9, 13, 3)).astype("float32")


def close(mine, other, atol=2e-3):
    other = np.asarray(other)
    assert mine.shape == other.shape
    np.testing.assert_allclose(mine.numpy(), other, rtol=1e-4, atol=atol)


def as_numpy(choice):
    if isinstance(choice, dict):
        return {key: as_numpy(value) for key, value in choice.items()}
    if isinstance(choice, (list, tuple)):
        return type(choice)(map(as_numpy, choice))
    return choice if choice is None or isinstance(choice, str) else np.asarray(choice)


@pytest.mark.parametrize("interpolation", ["nearest", "bilinear", "bicubic", "lanczos3", "lanczos5"])
@pytest.mark.parametrize("antialias", [False, True])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_resize(keras, interpolation, antialias, data_format):
    x = pictures() if data_format == "channels_last" else pictures(2, 3, 9, 13)
    arguments = {"antialias": antialias, "data_format": data_format}
    for size in ((9, 13), (18, 5), (1, 1), (20, 20)):
        for more in ({}, {"crop_to_aspect_ratio": True}, {"pad_to_aspect_ratio": True, "fill_value": 7.0}):
            if more.get("pad_to_aspect_ratio") and size == (9, 13):
                continue  # nothing to pad: Keras fails there with channels first
            expected = keras.ops.image.resize(x, size, interpolation, **arguments, **more)
            close(image.resize(x, size, interpolation, **arguments, **more), expected)


@pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
@pytest.mark.parametrize("fill_mode", ["constant", "nearest", "wrap", "mirror", "reflect"])
def test_affine_transform(keras, interpolation, fill_mode):
    x, t = pictures(4, 9, 13, 3), rng.normal(0, 0.3, (4, 8)).astype("float32")
    t[:, [0, 4]] += 1
    t[:, [2, 5]] *= 20
    t[:, 6:] = 0
    expected = keras.ops.image.affine_transform(x, t, interpolation, fill_mode, 5.0)
    close(image.affine_transform(x, t, interpolation, fill_mode, 5.0), expected, atol=2e-2)


def test_rgb_to_grayscale(keras):
    x = pictures()
    close(image.rgb_to_grayscale(x), keras.ops.image.rgb_to_grayscale(x))


LAYERS = [
    ("RandomFlip", {}), ("RandomFlip", {"mode": "vertical"}),
    ("RandomRotation", {"factor": 0.2}),
    ("RandomRotation", {"factor": (0.1, 0.3), "fill_mode": "constant", "fill_value": 9.0}),
    ("RandomZoom", {"height_factor": 0.4}),
    ("RandomZoom", {"height_factor": (-0.5, -0.1), "width_factor": 0.3, "fill_mode": "wrap"}),
    ("RandomTranslation", {"height_factor": 0.4, "width_factor": (-0.2, 0.7)}),
    ("RandomTranslation", {"height_factor": 0.3, "width_factor": 0.3, "fill_mode": "nearest"}),
    ("RandomShear", {"x_factor": 0.3, "y_factor": (0.1, 0.2)}),
    ("RandomCrop", {"height": 4, "width": 6}),
    ("RandomBrightness", {"factor": 0.3}), ("RandomBrightness", {"factor": (0.1, 0.2), "value_range": (10, 200)}),
    ("RandomContrast", {"factor": 0.6}),
    ("RandomSaturation", {"factor": 0.7}), ("RandomSaturation", {"factor": (0.6, 0.9)}),
    ("RandomHue", {"factor": 0.5}), ("RandomHue", {"factor": (0.2, 1.0), "value_range": (0, 300)}),
    ("RandomGrayscale", {"factor": 0.5}),
    ("RandomColorDegeneration", {"factor": 0.8}),
    ("RandomErasing", {}), ("RandomErasing", {"fill_value": 3.0, "scale": (0.2, 0.5)}),
    ("RandomSharpness", {"factor": 0.9}),
    ("RandomGaussianBlur", {"kernel_size": (3, 5), "sigma": (0.4, 0.9)}),
    ("RandomPosterization", {"factor": (1, 8)}),
    ("Solarization", {"addition_factor": 0.3, "threshold_factor": 0.7}),
    ("RandomInvert", {"factor": 0.7}),
    ("RandomPerspective", {"scale": 0.4}),
    ("RandomPerspective", {"factor": 0.7, "interpolation": "nearest", "fill_value": 7.0}),
    ("AugMix", {"factor": 0.2}), ("AugMix", {"all_ops": False, "num_chains": 2}),
    ("MixUp", {}), ("CutMix", {}),
]  # fmt: skip


def is_steady(choice):
    """Whether a difference of rounding in one layer of a chain cannot become a step in the next one.

    Equalization is out too: Keras counts the values of a whole batch, pydl those of every image.
    """
    steps = {"random_posterization", "solarization"}
    chains = [[layer["layer_name"] for layer in chain] for chain in choice.get("chain_transforms", [])]
    return not any("equalization" in names or steps & set(names[1:]) for names in chains)


def draw(layer, x):
    """A choice of Keras's layer; the layers of AugMix's chains come from Python's generator."""
    for seed in itertools.count():
        random.seed(seed)
        choice = layer.get_random_transformation(x, training=True)
        if not isinstance(choice, dict) or is_steady(choice):
            return choice


@pytest.mark.parametrize("name, arguments", LAYERS, ids=[f"{n}-{i}" for i, (n, _) in enumerate(LAYERS)])
def test_same_choice_same_images(keras, name, arguments):
    x = pictures(5, 9, 13, 3)
    theirs = getattr(keras.layers, name)(seed=3, **arguments)
    ours = getattr(pydl.layers, name)(seed=3, **arguments)
    choice = draw(theirs, keras.ops.convert_to_tensor(x))
    expected = theirs.transform_images(keras.ops.convert_to_tensor(x), choice, training=True)
    atol = 0.05 if name in ("RandomRotation", "RandomZoom", "RandomShear", "RandomTranslation", "RandomPerspective", "AugMix") else 5e-3
    close(ours.transform_images(pydl.tensor(x), as_numpy(choice), training=True), expected, atol)
    if name in ("MixUp", "CutMix"):
        labels = np.eye(5, dtype="float32")
        expected = theirs.transform_labels(keras.ops.convert_to_tensor(labels), choice, training=True)
        close(ours.transform_labels(pydl.tensor(labels), as_numpy(choice), training=True), expected)


@pytest.mark.parametrize("name, arguments", LAYERS, ids=[f"{n}-{i}" for i, (n, _) in enumerate(LAYERS)])
def test_same_configuration_and_shape(keras, name, arguments):
    theirs = getattr(keras.layers, name)(**arguments)
    ours = getattr(pydl.layers, name)(**arguments)
    unknown = {"trainable", "dtype", "bounding_box_format", "seed", "data_format"}
    assert set(theirs.get_config()) - unknown <= set(ours.get_config())
    assert ours.get_config() == type(ours).from_config(ours.get_config()).get_config()
    shape = tuple(theirs.compute_output_shape((None, 9, 13, 3)))
    assert tuple(ours.compute_output_shape((None, 9, 13, 3))) == shape
    assert ours(pictures(2, 9, 13, 3), training=True).shape == (2, *shape[1:])


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize(
    "name, arguments",
    [
        ("Resizing", {"height": 5, "width": 4}),
        ("Resizing", {"height": 12, "width": 4, "interpolation": "bicubic", "antialias": True}),
        ("Resizing", {"height": 5, "width": 9, "crop_to_aspect_ratio": True}),
        ("CenterCrop", {"height": 4, "width": 7}), ("CenterCrop", {"height": 12, "width": 7}),
        ("AutoContrast", {}),
    ],
)  # fmt: skip
def test_layers_without_chance(keras, name, arguments, training):
    x = pictures(2, 9, 13, 3)
    theirs, ours = getattr(keras.layers, name)(**arguments), getattr(pydl.layers, name)(**arguments)
    close(ours(x, training=training), theirs(x, training=training))
    close(ours(x[0], training=training), theirs(x[0], training=training))
    shape = tuple(theirs.compute_output_shape((None, 9, 13, 3)))
    assert tuple(ours.compute_output_shape((None, 9, 13, 3))) == shape


@pytest.mark.parametrize("bins", [256, 64])
def test_equalization(keras, bins):
    """Keras counts the values of a whole batch, pydl those of every image."""
    x = pictures(1, 9, 13, 3)
    close(pydl.layers.Equalization(bins=bins)(x), keras.layers.Equalization(bins=bins)(x))


def test_resizing_of_integers(keras):
    x = rng.integers(0, 256, (2, 9, 13, 3)).astype("uint8")
    expected = np.asarray(keras.layers.Resizing(5, 20, "bicubic")(x))
    mine = pydl.layers.Resizing(5, 20, "bicubic")(x)
    assert mine.dtype == "uint8" == str(expected.dtype)
    assert np.abs(mine.numpy().astype(int) - expected.astype(int)).max() <= 1  # halves may go either way
