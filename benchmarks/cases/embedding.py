"""Embedding look-up and its gradient."""

from __future__ import annotations

import numpy

from benchmarks.case import Case

VOCABULARY, WIDTH, COUNT = 50257, 768, 4096


def _inputs(random):
    return (
        random.standard_normal((VOCABULARY, WIDTH), numpy.float32),
        random.integers(0, VOCABULARY, COUNT),
    )


def _case(gradient: bool) -> Case:
    run = {
        "pydl": lambda pydl, w, i: pydl.ops.embedding(w, i),
        "torch": lambda torch, w, i: torch.nn.functional.embedding(i, w),
        "jax": lambda jax, w, i: w[i],
    }
    if not gradient:
        run["numpy"] = lambda np, w, i: w[i]
    return Case(
        "embedding",
        f"{COUNT} of {VOCABULARY}x{WIDTH}" + (" fwd+bwd" if gradient else ""),
        _inputs,
        run,
        gradient=(0,) if gradient else (),
        bytes=(24 if gradient else 8) * COUNT * WIDTH,
    )


CASES = [_case(False), _case(True)]
