"""Convolutions on GPUs and their gradients against torch in float64."""

from __future__ import annotations

import numpy as np
import pytest

import pydl
from pydl import ops

torch = pytest.importorskip("torch")

TOLERANCE = {"float64": 1e-13, "float32": 5e-6, "float16": 2e-3, "bfloat16": 1.5e-2}

# Shape of x, of the kernel, strides, padding of the two axes, dilation, groups. Channels that are and are
# not multiples of a 16-byte load; images smaller than a tile and larger.
CASES = {
    "same": ((2, 9, 7, 8), (3, 3, 8, 16), (1, 1), [(1, 1), (1, 1)], (1, 1), 1),
    "odd": ((2, 9, 7, 3), (3, 2, 3, 5), (2, 1), [(1, 0), (0, 1)], (1, 1), 1),
    "large": ((2, 30, 31, 32), (3, 3, 32, 40), (1, 1), [(1, 1), (1, 1)], (1, 1), 1),
    "strided": ((1, 12, 11, 8), (3, 3, 8, 8), (2, 3), [(1, 1), (2, 1)], (1, 1), 1),
    "grouped": ((1, 12, 11, 16), (3, 3, 8, 24), (2, 2), [(1, 1), (2, 2)], (1, 1), 2),
    "grouped odd": ((1, 12, 11, 6), (5, 3, 2, 9), (1, 1), [(4, 4), (2, 2)], (2, 1), 3),
    "dilated": ((1, 1, 40, 4), (1, 7, 4, 8), (1, 1), [(0, 0), (12, 0)], (1, 2), 1),
    "point": ((2, 5, 6, 8), (1, 1, 8, 8), (1, 1), [(0, 0), (0, 0)], (1, 1), 1),
    "strided point": ((2, 5, 6, 8), (1, 1, 8, 8), (2, 2), [(0, 0), (0, 0)], (1, 1), 1),
    "depthwise": ((3, 10, 9, 8), (3, 3, 1, 8), (1, 1), [(1, 1), (1, 1)], (1, 1), 8),
    "depthwise odd": ((2, 10, 9, 5), (3, 3, 1, 15), (2, 2), [(0, 0), (1, 1)], (1, 2), 5),
}

# Of 16-bit floats: results of more than one tile of warpgroups, and sums that are split among them.
LARGE = {
    "large same": ((2, 24, 24, 40), (3, 3, 40, 64), (1, 1), [(1, 1), (1, 1)], (1, 1), 1),
    "large grouped": ((2, 20, 21, 128), (3, 3, 64, 128), (2, 1), [(1, 1), (2, 2)], (1, 2), 2),
    "large wide": ((1, 16, 17, 72), (3, 2, 72, 256), (1, 1), [(2, 0), (1, 0)], (1, 1), 1),
    "large deep": ((1, 9, 9, 256), (3, 3, 256, 72), (1, 1), [(1, 1), (1, 1)], (1, 1), 1),
    "large point": ((1, 20, 40, 64), (1, 1, 64, 128), (1, 1), [(0, 0), (0, 0)], (1, 1), 1),
}


def reference(x, kernel, bias, gradient, strides, padding, dilation, groups) -> list[np.ndarray]:
    """relu(conv(x)), and the gradients of x and the kernel."""
    given = [torch.tensor(v, requires_grad=True) for v in (x, kernel)]
    image = torch.nn.functional.pad(given[0].permute(0, 3, 1, 2), [p for pair in reversed(padding) for p in pair])
    y = torch.nn.functional.conv2d(
        image, given[1].permute(3, 2, 0, 1), torch.tensor(bias), strides, 0, dilation, groups
    ).relu().permute(0, 2, 3, 1)
    y.backward(torch.tensor(gradient[: y.numel()].reshape(y.shape)))
    return [y.detach().numpy(), *(v.grad.numpy() for v in given)]


@pytest.mark.parametrize(
    ("dtype", "case"),
    [*((d, c) for d in TOLERANCE for c in CASES), *((d, c) for d in ("float16", "bfloat16") for c in LARGE)],
)
def test_convolution_and_gradients(dtype: str, case: str):
    x_shape, kernel_shape, strides, padding, dilation, groups = {**CASES, **LARGE}[case]
    generator = np.random.default_rng(0)
    shapes = (x_shape, kernel_shape, (kernel_shape[-1],), (1 << 17,))
    tensors = [pydl.tensor(generator.standard_normal(s)).astype(dtype) for s in shapes]
    exact = [t.astype("float64").numpy() for t in tensors]
    expected = reference(*exact, strides, padding, dilation, groups)

    for one in tensors[:2]:
        one.requires_grad = True
    y = ops.conv(
        *tensors[:3], strides=strides, padding=padding, dilation_rate=dilation, groups=groups, activation="relu"
    )
    y.backward(ops.reshape(tensors[3][: y.size], y.shape))
    for got, wanted in zip([y, *(t.grad for t in tensors[:2])], expected):
        assert got.device == "gpu:0"
        error = np.abs(got.astype("float64").numpy() - wanted).max()
        assert error <= TOLERANCE[dtype] * np.abs(wanted).max()
