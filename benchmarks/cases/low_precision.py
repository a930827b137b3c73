"""Matrix products of bfloat16, in the sizes of those of float32."""

from __future__ import annotations

from benchmarks.case import Case, floats
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
]
