"""Moving data: transposes, concatenation, gathering."""

from __future__ import annotations

import numpy

from benchmarks.case import Case, Onnx, floats


def _moved(name: str, inputs, count: int, run: dict) -> Case:
    return Case("shape", name, inputs, run, bytes=8 * count)


def _rows_and_indices(random):
    return (
        random.standard_normal((50257, 768), numpy.float32),
        random.integers(0, 50257, 4096),
    )


CASES = [
    _moved(
        "transpose 4096x1024",
        floats((4096, 1024)),
        4096 * 1024,
        {
            "pydl": lambda pydl, x: pydl.ops.transpose(x).contiguous(),
            "numpy": lambda np, x: np.ascontiguousarray(x.T),
            "torch": lambda torch, x: x.T.contiguous(),
            "onnxruntime": Onnx("Transpose", {"perm": [1, 0]}),
        },
    ),
    _moved(
        "NCHW to NHWC 16x64x56x56",
        floats((16, 64, 56, 56)),
        16 * 64 * 56 * 56,
        {
            "pydl": lambda pydl, x: pydl.ops.transpose(x, (0, 2, 3, 1)).contiguous(),
            "numpy": lambda np, x: np.ascontiguousarray(x.transpose(0, 2, 3, 1)),
            "torch": lambda torch, x: x.permute(0, 2, 3, 1).contiguous(),
            "onnxruntime": Onnx("Transpose", {"perm": [0, 2, 3, 1]}),
        },
    ),
    _moved(
        "concatenate 2 x 4096x512",
        floats((4096, 512), (4096, 512)),
        4096 * 1024,
        {
            "pydl": lambda pydl, a, b: pydl.ops.concatenate([a, b], axis=-1),
            "numpy": lambda np, a, b: np.concatenate([a, b], axis=-1),
            "torch": lambda torch, a, b: torch.cat([a, b], dim=-1),
            "onnxruntime": Onnx("Concat", {"axis": -1}),
            "jax": lambda jax, a, b: jax.numpy.concatenate([a, b], axis=-1),
        },
    ),
    _moved(
        "take 4096 rows of 50257x768",
        _rows_and_indices,
        4096 * 768,
        {
            "pydl": lambda pydl, x, i: pydl.ops.take(x, i, axis=0),
            "numpy": lambda np, x, i: np.take(x, i, axis=0),
            "torch": lambda torch, x, i: torch.index_select(x, 0, i),
            "onnxruntime": Onnx("Gather"),
            "jax": lambda jax, x, i: jax.numpy.take(x, i, axis=0),
        },
    ),
]
