"""Layers that turn numbers into categories and categories into rows of zeros and ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pydl import ops
from pydl._core import Tensor, as_tensor
from pydl.layers.category_arrays import (
    as_numbers,
    batches,
    check_mode,
    check_range,
    encode,
    rows_shape,
)
from pydl.layers.keras_tensor import KerasTensor
from pydl.layers.layer import Layer

__all__ = ["CategoryEncoding", "Discretization"]


class CategoryEncoding(Layer):
    """Turns numbers of categories into rows with a place for every category.

    Args:
        num_tokens: How many categories there are.
        output_mode: `"multi_hot"` marks all categories of a sample in one row, `"one_hot"` gives
            every number a row, `"count"` counts.
        sparse: Only False: there are no sparse tensors.

    Call arguments:
        inputs: Integers from 0 to `num_tokens - 1`, `(..., items)`.
        count_weights: What each item counts for, like `inputs`; for `"count"` only.

    Returns:
        Floats, `(..., num_tokens)`; `(..., items, num_tokens)` for `"one_hot"`, where a last axis
        of size 1 goes away.

    Raises:
        ValueError: a number outside of the range; the message names the row.

    Example:
        >>> import pydl
        >>> pydl.layers.CategoryEncoding(num_tokens=4)([[0, 1], [3, 3]]).tolist()
        [[1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0]]
    """

    def __init__(
        self,
        num_tokens: int | None = None,
        output_mode: str = "multi_hot",
        sparse: bool = False,
        **kwargs,
    ):
        super().__init__(**kwargs)
        modes = ("multi_hot", "one_hot", "count")
        self.output_mode = check_mode(self.name, output_mode, modes, sparse)
        if num_tokens is None or num_tokens < 1:
            raise ValueError(f"[{self.name}] expected num_tokens of at least 1, got {num_tokens}.")
        self.num_tokens = num_tokens

    def call(self, inputs, count_weights=None):
        if count_weights is not None and self.output_mode != "count":
            raise ValueError(
                f"[{self.name}] expected count_weights with output_mode 'count' only, got "
                f"{self.output_mode!r}."
            )
        indices = as_numbers(self.name, inputs, "int64")
        check_range(self.name, indices, self.num_tokens)
        weights = None if count_weights is None else as_numbers(self.name, count_weights)
        rows = encode(indices, self.output_mode, self.num_tokens, "float32", weights)
        return ops.cast(as_tensor(rows), self.compute_dtype)

    def compute_output_shape(self, input_shape):
        return rows_shape(input_shape, self.output_mode, self.num_tokens)


class Discretization(Layer):
    """Turns numbers into the number of the interval that they lie in.

    Args:
        bin_boundaries: Where the intervals end, ascending; n of them make n + 1 intervals, each of
            which includes its lower end.
        num_bins: How many intervals `adapt` should find, with about as many samples in each.
        epsilon: How much the share of samples in an interval may be off after `adapt`.
        output_mode: `"int"`, or `"one_hot"`, `"multi_hot"`, `"count"` as in `CategoryEncoding`.
        sparse: Only False: there are no sparse tensors.

    Call arguments:
        inputs: Numbers, any shape.

    Returns:
        int32 of the same shape, or rows as `CategoryEncoding` makes them.

    Raises:
        ValueError: not exactly one of `bin_boundaries` and `num_bins`, or a call before `adapt`.

    Example:
        >>> import pydl
        >>> layer = pydl.layers.Discretization(bin_boundaries=[0.0, 1.0, 2.0])
        >>> layer([[-1.5, 1.0, 3.4, 0.5]]).tolist()
        [[0, 2, 3, 1]]
    """

    def __init__(
        self,
        bin_boundaries: Sequence[float] | None = None,
        num_bins: int | None = None,
        epsilon: float = 0.01,
        output_mode: str = "int",
        sparse: bool = False,
        **kwargs,
    ):
        super().__init__(**kwargs)
        modes = ("int", "one_hot", "multi_hot", "count")
        self.output_mode = check_mode(self.name, output_mode, modes, sparse)
        if (bin_boundaries is None) == (num_bins is None):
            raise ValueError(f"[{self.name}] expected one of bin_boundaries and num_bins.")
        if num_bins is not None and num_bins < 0:
            raise ValueError(f"[{self.name}] expected num_bins of at least 0, got {num_bins}.")
        self.bin_boundaries = None if bin_boundaries is None else [*map(float, bin_boundaries)]
        self.num_bins = num_bins
        self.epsilon = epsilon

    def adapt(self, data: Any, steps: int | None = None) -> None:
        """Find boundaries that leave as many samples of `data` in every interval.

        Args:
            data: An array or tensor, or an iterable of batches.
            steps: How many batches to read; None for all.

        Raises:
            ValueError: the boundaries were given to the constructor, or there are no data.
        """
        if self.num_bins is None:
            raise ValueError(f"[{self.name}] expected num_bins to adapt, got bin_boundaries.")
        whole = isinstance(data, (np.ndarray, Tensor)) or hasattr(data, "__array__")
        summary = np.empty((2, 0), "float32")
        for batch in batches(self.name, [data] if whole else data, steps):
            values = as_numbers(self.name, batch, "float32").ravel()
            summary = _merge(_summarize(values, self.epsilon), summary, self.epsilon)
        if not summary.shape[1]:
            raise ValueError(f"[{self.name}] expected data, got none.")
        self.bin_boundaries = _compress(summary, 1.0 / self.num_bins)[0, :-1].tolist()

    def call(self, inputs):
        if self.bin_boundaries is None:
            raise ValueError(
                f"[{self.name}] expected boundaries. Hint: call adapt(data) first, or pass "
                "bin_boundaries."
            )
        # In float32, as the inputs: a boundary that float32 cannot hold would else shift.
        boundaries = np.asarray(self.bin_boundaries, self._array_dtype)
        indices = np.digitize(as_numbers(self.name, inputs), boundaries).astype("int32")
        if self.output_mode == "int":
            return as_tensor(np.atleast_1d(indices)).reshape(indices.shape)
        rows = encode(indices, self.output_mode, len(self.bin_boundaries) + 1, "float32")
        return ops.cast(as_tensor(rows), self.compute_dtype)

    @property
    def _array_dtype(self) -> str:
        return "float64" if self.compute_dtype == "float64" else "float32"

    def compute_output_shape(self, input_shape):
        if self.output_mode == "int":
            return input_shape
        known = self.bin_boundaries is not None
        depth = len(self.bin_boundaries) + 1 if known else self.num_bins
        return rows_shape(input_shape, self.output_mode, depth)

    def compute_output_spec(self, inputs):
        dtype = "int32" if self.output_mode == "int" else self.compute_dtype
        return KerasTensor(self.compute_output_shape(inputs.shape), dtype)

    def get_config(self):
        return {**super().get_config(), "bin_boundaries": self.bin_boundaries}

    @classmethod
    def from_config(cls, config):
        boundaries = config.get("bin_boundaries")
        if boundaries is None or config.get("num_bins") is None:
            return super().from_config(config)
        layer = super().from_config({**config, "bin_boundaries": None})
        layer.bin_boundaries = list(boundaries)  # what adapt had found
        return layer


def _summarize(values: np.ndarray, epsilon: float) -> np.ndarray:
    """Values at even steps of the sorted ones, over how many samples each stands for."""
    values = np.sort(values)
    step = max(values.size * epsilon, 1)
    boundaries = values[int(step - 1) :: int(step)]
    return np.stack([boundaries, np.full_like(boundaries, step)])


def _merge(one: np.ndarray, other: np.ndarray, epsilon: float) -> np.ndarray:
    merged = np.concatenate((one, other), axis=1)
    return _compress(merged[:, np.argsort(merged[0])], epsilon)


def _compress(summary: np.ndarray, epsilon: float) -> np.ndarray:
    """A summary of about `1 / epsilon` values, interpolated at even shares of the samples."""
    if summary.shape[1] * epsilon < 1:
        return summary
    shares = epsilon + np.arange(0.0, 1.0, epsilon)
    total = summary[1].cumsum()
    values = np.interp(shares, total / total[-1], summary[0])
    counts = np.interp(shares, total / total[-1], total)
    return np.stack((values, np.diff(counts, prepend=0))).astype("float32")
