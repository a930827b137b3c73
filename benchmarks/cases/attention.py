"""Scaled dot-product attention."""

from __future__ import annotations

from benchmarks.case import Case, floats

BATCH, HEADS, SIZE = 1, 12, 64


def _case(length: int, causal: bool, gradient: bool) -> Case:
    shape = (BATCH, length, HEADS, SIZE)
    pairs = length * length * (0.5 if causal else 1)
    forward_flops = 4 * BATCH * HEADS * SIZE * pairs
    label = f"length {length}" + (", causal" if causal else "") + (" fwd+bwd" if gradient else "")
    return Case(
        "attention",
        label,
        floats(shape, shape, shape),
        {
            "pydl": lambda pydl, q, k, v: pydl.ops.scaled_dot_product_attention(
                q, k, v, is_causal=causal
            ),
            "torch": lambda torch, q, k, v: torch.nn.functional.scaled_dot_product_attention(
                q, k, v, is_causal=causal
            ),
            "jax": lambda jax, q, k, v: jax.nn.dot_product_attention(q, k, v, is_causal=causal),
        },
        gradient=(0, 1, 2) if gradient else (),
        # torch wants (batch, heads, length, size) and works best on it dense.
        adapt={"torch": lambda *qkv: tuple(x.transpose(1, 2).contiguous() for x in qkv)},
        flops=forward_flops * (3.5 if gradient else 1),
        bytes=16 * BATCH * length * HEADS * SIZE * (3 if gradient else 1),
    )


CASES = [
    _case(length, causal, gradient)
    for gradient in (False, True)
    for causal in (False, True)
    for length in (128, 512, 1024, 2048)
]
