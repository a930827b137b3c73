"""Gradients and limits of activation functions against PyTorch's, where it is installed."""

import numpy as np
import pytest

import pydl

torch = pytest.importorskip("torch")
F = torch.nn.functional

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
