"""Matrix products, bare and with what a dense layer adds."""

from __future__ import annotations

from benchmarks.case import Case, Onnx, floats

SHAPES = [  # M, K, N
    (64, 64, 64),
    (128, 128, 128),
    (256, 256, 256),
    (512, 512, 512),
    (1024, 1024, 1024),
    (2048, 2048, 2048),
    (32, 784, 128),
    (128, 784, 512),
    (128, 512, 10),
    (1, 4096, 4096),
    (8, 4096, 4096),
    (512, 768, 3072),
    (4096, 64, 64),
]

MATMUL = {
    "pydl": lambda pydl, a, b: pydl.ops.matmul(a, b),
    "numpy": lambda np, a, b: a @ b,
    "torch": lambda torch, a, b: a @ b,
    "onnxruntime": Onnx("MatMul"),
    "jax": lambda jax, a, b: a @ b,
}


def _matmul(m: int, k: int, n: int) -> Case:
    return Case(
        "gemm",
        f"matmul {m}x{k}x{n}",
        floats((m, k), (k, n)),
        MATMUL,
        flops=2 * m * k * n,
        bytes=4 * (m * k + k * n + m * n),
    )


def _linear(m: int, k: int, n: int, gradient: bool) -> Case:
    run = {
        "pydl": lambda pydl, x, w, b: pydl.ops.linear(x, w, b, activation="relu"),
        "torch": lambda torch, x, w, b: torch.relu(torch.addmm(b, x, w)),
        "jax": lambda jax, x, w, b: jax.nn.relu(x @ w + b),
    }
    forward_only = {"numpy": lambda np, x, w, b: np.maximum(x @ w + b, 0)}
    return Case(
        "linear",
        f"linear+bias+relu {m}x{k}x{n}" + (" fwd+bwd" if gradient else ""),
        floats((m, k), (k, n), (n,)),
        run if gradient else run | forward_only,
        gradient=(0, 1, 2) if gradient else (),
        flops=(3 if gradient else 1) * 2 * m * k * n,
        bytes=(3 if gradient else 1) * 4 * (m * k + k * n + m * n),
    )


CASES = [
    *(_matmul(*shape) for shape in SHAPES),
    Case(
        "gemm",
        "matmul 512x512x512, both transposed",
        floats((512, 512), (512, 512)),
        {
            "pydl": lambda pydl, a, b: pydl.ops.matmul(pydl.ops.transpose(a), pydl.ops.transpose(b)),
            "numpy": lambda np, a, b: a.T @ b.T,
            "torch": lambda torch, a, b: a.T @ b.T,
            "jax": lambda jax, a, b: a.T @ b.T,
        },
        flops=2 * 512**3,
        bytes=12 * 512**2,
    ),
    Case(
        "gemm",
        "matmul batch 96, 128x64x128",
        floats((96, 128, 64), (96, 64, 128)),
        MATMUL,
        flops=2 * 96 * 128 * 64 * 128,
        bytes=4 * 96 * (2 * 128 * 64 + 128 * 128),
    ),
    *(_linear(*shape, gradient) for shape in SHAPES[6:9] for gradient in (False, True)),
]
