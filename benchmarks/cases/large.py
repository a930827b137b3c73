"""Sizes that fill a GPU, in the dtypes that its users train with."""

from __future__ import annotations

import numpy

from benchmarks.case import Case, floats
from benchmarks.cases.gemm import MATMUL

ROWS, COLUMNS, CLASSES = 16384, 4096, 50257
BYTES = {"float32": 4, "bfloat16": 2}


def _as(dtype: str) -> dict:
    """Converts floating inputs; integers, such as labels, stay."""

    def convert(cast):
        return lambda *xs: tuple(x if "int" in str(x.dtype) else cast(x) for x in xs)

    return {
        "pydl": convert(lambda x: x.astype(dtype)),
        "torch": convert(lambda x: x.bfloat16() if dtype == "bfloat16" else x),
    }


def _case(name: str, dtype: str, inputs, run: dict, **facts) -> Case:
    if dtype == "bfloat16":  # CuPy has none
        run = {library: function for library, function in run.items() if library != "numpy"}
    return Case("large", f"{name} {dtype}", inputs, run, adapt=_as(dtype), **facts)


def _matmul(size: int, dtype: str) -> Case:
    run = {name: MATMUL[name] for name in ("pydl", "numpy", "torch")}
    inputs = floats((size, size), (size, size))
    return _case(
        f"matmul {size}", dtype, inputs, run, flops=2 * size**3, bytes=3 * BYTES[dtype] * size**2
    )


def _rowwise(name: str, dtype: str, gradient: bool, ours, theirs, parameters: int) -> Case:
    return _case(
        f"{name} {ROWS}x{COLUMNS}" + (" fwd+bwd" if gradient else ""),
        dtype,
        floats((ROWS, COLUMNS), *[(COLUMNS,)] * parameters),
        {"pydl": ours, "torch": theirs},
        gradient=tuple(range(parameters + 1)) if gradient else (),
        bytes=BYTES[dtype] * ROWS * COLUMNS * (5 if gradient else 2),
    )


def _cross_entropy(dtype: str) -> Case:
    rows = 8192

    def inputs(random):
        logits = random.standard_normal((rows, CLASSES), numpy.float32)
        return logits, random.integers(0, CLASSES, rows)

    return _case(
        f"softmax cross entropy {rows}x{CLASSES} fwd+bwd",
        dtype,
        inputs,
        {
            "pydl": lambda pydl, x, labels: pydl.ops.softmax_cross_entropy(
                x, labels, reduction="mean"
            ),
            "torch": lambda torch, x, labels: torch.nn.functional.cross_entropy(x, labels),
        },
        gradient=(0,),
        bytes=BYTES[dtype] * rows * CLASSES * 3,
    )


def _attention(size: int, causal: bool, gradient: bool) -> Case:
    batch, length, heads = 4, 4096, 2048 // size
    shape = (batch, length, heads, size)
    flops = 4 * batch * heads * size * length**2 * (0.5 if causal else 1)
    name = f"attention {length}, heads of {size}" + (", causal" if causal else "")
    return _case(
        name + (" fwd+bwd" if gradient else ""),
        "bfloat16",
        floats(shape, shape, shape),
        {
            "pydl": lambda pydl, q, k, v: pydl.ops.scaled_dot_product_attention(
                q, k, v, is_causal=causal
            ),
            "torch": lambda torch, q, k, v: torch.nn.functional.scaled_dot_product_attention(
                q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2), is_causal=causal
            ),
        },
        gradient=(0, 1, 2) if gradient else (),
        flops=flops * (3.5 if gradient else 1),
        bytes=2 * 4 * batch * length * heads * size * (3 if gradient else 1),
    )


def _softmax(torch, x):
    return torch.softmax(x, dim=-1)


CASES = [
    _case(
        "add 1e8", "float32", floats((10**8,), (10**8,)),
        {"pydl": lambda pydl, a, b: a + b, "numpy": lambda np, a, b: a + b,
         "torch": lambda torch, a, b: a + b},
        bytes=12 * 10**8,
    ),
    *(_matmul(size, dtype) for dtype in BYTES for size in (4096, 8192)),
    *(
        _rowwise("softmax", dtype, gradient, lambda pydl, x: pydl.ops.softmax(x), _softmax, 0)
        for dtype in BYTES
        for gradient in (False, True)
    ),
    *(
        _rowwise(
            "layer norm", dtype, gradient,
            lambda pydl, x, g, b: pydl.ops.layer_norm(x, g, b, epsilon=1e-5),
            lambda torch, x, g, b: torch.layer_norm(x, (COLUMNS,), g, b, 1e-5), 2,
        )
        for dtype in BYTES
        for gradient in (False, True)
    ),
    *(
        _rowwise(
            "rms norm", "bfloat16", gradient,
            lambda pydl, x, g: pydl.ops.rms_norm(x, g, epsilon=1e-5),
            lambda torch, x, g: torch.nn.functional.rms_norm(x, (COLUMNS,), g, 1e-5), 1,
        )
        for gradient in (False, True)
    ),
    *(_cross_entropy(dtype) for dtype in BYTES),
    *(_attention(size, causal, gradient) for size in (64, 128)
      for causal, gradient in ((False, False), (True, False), (True, True))),
]  # fmt: skip
