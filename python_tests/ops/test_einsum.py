"""Einstein summation against NumPy."""

import numpy as np
import pytest

import pydl
from pydl.testing import OpSpec, OpTests, Sample

CASES = [
    ("ij,jk->ik", (2, 3), (3, 4)),
    ("ij,jk", (2, 3), (3, 4)),
    ("bij,bkj->bik", (2, 3, 4), (2, 5, 4)),
    ("bqhd,bkhd->bhqk", (2, 3, 2, 4), (2, 5, 2, 4)),
    ("ij->ji", (2, 3)),
    ("ij->", (2, 3)),
    ("ij->j", (2, 3)),
    ("ii->i", (3, 3)),
    ("ii", (3, 3)),
    ("iij->ji", (3, 3, 2)),
    ("i,j->ij", (2,), (3,)),
    ("i,i->", (3,), (3,)),
    ("i,i->i", (3,), (3,)),
    ("ij,j->", (2, 3), (3,)),
    ("...ij,...jk->...ik", (2, 1, 3, 4), (5, 4, 2)),
    ("...i->...", (2, 3, 4)),
    ("i...,i...", (3, 2), (3, 2)),
    ("ij,jk,kl->il", (2, 3), (3, 4), (4, 2)),
    ("ab,bc,cd,de->ae", (2, 3), (3, 4), (4, 2), (2, 3)),
    ("ij,ij->ij", (1, 3), (2, 3)),
    ("ij,jk->ik", (0, 3), (3, 4)),
    ("ij,jk->ik", (2, 0), (0, 4)),
    (" i j , j -> i ", (2, 3), (3,)),
]


def samples(rng):
    return [Sample(text, *(rng.normal(size=s) for s in shapes)) for text, *shapes in CASES]


def call(text, *shapes):
    return lambda: pydl.ops.einsum(text, *(np.ones(s) for s in shapes))


class TestEinsum(OpTests):
    specs = [
        OpSpec(
            "einsum",
            pydl.ops.einsum,
            np.einsum,
            samples,
            errors=[
                (call("ij,jk->ik", (2, 3)), ValueError, r"\[einsum\] expected 2 operands .* got 1"),
                (call("ij,jk->ik", (2, 3), (4, 5)), pydl.errors.ShapeError, r"\[einsum\].*got 3 and 4"),
                (call("ij->i", (2, 3, 4)), pydl.errors.ShapeError, r"expected 2 axes for 'ij'.*\(2, 3, 4\)"),
                (call("ij->k", (2, 3)), ValueError, "result of different letters"),
                (call("ij->ii", (2, 3)), ValueError, "result of different letters"),
                (call("i1->i", (2, 3)), ValueError, "expected letters"),
            ],
        )
    ]


@pytest.mark.parametrize("seed", range(30))
def test_random_expressions(seed):
    """Operands of random letters and a random result."""
    rng = np.random.default_rng(seed)
    sizes = dict(zip("abcde", rng.integers(1, 4, 5)))
    terms = ["".join(rng.choice(list("abcde"), rng.integers(1, 4))) for _ in range(rng.integers(1, 4))]
    used = sorted(set("".join(terms)))
    output = "".join(rng.permutation(used)[: rng.integers(0, len(used) + 1)])
    text = ",".join(terms) + "->" + output
    arrays = [rng.normal(size=[sizes[c] for c in t]) for t in terms]
    np.testing.assert_allclose(pydl.ops.einsum(text, *arrays).numpy(), np.einsum(text, *arrays), rtol=1e-10)
