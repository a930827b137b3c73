"""Activation functions against PyTorch's."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

import pydl
from pydl.testing import FLOATS, HALVES, OpSpec, OpTests, Sample

SHAPES = [(3, 5), (), (1,), (0, 4), (2, 3, 4), (37, 65)]


def samples(rng, **kwargs):
    return [Sample(np.asarray(rng.normal(size=shape) * 3), **kwargs) for shape in SHAPES]


def spec(name, reference, **kwargs):
    return OpSpec(
        name,
        getattr(pydl.ops, name),
        lambda x, **_: reference(torch.tensor(x)).numpy(),
        lambda rng: samples(rng, **kwargs),
        dtypes=FLOATS + HALVES,
        gradient_samples=lambda rng: samples(rng, **kwargs)[:-1],
    )


def torch_celu(x):
    return torch.where(x > 0, x, 0.7 * torch.expm1(x / 0.7))  # torch's own rounds alpha to float32


class TestActivation(OpTests):
    specs = [
        spec("relu", F.relu),
        spec("relu6", F.relu6),
        spec("leaky_relu", lambda x: F.leaky_relu(x, 0.2)),
        spec("elu", lambda x: torch.where(x > 0, x, 1.3 * torch.expm1(x)), alpha=1.3),
        spec("selu", F.selu),
        spec("celu", torch_celu, alpha=0.7),
        spec("gelu", lambda x: F.gelu(x, approximate="tanh")),
        spec("silu", F.silu),
        spec("softplus", F.softplus),
        spec("softsign", F.softsign),
        spec("hard_sigmoid", lambda x: F.relu6(x + 3) / 6),
        spec("hard_silu", lambda x: x * F.relu6(x + 3) / 6),
        spec("mish", F.mish),
        spec("log_sigmoid", F.logsigmoid),
    ]


class TestExactGelu(OpTests):
    specs = [spec("gelu", F.gelu, approximate=False)]


TORCH = {"relu": F.relu, "relu6": F.relu6, "leaky_relu": lambda x: F.leaky_relu(x, 0.2), "elu": F.elu, "selu": F.selu,
         "celu": F.celu, "silu": F.silu, "softplus": F.softplus, "softsign": F.softsign, "mish": F.mish,
         "log_sigmoid": F.logsigmoid, "tanh": torch.tanh, "sigmoid": torch.sigmoid, "exp": torch.exp,
         "gelu": lambda x: F.gelu(x, approximate="tanh"), "hard_silu": F.hardswish, "hard_sigmoid": F.hardsigmoid}


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
@pytest.mark.parametrize("name", TORCH)
def test_gradient_kernel(name, dtype):
    """The fused gradient, far out too, against torch's in float64."""
    x = np.concatenate([np.linspace(-8, 8, 332), [-50, 50, -88, 80, 1e-6, -1e-6]])
    if name == "exp":
        x = x[np.abs(x) < 9]
    t = pydl.tensor(x).astype(dtype)
    t.requires_grad = True
    dy = np.random.default_rng(0).normal(size=x.shape)
    getattr(pydl.ops, name)(t).backward(pydl.tensor(dy).astype(dtype))
    reference = torch.tensor(t.detach().numpy().astype("float64"), requires_grad=True)
    dy_seen = pydl.tensor(dy).astype(dtype).numpy().astype("float64")
    TORCH[name](reference).backward(torch.tensor(dy_seen))
    tolerance = {"float32": 1e-5, "float16": 1e-2, "bfloat16": 6e-2}[dtype]
    scale = np.abs(dy_seen).max() if name != "exp" else np.abs(reference.grad.numpy()).max()
    np.testing.assert_allclose(t.grad.numpy().astype("float64"), reference.grad.numpy(), rtol=tolerance,
                               atol=tolerance * scale)


def test_infinities():
    x = np.array([-np.inf, np.inf, np.nan], "float32")
    for name in ("relu", "relu6", "leaky_relu", "elu", "selu", "softplus", "log_sigmoid", "tanh", "sigmoid",
                 "hard_sigmoid"):
        with np.errstate(all="ignore"):
            expected = TORCH[name](torch.tensor(x)).numpy()
        np.testing.assert_array_equal(getattr(pydl.ops, name)(x).numpy(), expected, err_msg=name)


def test_celu_needs_an_alpha():
    with pytest.raises(ValueError, match=r"\[celu\] expected an alpha other than 0"):
        pydl.ops.celu([1.0], alpha=0)
