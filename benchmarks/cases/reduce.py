"""Reductions, scans and sorting."""

from __future__ import annotations

from benchmarks.case import Case, Onnx, floats

ROWS, COLUMNS = 4096, 1024


def _reduce(name: str, run: dict) -> Case:
    return Case(
        "reduce", f"{name} {ROWS}x{COLUMNS}", floats((ROWS, COLUMNS)), run, bytes=4 * ROWS * COLUMNS
    )


def _whole(name: str, label: str, count: int) -> Case:
    return Case(
        "reduce",
        f"{name} {label}",
        floats(count),
        {
            "pydl": lambda pydl, x: getattr(pydl.ops, name)(x),
            "numpy": lambda np, x: getattr(np, name)(x),
            "torch": lambda torch, x: getattr(torch, name)(x),
            "jax": lambda jax, x: getattr(jax.numpy, name)(x),
        },
        bytes=4 * count,
    )


CASES = [
    *(
        _whole(name, label, count)
        for name in ("sum", "max", "argmax")
        for label, count in (("1e3", 10**3), ("1e5", 10**5), ("1e7", 10**7))
    ),
    _reduce(
        "sum",
        {
            "pydl": lambda pydl, x: pydl.ops.sum(x),
            "numpy": lambda np, x: np.sum(x),
            "torch": lambda torch, x: torch.sum(x),
            "onnxruntime": Onnx("ReduceSum"),
            "jax": lambda jax, x: jax.numpy.sum(x),
        },
    ),
    _reduce(
        "sum axis 0",
        {
            "pydl": lambda pydl, x: pydl.ops.sum(x, axis=0),
            "numpy": lambda np, x: np.sum(x, axis=0),
            "torch": lambda torch, x: torch.sum(x, dim=0),
            "jax": lambda jax, x: jax.numpy.sum(x, axis=0),
        },
    ),
    _reduce(
        "max axis 1",
        {
            "pydl": lambda pydl, x: pydl.ops.max(x, axis=1),
            "numpy": lambda np, x: np.max(x, axis=1),
            "torch": lambda torch, x: torch.amax(x, dim=1),
            "jax": lambda jax, x: jax.numpy.max(x, axis=1),
        },
    ),
    _reduce(
        "argmax axis 1",
        {
            "pydl": lambda pydl, x: pydl.ops.argmax(x, axis=1),
            "numpy": lambda np, x: np.argmax(x, axis=1),
            "torch": lambda torch, x: torch.argmax(x, dim=1),
            "onnxruntime": Onnx("ArgMax", {"axis": 1}),
            "jax": lambda jax, x: jax.numpy.argmax(x, axis=1),
        },
    ),
    _reduce(
        "var axis 1",
        {
            "pydl": lambda pydl, x: pydl.ops.var(x, axis=1),
            "numpy": lambda np, x: np.var(x, axis=1),
            "torch": lambda torch, x: torch.var(x, dim=1, correction=0),
            "jax": lambda jax, x: jax.numpy.var(x, axis=1),
        },
    ),
    _reduce(
        "logsumexp axis 1",
        {
            "pydl": lambda pydl, x: pydl.ops.logsumexp(x, axis=1),
            "torch": lambda torch, x: torch.logsumexp(x, dim=1),
            "jax": lambda jax, x: jax.nn.logsumexp(x, axis=1),
        },
    ),
    Case(
        "reduce",
        f"cumsum axis 1 {ROWS}x{COLUMNS}",
        floats((ROWS, COLUMNS)),
        {
            "pydl": lambda pydl, x: pydl.ops.cumsum(x, axis=1),
            "numpy": lambda np, x: np.cumsum(x, axis=1),
            "torch": lambda torch, x: torch.cumsum(x, dim=1),
            "jax": lambda jax, x: jax.numpy.cumsum(x, axis=1),
        },
        bytes=8 * ROWS * COLUMNS,
    ),
    Case(
        "sort",
        "sort 4096x1024",
        floats((ROWS, COLUMNS)),
        {
            "pydl": lambda pydl, x: pydl.ops.sort(x),
            "numpy": lambda np, x: np.sort(x),
            "torch": lambda torch, x: torch.sort(x),
            "jax": lambda jax, x: jax.numpy.sort(x),
        },
        bytes=8 * ROWS * COLUMNS,
    ),
    Case(
        "sort",
        "sort 1e6",
        floats(10**6),
        {
            "pydl": lambda pydl, x: pydl.ops.sort(x),
            "numpy": lambda np, x: np.sort(x),
            "torch": lambda torch, x: torch.sort(x),
            "jax": lambda jax, x: jax.numpy.sort(x),
        },
        bytes=8 * 10**6,
    ),
    Case(
        "sort",
        "top_k 5 of 8x50257",
        floats((8, 50257)),
        {
            "pydl": lambda pydl, x: pydl.ops.top_k(x, 5),
            "numpy": lambda np, x: np.partition(x, -5, axis=-1)[:, -5:],
            "torch": lambda torch, x: torch.topk(x, 5),
            "jax": lambda jax, x: jax.lax.top_k(x, 5),
        },
        bytes=4 * 8 * 50257,
    ),
]
