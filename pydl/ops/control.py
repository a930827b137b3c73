"""Conditions and loops as functions, as code for several backends has them.

Everything runs at once, and is recorded like other ops: Python's own `if`, `for` and `while` do as well.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pydl import _core
from pydl._core import Tensor
from pydl.ops.shape import concatenate, flip, stack
from pydl.typing import ArrayLike

__all__ = [
    "associative_scan",
    "cond",
    "fori_loop",
    "map",
    "scan",
    "switch",
    "vectorize",
    "vectorized_map",
    "while_loop",
]


def cond(pred: ArrayLike, true_fn: Callable[[], Any], false_fn: Callable[[], Any]) -> Any:
    """``true_fn()`` if `pred` holds, else ``false_fn()``.

    Example:
        >>> pydl.ops.cond(pydl.tensor(True), lambda: 1, lambda: 2)
        1
    """
    return true_fn() if _core.as_tensor(pred).item() else false_fn()


def switch(index: ArrayLike, branches: Sequence[Callable], *operands: Any) -> Any:
    """What the function at an index makes of `operands`; an index outside means the nearest one.

    Example:
        >>> pydl.ops.switch(1, [lambda x: x, lambda x: -x], 5)
        -5
    """
    which = min(max(int(_core.as_tensor(index).item()), 0), len(branches) - 1)
    return branches[which](*operands)


def while_loop(
    cond: Callable, body: Callable, loop_vars: Any, maximum_iterations: int | None = None
) -> Any:
    """Replaces variables by what `body` makes of them, as long as `cond` holds.

    Args:
        cond: Takes the variables, returns a bool.
        body: Takes the variables, returns new ones in the same form.
        loop_vars: The first variables: a list or tuple, which both functions get as arguments, or one.
        maximum_iterations: Where to stop in any case; None for nowhere.

    Returns:
        The last variables.

    Example:
        >>> pydl.ops.while_loop(lambda i: i < 10, lambda i: i * 3, 1)
        27
    """
    several = isinstance(loop_vars, (list, tuple))
    variables, count = loop_vars if several else (loop_vars,), 0
    while count != maximum_iterations and _core.as_tensor(cond(*variables)).item():
        result = body(*variables)
        variables = result if isinstance(result, (list, tuple)) else (result,)
        count += 1
    return type(loop_vars)(variables) if several else variables[0]


def fori_loop(lower: int, upper: int, body_fun: Callable[[int, Any], Any], init_val: Any) -> Any:
    """Replaces a value by ``body_fun(i, value)`` for every i from `lower` up to `upper`, exclusive.

    Example:
        >>> pydl.ops.fori_loop(0, 4, lambda i, total: total + i, 0)
        6
    """
    for i in range(int(lower), int(upper)):
        init_val = body_fun(i, init_val)
    return init_val


def map(f: Callable, xs: Any) -> Any:
    """Applies a function to every entry of the first axis and stacks the results.

    Args:
        f: Takes an entry: a tensor, or a list, tuple or dict of them like `xs`.
        xs: A tensor, or a list, tuple or dict of tensors with first axes of one size.

    Returns:
        What `f` returns, with a first axis more.

    Example:
        >>> pydl.ops.map(lambda row: row.sum(), pydl.tensor([[1.0, 2.0], [3.0, 4.0]]))
        tensor([3., 7.])
    """
    return _stacked([f(entry) for entry in _entries(xs, _size(xs))])


def vectorized_map(function: Callable, elements: Any) -> Any:
    """The same as `map`."""
    return map(function, elements)


def scan(
    f: Callable,
    init: Any,
    xs: Any = None,
    length: int | None = None,
    reverse: bool = False,
    unroll: int | bool = 1,
) -> tuple[Any, Any]:
    """Goes through the first axis with a state: ``state, y = f(state, x)``.

    Args:
        f: Takes the state and an entry of `xs`; returns the next state and a result.
        init: The first state.
        xs: A tensor, or a list, tuple or dict of them; None gives `f` None.
        length: How many steps; needed only where `xs` is None.
        reverse: Whether to go backwards; the results stay where their entries are.
        unroll: Changes nothing here.

    Returns:
        The last state, and the results with a first axis more (None if they are None).

    Raises:
        ValueError: If there is neither `xs` nor `length`, or they differ.

    Example:
        >>> pydl.ops.scan(lambda total, x: (total + x, total), 0, pydl.tensor([1, 2, 3]))
        (tensor(6), tensor([0, 1, 3]))
    """
    found = None if xs is None else _size(xs)
    if found is None and length is None or None not in (found, length) and found != length:
        raise ValueError(f"[scan] expected xs or length, and both alike, got {found} and {length}")
    count = length if found is None else found
    entries = [None] * count if xs is None else _entries(xs, count)
    state, results = init, []
    for entry in entries[::-1] if reverse else entries:
        state, result = f(state, entry)
        results.append(result)
    return state, _stacked(results[::-1] if reverse else results)


def associative_scan(f: Callable, elems: Any, reverse: bool = False, axis: int = 0) -> Any:
    """Running results of an associative function of two: ``x0, f(x0, x1), f(f(x0, x1), x2), ...``.

    Args:
        f: Takes and returns what `elems` is, for blocks of entries at once.
        elems: A tensor, or a list, tuple or dict of them.
        reverse: Whether to begin at the end.
        axis: The axis to go along.

    Returns:
        The form and shapes of `elems`.

    Example:
        >>> pydl.ops.associative_scan(lambda a, b: a + b, pydl.tensor([1, 2, 3]))
        tensor([1, 3, 6])
    """
    leaves = [_core.as_tensor(leaf) for leaf in _leaves(elems)]
    leaves = [flip(leaf, axis) for leaf in leaves] if reverse else leaves
    total, distance = leaves[0].shape[axis], 1

    def part(leaf: Tensor, begin: int, end: int) -> Tensor:
        return _core.take(leaf, np.arange(begin, end), axis)

    while distance < total:  # doubling the distance takes as many rounds as bits
        before = _packed(elems, iter([part(leaf, 0, total - distance) for leaf in leaves]))
        here = _packed(elems, iter([part(leaf, distance, total) for leaf in leaves]))
        merged = [_core.as_tensor(leaf) for leaf in _leaves(f(before, here))]
        leaves = [
            concatenate([part(leaf, 0, distance), new], axis) for leaf, new in zip(leaves, merged)
        ]
        distance *= 2
    leaves = [flip(leaf, axis) for leaf in leaves] if reverse else leaves
    return _packed(elems, iter(leaves))


def vectorize(
    pyfunc: Callable, *, excluded: set | None = None, signature: str | None = None
) -> Callable:
    """A function of tensors from one of single elements, or of what a signature says.

    Args:
        pyfunc: A function of tensors.
        excluded: Positions and names of arguments to pass on as they are.
        signature: The last axes that `pyfunc` takes and returns: "(n),(n)->()"; None for none.

    Returns:
        A function that runs `pyfunc` for all other axes, which broadcast.

    Raises:
        ValueError: If the signature is of another form.

    Example:
        >>> add = pydl.ops.vectorize(lambda a, b: a + b)
        >>> add([1.0, 2.0], 10.0)
        tensor([11., 12.])
    """
    ranks = None
    if signature is not None:
        if signature.count("->") != 1:
            raise ValueError(
                f"[vectorize] expected a signature like '(n),(n)->()', got {signature!r}"
            )
        inputs = signature.replace(" ", "").split("->")[0]
        ranks = [len([n for n in term.split(",") if n]) for term in inputs[1:-1].split("),(")]
    excluded = excluded or set()

    def vectorized(*args: Any, **kwargs: Any) -> Any:
        places = [i for i in range(len(args)) if i not in excluded]
        tensors = [_core.as_tensor(args[i]) for i in places]
        if ranks is not None and len(ranks) != len(tensors):
            raise ValueError(f"[vectorize] expected {len(ranks)} tensors, got {len(tensors)}")
        inner = ranks or [0] * len(tensors)
        batches = [t.shape[: t.ndim - r] for t, r in zip(tensors, inner)]
        batch = np.broadcast_shapes(*batches)
        rows = [
            _core.reshape(_core.broadcast_to(t, (*batch, *t.shape[t.ndim - r :])),
                          (-1, *t.shape[t.ndim - r :])) for t, r in zip(tensors, inner)
        ]  # fmt: skip

        def one(entries: list) -> Any:
            given = dict(zip(places, entries))
            return pyfunc(*(given.get(i, arg) for i, arg in enumerate(args)), **kwargs)

        result = map(one, rows)
        leaves = [_core.reshape(leaf, (*batch, *leaf.shape[1:])) for leaf in _leaves(result)]
        return _packed(result, iter(leaves))

    return vectorized


def _leaves(value: Any) -> list:
    if isinstance(value, dict):
        value = list(value.values())
    return (
        [x for item in value for x in _leaves(item)]
        if isinstance(value, (list, tuple))
        else [value]
    )


def _packed(like: Any, leaves: Any) -> Any:
    """A structure of the form of `like` with other leaves."""
    if isinstance(like, dict):
        return {key: _packed(value, leaves) for key, value in like.items()}
    if isinstance(like, (list, tuple)):
        items = [_packed(item, leaves) for item in like]
        return type(like)(*items) if hasattr(like, "_fields") else type(like)(items)
    return next(leaves)


def _size(xs: Any) -> int:
    sizes = {_core.as_tensor(leaf).shape[:1] for leaf in _leaves(xs)}
    if len(sizes) != 1 or () in sizes:
        raise ValueError(f"[map] expected tensors with first axes of one size, got {sorted(sizes)}")
    return sizes.pop()[0]


def _entries(xs: Any, count: int) -> list:
    leaves = [_core.unstack(_core.as_tensor(leaf), 0) for leaf in _leaves(xs)]
    return [_packed(xs, iter([leaf[i] for leaf in leaves])) for i in range(count)]


def _stacked(results: list) -> Any:
    if not results or results[0] is None:
        return None
    columns = zip(*(_leaves(result) for result in results))
    return _packed(results[0], iter([stack(column, 0) for column in columns]))
