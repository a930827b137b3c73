"""Elementwise ops, forward and with gradient."""

from __future__ import annotations

from benchmarks.case import Case, Onnx, floats

SIZES = {"1e3": 10**3, "1e5": 10**5, "1e7": 10**7}


def _add(label: str, count: int) -> Case:
    return Case(
        "elementwise",
        f"add {label}",
        floats(count, count),
        {
            "pydl": lambda pydl, a, b: pydl.ops.add(a, b),
            "numpy": lambda np, a, b: a + b,
            "torch": lambda torch, a, b: a + b,
            "onnxruntime": Onnx("Add"),
            "jax": lambda jax, a, b: a + b,
        },
        prepare={"numpy:out": _numpy_add_out, "torch:out": _torch_add_out},
        bytes=12 * count,
    )


def _numpy_add_out(np, a, b):
    out = np.zeros_like(a)
    return lambda: np.add(a, b, out=out)


def _torch_add_out(torch, a, b):
    out = torch.zeros_like(a)
    return lambda: torch.add(a, b, out=out)


def _unary(name: str, label: str, run: dict, gradient: bool = False) -> Case:
    count = SIZES[label]
    return Case(
        "elementwise",
        f"{name} {label}" + (" fwd+bwd" if gradient else ""),
        floats(count),
        {k: v for k, v in run.items() if not gradient or k in ("pydl", "torch", "jax")},
        gradient=(0,) if gradient else (),
        bytes=(24 if gradient else 8) * count,  # x, y; and dy, x, dx, dy's making for the gradient
    )


EXP = {
    "pydl": lambda pydl, x: pydl.ops.exp(x),
    "numpy": lambda np, x: np.exp(x),
    "torch": lambda torch, x: torch.exp(x),
    "onnxruntime": Onnx("Exp"),
    "jax": lambda jax, x: jax.numpy.exp(x),
}
TANH = {
    "pydl": lambda pydl, x: pydl.ops.tanh(x),
    "numpy": lambda np, x: np.tanh(x),
    "torch": lambda torch, x: torch.tanh(x),
    "onnxruntime": Onnx("Tanh"),
    "jax": lambda jax, x: jax.numpy.tanh(x),
}
RELU = {
    "pydl": lambda pydl, x: pydl.ops.relu(x),
    "numpy": lambda np, x: np.maximum(x, 0),
    "torch": lambda torch, x: torch.relu(x),
    "onnxruntime": Onnx("Relu"),
    "jax": lambda jax, x: jax.nn.relu(x),
}
GELU_ERF = {
    "pydl": lambda pydl, x: pydl.ops.gelu(x, approximate=False),
    "torch": lambda torch, x: torch.nn.functional.gelu(x),
    "onnxruntime": Onnx("Gelu"),
    "jax": lambda jax, x: jax.nn.gelu(x, approximate=False),
}
GELU_TANH = {
    "pydl": lambda pydl, x: pydl.ops.gelu(x, approximate=True),
    "torch": lambda torch, x: torch.nn.functional.gelu(x, approximate="tanh"),
    "onnxruntime": Onnx("Gelu", {"approximate": "tanh"}),
    "jax": lambda jax, x: jax.nn.gelu(x, approximate=True),
}

CASES = [
    *(_add(label, count) for label, count in SIZES.items()),
    Case(
        "elementwise",
        "add bias 4096x1024",
        floats((4096, 1024), (1024,)),
        {
            "pydl": lambda pydl, x, b: pydl.ops.add(x, b),
            "numpy": lambda np, x, b: x + b,
            "torch": lambda torch, x, b: x + b,
            "onnxruntime": Onnx("Add"),
            "jax": lambda jax, x, b: x + b,
        },
        bytes=8 * 4096 * 1024,
    ),
    *(
        _unary(name, label, run)
        for name, run in (
            ("relu", RELU),
            ("exp", EXP),
            ("tanh", TANH),
            ("gelu (erf)", GELU_ERF),
            ("gelu (tanh)", GELU_TANH),
        )
        for label in SIZES
    ),
    _unary("relu", "1e5", RELU, gradient=True),
    _unary("tanh", "1e5", TANH, gradient=True),
    _unary("gelu (erf)", "1e5", GELU_ERF, gradient=True),
    _unary("gelu (erf)", "1e7", GELU_ERF, gradient=True),
]
