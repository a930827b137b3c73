"""What fit, evaluate and predict take as data, turned into batches of tensors.

A batch is a tuple `(x,)`, `(x, y)` or `(x, y, sample_weight)`, where each may be a list or dict.
"""

from __future__ import annotations

import numbers
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from pydl import random, tree
from pydl._call_errors import show
from pydl.data.workers import parallel_map
from pydl.models.array_data import ArrayData
from pydl.models.class_weights import with_class_weight
from pydl.models.convert_data import Converter, is_array_like, lists_to_arrays, split_batch


class SequenceData:
    """Batches from an object with `__len__` and `__getitem__`, as a `keras.utils.PyDataset`.

    Args:
        source: the object; its `on_epoch_begin()` and `on_epoch_end()` are called where it has them.
            One with `workers` above 1 has its batches made ahead.
        shuffle: whether to take its batches in random order.
        prepare: makes tensors of a batch.
    """

    def __init__(self, source: Any, shuffle: bool, prepare: Any) -> None:
        self._source = source
        self._shuffle = shuffle
        self._prepare = prepare
        self.restarts = True

    @property
    def num_batches(self) -> int:
        """Batches an epoch."""
        return len(self._source)

    def __iter__(self) -> Iterator[tuple]:
        count = len(self._source)
        order = random.permutation(count).tolist() if self._shuffle else range(count)
        getattr(self._source, "on_epoch_begin", _nothing)()
        for batch in self._batches(order):
            yield self._prepare(batch)
        getattr(self._source, "on_epoch_end", _nothing)()

    def _batches(self, order: Iterable[int]) -> Iterator[Any]:
        workers = getattr(self._source, "workers", 1)
        processes = getattr(self._source, "use_multiprocessing", False)
        if workers <= 1 and not processes:
            return map(self._source.__getitem__, order)
        ahead = getattr(self._source, "max_queue_size", None)
        return parallel_map(self._source.__getitem__, order, max(1, workers), processes, ahead)


def _nothing() -> None:
    """What a source without the method does."""


class IterableData:
    """Batches from a generator or another iterable.

    Args:
        source: yields `x`, `(x, y)` or `(x, y, sample_weight)`.
        prepare: makes tensors of a batch.
    """

    def __init__(self, source: Any, prepare: Any) -> None:
        self._source = source
        self._prepare = prepare
        self.restarts = not hasattr(source, "__next__")
        # The loaders of torch make lists [x, y]; elsewhere a list holds several inputs.
        self._yields_lists = type(source).__module__.startswith("torch.")

    @property
    def num_batches(self) -> int | None:
        """Batches an epoch, where the source knows."""
        try:
            return len(self._source)
        except TypeError:
            return None

    def __iter__(self) -> Iterator[tuple]:
        for batch in self._source:
            yield self._prepare(tuple(batch) if self._yields_lists else batch)


def make_data(
    name: str,
    x: Any,
    y: Any = None,
    sample_weight: Any = None,
    *,
    converter: Converter,
    batch_size: int | None = None,
    shuffle: bool | str = False,
    class_weight: dict[int, float] | None = None,
) -> ArrayData | SequenceData | IterableData:
    """The batches of whatever the user passed.

    Args:
        name: of the method, for error messages.
        x: arrays, or a generator, iterable or sequence of batches.
        y: targets, only beside arrays.
        sample_weight: weights of samples, only beside arrays.
        converter: makes tensors of arrays.
        batch_size: samples a batch for arrays, 32 by default.
        shuffle: whether to shuffle samples; `"batch"` shuffles whole batches.
        class_weight: weight of each class.

    Raises:
        ValueError: arrays of different lengths, empty data, arguments that do not go together.
        TypeError: data that is none of these.
    """
    if x is None:
        raise ValueError(f"[{name}] expected data x, got None")
    if sample_weight is not None and class_weight is not None:
        raise ValueError(f"[{name}] expected sample_weight or class_weight, got both")

    def prepare(batch: Any) -> tuple:
        return converter(with_class_weight(split_batch(batch), class_weight))

    if all(is_array_like(leaf) for leaf in tree.flatten(x)):
        batch = with_class_weight((x, y, sample_weight), class_weight)
        return ArrayData(name, converter(batch), 32 if batch_size is None else batch_size, shuffle)
    for argument, value in (("y", y), ("sample_weight", sample_weight), ("batch_size", batch_size)):
        if value is not None:
            raise ValueError(
                f"[{name}] expected no {argument} beside {type(x).__name__} data, "
                "which yields whole batches (x, y) or (x, y, sample_weight)"
            )
    if hasattr(x, "__getitem__") and hasattr(x, "__len__") and not isinstance(x, (list, dict)):
        return SequenceData(x, bool(shuffle), prepare)
    if hasattr(x, "__iter__"):
        return IterableData(x, prepare)
    raise TypeError(
        f"[{name}] expected arrays, a generator, an iterable or a sequence of batches, "
        f"got {type(x).__name__}"
    )


def split_validation(
    name: str, batch: tuple[Any, Any, Any], share: float
) -> tuple[tuple[Any, Any, Any], tuple[Any, Any, Any]]:
    """The first part of arrays for training and the last `share` of them for validation.

    Raises:
        ValueError: `share` is not in (0, 1), the data are not arrays, or a part would be empty.
    """
    batch = tuple(map(lists_to_arrays, batch))
    leaves = [leaf for leaf in tree.flatten(batch) if leaf is not None]
    if not isinstance(share, numbers.Real) or not 0 < share < 1:
        raise ValueError(f"[{name}] expected validation_split in (0, 1), got {show(share)}")
    if not all(is_array_like(leaf) for leaf in leaves):
        raise ValueError(
            f"[{name}] expected arrays with validation_split, got "
            f"{type(batch[0]).__name__}. Pass validation_data instead"
        )
    count = leaves[0].shape[0] if hasattr(leaves[0], "shape") else len(leaves[0])
    cut = int(np.floor(count * (1.0 - share)))
    if not 0 < cut < count:
        raise ValueError(
            f"[{name}] expected validation_split to leave samples on both sides, "
            f"got {share} of {count} samples"
        )

    def part(rows: slice) -> tuple[Any, Any, Any]:
        def cut_leaf(leaf: Any) -> Any:
            if leaf is None:
                return None
            return leaf.iloc[rows] if hasattr(leaf, "iloc") else leaf[rows]

        return tree.map_structure(cut_leaf, batch)

    return part(slice(0, cut)), part(slice(cut, None))
