"""Cutting off the borders of sequences, images and volumes."""

from __future__ import annotations

from typing import Any

from pydl.errors import ShapeError
from pydl.layers.arguments import side_pairs
from pydl.layers.spatial import SpatialLayer

__all__ = ["Cropping1D", "Cropping2D", "Cropping3D"]


class BaseCropping(SpatialLayer):
    """What croppings of every rank share."""

    def __init__(self, cropping, data_format=None, **kwargs):
        super().__init__(data_format, **kwargs)
        self.cropping = side_pairs("cropping", cropping, self.rank, self.name)

    def call(self, inputs):
        shape = self.compute_output_shape(inputs.shape)
        kept = [slice(None)] * inputs.ndim
        for (before, _), axis in zip(self.cropping, self._spatial_axes):
            kept[axis] = slice(before, before + shape[axis])
        return inputs[tuple(kept)]

    def _output_size(self, i, size):
        left = size - sum(self.cropping[i])
        if left <= 0:
            raise ShapeError(
                f"[{self.name}] expected an input larger than the cropping {self.cropping}, "
                f"got size {size} on spatial axis {i}."
            )
        return left


class Cropping1D(BaseCropping):
    """Cuts off the first and last steps of sequences.

    Args:
        cropping: How many steps to cut off at both ends, or `(start, end)`.

    Call arguments:
        inputs: A tensor of shape `(batch, steps, channels)`.

    Returns:
        A tensor of fewer steps.

    Raises:
        ValueError: `cropping` has another form or a negative number, or leaves nothing.

    Example:
        >>> import pydl
        >>> pydl.layers.Cropping1D((1, 2))(pydl.ops.ones((1, 8, 3))).shape
        (1, 5, 3)
    """

    rank = 1

    def __init__(self, cropping: Any = (1, 1), **kwargs):
        super().__init__(cropping, **kwargs)


class Cropping2D(BaseCropping):
    """Cuts off the borders of images.

    Args:
        cropping: One number for all sides, `(rows, columns)`, or `((top, bottom), (left, right))`.
        data_format: "channels_last", which is the default, or "channels_first".

    Call arguments:
        inputs: A tensor of shape `(batch, height, width, channels)`.

    Returns:
        A tensor of smaller height and width.

    Raises:
        ValueError: `cropping` has another form or a negative number, or leaves nothing.

    Example:
        >>> import pydl
        >>> pydl.layers.Cropping2D(((1, 0), (2, 2)))(pydl.ops.ones((1, 8, 8, 3))).shape
        (1, 7, 4, 3)
    """

    def __init__(self, cropping: Any = ((0, 0), (0, 0)), data_format: str | None = None, **kwargs):
        super().__init__(cropping, data_format, **kwargs)


class Cropping3D(BaseCropping):
    """Cuts off the borders of volumes.

    Args:
        cropping: One number for all sides, three numbers, or three pairs `(before, after)`.
        data_format: "channels_last", which is the default, or "channels_first".

    Call arguments:
        inputs: A tensor of shape `(batch, depth, height, width, channels)`.

    Returns:
        A tensor of smaller depth, height and width.

    Raises:
        ValueError: `cropping` has another form or a negative number, or leaves nothing.

    Example:
        >>> import pydl
        >>> pydl.layers.Cropping3D((1, 2, 0))(pydl.ops.ones((1, 8, 8, 8, 3))).shape
        (1, 6, 4, 8, 3)
    """

    rank = 3

    def __init__(
        self, cropping: Any = ((1, 1), (1, 1), (1, 1)), data_format: str | None = None, **kwargs
    ):
        super().__init__(cropping, data_format, **kwargs)
