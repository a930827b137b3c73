"""Attention on GPUs, forward and gradients, against NumPy in float64: head sizes, lengths and options that
reach every kind of tile."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import pydl
from pydl import ops

# Largest error, relative to the largest element of the result: weights are rounded to 16 bits, too.
TOLERANCE = {"float64": 1e-12, "float32": 1e-5, "float16": 3e-3, "bfloat16": 2e-2}


def reference(q, k, v, dy, mask=None, causal=False, scale=None):
    """Returns the result and the gradients of q, k and v; heads are the second axis from the end."""
    scale = q.shape[-1] ** -0.5 if scale is None else scale
    group = q.shape[2] // k.shape[2]
    wide_k, wide_v = np.repeat(k, group, axis=2), np.repeat(v, group, axis=2)
    scores = np.einsum("bqhd,bkhd->bhqk", q, wide_k) * scale
    if mask is not None:
        scores = np.where(mask, scores, -np.inf) if mask.dtype == bool else scores + mask
    if causal:
        scores = np.where(np.tril(np.ones(scores.shape[2:], bool)), scores, -np.inf)
    weights = np.exp(scores - np.maximum(scores.max(-1, keepdims=True), -1e300))
    weights /= np.maximum(weights.sum(-1, keepdims=True), 1e-300)
    y = np.einsum("bhqk,bkhd->bqhd", weights, wide_v)
    d_weights = np.einsum("bqhd,bkhd->bhqk", dy, wide_v)
    d_scores = weights * (d_weights - (weights * d_weights).sum(-1, keepdims=True)) * scale

    def summed(x):  # over the heads of a group
        return x.reshape(*k.shape[:3], group, -1).sum(3)

    return (
        y,
        np.einsum("bhqk,bkhd->bqhd", d_scores, wide_k),
        summed(np.einsum("bhqk,bqhd->bkhd", d_scores, q)),
        summed(np.einsum("bhqk,bqhd->bkhd", weights, dy)),
    )


def check(dtype, queries, keys, size, heads=1, key_heads=1, value_size=None, batch=1, offset=0, **options):
    generator = np.random.default_rng(0)
    value_size = value_size or size

    def operand(*shape):
        whole = pydl.tensor(generator.standard_normal((*shape[:-1], offset + shape[-1]))).astype(dtype)
        return whole[..., offset:]

    operands = [
        operand(batch, queries, heads, size),
        operand(batch, keys, key_heads, size),
        operand(batch, keys, key_heads, value_size),
        operand(batch, queries, heads, value_size),
    ]
    exact = [x.astype("float64").numpy() for x in operands]
    *inputs, dy = operands
    for x in inputs:
        x.requires_grad = True
    causal, mask, scale = (options.get(name) for name in ("is_causal", "mask", "scale"))
    y = ops.scaled_dot_product_attention(*inputs, **options)
    ops.sum(y * dy).backward()
    got = [y.detach(), *(x.grad for x in inputs)]
    for name, x, want in zip("yqkv", got, reference(*exact, mask, causal, scale), strict=True):
        assert x.device == "gpu:0"
        error = np.abs(x.astype("float64").numpy() - want).max(initial=0)
        assert error <= TOLERANCE[dtype] * (np.abs(want).max(initial=0) or 1), name


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("size", [8, 32, 64, 80, 128, 256])
def test_sizes_of_heads(dtype, size, causal):
    check(dtype, 37, 70, size, is_causal=causal)


SMALL_GPU = """
import sys
import pydl
from pydl.errors import DeviceError
sys.path.append({folder!r})
from test_attention import TOLERANCE, check
major, minor = {capability!r}
assert pydl.cuda.get_device_properties()["architecture"] == (major, minor)
with pydl.device("gpu:0"):
    for dtype in TOLERANCE:
        for size in 64, 128, 256:
            try:
                check(dtype, 70, 90, size, 2, 1)
                check(dtype, 70, 90, size, is_causal=True)
            except DeviceError as error:
                print(dtype, size, error)
"""


@pytest.mark.parametrize("capability", [(7, 5), (8, 6), (8, 0)])
def test_gpus_with_less_shared_memory(emulated, run_python, capability):
    """Where a GPU has too little for a shape, a smaller one serves."""
    program = SMALL_GPU.format(folder=str(Path(__file__).parent), capability=capability)
    printed = run_python(program, PYDL_EMULATED_CAPABILITY="{}.{}".format(*capability))
    lines = printed.splitlines()
    assert len(lines) == (capability == (7, 5))
    if lines:
        assert lines[0].startswith("float64 256 [scaled_dot_product_attention] expected a GPU with")


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize(("queries", "keys"), [(1, 1), (150, 200), (200, 150), (64, 128), (129, 65)])
def test_lengths(dtype, queries, keys, causal):
    check(dtype, queries, keys, 64, is_causal=causal)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize(("size", "value_size"), [(64, 64), (80, 80), (128, 72), (256, 256)])
def test_long_sequences_of_several_heads(dtype, size, value_size, causal):
    """Every stage of the ring of keys and values is used again."""
    check(dtype, 140, 400, size, 2, 1, value_size, batch=2, is_causal=causal)
    check(dtype, 400, 140, size, value_size=value_size, is_causal=causal)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize(("size", "value_size", "offset"), [(33, 20, 0), (64, 64, 3), (24, 128, 0), (96, 40, 8)])
def test_sizes_and_addresses_that_fit_no_vector(dtype, size, value_size, offset):
    check(dtype, 20, 40, size, value_size=value_size, offset=offset)


@pytest.mark.parametrize("dtype", TOLERANCE)
def test_groups_of_heads(dtype):
    check(dtype, 40, 70, 32, heads=6, key_heads=2, batch=2, is_causal=True)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("size", [64, 128, 256])
def test_masks(dtype, size):
    generator = np.random.default_rng(1)
    allowed = generator.random((2, 1, 70, 90)) < 0.5
    allowed[0, 0, 3] = False  # a query that may attend to nothing
    check(dtype, 70, 90, size, batch=2, mask=allowed)
    check(dtype, 70, 90, size, batch=2, mask=generator.standard_normal((70, 90)), is_causal=True)


@pytest.mark.parametrize("scale", [-0.3, 0.0, 2.0])
def test_scales(scale):
    check("bfloat16", 40, 70, 64, scale=scale)


@pytest.mark.parametrize("size", [64, 128, 256])
def test_dropout_drops_what_it_drops_on_the_cpu(size):
    generator = np.random.default_rng(2)
    arrays = [generator.standard_normal((2, length, 2, size)) for length in (70, 150, 150, 70)]
    results = []
    for device, dtype in (("cpu", "float64"), ("gpu:0", "float16")):
        *operands, dy = (pydl.tensor(x, device=device).astype("float16").astype(dtype) for x in arrays)
        for x in operands:
            x.requires_grad = True
        y = ops.scaled_dot_product_attention(*operands, dropout=0.4, seed=7)
        ops.sum(y * dy).backward()
        results.append([x.astype("float64").numpy() for x in (y.detach(), *(x.grad for x in operands))])
    for want, got in zip(*results, strict=True):
        assert np.abs(got - want).max() <= TOLERANCE["float16"] * np.abs(want).max()


@pytest.mark.parametrize("dtype", TOLERANCE)
def test_nan_stays_in_its_row(dtype):
    x = np.ones((1, 70, 1, 64))
    x[0, 5] = np.nan
    ones = pydl.tensor(np.ones((1, 70, 1, 64))).astype(dtype)
    y = ops.scaled_dot_product_attention(pydl.tensor(x).astype(dtype), ones, ones).astype("float64").numpy()
    assert np.isnan(y[0, 5]).all() and (np.delete(y, 5, axis=1) == 1).all()


def test_gradients_are_the_same_each_time():
    generator = np.random.default_rng(3)
    arrays = [generator.standard_normal((1, 150, 2, 64)) for _ in range(3)]

    def gradients():
        operands = [pydl.tensor(x).astype("bfloat16") for x in arrays]
        for x in operands:
            x.requires_grad = True
        y = ops.scaled_dot_product_attention(*operands, is_causal=True)
        ops.sum(y * y).backward()
        return [x.grad.astype("float32").numpy() for x in operands]

    for first, second in zip(gradients(), gradients(), strict=True):
        np.testing.assert_array_equal(first, second)


def test_a_head_too_large():
    x = pydl.tensor(np.ones((1, 2, 1, 300), "float32"))
    for dtype in ("float32", "bfloat16"):
        wide = x.astype(dtype)
        with pytest.raises(pydl.errors.ShapeError, match="expected heads of at most 256 numbers on a GPU, got 300"):
            ops.scaled_dot_product_attention(wide, wide, wide)
