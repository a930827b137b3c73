"""What layers share that change the sizes of the spatial axes of sequences, images and volumes."""

from __future__ import annotations

from pydl.layers.arguments import check_data_format
from pydl.layers.input_spec import InputSpec
from pydl.layers.layer import Layer

__all__ = ["SpatialLayer"]


class SpatialLayer(Layer):
    """A layer that works on each spatial axis by itself; `rank` is the number of these axes."""

    rank = 2
    _keeps_dtype = True

    def __init__(self, data_format: str | None = None, **kwargs):
        super().__init__(**kwargs)
        self.data_format = check_data_format(data_format, self.name)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    @property
    def _spatial_axes(self) -> range:
        first = 1 if self.data_format == "channels_last" else 2
        return range(first, first + self.rank)

    def compute_output_shape(self, input_shape):
        shape = list(input_shape)
        for i, axis in enumerate(self._spatial_axes):
            if shape[axis] is not None:
                shape[axis] = self._output_size(i, shape[axis])
        return tuple(shape)

    def _output_size(self, i: int, size: int) -> int:
        """Return the size that `size` elements along the i-th spatial axis become."""
        raise NotImplementedError
