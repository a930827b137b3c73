"""Shapes of the results of any function, found by running it on zeros."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydl import ops, tree
from pydl._core import Tensor
from pydl.autograd import no_grad
from pydl.layers.context import context
from pydl.layers.keras_tensor import KerasTensor

__all__ = ["infer_outputs"]

# Sizes tried for dimensions that are not known; large ones only where small ones do not fit.
_SIZES = ((2, 3), (64, 97))


def infer_outputs(function: Callable, args: tuple, kwargs: dict) -> Any:
    """Return what `function` makes of symbolic tensors, as symbolic tensors.

    The function runs twice without gradients, on zeros, with two sizes in place of every unknown
    dimension. A size of the result that differs between the runs is unknown too.

    Args:
        function: Any function of tensors.
        args: Positional arguments, KerasTensors anywhere in them.
        kwargs: Keyword arguments, likewise.

    Returns:
        The structure that `function` returns, with KerasTensors in place of tensors.

    Raises:
        ValueError: the two runs give different structures.
        Exception: whatever `function` raises.
    """
    for sizes in _SIZES:
        try:
            first, second = (_run(function, args, kwargs, size) for size in sizes)
            break
        except Exception:
            if sizes is _SIZES[-1] or not _has_unknown_sizes(args, kwargs):
                raise
    others = iter(tree.flatten(second))
    if len(tree.flatten(first)) != len(tree.flatten(second)):
        raise ValueError("[Layer] expected the same number of results whatever the batch size.")
    return tree.map_structure(lambda one: _merge(one, next(others)), first)


def _run(function: Callable, args: tuple, kwargs: dict, size: int) -> Any:
    def zeros(leaf):
        if not isinstance(leaf, KerasTensor):
            return leaf
        return ops.zeros([size if n is None else n for n in leaf.shape], dtype=leaf.dtype)

    outer = context.training
    context.training = False
    try:
        with no_grad():
            return function(*tree.map_structure(zeros, args), **tree.map_structure(zeros, kwargs))
    finally:
        context.training = outer


def _has_unknown_sizes(args: tuple, kwargs: dict) -> bool:
    leaves = tree.flatten((args, kwargs))
    return any(isinstance(leaf, KerasTensor) and None in leaf.shape for leaf in leaves)


def _merge(one: Any, other: Any) -> Any:
    if not isinstance(one, Tensor):
        return one
    if one.ndim != other.ndim:
        raise ValueError(
            f"[Layer] expected one number of dimensions, got {one.ndim}, {other.ndim}."
        )
    sizes = (m if m == n else None for m, n in zip(one.shape, other.shape))
    return KerasTensor(sizes, one.dtype)
