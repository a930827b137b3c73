"""Weights in HDF5 files of Keras, made here as its documentation and its files have them."""

from __future__ import annotations

import numpy as np
import pytest

import pydl
from pydl import layers

h5py = pytest.importorskip("h5py")
rng = np.random.default_rng(0)


def small_model() -> pydl.Model:
    pydl.utils.clear_session()
    image = pydl.Input((8, 8, 2))
    x = layers.Conv2D(3, 3, name="first")(image)
    x = layers.BatchNormalization(name="norm")(x)
    x = layers.SeparableConv2D(4, 3, use_bias=False, name="separable")(layers.ReLU(name="relu")(x))
    inner = [layers.LayerNormalization(name="a"), layers.BatchNormalization(name="b")]
    x = pydl.Sequential([*inner, layers.Dense(2, name="c")], name="inner")(x)
    return pydl.Model(image, layers.Flatten(name="flat")(x))


# Weights by layer in the order of such files: those that are trained first.
LISTED = {
    "input": [],
    "first": ["kernel", "bias"],
    "norm": ["gamma", "beta", "moving_mean", "moving_variance"],
    "relu": [],
    "separable": ["depthwise_kernel", "pointwise_kernel"],
    "inner": ["a/gamma", "a/beta", "b/gamma", "b/beta", "c/kernel", "c/bias",
              "b/moving_mean", "b/moving_variance"],
    "flat": [],
}  # fmt: skip


def values_of(model) -> dict[str, list[np.ndarray]]:
    found = {}
    for layer in model.layers:
        weights = layer.trainable_weights + layer.non_trainable_weights
        found[layer.name] = [rng.random(w.shape).astype("float32") for w in weights]
    return found


def write_listed(path, values, *, whole=False, in_pieces=False, rename=lambda name: name):
    with h5py.File(path, "w") as file:
        group = file.create_group("model_weights") if whole else file
        names = [rename(name).encode() for name in LISTED]
        if in_pieces:
            group.attrs["layer_names0"], group.attrs["layer_names1"] = names[:3], names[3:]
        else:
            group.attrs["layer_names"] = names
        for name, weights in LISTED.items():
            own = group.create_group(rename(name))
            stored = [f"{rename(name)}/{weight}:0" for weight in weights]
            own.attrs["weight_names"] = [text.encode() for text in stored]
            for text, value in zip(stored, values.get(name, [])):
                own.create_dataset(text, data=value)
    return path


def check(model, values):
    for layer in model.layers:
        weights = layer.trainable_weights + layer.non_trainable_weights
        for weight, value in zip(weights, values[layer.name]):
            np.testing.assert_array_equal(weight.numpy(), value)


@pytest.mark.parametrize("options", [{}, {"whole": True}, {"in_pieces": True}], ids=str)
def test_weights_go_to_layers_in_order(tmp_path, options):
    model = small_model()
    values = values_of(model)
    path = write_listed(tmp_path / "a.h5", values, rename=lambda name: f"other_{name}", **options)
    model.load_weights(path)
    check(model, values)


def test_frozen_layers_get_theirs_too(tmp_path):
    model = small_model()
    values = values_of(model)
    path = write_listed(tmp_path / "a.h5", values)
    model.get_layer("first").trainable = model.get_layer("norm").trainable = False
    model.load_weights(path)
    check(model, values)


def test_other_dtypes_are_converted(tmp_path):
    layer = layers.Normalization()
    model = pydl.Sequential([pydl.Input((2,)), layer])
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.attrs["layer_names"] = [b"n"]
        group = file.create_group("n")
        group.attrs["weight_names"] = [b"mean:0", b"variance:0", b"count:0"]
        for name, value in (("mean:0", [1.0, 2.0]), ("variance:0", [4.0, 9.0]), ("count:0", 7)):
            group.create_dataset(name, data=np.asarray(value))  # float64 and int64
    model.load_weights(tmp_path / "a.h5")
    assert layer.adapt_variance.tolist() == [4.0, 9.0] and layer.count.dtype == "int32"


def test_by_name(tmp_path):
    model = small_model()
    values, before = values_of(model), model.get_weights()
    path = write_listed(tmp_path / "a.h5", values, rename=lambda n: n if n == "norm" else f"x_{n}")
    model.load_weights(path, by_name=True)
    norm = model.get_layer("norm")
    for weight, value in zip(norm.weights, values["norm"]):
        np.testing.assert_array_equal(weight.numpy(), value)
    np.testing.assert_array_equal(model.get_layer("first").get_weights()[0], before[0])


def test_other_shapes(tmp_path):
    model = small_model()
    values, before = values_of(model), model.get_weights()
    values["separable"][1] = np.zeros((1, 1, 3, 5), "float32")
    path = write_listed(tmp_path / "a.h5", values)
    with pytest.raises(ValueError, match=r"expected .*a.h5 .*\(1, 1, 3, 4\) for 'separable', got"):
        model.load_weights(path)
    for weight, value in zip(model.get_weights(), before):
        np.testing.assert_array_equal(weight, value)
    model.load_weights(path, skip_mismatch=True)
    np.testing.assert_array_equal(model.get_layer("norm").gamma.numpy(), values["norm"][0])
    separable = model.get_layer("separable").get_weights()
    np.testing.assert_array_equal(separable[0], values["separable"][0])
    assert separable[1].shape == (1, 1, 3, 4)


def test_other_numbers_of_layers_and_weights(tmp_path):
    path = write_listed(tmp_path / "a.h5", values_of(small_model()))
    other = pydl.Sequential([pydl.Input((3,)), layers.Dense(2)])
    with pytest.raises(ValueError, match="expected .*a.h5 to have 1 layers with weights, got 4"):
        other.load_weights(path)
    with h5py.File(tmp_path / "b.h5", "w") as file:
        file.attrs["layer_names"] = [b"d"]
        file.create_group("d").attrs["weight_names"] = [b"kernel"]
    with pytest.raises(ValueError, match="2 weights for 'dense.*', got 1"):
        other.load_weights(tmp_path / "b.h5")


def write_nested(path, values):
    """As Keras 3 does: groups named after classes, weights numbered."""
    groups = {
        "layers/conv2d": "first",
        "layers/batch_normalization": "norm",
        "layers/separable_conv2d": "separable",
    }
    with h5py.File(path, "w") as file:
        for group, name in groups.items():
            for i, value in enumerate(values[name]):
                file[f"{group}/vars/{i}"] = value
        kinds = ["layer_normalization", "batch_normalization", "dense"]
        numbers = iter(values["inner"])
        trained = {kind: [next(numbers), next(numbers)] for kind in kinds}
        trained["batch_normalization"] += list(numbers)
        for kind, own in trained.items():
            for i, value in enumerate(own):
                file[f"layers/sequential/layers/{kind}/vars/{i}"] = value


def test_files_of_keras_3(tmp_path):
    model = small_model()
    values = values_of(model)
    write_nested(tmp_path / "a.weights.h5", values)
    model.load_weights(tmp_path / "a.weights.h5")
    check(model, values)
    with h5py.File(tmp_path / "a.weights.h5", "a") as file:
        del file["layers/separable_conv2d"]
    with pytest.raises(ValueError, match="expected .* a group 'separable_conv2d' in '/'"):
        model.load_weights(tmp_path / "a.weights.h5")
    with pytest.raises(ValueError, match="a list of layers for by_name=True"):
        model.load_weights(tmp_path / "a.weights.h5", by_name=True)


def test_damaged_and_missing_files(tmp_path, monkeypatch):
    model = small_model()
    path = write_listed(tmp_path / "a.h5", values_of(model))
    (tmp_path / "cut.h5").write_bytes(path.read_bytes()[:3000])
    with pytest.raises(ValueError, match="expected .*cut.h5 to have weights that can be read"):
        model.load_weights(tmp_path / "cut.h5")
    with pytest.raises(FileNotFoundError, match="expected a file at .*none.h5"):
        model.load_weights(tmp_path / "none.h5")
    monkeypatch.setitem(__import__("sys").modules, "h5py", None)
    with pytest.raises(ImportError, match="expected the package h5py, which reads .*a.h5"):
        model.load_weights(path)
