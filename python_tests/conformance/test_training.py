"""Training of models against Keras: what compile takes, losses of layers, clones."""

import re

import numpy as np
import pytest

import pydl

pytestmark = pytest.mark.conformance
RNG = np.random.default_rng(0)
X = RNG.normal(size=(70, 4)).astype("float32")
Y = X.sum(-1, keepdims=True)
SETTINGS = {"batch_size": 10, "epochs": 2, "shuffle": False, "verbose": 0}


def regressor(library, **arguments):
    layers = library.layers
    model = library.Sequential(
        [library.Input((4,)), layers.Dense(5, activation="tanh"), layers.Dense(1)]
    )
    model.compile(optimizer="adam", loss="mse", **arguments)
    return model


def compare(ours, theirs, **settings):
    """Trains both from the same weights and compares histories and weights."""
    if not ours.built:
        ours(X[:1]), theirs(X[:1])
    ours.set_weights(theirs.get_weights())
    got, expected = (m.fit(X, Y, **SETTINGS, **settings).history for m in (ours, theirs))
    assert set(got) == set(expected)
    for name, values in expected.items():
        np.testing.assert_allclose(got[name], values, rtol=1e-4, atol=1e-6, err_msg=name)
    for mine, other in zip(ours.get_weights(), theirs.get_weights()):
        np.testing.assert_allclose(mine, other, rtol=1e-3, atol=1e-5)
    got, expected = (m.evaluate(X, Y, verbose=0, return_dict=True) for m in (ours, theirs))
    assert got == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("steps", [1, 2, 3, 100])
def test_steps_per_execution(keras, steps):
    def calls_of(library):
        seen = []

        class Recorder(library.callbacks.Callback):
            def on_train_batch_begin(self, batch, logs=None):
                seen.append(("train begin", batch))

            def on_train_batch_end(self, batch, logs=None):
                seen.append(("train end", batch, sorted(logs)))

            def on_test_batch_end(self, batch, logs=None):
                seen.append(("test end", batch))

            def on_predict_batch_end(self, batch, logs=None):
                seen.append(("predict end", batch))

        model = regressor(library, metrics=["mae"], steps_per_execution=steps)
        recorder = Recorder()
        model.fit(X, Y, validation_data=(X[:25], Y[:25]), callbacks=[recorder], **SETTINGS)
        model.predict(X, batch_size=10, callbacks=[recorder], verbose=0)
        return seen

    assert calls_of(pydl) == calls_of(keras)
    compare(*(regressor(library, steps_per_execution=steps) for library in (pydl, keras)))


@pytest.mark.parametrize("arguments", [
    {"run_eagerly": True}, {"jit_compile": True}, {"jit_compile": False},
    {"weighted_metrics": ["mae"]}, {"metrics": ["mae"], "weighted_metrics": ["mae", "mse"]},
    {"loss_weights": 0.5}, {"loss_weights": [0.5]},
], ids=str)  # fmt: skip
def test_compile_arguments(keras, arguments):
    ours, theirs = (regressor(library, **arguments) for library in (pydl, keras))
    for name in {"run_eagerly", "jit_compile"} & set(arguments):
        assert getattr(ours, name) == getattr(theirs, name) == arguments[name]
    assert set(ours.get_compile_config()) == set(theirs.get_compile_config())
    compare(ours, theirs, sample_weight=np.linspace(0.1, 2, len(X), dtype="float32"))


@pytest.mark.parametrize("arguments", [
    {"use_ema": True, "ema_momentum": 0.8},
    {"use_ema": True, "ema_momentum": 0.8, "ema_overwrite_frequency": 3},
    {"loss_scale_factor": 64.0}, {"gradient_accumulation_steps": 2},
    {"gradient_accumulation_steps": 3, "clipnorm": 0.1}, {"global_clipnorm": 0.1},
], ids=str)  # fmt: skip
def test_optimizer_arguments_in_fit(keras, arguments):
    pair = [regressor(library) for library in (pydl, keras)]
    for model, library in zip(pair, (pydl, keras)):
        model.compile(library.optimizers.Adam(0.01, **arguments), "mse")
    compare(*pair)


def test_loss_scale_in_fit(keras):
    pair = [regressor(library) for library in (pydl, keras)]
    for model, library in zip(pair, (pydl, keras)):
        inner = library.optimizers.SGD(1e-8)
        optimizer = library.optimizers.LossScaleOptimizer(
            inner, initial_scale=2.0**110, dynamic_growth_steps=3
        )
        square = library.losses.mean_squared_error
        model.compile(optimizer, lambda y, y_pred, f=square: 1e6 * f(y, y_pred))
    compare(*pair)
    scales = [float(model.optimizer.dynamic_scale.numpy()) for model in pair]
    assert scales[0] == scales[1] < 2.0**110


def test_mixed_float16_scales_the_loss(keras):
    for library, set_policy in (
        (pydl, pydl.layers.set_dtype_policy), (keras, keras.config.set_dtype_policy)
    ):  # fmt: skip
        set_policy("mixed_float16")
        try:
            model = regressor(library)
        finally:
            set_policy("float32")
        assert isinstance(model.optimizer, library.optimizers.LossScaleOptimizer)
        inner = library.optimizers.SGD(0.01)
        model.compile(inner, "mse", auto_scale_loss=False)
        assert model.optimizer is inner
        first, *_, last = model.fit(X, Y, **{**SETTINGS, "epochs": 5}).history["loss"]
        assert last < first


def with_losses(library):
    """A layer that adds losses, inside a model with a regularizer."""

    class Watched(library.layers.Layer):
        def __init__(self):
            super().__init__()
            self.dense = library.layers.Dense(3)

        def call(self, x):
            outputs = self.dense(x)
            self.add_loss(0.1 * library.ops.mean(outputs**2))
            self.add_loss([0.01 * library.ops.abs(outputs[:2, 0])])
            return outputs

    class Net(library.Model):
        def __init__(self):
            super().__init__()
            self.watched = Watched()
            self.head = library.layers.Dense(1, kernel_regularizer="l2")

        def call(self, x):
            return self.head(self.watched(x))

    model = Net()
    model.compile("sgd", "mse", metrics=["mae"])
    return model


def test_losses_of_layers(keras):
    compare(with_losses(pydl), with_losses(keras))


def test_compute_loss_without_training(keras):
    def build(library):
        class Net(library.Sequential):
            def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None):
                return library.ops.mean(library.ops.abs(y - y_pred))

        model = Net([library.Input((4,)), library.layers.Dense(1)])
        model.compile("sgd")
        return model

    compare(build(pydl), build(keras))


def test_nested_models_and_frozen_layers(keras):
    def build(library):
        layers = library.layers
        x = library.Input((4,))
        inner = library.Model(
            x, layers.BatchNormalization(name="norm")(layers.Dense(4, name="d")(x)), name="inner"
        )
        model = library.Sequential([library.Input((4,)), inner, layers.Dense(1, name="head")])
        inner.trainable = False
        model.compile("adam", "mse")
        return model

    ours, theirs = build(pydl), build(keras)
    compare(ours, theirs)
    for model in (ours, theirs):  # thawed but for one layer, with an optimizer that knows
        model.get_layer("inner").trainable = True
        model.get_layer("inner").get_layer("norm").trainable = False
        model.compile("adam", "mse")
    assert len(ours.trainable_weights) == len(theirs.trainable_weights) == 4
    compare(ours, theirs)
    for arguments in ({"name": "none"}, {"index": 7}, {}, {"name": "head", "index": 1}):
        for model in (ours, theirs):
            with pytest.raises(ValueError):
                model.get_layer(**arguments)


def test_clone_model(keras):
    def build(library):
        layers = library.layers
        inner = library.Sequential(
            [library.Input((3,)), layers.Dense(3, name="deep")], name="inner"
        )
        x = library.Input((4,), name="x")
        shared = layers.Dense(3, name="shared")
        y = layers.Add(name="sum")([inner(shared(x)), shared(x)])
        return library.Model(x, layers.Dense(1, name="out")(y), name="net")

    def cloned(library):
        def halved(layer):
            config = layer.get_config()
            if isinstance(layer, library.layers.Dense):
                config["activation"] = "relu"
            return type(layer).from_config(config)

        def with_dropout(layer, *args, **kwargs):
            outputs = layer(*args, **kwargs)
            dense = isinstance(layer, library.layers.Dense)
            return library.layers.Dropout(0.5)(outputs) if dense else outputs

        clone, model = library.models.clone_model, build(library)
        copies = [
            clone(model),
            clone(model, clone_function=halved),
            clone(model, clone_function=halved, recursive=True),
            clone(model, call_function=with_dropout),
            clone(model, input_tensors=library.Input((4,), batch_size=5, name="x")),
        ]
        with pytest.raises(ValueError):
            clone(model.get_layer("inner"), call_function=with_dropout)
        return copies

    for ours, theirs in zip(cloned(pydl), cloned(keras)):
        names = [[re.sub(r"_?\d+$", "", x.name) for x in m.layers] for m in (ours, theirs)]
        assert names[0] == names[1]
        activations = [
            [layer.activation.__name__ for m in (model, model.get_layer("inner"))
             for layer in m.layers if hasattr(layer, "activation")]
            for model in (ours, theirs)
        ]  # fmt: skip
        assert activations[0] == activations[1]
        ours.set_weights(theirs.get_weights())
        x = X[:5]
        np.testing.assert_allclose(ours(x).numpy(), np.asarray(theirs(x)), rtol=1e-4, atol=1e-5)


def test_registered_names(keras):
    def names(library):
        register = library.saving.register_keras_serializable

        @register(package="shop")
        class Own(library.layers.Layer):
            pass

        @register()
        def cubed(x):
            return x**3

        @register("shop", name="other")
        class Named(library.layers.Layer):
            pass

        things = (Own, cubed, Named)
        found = [library.saving.get_registered_name(thing) for thing in things]
        assert [library.saving.get_registered_object(name) for name in found] == list(things)
        config = library.saving.serialize_keras_object(Own(name="a"))
        assert library.saving.deserialize_keras_object(config).name == "a"
        return found, config["registered_name"], config["class_name"]

    assert names(pydl) == names(keras)
