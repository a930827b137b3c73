"""Matrix products of bfloat16 and int8, in the sizes of those of float32."""

from __future__ import annotations

import numpy as np

from benchmarks.case import Case, Onnx, floats
from benchmarks.cases.gemm import MATMUL, SHAPES

_BFLOAT16 = {
    "pydl": lambda *xs: tuple(x.astype("bfloat16") for x in xs),
    "torch": lambda *xs: tuple(x.bfloat16() for x in xs),
    "jax": lambda *xs: tuple(x.astype("bfloat16") for x in xs),
}
_TRANSPOSED = {
    "pydl": lambda pydl, a, b: pydl.ops.matmul(pydl.ops.transpose(a), pydl.ops.transpose(b)),
    "torch": lambda torch, a, b: a.T @ b.T,
    "jax": lambda jax, a, b: a.T @ b.T,
}
_LINEAR = {
    "pydl": lambda pydl, x, w, b: pydl.ops.linear(x, w, b, activation="relu"),
    "torch": lambda torch, x, w, b: torch.relu(torch.addmm(b, x, w)),
    "jax": lambda jax, x, w, b: jax.nn.relu(x @ w + b),
}


def _bfloat16(name: str, shapes: tuple, run: dict, **facts) -> Case:
    run = {library: run[library] for library in _BFLOAT16}
    return Case("gemm bfloat16", f"{name} bfloat16", floats(*shapes), run, adapt=_BFLOAT16, **facts)


def _matmul(m: int, k: int, n: int) -> Case:
    bytes = 2 * (m * k + k * n + m * n)
    return _bfloat16(f"matmul {m}x{k}x{n}", ((m, k), (k, n)), MATMUL, bytes=bytes)


def _linear(m: int, k: int, n: int, gradient: tuple = ()) -> Case:
    name = f"linear+bias+relu {m}x{k}x{n}" + (" fwd+bwd" if gradient else "")
    bytes = (3 if gradient else 1) * 2 * (m * k + k * n + m * n)
    return _bfloat16(name, ((m, k), (k, n), (n,)), _LINEAR, bytes=bytes, gradient=gradient)


def _int8(m: int, k: int, n: int) -> Case:
    """Integers with a scale for each row and column, to float32; ONNX Runtime leaves the scales out."""

    def inputs(random: np.random.Generator) -> tuple:
        x, w = (random.integers(-127, 128, shape, np.int8) for shape in ((m, k), (k, n)))
        return x, w, *(random.uniform(50, 100, shape).astype("float32") for shape in ((m, 1), (n,)))

    return Case(
        "gemm int8",
        f"quantized linear {m}x{k}x{n} int8",
        inputs,
        {
            "pydl": lambda pydl, x, w, xs, ws: pydl.ops.quantized_linear(x, w, ws, x_scale=xs),
            "torch": lambda torch, x, w, xs, ws: torch._int_mm(x, w).float() / (xs * ws),
            "onnxruntime": Onnx("MatMulInteger"),
        },
        adapt={"onnxruntime": lambda x, w, xs, ws: (x, w)},
        bytes=m * k + k * n + 4 * m * n,
    )


def _dynamic(m: int, k: int, n: int) -> Case:
    """A dense layer after `quantize("int8")`, its weights in int8, beside that in float32."""

    def ours(pydl, x, w):
        layer = pydl.layers.Dense(n, use_bias=False)
        layer.build((None, k))
        layer.set_weights([w])
        layer.quantize("int8")

        def call():
            with pydl.autograd.no_grad():
                return layer(x)

        return call

    def theirs(torch, x, w):
        with torch.inference_mode():
            layer = torch.nn.Sequential(torch.nn.Linear(k, n, bias=False))
            layer[0].weight.copy_(w.T)
            layer = torch.ao.quantization.quantize_dynamic(layer, {torch.nn.Linear}, torch.qint8)
        return torch.inference_mode()(lambda: layer(x))

    return Case(
        "gemm int8",
        f"quantized Dense {m}x{k}x{n} int8",
        floats((m, k), (k, n)),
        prepare={"pydl": ours, "torch": theirs},
        bytes=4 * m * k + k * n + 4 * m * n,
        rotate=False,
    )


CASES = [
    *(_matmul(*shape) for shape in SHAPES),
    _bfloat16(
        "matmul 512x512x512, both transposed",
        ((512, 512), (512, 512)),
        _TRANSPOSED,
        bytes=6 * 512**2,
    ),
    _bfloat16(
        "matmul batch 96, 128x64x128",
        ((96, 128, 64), (96, 64, 128)),
        MATMUL,
        bytes=2 * 96 * (2 * 128 * 64 + 128 * 128),
    ),
    *(_linear(*shape, gradient) for shape in SHAPES[6:9] for gradient in ((), (0, 1, 2))),
    *(_int8(*shape) for shape in SHAPES),
    *(_dynamic(*shape) for shape in (*SHAPES[3:5], *SHAPES[6:])),
]
