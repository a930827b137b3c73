"""Pooling of every channel over all places."""

from __future__ import annotations

from pydl import ops
from pydl.layers.arguments import check_data_format
from pydl.layers.input_spec import InputSpec
from pydl.layers.layer import Layer

__all__ = [
    "GlobalAveragePooling1D",
    "GlobalAveragePooling2D",
    "GlobalAveragePooling3D",
    "GlobalMaxPooling1D",
    "GlobalMaxPooling2D",
    "GlobalMaxPooling3D",
]


class BaseGlobalPooling(Layer):
    """What global pooling layers share; `rank` is the number of spatial axes."""

    rank = 2

    def __init__(self, data_format: str | None = None, keepdims: bool = False, **kwargs):
        super().__init__(**kwargs)
        self.data_format = check_data_format(data_format, self.name)
        self.keepdims = keepdims
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def call(self, inputs):
        return self._pool(inputs, self.data_format, self.keepdims)

    def compute_output_shape(self, input_shape):
        ones = (1,) * self.rank if self.keepdims else ()
        if self.data_format == "channels_last":
            return (input_shape[0], *ones, input_shape[-1])
        return (input_shape[0], input_shape[1], *ones)


class GlobalMaxPooling1D(BaseGlobalPooling):
    """The largest value of every channel over all steps.

    Args:
        data_format: "channels_last", which is the default, or "channels_first".
        keepdims: Whether to keep the pooled axis, with size 1.

    Call arguments:
        inputs: A tensor of shape `(batch, steps, channels)`.

    Returns:
        A tensor of shape `(batch, channels)`.
    """

    rank = 1
    _pool = staticmethod(ops.global_max_pool)


class GlobalMaxPooling2D(BaseGlobalPooling):
    """The largest value of every channel over the whole image.

    Args:
        data_format: "channels_last", which is the default, or "channels_first".
        keepdims: Whether to keep the pooled axes, with size 1.

    Call arguments:
        inputs: A tensor of shape `(batch, height, width, channels)`.

    Returns:
        A tensor of shape `(batch, channels)`.
    """

    _pool = staticmethod(ops.global_max_pool)


class GlobalAveragePooling1D(BaseGlobalPooling):
    """The mean of every channel over all steps; steps that a mask marks as padding do not count.

    Args:
        data_format: "channels_last", which is the default, or "channels_first".
        keepdims: Whether to keep the pooled axis, with size 1.

    Call arguments:
        inputs: A tensor of shape `(batch, steps, channels)`.
        mask: A bool tensor of shape `(batch, steps)`, False for padding.

    Returns:
        A tensor of shape `(batch, channels)`.
    """

    rank = 1
    supports_masking = True
    _pool = staticmethod(ops.global_average_pool)

    def call(self, inputs, mask=None):
        if mask is None:
            return self._pool(inputs, self.data_format, self.keepdims)
        steps = 1 if self.data_format == "channels_last" else 2
        counted = ops.expand_dims(ops.cast(mask, inputs.dtype), 3 - steps)
        total = ops.sum(inputs * counted, axis=steps, keepdims=self.keepdims)
        return total / ops.sum(counted, axis=steps, keepdims=self.keepdims)

    def compute_mask(self, inputs, previous_mask):
        """The steps are gone, and the mask with them."""
        return None


class GlobalAveragePooling2D(BaseGlobalPooling):
    """The mean of every channel over the whole image.

    Args:
        data_format: "channels_last", which is the default, or "channels_first".
        keepdims: Whether to keep the pooled axes, with size 1.

    Call arguments:
        inputs: A tensor of shape `(batch, height, width, channels)`.

    Returns:
        A tensor of shape `(batch, channels)`.

    Example:
        >>> import pydl
        >>> pydl.layers.GlobalAveragePooling2D()(pydl.ops.ones((2, 4, 4, 8))).shape
        (2, 8)
    """

    _pool = staticmethod(ops.global_average_pool)


class GlobalMaxPooling3D(BaseGlobalPooling):
    """The largest value of every channel over the whole volume.

    Args:
        data_format: "channels_last", which is the default, or "channels_first".
        keepdims: Whether to keep the pooled axes, with size 1.

    Call arguments:
        inputs: A tensor of shape `(batch, depth, height, width, channels)`.

    Returns:
        A tensor of shape `(batch, channels)`.
    """

    rank = 3
    _pool = staticmethod(ops.global_max_pool)


class GlobalAveragePooling3D(BaseGlobalPooling):
    """The mean of every channel over the whole volume.

    Args:
        data_format: "channels_last", which is the default, or "channels_first".
        keepdims: Whether to keep the pooled axes, with size 1.

    Call arguments:
        inputs: A tensor of shape `(batch, depth, height, width, channels)`.

    Returns:
        A tensor of shape `(batch, channels)`.
    """

    rank = 3
    _pool = staticmethod(ops.global_average_pool)
