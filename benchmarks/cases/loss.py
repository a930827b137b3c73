"""Fused losses, forward and backward."""

from __future__ import annotations

import numpy

from benchmarks.case import Case


def _cross_entropy(rows: int, classes: int) -> Case:
    def inputs(random):
        logits = random.standard_normal((rows, classes), numpy.float32)
        return logits, random.integers(0, classes, rows)

    def jax_loss(jax, logits, labels):
        picked = jax.numpy.take_along_axis(logits, labels[:, None], axis=-1)[:, 0]
        return (jax.nn.logsumexp(logits, axis=-1) - picked).mean()

    return Case(
        "loss",
        f"softmax cross entropy {rows}x{classes} fwd+bwd",
        inputs,
        {
            "pydl": lambda pydl, logits, labels: pydl.ops.softmax_cross_entropy(
                logits, labels, reduction="mean"
            ),
            "torch": lambda torch, logits, labels: torch.nn.functional.cross_entropy(
                logits, labels
            ),
            "jax": jax_loss,
        },
        gradient=(0,),
        bytes=8 * rows * classes,
    )


CASES = [_cross_entropy(128, 10), _cross_entropy(512, 50257)]
