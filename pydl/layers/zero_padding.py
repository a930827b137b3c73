"""Zeros around sequences, images and volumes."""

from __future__ import annotations

from typing import Any

from pydl import ops
from pydl.layers.arguments import side_pairs
from pydl.layers.spatial import SpatialLayer

__all__ = ["ZeroPadding1D", "ZeroPadding2D", "ZeroPadding3D"]


class BaseZeroPadding(SpatialLayer):
    """What paddings of every rank share."""

    def __init__(self, padding, data_format=None, **kwargs):
        super().__init__(data_format, **kwargs)
        self.padding = side_pairs("padding", padding, self.rank, self.name)

    def call(self, inputs):
        widths = [(0, 0)] * inputs.ndim
        for pair, axis in zip(self.padding, self._spatial_axes):
            widths[axis] = pair
        return ops.pad(inputs, widths)

    def _output_size(self, i, size):
        return size + sum(self.padding[i])


class ZeroPadding1D(BaseZeroPadding):
    """Adds steps of zeros before and after sequences.

    Args:
        padding: How many steps to add at both ends, or `(start, end)`.
        data_format: "channels_last", which is the default, or "channels_first".

    Call arguments:
        inputs: A tensor of shape `(batch, steps, channels)`.

    Returns:
        A tensor of more steps.

    Raises:
        ValueError: `padding` has another form, or a negative number.

    Example:
        >>> import pydl
        >>> pydl.layers.ZeroPadding1D((2, 0))(pydl.ops.ones((1, 4, 3))).shape
        (1, 6, 3)
    """

    rank = 1

    def __init__(self, padding: Any = 1, data_format: str | None = None, **kwargs):
        super().__init__(padding, data_format, **kwargs)


class ZeroPadding2D(BaseZeroPadding):
    """Adds rows and columns of zeros around images.

    Args:
        padding: One number for all sides, `(rows, columns)`, or `((top, bottom), (left, right))`.
        data_format: "channels_last", which is the default, or "channels_first".

    Call arguments:
        inputs: A tensor of shape `(batch, height, width, channels)`.

    Returns:
        A tensor with larger height and width.

    Raises:
        ValueError: `padding` has another form, or a negative number.

    Example:
        >>> import pydl
        >>> pydl.layers.ZeroPadding2D(((1, 0), (2, 2)))(pydl.ops.ones((1, 4, 4, 3))).shape
        (1, 5, 8, 3)
    """

    def __init__(self, padding: Any = (1, 1), data_format: str | None = None, **kwargs):
        super().__init__(padding, data_format, **kwargs)


class ZeroPadding3D(BaseZeroPadding):
    """Adds zeros on all sides of volumes.

    Args:
        padding: One number for all sides, three numbers, or three pairs `(before, after)`.
        data_format: "channels_last", which is the default, or "channels_first".

    Call arguments:
        inputs: A tensor of shape `(batch, depth, height, width, channels)`.

    Returns:
        A tensor with larger depth, height and width.

    Raises:
        ValueError: `padding` has another form, or a negative number.

    Example:
        >>> import pydl
        >>> pydl.layers.ZeroPadding3D((1, 0, 2))(pydl.ops.ones((1, 4, 4, 4, 3))).shape
        (1, 6, 4, 8, 3)
    """

    rank = 3

    def __init__(
        self, padding: Any = ((1, 1), (1, 1), (1, 1)), data_format: str | None = None, **kwargs
    ):
        super().__init__(padding, data_format, **kwargs)
