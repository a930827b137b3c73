"""Batches by number, in classes of the user's own."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

__all__ = ["PyDataset", "Sequence"]


class PyDataset:
    """Base class for data that give a batch by its number.

    A subclass defines `__len__` (the number of batches) and `__getitem__` (a batch: `x`, `(x, y)`
    or `(x, y, sample_weight)`), and may define `on_epoch_begin` and `on_epoch_end`. `fit`,
    `evaluate` and `predict` take it.

    Args:
        workers: Threads, or processes, that make batches ahead while `fit` computes.
        use_multiprocessing: Whether they are processes, for work that is slow in Python itself.
        max_queue_size: The most batches that are made ahead.

    Example:
        >>> class Squares(PyDataset):
        ...     def __len__(self):
        ...         return 3
        ...     def __getitem__(self, index):
        ...         x = np.full((2, 1), index, "float32")
        ...         return x, x * x
        >>> [y.item(0) for x, y in Squares(workers=2)]
        [0.0, 1.0, 4.0]
    """

    def __init__(
        self, workers: int = 1, use_multiprocessing: bool = False, max_queue_size: int = 10
    ) -> None:
        self.workers = workers
        self.use_multiprocessing = use_multiprocessing
        self.max_queue_size = max_queue_size

    def __getitem__(self, index: int) -> Any:
        """The batch of that number."""
        raise NotImplementedError(
            f"[{type(self).__name__}] expected the class to define __getitem__."
        )

    @property
    def num_batches(self) -> int | None:
        """The number of batches; None for no end."""
        if hasattr(self, "__len__"):
            return len(self)
        raise NotImplementedError(
            f"[{type(self).__name__}] expected the class to define __len__ or num_batches."
        )

    def __iter__(self) -> Iterator[Any]:
        count = self.num_batches
        for index in itertools.count() if count is None else range(count):
            yield self[index]

    def on_epoch_begin(self) -> None:
        """Called before every epoch."""

    def on_epoch_end(self) -> None:
        """Called after every epoch."""


Sequence = PyDataset
