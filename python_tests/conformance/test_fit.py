"""fit against Keras: the same weights, data and order give the same history and weights."""

import numpy as np
import pytest

import pydl

pytestmark = pytest.mark.conformance
keras = pytest.importorskip("keras", reason="compares with Keras, which is not installed")

RNG = np.random.default_rng(0)
X = RNG.normal(size=(90, 6)).astype("float32")
LABELS = (X @ RNG.normal(size=(6, 3))).argmax(-1)
ONE_HOT = np.eye(3, dtype="float32")[LABELS]
BITS = (LABELS > 0).astype("float32")


def pair(units, activation, **compile_arguments):
    """The same model in pydl and in Keras; arguments may be functions of the module."""

    def build(module):
        model = module.Sequential(
            [
                module.Input((6,)),
                module.layers.Dense(8, activation="tanh"),
                module.layers.Dense(units, activation=activation),
            ]
        )
        model.compile(**{k: v(module) if callable(v) else v for k, v in compile_arguments.items()})
        return model

    ours, theirs = build(pydl), build(keras)
    ours.set_weights(theirs.get_weights())
    return ours, theirs


def check(ours, theirs, y, **arguments):
    settings = {"epochs": 3, "batch_size": 32, "shuffle": False, "verbose": 0, **arguments}
    got, expected = (m.fit(X, y, **settings).history for m in (ours, theirs))
    assert set(got) == set(expected)
    for name, values in expected.items():
        np.testing.assert_allclose(got[name], values, rtol=1e-4, atol=1e-6, err_msg=name)
    for a, b in zip(ours.get_weights(), theirs.get_weights()):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(
        ours.predict(X, verbose=0), theirs.predict(X, verbose=0), rtol=1e-3, atol=1e-5
    )


@pytest.mark.parametrize("optimizer", [
    lambda k: k.optimizers.SGD(0.1, momentum=0.9, nesterov=True),
    lambda k: k.optimizers.RMSprop(0.01),
    lambda k: k.optimizers.Adam(0.01),
    lambda k: k.optimizers.AdamW(k.optimizers.schedules.ExponentialDecay(0.01, 3, 0.5)),
], ids=["sgd", "rmsprop", "adam", "adamw with a schedule"])  # fmt: skip
def test_optimizers(optimizer):
    ours, theirs = pair(
        3,
        "softmax",
        optimizer=optimizer,
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    check(ours, theirs, LABELS, validation_split=0.2)


@pytest.mark.parametrize("units, activation, loss, y, metrics", [
    (3, "softmax", "categorical_crossentropy", ONE_HOT, ["accuracy", "mae"]),
    (3, None, lambda k: k.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1),
     ONE_HOT, ["accuracy"]),
    (3, None, lambda k: k.losses.SparseCategoricalCrossentropy(from_logits=True), LABELS,
     lambda k: [k.metrics.SparseTopKCategoricalAccuracy(k=2)]),
    (1, "sigmoid", "binary_crossentropy", BITS, ["accuracy"]),
    (1, None, lambda k: k.losses.BinaryCrossentropy(from_logits=True), BITS, ["mse"]),
    (3, None, "mse", ONE_HOT, ["mae"]),
    (1, None, "mae", LABELS, lambda k: [k.metrics.RootMeanSquaredError()]),
    (1, None, lambda k: k.losses.Huber(0.5), LABELS, None),
])  # fmt: skip
def test_losses_and_metrics(units, activation, loss, y, metrics):
    ours, theirs = pair(units, activation, optimizer="adam", loss=loss, metrics=metrics)
    check(ours, theirs, y, validation_data=(X[:25], y[:25]))


def test_weights():
    arguments = {"optimizer": "sgd", "loss": "sparse_categorical_crossentropy",
                 "metrics": ["accuracy"], "weighted_metrics": ["accuracy"]}  # fmt: skip
    weights = RNG.uniform(0.1, 2, 90).astype("float32")
    check(*pair(3, "softmax", **arguments), LABELS, sample_weight=weights)
    check(*pair(3, "softmax", **arguments), LABELS, class_weight={0: 2.0, 1: 0.5, 2: 1.0})


def test_several_outputs():
    def build(module):
        x = module.Input((6,))
        a = module.layers.Dense(3, activation="softmax", name="a")(x)
        b = module.layers.Dense(1, name="b")(x)
        model = module.Model(x, [a, b])
        model.compile(
            "adam", loss={"a": "sparse_categorical_crossentropy", "b": "mse"},
            loss_weights={"a": 1.0, "b": 0.3}, metrics={"a": ["accuracy"], "b": ["mae"]},
        )  # fmt: skip
        return model

    ours, theirs = build(pydl), build(keras)
    ours.set_weights(theirs.get_weights())
    y = {"a": LABELS, "b": BITS[:, None]}
    got, expected = (
        m.fit(X, y, epochs=2, shuffle=False, verbose=0, validation_split=0.2).history
        for m in (ours, theirs)
    )
    assert set(got) == set(expected)
    for name, values in expected.items():
        np.testing.assert_allclose(got[name], values, rtol=1e-4, atol=1e-6, err_msg=name)
    got, expected = (m.evaluate(X, [LABELS, BITS[:, None]], verbose=0) for m in (ours, theirs))
    np.testing.assert_allclose(got, expected, rtol=1e-4)


def test_callbacks_that_steer():
    def steer(module):
        return [
            module.callbacks.EarlyStopping(
                "loss", patience=1, min_delta=0.05, restore_best_weights=True
            ),
            module.callbacks.ReduceLROnPlateau("loss", patience=0, factor=0.5, min_delta=0.2),
            module.callbacks.LearningRateScheduler(lambda epoch, rate: rate * 0.9),
        ]

    ours, theirs = pair(3, "softmax", optimizer="sgd", loss="categorical_crossentropy")
    histories = []
    for model, module in ((ours, pydl), (theirs, keras)):
        history = model.fit(
            X, ONE_HOT, epochs=12, shuffle=False, verbose=0, callbacks=steer(module)
        )
        histories.append(history.history)
    assert len(histories[0]["loss"]) == len(histories[1]["loss"]) < 12
    for name in ("loss", "learning_rate"):
        np.testing.assert_allclose(histories[0][name], histories[1][name], rtol=1e-4)
    for a, b in zip(ours.get_weights(), theirs.get_weights()):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-5)


def test_masked_steps_count_nothing():
    rng = np.random.default_rng(0)
    tokens, labels = rng.integers(0, 4, (8, 6)), rng.integers(0, 3, (8, 6))

    def make(library):
        model = library.Sequential([
            library.Input((6,), dtype="int32"),
            library.layers.Embedding(4, 5, mask_zero=True),
            library.layers.Dense(3),
        ])  # fmt: skip
        loss = library.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(library.optimizers.SGD(0.5), loss, metrics=["accuracy"])
        return model

    theirs, ours = make(keras), make(pydl)
    ours.set_weights(theirs.get_weights())
    arguments = {"epochs": 2, "batch_size": 4, "shuffle": False, "verbose": 0}
    expected = theirs.fit(tokens, labels, **arguments).history["loss"]
    np.testing.assert_allclose(ours.fit(tokens, labels, **arguments).history["loss"], expected, rtol=1e-5)
    # Keras on JAX loses the mask on the way to the metrics of fit, but not to those of evaluate.
    expected = theirs.evaluate(tokens, labels, batch_size=8, verbose=0)
    np.testing.assert_allclose(ours.evaluate(tokens, labels, batch_size=8, verbose=0), expected, rtol=1e-5)
    for mine, other in zip(ours.get_weights(), theirs.get_weights()):
        np.testing.assert_allclose(mine, other, rtol=1e-4, atol=1e-6)
