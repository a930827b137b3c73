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
]
SHAPES = [(3, 4), (4,), (5, 2)]


def schedules(module):
    s = module.schedules
    return [
        s.ExponentialDecay(0.1, 3, 0.5),
        s.ExponentialDecay(0.1, 3, 0.5, staircase=True),
        s.CosineDecay(0.1, 7, alpha=0.2),
        s.CosineDecay(0.0, 5, warmup_target=0.2, warmup_steps=3),
        s.PiecewiseConstantDecay([2, 5], [0.1, 0.05, 0.01]),
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
    assert int(ours.iterations) == int(theirs.iterations) == 10
    return ours, theirs


@pytest.mark.parametrize("name, kwargs", CASES, ids=[f"{n}-{k}" for n, k in CASES])
def test_steps(name, kwargs):
    ours = getattr(optimizers, name)(0.05, **kwargs)
    theirs = getattr(keras.optimizers, name)(0.05, **kwargs)
    run(ours, theirs)
    for a, b in zip(ours.variables, theirs.variables):
        assert a.name.endswith(b.name.rsplit("_", 1)[-1])
        np.testing.assert_allclose(a.numpy(), np.asarray(b.value), rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["SGD", "RMSprop", "Adam", "AdamW"])
def test_defaults(name):
    ours, theirs = getattr(optimizers, name)(), getattr(keras.optimizers, name)()
    config = theirs.get_config()
    for key, value in ours.get_config().items():
        if key != "name":
            assert config[key] == pytest.approx(value), key


@pytest.mark.parametrize("index", range(5))
def test_schedules(index):
    ours, theirs = schedules(optimizers)[index], schedules(keras.optimizers)[index]
    for step in range(12):
        assert ours(step) == pytest.approx(float(theirs(step)), rel=1e-5), step
    assert ours.get_config() == theirs.get_config()
    run(optimizers.SGD(ours), keras.optimizers.SGD(theirs))


def test_excluded_from_weight_decay():
    def make(module):
        optimizer = module.AdamW(0.1, weight_decay=0.5)
        optimizer.exclude_from_weight_decay(var_names=["bias"])
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
