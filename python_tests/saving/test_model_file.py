"""Model files: whatever is saved comes back, and damaged files give clear errors."""

import json
import os
import signal
import subprocess
import sys
import time
import zipfile

import numpy as np
import pytest

import pydl
from pydl import layers
from pydl.models import Model, Sequential, load_model
from pydl.saving import register_keras_serializable

X = np.random.default_rng(0).standard_normal((6, 8)).astype("float32")


@register_keras_serializable(package="tests")
class Shift(layers.Layer):
    def __init__(self, by=1.0, **kwargs):
        super().__init__(**kwargs)
        self.by = by
        self.inner = layers.Dense(3)

    def call(self, x):
        return self.inner(x) + self.by


@register_keras_serializable(package="tests")
def double(x):
    return 2 * x


class Own(Model):
    def __init__(self, units=4, **kwargs):
        super().__init__(**kwargs)
        self.blocks = [layers.Dense(units), layers.Dense(2)]

    def call(self, x):
        for block in self.blocks:
            x = block(x)
        return x


def sequential():
    return Sequential(
        [
            pydl.Input((8,)),
            layers.Dense(4, activation="relu"),
            layers.BatchNormalization(),
            layers.Dense(2),
        ]
    )


def functional():
    a, b = pydl.Input((8,), name="a"), pydl.Input((8,), name="b")
    shared = layers.Dense(3)
    h = layers.Concatenate()([shared(a), shared(b)])
    h = Shift(by=2.0)(h * 0.5)
    return Model([a, b], [h, layers.Lambda(double)(h)])


def assert_same(model, twin, inputs):
    for one, other in zip(pydl.tree.flatten(model(inputs)), pydl.tree.flatten(twin(inputs))):
        np.testing.assert_array_equal(one.numpy(), other.numpy())


@pytest.mark.parametrize("ending", [".pydl", ".keras"])
def test_sequential(tmp_path, ending):
    model = sequential()
    model(X, training=True)  # moves the statistics
    model.save(tmp_path / f"model{ending}")
    twin = load_model(tmp_path / f"model{ending}")
    assert isinstance(twin, Sequential) and twin.name == model.name
    assert_same(model, twin, X)
    assert os.listdir(tmp_path) == [f"model{ending}"]


def test_functional_with_registered_parts(tmp_path):
    model = functional()
    model.save(tmp_path / "m.pydl")
    assert_same(model, load_model(tmp_path / "m.pydl"), [X, X + 1])


def test_subclass_with_custom_objects(tmp_path):
    model = Own(units=5)
    model(X)
    model.save(tmp_path / "m.pydl")
    with pytest.raises(ValueError, match=r"got 'Own'. Hint: pass custom_objects"):
        load_model(tmp_path / "m.pydl")
    assert_same(model, load_model(tmp_path / "m.pydl", custom_objects={"Own": Own}), X)


def test_frozen_layers_stay_frozen(tmp_path):
    model = sequential()
    model.layers[0].trainable = False
    model.save(tmp_path / "m.pydl")
    twin = load_model(tmp_path / "m.pydl")
    assert not twin.layers[0].trainable and len(twin.trainable_weights) == 4


def test_the_file_is_plain(tmp_path):
    path = tmp_path / "m.pydl"
    sequential().save(path)
    with zipfile.ZipFile(path) as archive:
        assert archive.namelist() == ["model.json", "weights.safetensors"]
        description = json.loads(archive.read("model.json"))
        data = archive.read("weights.safetensors")
    assert description["format"] == "pydl model" and description["version"] == 1
    numpy = pytest.importorskip("safetensors.numpy", reason="safetensors is not installed")
    assert "batch_normalization/moving_mean" in numpy.load(data)


def test_weights_only(tmp_path):
    model, path = sequential(), tmp_path / "w.safetensors"
    model.save_weights(path)
    twin = sequential()
    twin.load_weights(path)
    assert_same(model, twin, X)
    model.save(tmp_path / "m.keras")
    third = sequential()
    third.load_weights(tmp_path / "m.keras")
    assert_same(model, third, X)


def test_weights_of_another_structure(tmp_path):
    path = tmp_path / "w.safetensors"
    sequential().save_weights(path)
    other = Sequential(
        [pydl.Input((8,)), layers.Dense(5), layers.Dense(2), layers.Dense(1)], name="other"
    )
    before = other.get_weights()
    with pytest.raises(ValueError) as caught:
        other.load_weights(path)
    message = str(caught.value)
    assert "to hold the 6 weights of 'other'" in message
    assert "Not in the file: dense_2/kernel, dense_2/bias." in message
    assert "Only in the file: batch_normalization/" in message
    assert "Other shape: dense/kernel: (8, 5) here, (8, 4) in the file" in message
    for one, two in zip(before, other.get_weights()):
        np.testing.assert_array_equal(one, two)
    other.load_weights(path, skip_mismatch=True)


def test_path_errors(tmp_path):
    model = sequential()
    with pytest.raises(ValueError, match=r"\[save\] expected a path that ends in .pydl or .keras"):
        model.save(tmp_path / "m.h5")
    with pytest.raises(ValueError, match=r"\[save_weights\] .* ends in .safetensors, got '.*w.h5'"):
        model.save_weights(tmp_path / "w.h5")
    with pytest.raises(
        FileNotFoundError, match=r"\[load_model\] expected a model file at .*none.pydl"
    ):
        load_model(tmp_path / "none.pydl")
    with pytest.raises(FileNotFoundError):
        model.load_weights(tmp_path / "none.safetensors")
    model.save(tmp_path / "m.pydl")
    with pytest.raises(FileExistsError, match="overwrite=True"):
        model.save(tmp_path / "m.pydl", overwrite=False)


def test_models_that_cannot_be_saved(tmp_path):
    path = tmp_path / "m.pydl"
    with pytest.raises(ValueError, match="save expected a built model"):
        Sequential([layers.Dense(1)], name="s").save(path)
    with pytest.raises(ValueError, match="load_weights expected a built model"):
        Sequential([layers.Dense(1)], name="s").load_weights(path)
    model = Sequential([pydl.Input((3,)), layers.Lambda(lambda x: x)])
    with pytest.raises(TypeError, match=r"\[Lambda\] cannot describe function: .*got a lambda"):
        model.save(path)
    assert os.listdir(tmp_path) == []


def test_every_truncation_is_noticed(tmp_path):
    path = tmp_path / "m.pydl"
    sequential().save(path)
    data = path.read_bytes()
    for size in [0, 1, 3, 10, *range(20, len(data), len(data) // 60)]:
        path.write_bytes(data[:size])
        with pytest.raises(ValueError, match=r"\[load_model\] expected a pydl model file at"):
            load_model(path)


def test_damaged_bytes_are_noticed(tmp_path):
    path = tmp_path / "m.pydl"
    sequential().save(path)
    data = bytearray(path.read_bytes())
    place = data.index(b"batch_normalization/beta") + 600  # inside the numbers
    data[place] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(
        ValueError, match=r"expected weights.safetensors in .* to be whole: Bad CRC-32"
    ):
        load_model(path)


def rewrite(path, change):
    """Save a model, then let `change` edit its files by name."""
    sequential().save(path)
    with zipfile.ZipFile(path) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    change(files)
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)


def edit(**values):
    def change(files):
        description = json.loads(files["model.json"])
        description.update(values)
        files["model.json"] = json.dumps(description).encode()

    return change


@pytest.mark.parametrize(
    "change, message",
    [
        (edit(version=99), "expected version 1 of the model format .*, got 99, written by pydl"),
        (edit(format="other"), "expected the description of a pydl model"),
        (edit(model=3), "cannot make the model that .* describes"),
        (edit(compile=3), "cannot compile the model that .* describes"),
        (edit(compile={"optimizer": None, "los": "mse"}), "cannot compile the model that .* describes"),
        (edit(model={"module": "pydl.models", "class_name": "Sequential", "config": {}}), "cannot"),
        (lambda files: files.update({"model.json": b"{"}), "expected model.json in .* to be JSON"),
        (
            lambda files: files.update({"model.json": b"[" * 100_000}),
            "expected model.json in .* to be JSON",
        ),
        (lambda files: files.pop("model.json"), "got another zip file"),
        (
            lambda files: (files.pop("model.json"), files.update({"model.weights.h5": b""})),
            "got a file saved by Keras",
        ),
        (
            lambda files: files.pop("weights.safetensors"),
            "expected weights.safetensors in .*, found none",
        ),
        (
            lambda files: files.update({"weights.safetensors": b"12345678"}),
            r"cannot read .*weights.safetensors. \[safetensors\] expected a header",
        ),
        (
            edit(model={"module": "os", "class_name": "system", "config": {}}),
            "expected a class or function known here, got 'system'",
        ),
        (
            edit(model={"module": "pydl.saving.atomic", "class_name": "os", "config": {}}),
            "known here, got 'os'",
        ),
    ],
)
def test_foreign_files(tmp_path, change, message):
    path = tmp_path / "m.pydl"
    rewrite(path, change)
    with pytest.raises(ValueError, match=message):
        load_model(path)


def test_not_a_zip(tmp_path):
    path = tmp_path / "m.pydl"
    path.write_bytes(b"\x89HDF\r\n\x1a\n" + b"\0" * 100)
    with pytest.raises(ValueError, match="cut off or in another format"):
        load_model(path)


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux's limit on the size of files")
def test_full_disk_keeps_the_old_model(tmp_path):
    import resource

    path = tmp_path / "m.pydl"
    old = sequential()
    old.save(path)
    big = Sequential([pydl.Input((300,)), layers.Dense(300)])
    previous = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, previous[1]))
    try:
        with pytest.raises(OSError, match=r"\[save\] expected to write all of .*m.pydl, got File too large"):
            big.save(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, previous)
        signal.signal(signal.SIGXFSZ, handler)
    assert_same(old, load_model(path), X)
    assert os.listdir(tmp_path) == ["m.pydl"]


_SAVER = """
import sys, pydl
from pydl.models import Sequential
models = [Sequential([pydl.Input((50,)), pydl.layers.Dense(n)]) for n in (200, 400)]
print("ready", flush=True)
while True:
    for model in models:
        model.save(sys.argv[1])
"""


@pytest.mark.skipif(os.name != "posix", reason="needs kill -9")
def test_kill_while_saving(tmp_path):
    path = tmp_path / "m.pydl"
    for wait in (0.0, 0.01, 0.03):
        saver = subprocess.Popen([sys.executable, "-c", _SAVER, str(path)], stdout=subprocess.PIPE)
        saver.stdout.readline()
        deadline = time.time() + 20
        while not path.exists() and time.time() < deadline:
            time.sleep(0.001)
        time.sleep(wait)
        saver.kill()
        saver.wait()
        assert load_model(path).output_shape[1] in (200, 400)
