"""Optimizers against those of Keras: the same weights after every one of ten steps."""

import numpy as np
import pytest

import pydl
from pydl import optimizers
from pydl.variable import Variable

pytestmark = pytest.mark.conformance
keras = pytest.importorskip("keras", reason="compares with Keras, which is not installed")

CASES = [
    ("SGD", {}),
    ("SGD", {"momentum": 0.9}),
    ("SGD", {"momentum": 0.9, "nesterov": True, "weight_decay": 0.01}),
    ("RMSprop", {}),
    ("RMSprop", {"momentum": 0.5, "centered": True, "rho": 0.8}),
    ("Adam", {}),
    ("Adam", {"amsgrad": True, "beta_1": 0.8, "beta_2": 0.9}),
    ("Adam", {"weight_decay": 0.1}),
    ("AdamW", {}),
    ("AdamW", {"global_clipnorm": 0.5}),
    ("SGD", {"clipnorm": 0.5}),
    ("SGD", {"clipvalue": 0.1}),
    ("RMSprop", {"global_clipnorm": 0.1}),
    ("Adagrad", {}),
    ("Adagrad", {"initial_accumulator_value": 0.0, "epsilon": 1e-3, "weight_decay": 0.1}),
    ("Adadelta", {}),
    ("Adadelta", {"rho": 0.8, "epsilon": 1e-3, "clipvalue": 0.5}),
    ("Adamax", {}),
    ("Adamax", {"beta_1": 0.8, "beta_2": 0.9, "global_clipnorm": 0.5}),
    ("Nadam", {}),
    ("Nadam", {"beta_1": 0.8, "beta_2": 0.9, "weight_decay": 0.1}),
    ("Lion", {}),
    ("Lion", {"beta_1": 0.5, "beta_2": 0.8, "weight_decay": 0.1}),
    ("Ftrl", {}),
    ("Ftrl", {"learning_rate_power": -0.3, "l1_regularization_strength": 0.1, "beta": 0.5,
              "l2_regularization_strength": 0.2, "l2_shrinkage_regularization_strength": 0.1}),
    ("Lamb", {}),
    ("Lamb", {"beta_1": 0.8, "beta_2": 0.9, "weight_decay": 0.1, "clipnorm": 0.5}),
    ("Adafactor", {}),
    ("Adafactor", {"clip_threshold": 0.5, "beta_2_decay": -0.5, "relative_step": False}),
    ("Muon", {}),
    ("Muon", {"rms_rate": None, "nesterov": False, "adam_lr_ratio": 0.5, "ns_steps": 3}),
    ("Muon", {"weight_decay": 0.1, "adam_weight_decay": None, "exclude_layers": ["variable"]}),
    ("ScheduleFreeAdamW", {}),
    ("ScheduleFreeAdamW", {"warmup_steps": 4, "weight_decay": 0.1}),
    ("Adam", {"use_ema": True, "ema_momentum": 0.7}),
    ("SGD", {"use_ema": True, "ema_momentum": 0.7, "ema_overwrite_frequency": 3, "momentum": 0.9}),
    ("Adam", {"gradient_accumulation_steps": 3, "weight_decay": 0.1}),
    ("SGD", {"gradient_accumulation_steps": 2, "global_clipnorm": 0.5}),
    ("Lamb", {"gradient_accumulation_steps": 4, "use_ema": True, "ema_overwrite_frequency": 2}),
    ("Adam", {"loss_scale_factor": 8.0, "clipnorm": 0.1}),
    ("Muon", {"loss_scale_factor": 8.0, "gradient_accumulation_steps": 2}),
]  # fmt: skip
NAMES = sorted({name for name, _ in CASES})
SHAPES = [(3, 4), (4,), (5, 2)]


def schedules(module):
    s = module.schedules
    return [
        s.ExponentialDecay(0.1, 3, 0.5),
        s.ExponentialDecay(0.1, 3, 0.5, staircase=True),
        s.CosineDecay(0.1, 7, alpha=0.2),
        s.CosineDecay(0.0, 5, warmup_target=0.2, warmup_steps=3),
        s.PiecewiseConstantDecay([2, 5], [0.1, 0.05, 0.01]),
        s.InverseTimeDecay(0.1, 3, 0.5),
        s.InverseTimeDecay(0.1, 3, 0.5, staircase=True),
        s.PolynomialDecay(0.1, 5, 0.01, power=2.0),
        s.PolynomialDecay(0.1, 3, 0.01, cycle=True),
        s.CosineDecayRestarts(0.1, 2),
        s.CosineDecayRestarts(0.1, 3, t_mul=1.0, m_mul=0.8, alpha=0.1),
        s.CosineDecayRestarts(0.1, 2, t_mul=1.5, m_mul=0.5),
    ]


def run(ours, theirs):
    rng = np.random.default_rng(0)
    start = [rng.normal(size=s).astype("float32") for s in SHAPES]
    our_v = [Variable(a) for a in start]
    their_v = [keras.Variable(a) for a in start]
    for _ in range(10):
        grads = [rng.normal(size=s).astype("float32") for s in SHAPES]
        ours.apply([pydl.tensor(g) for g in grads], our_v)
        theirs.apply([keras.ops.convert_to_tensor(g) for g in grads], their_v)
        for a, b in zip(our_v, their_v):
            np.testing.assert_allclose(a.numpy(), np.asarray(b.value), rtol=2e-5, atol=2e-6)
    assert int(ours.iterations) == int(theirs.iterations)
    return ours, theirs


@pytest.mark.parametrize("name, kwargs", CASES, ids=[f"{n}-{k}" for n, k in CASES])
def test_steps(name, kwargs):
    ours = getattr(optimizers, name)(0.05, **kwargs)
    theirs = getattr(keras.optimizers, name)(0.05, **kwargs)
    run(ours, theirs)
    assert len(ours.variables) == len(theirs.variables)
    for a, b in zip(ours.variables, theirs.variables):
        if not b.name.startswith("variable"):
            assert a.name.endswith(b.name.rsplit("_", 1)[-1])
        np.testing.assert_allclose(a.numpy(), np.asarray(b.value), rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_defaults(name):
    ours, theirs = getattr(optimizers, name)(), getattr(keras.optimizers, name)()
    config = theirs.get_config()
    assert set(config) == set(ours.get_config())
    for key, value in ours.get_config().items():
        if key != "name":
            assert config[key] == pytest.approx(value), key
    assert type(ours).from_config(config).get_config()["learning_rate"] == pytest.approx(
        config["learning_rate"]
    )


def test_every_optimizer_of_keras_is_here():
    left_out = {"TFOptimizer", "legacy"}
    names = {name for name in dir(keras.optimizers) if not name.startswith("_")}
    assert names - left_out <= set(dir(optimizers))
    schedules_of_keras = {n for n in dir(keras.optimizers.schedules) if not n.startswith("_")}
    assert schedules_of_keras <= set(dir(optimizers.schedules))


def test_dynamic_loss_scale():
    """The same scale and weights after steps of which some overflow."""
    ours = optimizers.LossScaleOptimizer(
        optimizers.Adam(0.1, clipnorm=0.5), initial_scale=8.0, dynamic_growth_steps=2
    )
    theirs = keras.optimizers.LossScaleOptimizer(
        keras.optimizers.Adam(0.1, clipnorm=0.5), initial_scale=8.0, dynamic_growth_steps=2
    )
    assert set(ours.get_config()) == set(theirs.get_config())
    rng = np.random.default_rng(0)
    our_v, their_v = [Variable(np.ones(3, "float32"))], [keras.Variable(np.ones(3, "float32"))]
    ours.build(our_v), theirs.build(their_v)
    state, weights = [v.value for v in theirs.variables], [v.value for v in their_v]
    for step in range(12):
        grad = rng.normal(size=3).astype("float32")
        if step in (4, 5, 9):
            grad[1] = np.inf if step == 4 else np.nan
        scale = float(state[3])
        assert float(ours.scale_loss(1.0)) == scale
        ours.apply([pydl.tensor(grad) * scale], our_v)
        weights, state = theirs.stateless_apply(
            state, [keras.ops.convert_to_tensor(grad * scale)], weights
        )
        np.testing.assert_allclose(our_v[0].numpy(), np.asarray(weights[0]), rtol=2e-5)
        for a, b in zip(ours.variables, state):
            np.testing.assert_allclose(a.numpy(), np.asarray(b), rtol=2e-5, atol=1e-6)


def test_several_optimizers():
    def make(module):
        chosen = {".*kernel": module.SGD(0.1, momentum=0.9, name="k"), "bias": module.Lion(0.01)}
        return module.MultiOptimizer(module.OptimizerMap(module.Adam(0.05), chosen))

    ours, theirs = make(optimizers), make(keras.optimizers)
    rng = np.random.default_rng(0)
    names = ("kernel", "bias", "scale", "other_kernel")
    start = [rng.normal(size=(3,)).astype("float32") for _ in names]
    our_v = [Variable(a, name=n) for a, n in zip(start, names)]
    their_v = [keras.Variable(a, name=n) for a, n in zip(start, names)]
    for _ in range(4):
        grads = [rng.normal(size=3).astype("float32") for _ in names]
        ours.apply([pydl.tensor(g) for g in grads], our_v)
        theirs.apply([keras.ops.convert_to_tensor(g) for g in grads], their_v)
        for a, b in zip((*our_v, *ours.variables), (*their_v, *theirs.variables)):
            np.testing.assert_allclose(a.numpy(), np.asarray(b.value), rtol=2e-5, atol=2e-6)
    assert set(ours.get_config()) == set(theirs.get_config())


def test_averages_at_the_end():
    ours, theirs = (module.SGD(0.1, use_ema=True) for module in (optimizers, keras.optimizers))
    start = np.ones(3, "float32")
    our_v, their_v = [Variable(start)], [keras.Variable(start)]
    for _ in range(3):
        ours.apply([pydl.tensor(start)], our_v)
        theirs.apply([keras.ops.convert_to_tensor(start)], their_v)
    ours.finalize_variable_values(our_v), theirs.finalize_variable_values(their_v)
    np.testing.assert_allclose(our_v[0].numpy(), np.asarray(their_v[0].value), rtol=1e-6)


@pytest.mark.parametrize("index", range(12))
def test_schedules(index):
    ours, theirs = schedules(optimizers)[index], schedules(keras.optimizers)[index]
    for step in range(12):
        assert ours(step) == pytest.approx(float(theirs(step)), rel=1e-5), step
    assert ours.get_config() == theirs.get_config()
    run(optimizers.SGD(ours), keras.optimizers.SGD(theirs))


def test_excluded_from_weight_decay():
    def make(module):
        optimizer = module.AdamW(0.1, weight_decay=0.5)
        optimizer.exclude_from_weight_decay(var_names=["^b.as$"])
        return optimizer

    ours, theirs = make(optimizers), make(keras.optimizers)
    our_v = [Variable(np.ones(3, "float32"), name=n) for n in ("kernel", "bias")]
    their_v = [keras.Variable(np.ones(3, "float32"), name=n) for n in ("kernel", "bias")]
    grads = [np.full(3, 0.5, "float32")] * 2
    for _ in range(3):
        ours.apply([pydl.tensor(g) for g in grads], our_v)
        theirs.apply([keras.ops.convert_to_tensor(g) for g in grads], their_v)
    for a, b in zip(our_v, their_v):
        np.testing.assert_allclose(a.numpy(), np.asarray(b.value), rtol=1e-5)
