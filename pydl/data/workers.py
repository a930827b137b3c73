"""Threads and processes that work ahead of the loop that takes their results."""

from __future__ import annotations

import multiprocessing
import os
import queue
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from typing import Any

__all__ = ["AUTOTUNE", "parallel_map", "prefetch", "worker_count"]

AUTOTUNE = -1  # as many workers as there are cores


def worker_count(requested: int | None) -> int:
    """Workers for an argument `num_parallel_calls`: 0 for none, `AUTOTUNE` for one a core.

    Raises:
        ValueError: a number below 1 that is not `AUTOTUNE`.
    """
    if requested is None:
        return 0
    if requested == AUTOTUNE:
        return os.cpu_count() or 1
    if requested < 1:
        raise ValueError(
            f"[Dataset] expected num_parallel_calls to be at least 1 or AUTOTUNE, got {requested}."
        )
    return requested


def parallel_map(
    function: Callable,
    items: Iterable[Any],
    workers: int,
    processes: bool = False,
    ahead: int | None = None,
) -> Iterator[Any]:
    """`function` of every item, in order, computed ahead by threads or processes.

    At most `ahead` items are under way, two a worker where it is None, so memory stays bounded and
    an endless `items` is fine. The workers end when the iterator is exhausted or dropped.
    """
    ahead = 2 * workers if ahead is None else max(1, ahead)
    with _executor(function, workers, processes) as executor:
        function = _call_function if processes else function
        pending: deque[Future] = deque()
        try:
            for item in items:
                pending.append(executor.submit(function, item))
                if len(pending) >= ahead:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            for future in pending:
                future.cancel()


def _executor(function: Callable, workers: int, processes: bool) -> Executor:
    if not processes:
        return ThreadPoolExecutor(workers, thread_name_prefix="pydl-data")
    # Forked workers have the function already, also one that cannot be pickled.
    method = "fork" if "fork" in multiprocessing.get_all_start_methods() else "spawn"
    context = multiprocessing.get_context(method)
    return ProcessPoolExecutor(workers, context, _keep_function, (function,))


_function: Callable | None = None  # what this worker process is for


def _keep_function(function: Callable) -> None:
    global _function
    _function = function


def _call_function(item: Any) -> Any:
    return _function(item)


class _End:
    """What the thread puts behind the last item: the error that ended it, or None."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


def prefetch(items: Iterable[Any], size: int) -> Iterator[Any]:
    """The items, produced by a thread that stays up to `size` of them ahead."""
    ready: queue.Queue = queue.Queue(size)
    stopped = threading.Event()

    def put(item: Any) -> bool:
        while not stopped.is_set():
            try:
                ready.put(item, timeout=0.1)
                return True
            except queue.Full:
                continue
        return False

    def produce() -> None:
        error: BaseException | None = None
        try:
            for item in items:
                if not put(item):
                    return
        except BaseException as raised:  # the loop that takes the items raises it
            error = raised
        put(_End(error))

    thread = threading.Thread(target=produce, name="pydl-prefetch", daemon=True)
    thread.start()
    try:
        while not isinstance(item := ready.get(), _End):
            yield item
        if item.error is not None:
            raise item.error
    finally:
        stopped.set()
        thread.join(timeout=1.0)
