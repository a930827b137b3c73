"""Windows that slide over a time series."""

from __future__ import annotations

from typing import Any

import numpy as np

from pydl import random
from pydl.data.dataset import Dataset

__all__ = ["timeseries_dataset_from_array"]


def timeseries_dataset_from_array(
    data: Any,
    targets: Any,
    sequence_length: int,
    sequence_stride: int = 1,
    sampling_rate: int = 1,
    batch_size: int | None = 128,
    shuffle: bool = False,
    seed: int | None = None,
    start_index: int | None = None,
    end_index: int | None = None,
) -> Dataset:
    """A data set of windows of a time series, in batches.

    Args:
        data: The series, `(time steps, ...)`.
        targets: `targets[i]` belongs to the window that starts at step `i`; None for none.
        sequence_length: Time steps a window.
        sequence_stride: Steps from the start of one window to that of the next.
        sampling_rate: Steps from one element of a window to the next.
        batch_size: Windows a batch; None for single windows.
        shuffle: Whether to shuffle the windows, anew in every epoch.
        seed: Of the shuffle; None takes one from the global stream.
        start_index: Steps before it are not used.
        end_index: This step and those behind it are not used.

    Returns:
        A Dataset of batches `(windows, sequence_length, ...)`, or of pairs of them and targets.

    Raises:
        ValueError: sizes below 1 or beyond the series, or a series shorter than a window.

    Example:
        >>> series = np.arange(10)
        >>> windows = timeseries_dataset_from_array(series[:-3], series[3:], 3, batch_size=2)
        >>> x, y = next(iter(windows))
        >>> x.tolist(), y.tolist()
        ([[0, 1, 2], [1, 2, 3]], [3, 4])
    """
    series = np.asarray(data)
    if not series.ndim:
        raise ValueError(
            f"[timeseries_dataset_from_array] expected a series of steps, got {data!r}."
        )
    start, end = _check_range(len(series), start_index, end_index)
    sizes = {"sequence_stride": sequence_stride, "sampling_rate": sampling_rate}
    for name, size in {"sequence_length": sequence_length, **sizes}.items():
        if size < 1 or (name in sizes and size >= len(series)):
            raise ValueError(
                f"[timeseries_dataset_from_array] expected {name} from 1 to "
                f"{len(series) - 1}, got {size}."
            )
    count = end - start - (sequence_length - 1) * sampling_rate
    if targets is not None:
        targets = np.asarray(targets)
        count = min(count, len(targets) - start)
    if count < 1:
        raise ValueError(
            f"[timeseries_dataset_from_array] expected at least {sequence_length} steps "
            f"{sampling_rate} apart, got {end - start} steps"
            + ("." if targets is None else f" and {len(targets)} targets.")
        )
    first_steps = np.arange(0, count, sequence_stride)
    offsets = np.arange(sequence_length) * sampling_rate

    def window(first: np.ndarray) -> Any:
        steps = first[..., None] + offsets
        x = series[start:end][steps]
        return x if targets is None else (x, targets[start:][first])

    dataset = Dataset.from_arrays(first_steps)
    if shuffle:
        seed = random.randint((), 0, 2**62, dtype="int64").item() if seed is None else seed
        dataset = dataset.shuffle(len(first_steps), seed)
    if batch_size is not None:
        dataset = dataset.batch(batch_size)
    return dataset.map(window)


def _check_range(length: int, start: int | None, end: int | None) -> tuple[int, int]:
    first, last = start or 0, length if end is None else end
    if not 0 <= first < last <= length:
        raise ValueError(
            f"[timeseries_dataset_from_array] expected 0 <= start_index < end_index <= {length}, "
            f"got start_index={start} and end_index={end}."
        )
    return first, last
