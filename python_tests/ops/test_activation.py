"""Activation functions against their definitions in NumPy and SciPy."""

import numpy as np
import pytest
from scipy import special

import pydl
from pydl.testing import FLOATS, HALVES, OpSpec, OpTests, Sample

SHAPES = [(3, 5), (), (1,), (0, 4), (2, 3, 4), (37, 65)]


def samples(rng, **kwargs):
    return [Sample(np.asarray(rng.normal(size=shape) * 3), **kwargs) for shape in SHAPES]


def spec(name, reference, **kwargs):
    return OpSpec(
        name,
        getattr(pydl.ops, name),
        lambda x, **_: np.asarray(reference(x)),
        lambda rng: samples(rng, **kwargs),
        dtypes=FLOATS + HALVES,
        gradient_samples=lambda rng: samples(rng, **kwargs)[:-1],
        errors=[(lambda: getattr(pydl.ops, name)("a"), TypeError, r"\[\w+\] expected \(x: ArrayLike")],
    )


def elu(x, alpha):
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


def gelu_tanh(x):
    return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


def softplus(x):
    return np.logaddexp(x, 0)


def relu6(x):
    return np.clip(x, 0, 6)


class TestActivation(OpTests):
    specs = [
        spec("relu", lambda x: np.maximum(x, 0)),
        spec("relu6", relu6),
        spec("leaky_relu", lambda x: np.where(x > 0, x, 0.2 * x)),
        spec("elu", lambda x: elu(x, 1.3), alpha=1.3),
        spec("selu", lambda x: 1.0507009873554805 * elu(x, 1.6732632423543772)),
        spec("celu", lambda x: np.where(x > 0, x, 0.7 * np.expm1(np.minimum(x, 0) / 0.7)), alpha=0.7),
        spec("gelu", gelu_tanh),
        spec("silu", lambda x: x * special.expit(x)),
        spec("swish", lambda x: x * special.expit(x)),
        spec("exponential", np.exp),
        spec("softplus", softplus),
        spec("softsign", lambda x: x / (1 + np.abs(x))),
        spec("hard_sigmoid", lambda x: relu6(x + 3) / 6),
        spec("hard_silu", lambda x: x * relu6(x + 3) / 6),
        spec("hard_swish", lambda x: x * relu6(x + 3) / 6),
        spec("mish", lambda x: x * np.tanh(softplus(x))),
        spec("log_sigmoid", special.log_expit),
    ]


class TestExactGelu(OpTests):
    specs = [spec("gelu", lambda x: x * special.ndtr(x), approximate=False)]


def test_celu_needs_an_alpha():
    with pytest.raises(ValueError, match=r"\[celu\] expected an alpha other than 0"):
        pydl.ops.celu([1.0], alpha=0)
