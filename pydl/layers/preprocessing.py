"""Layers that bring data to a useful range."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from pydl import ops
from pydl._core import tensor
from pydl.errors import ShapeError
from pydl.layers.category_arrays import as_numbers, batches
from pydl.layers.layer import Layer

__all__ = ["Normalization", "Rescaling"]

_EPSILON = 1e-7


class Rescaling(Layer):
    """Computes `inputs * scale + offset`, in floating point whatever the dtype of the inputs.

    Args:
        scale: The factor, such as `1 / 255` for images.
        offset: Added after the product.

    Call arguments:
        inputs: A tensor of any shape.

    Returns:
        A tensor of the same shape.

    Example:
        >>> import pydl
        >>> pydl.layers.Rescaling(0.5, offset=1.0)(pydl.tensor([0, 4])).tolist()
        [1.0, 3.0]
    """

    supports_masking = True

    def __init__(self, scale: Any, offset: Any = 0.0, **kwargs):
        super().__init__(**kwargs)
        self.scale = scale
        self.offset = offset

    def call(self, inputs):
        scale, offset = _constant(self.scale, inputs), _constant(self.offset, inputs)
        return ops.cast(inputs, self.compute_dtype) * scale + offset

    def compute_output_shape(self, input_shape):
        return input_shape


class Normalization(Layer):
    """Shifts and scales data to mean 0 and variance 1, by statistics of a data set.

    The statistics come from `adapt(data)`, or from `mean` and `variance`.

    Args:
        axis: The axis or axes that have statistics of their own; None for one mean of everything.
        mean: The mean, instead of `adapt`.
        variance: The variance, likewise.
        invert: Whether to undo a normalization instead.

    Call arguments:
        inputs: A tensor of any shape.

    Returns:
        A tensor of the same shape.

    Raises:
        ValueError: only one of `mean` and `variance`, or an axis that the input lacks.

    Example:
        >>> import pydl
        >>> layer = pydl.layers.Normalization()
        >>> layer.adapt([[1.0], [3.0]])
        >>> layer([[3.0]]).tolist()
        [[1.0]]
    """

    supports_masking = True

    def __init__(
        self,
        axis: int | Sequence[int] | None = -1,
        mean: Any = None,
        variance: Any = None,
        invert: bool = False,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.axis = () if axis is None else (axis,) if isinstance(axis, int) else tuple(axis)
        if (mean is None) != (variance is None):
            raise ValueError(f"[{self.name}] expected both mean and variance, or neither.")
        self.input_mean = mean
        self.input_variance = variance
        self.invert = invert

    def build(self, input_shape):
        ndim = len(input_shape)
        if any(not -ndim <= axis < ndim for axis in self.axis):
            raise ValueError(
                f"[{self.name}] expected an input with axes {self.axis}, got shape {input_shape}."
            )
        self._kept = tuple(sorted(axis % ndim for axis in self.axis))
        self._sizes = tuple(input_shape[axis] for axis in self._kept)
        if None in self._sizes:
            raise ValueError(
                f"[{self.name}] expected known sizes on axes {self.axis}, got shape {input_shape}."
            )
        self._statistics_shape = tuple(
            size if axis in self._kept else 1 for axis, size in enumerate(input_shape)
        )
        if self.input_mean is None:
            self.adapt_mean = self._add_statistic("mean", "zeros")
            self.adapt_variance = self._add_statistic("variance", "ones")
            self.count = self.add_weight((), "zeros", "int32", trainable=False, name="count")

    def adapt(self, data: Any) -> None:
        """Compute the statistics of a data set.

        Args:
            data: An array or tensor, or an iterable of batches.

        Raises:
            ShapeError: data of another shape than before, or no data at all.
        """
        count, mean, second = 0, 0.0, 0.0
        for batch in self._batches(data):
            if not self.built:
                self.build(batch.shape)
            sizes = tuple(batch.shape[axis] for axis in self._kept)
            if sizes != self._sizes:
                raise ShapeError(
                    f"[{self.name}] expected sizes {self._sizes} on axes {self.axis}, "
                    f"got shape {batch.shape}."
                )
            axes = tuple(axis for axis in range(batch.ndim) if axis not in self._kept)
            new = batch.size // max(1, int(np.prod(sizes)))
            # Chan et al., 1979: means and sums of squared differences of parts, joined.
            gap = batch.mean(axes) - mean
            total = count + new
            mean = mean + gap * new / total
            second = second + batch.var(axes) * new + gap**2 * count * new / total
            count = total
        if not count:
            raise ShapeError(f"[{self.name}] expected data, got none.")
        self.adapt_mean.assign(mean)
        self.adapt_variance.assign(second / count)

    def call(self, inputs):
        inputs = ops.cast(inputs, self.compute_dtype)
        mean, variance = self._statistics(inputs)
        deviation = ops.maximum(ops.sqrt(variance), _EPSILON)
        return mean + inputs * deviation if self.invert else (inputs - mean) / deviation

    def compute_output_shape(self, input_shape):
        return input_shape

    def _batches(self, data: Any) -> Iterator[np.ndarray]:
        """Yield float64 arrays: the data itself, or the batches of an iterable."""
        whole = hasattr(data, "__array__") or isinstance(data, (list, tuple))
        for batch in [data] if whole else batches(self.name, data):
            batch = batch[0] if isinstance(batch, tuple) and not whole else batch
            yield as_numbers(self.name, batch, "float64")

    def _add_statistic(self, name: str, initializer: str):
        return self.add_weight(self._sizes, initializer, trainable=False, autocast=False, name=name)

    def _statistics(self, inputs):
        if self.input_mean is None:
            values = self.adapt_mean, self.adapt_variance
            return tuple(ops.reshape(v, self._statistics_shape) for v in values)
        shape = tuple(size for size in self._statistics_shape)
        values = (np.asarray(self.input_mean), np.asarray(self.input_variance))
        arrays = (np.broadcast_to(v, self._sizes).reshape(shape) for v in values)
        return tuple(tensor(array, inputs.dtype) for array in arrays)


def _constant(value: Any, like) -> Any:
    return value if isinstance(value, (int, float)) else tensor(value, like.dtype)
