"""Whole models against Keras: the order of layers and weights, and the outputs."""

import numpy as np
import pytest

import pydl

pytestmark = pytest.mark.conformance
rng = np.random.default_rng(0)


def chain(library):
    layers = library.layers
    return library.Sequential(
        [
            library.Input((12, 12, 2)),
            layers.Conv2D(4, 3, activation="relu"),
            layers.BatchNormalization(),
            layers.MaxPooling2D(),
            layers.DepthwiseConv2D(3, padding="same"),
            layers.Flatten(),
            layers.Dropout(0.5),
            layers.Dense(3, activation="softmax"),
        ]
    )


def branches(library):
    layers = library.layers
    a, b = library.Input((6,), name="a"), library.Input((6,), name="b")
    shared = layers.Dense(5, activation="tanh", name="shared")
    left = layers.Dense(4, name="left")(shared(a))
    right = layers.BatchNormalization(name="right")(layers.Dense(4, name="deep")(shared(b)))
    joined = layers.Add(name="joined")([left, right])
    short = layers.Dense(2, name="short")(a)
    return library.Model([a, b], [layers.Dense(1, name="long")(joined), short])


def residual(library):
    layers = library.layers
    x = library.Input((8, 8, 3))
    y = layers.Conv2D(4, 3, padding="same", name="first")(x)
    for i in range(2):
        z = layers.Conv2D(4, 3, padding="same", activation="relu", name=f"in_{i}")(y)
        z = layers.Conv2D(4, 3, padding="same", name=f"out_{i}")(z)
        y = layers.ReLU(name=f"relu_{i}")(layers.Add(name=f"add_{i}")([y, z]))
    y = layers.GlobalAveragePooling2D(name="pool")(y)
    return library.Model(x, layers.Dense(2, name="head")(y))


def nested(library):
    layers = library.layers
    x = library.Input((6,))
    inner = library.Model(x, layers.Dense(4, name="inner_dense")(x) * 2.0, name="inner")
    other = library.Sequential([library.Input((4,)), layers.Dense(3, name="d")], name="other")
    y = library.Input((6,), name="y")
    return library.Model(y, other(inner(y)))


class Blocks:
    """A subclass of Model in either library."""

    def __new__(cls, library):
        layers = library.layers

        class Net(library.Model):
            def __init__(self):
                super().__init__()
                self.head = layers.Dense(2, name="head")
                self.blocks = [layers.Dense(6, activation="relu", name=f"b{i}") for i in range(2)]

            def call(self, x):
                for block in self.blocks:
                    x = x + block(x)
                return self.head(x)

        return Net()


@pytest.mark.parametrize(
    "make, shapes",
    [
        (chain, [(2, 12, 12, 2)]),
        (branches, [(2, 6), (2, 6)]),
        (residual, [(2, 8, 8, 3)]),
        (nested, [(2, 6)]),
        (Blocks, [(2, 6)]),
    ],
)
def test_same_weights_same_outputs(keras, make, shapes):
    ours, theirs = make(pydl), make(keras)
    arrays = [rng.standard_normal(shape).astype("float32") for shape in shapes]
    inputs = arrays if len(arrays) > 1 else arrays[0]
    ours(inputs), theirs(inputs)
    named = [layer.name for layer in theirs.layers if not layer.name.startswith(("input", "mul"))]
    mine = [layer.name for layer in ours.layers if not layer.name.startswith(("input", "mul"))]
    if make is not chain:
        assert mine == named
    assert [v.name for v in ours.weights] == [v.name for v in theirs.weights]
    weights = [rng.uniform(0.1, 0.5, v.shape) for v in theirs.weights]
    theirs.set_weights(weights), ours.set_weights(weights)
    assert len(ours.trainable_weights) == len(theirs.trainable_weights)
    for one, other in zip(pydl.tree.flatten(ours(inputs)), pydl.tree.flatten(theirs(inputs))):
        np.testing.assert_allclose(one.numpy(), np.asarray(other), rtol=1e-4, atol=1e-5)
