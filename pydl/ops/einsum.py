"""Einstein summation, brought down to matrix products."""

from __future__ import annotations

import math
import string

import numpy as np

from pydl import _core
from pydl._core import Tensor
from pydl.ops.indexing import diagonal
from pydl.typing import ArrayLike

__all__ = ["einsum"]


def einsum(subscripts: str, *operands: ArrayLike) -> Tensor:
    """Sums products of elements whose axes carry the same letter, as ``numpy.einsum``.

    Each pair of operands becomes one batched matrix product; with more than two, pairs are taken in
    the order that ``numpy.einsum_path`` finds cheapest.

    Args:
        subscripts: A letter for each axis of each operand, operands apart by commas; after ``->``
            the letters of the result. Without ``->`` the result has the letters that occur once, in
            alphabetical order. ``...`` stands for further axes, which broadcast. A letter twice in
            one operand takes its diagonal.
        *operands: One tensor for each group of letters.

    Returns:
        The sum, with the axes that the result's letters name.

    Raises:
        ValueError: If `subscripts` makes no sense or does not fit the number of operands.
        ShapeError: If an operand's rank differs from its letters, or extents of a letter differ.

    Example:
        >>> pydl.ops.einsum("ij,kj->ik", [[1.0, 2.0]], [[3.0, 4.0]])
        tensor([[11.]])
    """
    tensors = [_core.as_tensor(x) for x in operands]
    terms, output = _parse(subscripts, tensors)
    extents = _extents(subscripts, terms, tensors)
    parts = [_simplified(t, x, extents) for t, x in zip(terms, tensors)]
    for i, j in _path(terms, output, tensors):
        right, left = parts.pop(max(i, j)), parts.pop(min(i, j))
        kept = set(output).union(*(letters for letters, _ in parts))
        parts.append(_contract(left, right, kept))
    letters, result = _summed(*parts[0], set(output))
    return _core.permute(result, [letters.index(c) for c in output])


def _parse(subscripts: str, tensors: list[Tensor]) -> tuple[list[str], str]:
    """The letters of each operand and of the result, ellipses written out as unused letters."""
    text = subscripts.replace(" ", "")
    inputs, arrow, output = text.partition("->")
    terms = inputs.split(",")
    if len(terms) != len(tensors) or not tensors:
        raise ValueError(
            f"[einsum] expected {len(terms)} operands for {subscripts!r}, got {len(tensors)}"
        )
    named = [t.replace("...", "") for t in terms]
    if not all(c in string.ascii_letters for c in "".join(named) + output.replace("...", "")):
        raise ValueError(f"[einsum] expected letters, commas, '...' and '->', got {subscripts!r}")
    unused = [c for c in string.ascii_letters if c not in text]
    wide = max([x.ndim - len(n) for t, n, x in zip(terms, named, tensors) if "..." in t], default=0)
    if wide > len(unused):
        raise ValueError(f"[einsum] expected at most 52 different axes, got {subscripts!r}")
    rest = "".join(unused[: max(wide, 0)])
    full = []
    for term, name, x in zip(terms, named, tensors):
        hidden = x.ndim - len(name) if "..." in term else 0
        if hidden < 0 or len(name) + hidden != x.ndim:
            raise _core.ShapeError(
                f"[einsum] expected {len(name)} axes for {term!r} of {subscripts!r}, "
                f"got shape {x.shape}"
            )
        full.append(term.replace("...", rest[len(rest) - hidden :]))
    if not arrow:
        everything = "".join(named)
        output = "..." + "".join(sorted(c for c in set(everything) if everything.count(c) == 1))
    output = output.replace("...", rest)
    if len(set(output)) != len(output) or not set(output) <= set("".join(full)):
        raise ValueError(
            f"[einsum] expected a result of different letters of the operands, got {subscripts!r}"
        )
    return full, output


def _extents(subscripts: str, terms: list[str], tensors: list[Tensor]) -> dict[str, int]:
    """The extent of each letter; 1 gives way to any other."""
    extents: dict[str, int] = {}
    for term, x in zip(terms, tensors):
        for letter, extent in zip(term, x.shape):
            known = extents.get(letter, 1)
            if extent != known and 1 not in (extent, known):
                raise _core.ShapeError(
                    f"[einsum] expected one extent for each letter of {subscripts!r}, "
                    f"got {known} and {extent}; shapes are {[x.shape for x in tensors]}"
                )
            extents[letter] = known if extent == 1 else extent
    return extents


def _simplified(term: str, x: Tensor, extents: dict[str, int]) -> tuple[str, Tensor]:
    """The operand with every letter once, and without axes of 1 that broadcast."""
    stretched = [i for i, c in enumerate(term) if x.shape[i] == 1 and extents[c] != 1]
    if stretched:
        x = _core.reshape(x, [n for i, n in enumerate(x.shape) if i not in stretched])
        term = "".join(c for i, c in enumerate(term) if i not in stretched)
    for letter in dict.fromkeys(term):
        while term.count(letter) > 1:
            first = term.index(letter)
            second = term.index(letter, first + 1)
            x = diagonal(x, axis1=first, axis2=second)  # comes as the last axis
            term = term[:first] + term[first + 1 : second] + term[second + 1 :] + letter
    return term, x


def _path(terms: list[str], output: str, tensors: list[Tensor]) -> list[tuple[int, int]]:
    """Which two operands to contract, step by step; results go to the end of the list."""
    if len(terms) <= 2:
        return [(0, 1)] if len(terms) == 2 else []
    shapes = [np.broadcast_to(np.empty(()), x.shape) for x in tensors]
    steps = np.einsum_path(",".join(terms) + "->" + output, *shapes, optimize="greedy")[0][1:]
    if any(len(step) != 2 for step in steps):  # all at once: nothing is gained by an order
        return [(0, 1)] * (len(terms) - 1)
    return [(step[0], step[1]) for step in steps]


def _summed(letters: str, x: Tensor, kept: set[str]) -> tuple[str, Tensor]:
    """The operand summed over the letters that nobody else has."""
    axes = [i for i, c in enumerate(letters) if c not in kept]
    if axes:
        x = _core.sum(x, axes, False)
    return "".join(c for c in letters if c in kept), x


def _contract(
    left: tuple[str, Tensor], right: tuple[str, Tensor], kept: set[str]
) -> tuple[str, Tensor]:
    """The product of two operands, summed over the letters that are not kept."""
    a_letters, a = _summed(*left, kept | set(right[0]))
    b_letters, b = _summed(*right, kept | set(left[0]))
    shared = [c for c in a_letters if c in b_letters]
    batch = "".join(c for c in shared if c in kept)
    inner = "".join(c for c in shared if c not in kept)
    rows = "".join(c for c in a_letters if c not in shared)
    columns = "".join(c for c in b_letters if c not in shared)
    sizes = dict(zip(a_letters + b_letters, a.shape + b.shape))

    def matrix(x: Tensor, letters: str, *groups: str) -> Tensor:
        order = [letters.index(c) for c in "".join(groups)]
        return _core.reshape(_core.permute(x, order), [count(group) for group in groups])

    def count(group: str) -> int:
        return math.prod(sizes[c] for c in group)

    product = _core.matmul(
        matrix(a, a_letters, batch, rows, inner), matrix(b, b_letters, batch, inner, columns)
    )
    letters = batch + rows + columns
    return letters, _core.reshape(product, [sizes[c] for c in letters])
