"""A model that was saved goes on training to the same bits."""

import numpy as np
import pytest

import pydl
from pydl import layers
from pydl.models import Sequential, load_model

rng = np.random.default_rng(0)
X = rng.standard_normal((64, 8)).astype("float32")
Y = rng.integers(0, 3, 64)


def compiled(optimizer):
    pydl.set_random_seed(1)
    model = Sequential(
        [
            pydl.Input((8,)),
            layers.Dense(16, activation="relu", kernel_regularizer="l2"),
            layers.BatchNormalization(),
            layers.Dropout(0.3),
            layers.Dense(3),
        ]
    )
    loss = pydl.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer, loss, metrics=["accuracy"])
    return model


def train(model, epochs):
    return model.fit(X, Y, batch_size=16, epochs=epochs, shuffle=False, verbose=0).history["loss"]


@pytest.mark.parametrize(
    "optimizer",
    [
        lambda: "adam",
        lambda: pydl.optimizers.SGD(0.1, momentum=0.9, nesterov=True),
        lambda: pydl.optimizers.AdamW(0.01, weight_decay=0.1, clipnorm=1.0),
        lambda: pydl.optimizers.RMSprop(pydl.optimizers.schedules.ExponentialDecay(0.01, 5, 0.5)),
    ],
    ids=["adam", "sgd", "adamw", "rmsprop"],
)
def test_resuming_is_exact(tmp_path, optimizer):
    straight = compiled(optimizer())
    expected = train(straight, 4)
    model = compiled(optimizer())
    first = train(model, 2)
    model.save(tmp_path / "m.pydl")
    resumed = load_model(tmp_path / "m.pydl")
    assert first + train(resumed, 2) == expected
    for one, other in zip(straight.get_weights(), resumed.get_weights()):
        np.testing.assert_array_equal(one, other)
    assert resumed.evaluate(X, Y, verbose=0) == straight.evaluate(X, Y, verbose=0)


def test_without_compiling(tmp_path):
    model = compiled("adam")
    train(model, 1)
    model.save(tmp_path / "m.pydl")
    assert not load_model(tmp_path / "m.pydl", compile=False).compiled


def test_compiled_but_never_trained(tmp_path):
    compiled("adam").save(tmp_path / "m.pydl")
    assert len(train(load_model(tmp_path / "m.pydl"), 1)) == 1


def test_state_of_another_optimizer(tmp_path):
    import zipfile

    from pydl.saving import safetensors

    path = tmp_path / "m.pydl"
    model = compiled("adam")
    train(model, 1)
    model.save(path)
    with zipfile.ZipFile(path) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    assert set(files) == {"model.json", "weights.safetensors", "optimizer.safetensors"}
    files["optimizer.safetensors"] = b"".join(safetensors.dump({"0": pydl.tensor([1.0])}))
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    with pytest.raises(ValueError, match=r"\[load_model\] expected optimizer state of shapes"):
        load_model(path)
