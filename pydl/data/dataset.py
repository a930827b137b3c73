"""Dataset: a description of how elements are made, iterated as often as wanted."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from pydl.data import orders
from pydl.data.batching import batches, padded_batches, unbatched
from pydl.data.checks import check_counts, check_datasets, check_iterable, checked_range
from pydl.data.elements import map_leaves
from pydl.data.mapping import filtered, mapped
from pydl.data.sources import Rows, read_generator
from pydl.data.workers import prefetch

__all__ = ["Dataset"]


class Dataset:
    """A sequence of elements that may be long, endless or expensive to make.

    An element is an array, or a tuple or dict of them, such as `(x, y)`. Every method returns a new
    data set and leaves this one as it is; nothing is computed before the iteration. `fit`,
    `evaluate` and `predict` take a data set of batches.

    Make one with `from_arrays`, `from_generator`, `range` or `zip`; the names and arguments are
    those of `tf.data.Dataset`. Elements come as NumPy arrays.

    Example:
        >>> from pydl.data import Dataset
        >>> data = Dataset.from_arrays(([1, 2, 3, 4], [0, 1, 0, 1]))
        >>> data = data.map(lambda x, y: (10 * x, y)).batch(3)
        >>> for x, y in data:
        ...     print(x, y)
        [10 20 30] [0 1 0]
        [40] [1]
        >>> len(data)
        2
    """

    def __init__(
        self,
        start: Callable[[], Iterator[Any]],
        cardinality: float | None,
        rows: Rows | None = None,
    ) -> None:
        # With `rows`, `start` gives numbers of rows in place of elements, so that a shuffle moves
        # integers and a batch is gathered at once.
        self._start = start
        self._cardinality = cardinality
        self._rows = rows

    # Sources

    @staticmethod
    def from_arrays(arrays: Any) -> Dataset:
        """The rows of arrays, tensors, lists or pandas objects.

        Args:
            arrays: One array, or a tuple or dict of arrays of one length.

        Raises:
            ValueError: different lengths.

        Example:
            >>> [row["a"].item() for row in Dataset.from_arrays({"a": [5, 6], "b": [7, 8]})]
            [5, 6]
        """
        rows = Rows(arrays)
        return Dataset(lambda: iter(range(rows.count)), rows.count, rows)

    from_tensor_slices = from_arrays

    @staticmethod
    def from_generator(generator: Callable, args: tuple = ()) -> Dataset:
        """The elements that `generator(*args)` yields; it is called anew for every iteration.

        Raises:
            TypeError: no function, or, on iteration, one that returns no iterable.

        Example:
            >>> def count(n):
            ...     for i in range(n):
            ...         yield i, i * i
            >>> list(Dataset.from_generator(count, args=(3,)))
            [(0, 0), (1, 1), (2, 4)]
        """
        if not callable(generator):
            raise TypeError(
                "[Dataset.from_generator] expected a function that returns an iterable, got "
                f"{type(generator).__name__}. Hint: a generator can be used up only once; pass the "
                "function that makes it."
            )
        return Dataset(lambda: read_generator(generator, tuple(args)), None)

    @staticmethod
    def range(*args: int) -> Dataset:
        """The integers of `range(*args)`.

        Example:
            >>> [int(i) for i in Dataset.range(2, 8, 3)]
            [2, 5]
        """
        span = checked_range(args)
        return Dataset.from_arrays(np.arange(span.start, span.stop, span.step, dtype="int64"))

    @staticmethod
    def zip(*datasets: Any) -> Dataset:
        """Tuples of one element of each data set, as long as every one has another.

        Args:
            datasets: Data sets, or one tuple of them.

        Example:
            >>> [(int(a), int(b)) for a, b in Dataset.zip(Dataset.range(3), Dataset.range(5, 7))]
            [(0, 5), (1, 6)]
        """
        parts = datasets[0] if len(datasets) == 1 and isinstance(datasets[0], tuple) else datasets
        check_datasets("zip", Dataset, parts)
        lengths = [part._cardinality for part in parts]
        length = None if None in lengths else min(lengths)
        return Dataset(lambda: zip(*parts), length)

    # Elements

    def map(
        self,
        map_func: Callable,
        num_parallel_calls: int | None = None,
        deterministic: bool | None = None,
        use_processes: bool = False,
    ) -> Dataset:
        """`map_func` of every element; a tuple is passed as separate arguments.

        Args:
            map_func: Any function of the element.
            num_parallel_calls: Workers that run it ahead; `pydl.data.AUTOTUNE` for one a core; None
                runs it in the loop itself.
            deterministic: Whether to keep the order, None for yes; the order is always kept.
            use_processes: Whether the workers are processes, for functions that are slow in Python
                itself. Threads do for NumPy, pydl and files, and need no copies.

        Raises:
            Exception: what `map_func` raises, with the number of the element before the message.

        Example:
            >>> [int(x) for x in Dataset.range(3).map(lambda x: x + 1, num_parallel_calls=2)]
            [1, 2, 3]
        """
        return Dataset(mapped(self, map_func, num_parallel_calls, use_processes), self._cardinality)

    def filter(self, predicate: Callable) -> Dataset:
        """The elements for which `predicate` is true.

        Example:
            >>> [int(x) for x in Dataset.range(6).filter(lambda x: x % 2 == 0)]
            [0, 2, 4]
        """
        return Dataset(filtered(self, predicate), None)

    def enumerate(self, start: int = 0) -> Dataset:
        """Pairs of a number and an element.

        Example:
            >>> [(i, int(x)) for i, x in Dataset.range(5, 7).enumerate()]
            [(0, 5), (1, 6)]
        """
        return Dataset(lambda: enumerate(iter(self), start), self._cardinality)

    def flat_map(self, map_func: Callable) -> Dataset:
        """The elements of all the data sets that `map_func` makes of the elements.

        Example:
            >>> [int(x) for x in Dataset.range(1, 4).flat_map(lambda n: Dataset.range(n))]
            [0, 0, 1, 0, 1, 2]
        """
        made = mapped(self, map_func, None, False)
        return Dataset(
            lambda: itertools.chain.from_iterable(check_iterable("flat_map", m) for m in made()),
            None,
        )

    def interleave(
        self,
        map_func: Callable,
        cycle_length: int = 4,
        block_length: int = 1,
        num_parallel_calls: int | None = None,
    ) -> Dataset:
        """The elements of the data sets that `map_func` makes, several of those at a time.

        Args:
            map_func: Makes a data set, or another iterable, of an element.
            cycle_length: How many of them take turns.
            block_length: How many elements one gives at its turn.
            num_parallel_calls: Workers that make the data sets ahead.

        Example:
            >>> data = Dataset.range(2).interleave(lambda n: Dataset.range(10 * n, 10 * n + 2))
            >>> [int(x) for x in data]
            [0, 10, 1, 11]
        """
        check_counts("interleave", cycle_length=cycle_length, block_length=block_length)
        made = mapped(self, map_func, num_parallel_calls, False)
        return Dataset(
            lambda: orders.interleave(
                made(), lambda m: check_iterable("interleave", m), cycle_length, block_length
            ),
            None,
        )

    # Batches

    def batch(self, batch_size: int, drop_remainder: bool = False) -> Dataset:
        """Batches of elements, stacked along a new first axis.

        Args:
            batch_size: Elements a batch.
            drop_remainder: Whether to leave out a last batch that is smaller.

        Raises:
            ShapeError: elements of different shapes, on iteration; the message names the row.

        Example:
            >>> [batch.tolist() for batch in Dataset.range(5).batch(2, drop_remainder=True)]
            [[0, 1], [2, 3]]
        """
        check_counts("batch", batch_size=batch_size)
        return Dataset(
            batches(self, batch_size, drop_remainder), self._parts(batch_size, drop_remainder)
        )

    def padded_batch(
        self,
        batch_size: int,
        padded_shapes: Any = None,
        padding_values: Any = 0,
        drop_remainder: bool = False,
    ) -> Dataset:
        """Batches of elements of different sizes, padded behind to that of the largest.

        Args:
            batch_size: Elements a batch.
            padded_shapes: Sizes wanted instead, a tuple for each array of an element; None in it
                for the size of the largest.
            padding_values: What to pad with, one for all or one for each array of an element.
            drop_remainder: Whether to leave out a last batch that is smaller.

        Raises:
            ShapeError: elements of different ranks or larger than `padded_shapes`.

        Example:
            >>> data = Dataset.from_generator(lambda: iter([[1], [2, 3]]))
            >>> [batch.tolist() for batch in data.padded_batch(2)]
            [[[1, 0], [2, 3]]]
        """
        check_counts("padded_batch", batch_size=batch_size)
        start = padded_batches(self, batch_size, padded_shapes, padding_values, drop_remainder)
        return Dataset(start, self._parts(batch_size, drop_remainder))

    def unbatch(self) -> Dataset:
        """The elements of batches, one by one.

        Example:
            >>> [int(x) for x in Dataset.range(3).batch(2).unbatch()]
            [0, 1, 2]
        """
        return Dataset(lambda: unbatched(self), None)

    def window(
        self, size: int, shift: int | None = None, stride: int = 1, drop_remainder: bool = False
    ) -> Dataset:
        """Windows of elements, each a small data set: `flat_map(lambda w: w.batch(size))` follows.

        Args:
            size: Elements a window.
            shift: From the start of one window to that of the next; None for `size`.
            stride: From one element of a window to the next.
            drop_remainder: Whether to leave out windows at the end that are smaller.

        Returns:
            A data set of data sets; of tuples or dicts of them where elements are that.

        Example:
            >>> data = Dataset.range(5).window(3, shift=1, drop_remainder=True)
            >>> [row.tolist() for row in data.flat_map(lambda w: w.batch(3))]
            [[0, 1, 2], [1, 2, 3], [2, 3, 4]]
        """
        shift = size if shift is None else shift
        check_counts("window", size=size, shift=shift, stride=stride)

        def start() -> Iterator[Any]:
            for items in orders.windows(self, size, shift, stride, drop_remainder):
                yield map_leaves(lambda *leaves: _of_list(leaves), *items)

        return Dataset(start, None)

    # Order

    def shuffle(
        self,
        buffer_size: int,
        seed: int | None = None,
        reshuffle_each_iteration: bool = True,
    ) -> Dataset:
        """The elements in random order, drawn from a buffer of the next `buffer_size`.

        Args:
            buffer_size: As many as there are elements for an even shuffle.
            seed: An integer for orders that can be had again; None takes one from the global
                stream, which `pydl.set_random_seed` starts.
            reshuffle_each_iteration: Whether each epoch has an order of its own.

        Example:
            >>> data = Dataset.range(4).shuffle(4, seed=1)
            >>> sorted(int(x) for x in data)
            [0, 1, 2, 3]
        """
        check_counts("shuffle", buffer_size=buffer_size)
        return self._reordered(
            orders.Shuffle(buffer_size, seed, reshuffle_each_iteration), self._cardinality
        )

    def repeat(self, count: int | None = None) -> Dataset:
        """The elements `count` times, or without end for None or -1.

        Example:
            >>> [int(x) for x in Dataset.range(2).repeat(2)]
            [0, 1, 0, 1]
        """
        if count is not None:
            check_counts("repeat", -1, count=count)
        times = None if count in (None, -1) else count
        length = self._cardinality
        if length:
            length = math.inf if times is None else length * times
        return Dataset(lambda: orders.repeat(self._start, times), length, self._rows)

    def take(self, count: int) -> Dataset:
        """The first `count` elements; all for -1.

        Example:
            >>> [int(x) for x in Dataset.range(9).take(2)]
            [0, 1]
        """
        check_counts("take", -1, count=count)
        count = math.inf if count < 0 else count
        stop = None if count == math.inf else count
        length = None if self._cardinality is None else min(self._cardinality, count)
        return self._reordered(lambda items: itertools.islice(items, stop), length)

    def skip(self, count: int) -> Dataset:
        """All but the first `count` elements.

        Example:
            >>> [int(x) for x in Dataset.range(4).skip(2)]
            [2, 3]
        """
        check_counts("skip", 0, count=count)
        length = None if self._cardinality is None else max(self._cardinality - count, 0)
        return self._reordered(lambda items: itertools.islice(items, count, None), length)

    def shard(self, num_shards: int, index: int) -> Dataset:
        """Every `num_shards`-th element from number `index` on.

        Example:
            >>> [int(x) for x in Dataset.range(5).shard(2, 1)]
            [1, 3]
        """
        check_counts("shard", num_shards=num_shards)
        check_counts("shard", 0, num_shards, index=index)
        length = self._cardinality
        if length is not None and length != math.inf:
            length = max(0, -(-(length - index) // num_shards))
        return self._reordered(
            lambda items: itertools.islice(items, index, None, num_shards), length
        )

    def concatenate(self, dataset: Dataset) -> Dataset:
        """The elements of this data set, then those of another.

        Example:
            >>> [int(x) for x in Dataset.range(2).concatenate(Dataset.range(1))]
            [0, 1, 0]
        """
        check_datasets("concatenate", Dataset, [dataset])
        lengths = (self._cardinality, dataset._cardinality)
        return Dataset(
            lambda: itertools.chain(self, dataset), None if None in lengths else sum(lengths)
        )

    # Speed

    def cache(self) -> Dataset:
        """The same elements, kept in memory once an iteration has gone through all of them.

        Example:
            >>> data = Dataset.range(3).map(lambda x: x * x).cache()
            >>> [int(x) for x in data], [int(x) for x in data]
            ([0, 1, 4], [0, 1, 4])
        """
        return Dataset(orders.cached(self), self._cardinality)

    def prefetch(self, buffer_size: int) -> Dataset:
        """The same elements, made by a thread that works ahead of the loop.

        Args:
            buffer_size: How many elements it may be ahead; `pydl.data.AUTOTUNE` for 2.

        Example:
            >>> [int(x) for x in Dataset.range(3).prefetch(2)]
            [0, 1, 2]
        """
        size = 2 if buffer_size == -1 else buffer_size
        check_counts("prefetch", buffer_size=size)
        return Dataset(lambda: prefetch(self, size), self._cardinality)

    # Iteration

    def __iter__(self) -> Iterator[Any]:
        return iter(self._start()) if self._rows is None else map(self._rows.row, self._start())

    def __len__(self) -> int:
        if self._cardinality is None or self._cardinality == math.inf:
            known = "is endless" if self._cardinality == math.inf else "does not know its length"
            raise TypeError(f"[Dataset] expected a data set with a length, got one that {known}.")
        return int(self._cardinality)

    def __bool__(self) -> bool:
        return True

    def cardinality(self) -> int:
        """The number of elements; -1 for endless, -2 for not known, as in `tf.data`.

        Example:
            >>> Dataset.range(3).cardinality(), Dataset.range(3).repeat().cardinality()
            (3, -1)
        """
        if self._cardinality is None:
            return -2
        return -1 if self._cardinality == math.inf else int(self._cardinality)

    def as_numpy_iterator(self) -> Iterator[Any]:
        """The iterator itself: elements are NumPy arrays already.

        Example:
            >>> next(Dataset.range(3).as_numpy_iterator()).item()
            0
        """
        return iter(self)

    def apply(self, transformation_func: Callable[[Dataset], Dataset]) -> Dataset:
        """`transformation_func(self)`, for pipelines written as a chain.

        Example:
            >>> len(Dataset.range(9).apply(lambda data: data.take(2)))
            2
        """
        return transformation_func(self)

    def __repr__(self) -> str:
        return f"<Dataset cardinality={self.cardinality()}>"

    def _reordered(self, reorder: Callable, cardinality: float | None) -> Dataset:
        return Dataset(lambda: reorder(iter(self._start())), cardinality, self._rows)

    def _parts(self, size: int, drop_remainder: bool) -> float | None:
        length = self._cardinality
        if length is None or length == math.inf:
            return length
        return length // size if drop_remainder else -(-length // size)


def _of_list(items: Iterable[Any]) -> Dataset:
    items = list(items)
    return Dataset(lambda: iter(items), len(items))
