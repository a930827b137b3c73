"""Functions applied to elements, in the loop or by workers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from pydl.data.elements import rename, unpack_call
from pydl.data.workers import parallel_map, worker_count

__all__ = ["filtered", "mapped"]


class _Numbered:
    """A function of (number, element) whose errors name the number; it can go to a process."""

    def __init__(self, method: str, function: Callable) -> None:
        self._method = method
        self._function = function

    def __call__(self, numbered: tuple[int, Any]) -> Any:
        number, element = numbered
        try:
            return unpack_call(self._function, element)
        except Exception as error:
            raise rename(error, f"[Dataset.{self._method}] element {number}") from error


def mapped(
    dataset: Any, function: Callable, num_parallel_calls: int | None, processes: bool
) -> Callable[[], Iterator[Any]]:
    """What starts an iteration over `function` of every element."""
    workers = worker_count(num_parallel_calls)
    if processes and not workers:
        workers = worker_count(-1)
    apply = _Numbered("map", function)
    if not workers:
        return lambda: map(apply, enumerate(dataset))
    return lambda: parallel_map(apply, enumerate(dataset), workers, processes)


def filtered(dataset: Any, predicate: Callable) -> Callable[[], Iterator[Any]]:
    """What starts an iteration over the elements that `predicate` is true for."""
    holds = _Numbered("filter", predicate)

    def start() -> Iterator[Any]:
        for number, element in enumerate(dataset):
            if holds((number, element)):
                yield element

    return start
