"""What a call costs when there is nothing to compute: the price of Python, checks and the tape."""

from __future__ import annotations

from benchmarks.case import Case, floats


def _pydl_recorded(pydl, a, b):
    a.requires_grad = True
    return lambda: pydl.ops.add(a, b)


def _torch_recorded(torch, a, b):
    a.requires_grad_()
    return lambda: torch.add(a, b)


def _pydl_linear(pydl, x, w, b):
    leaves = [w, b]
    for leaf in leaves:
        leaf.requires_grad = True
    return lambda: pydl.autograd.grad(pydl.ops.sum(pydl.ops.linear(x, w, b)), leaves)


def _torch_linear(torch, x, w, b):
    leaves = [w.requires_grad_(), b.requires_grad_()]
    return lambda: torch.autograd.grad((x @ w + b).sum(), leaves)


CASES = [
    Case(
        "small",
        "add, 4 numbers",
        floats(4, 4),
        {
            "pydl": lambda pydl, a, b: pydl.ops.add(a, b),
            "numpy": lambda np, a, b: np.add(a, b),
            "torch": lambda torch, a, b: torch.add(a, b),
            "jax": lambda jax, a, b: a + b,
        },
    ),
    Case(
        "small",
        "add, 4 numbers, recorded",
        floats(4, 4),
        prepare={"pydl": _pydl_recorded, "torch": _torch_recorded},
    ),
    Case(
        "small",
        "linear+sum+backward 4x8x4",
        floats((4, 8), (8, 4), (4,)),
        prepare={"pydl": _pydl_linear, "torch": _torch_linear},
    ),
]
