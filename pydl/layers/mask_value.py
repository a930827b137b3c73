"""A mask for steps that hold one value."""

from __future__ import annotations

from pydl import ops
from pydl.layers.layer import Layer
from pydl.layers.masking import with_mask

__all__ = ["Masking"]


class Masking(Layer):
    """Marks steps as padding whose features all equal `mask_value`; later layers skip them.

    Args:
        mask_value: The value.

    Call arguments:
        inputs: A tensor of shape `(batch, steps, features)`.

    Returns:
        The inputs, with zeros in the steps marked, and the mask.

    Example:
        >>> import pydl
        >>> x = pydl.tensor([[[1.0, 0.0], [9.0, 9.0]]])
        >>> layer = pydl.layers.Masking(9.0)
        >>> layer(x).tolist(), layer.compute_mask(x).tolist()
        ([[[1.0, 0.0], [0.0, 0.0]]], [[True, False]])
    """

    supports_masking = True

    def __init__(self, mask_value: float = 0.0, **kwargs):
        super().__init__(**kwargs)
        self.mask_value = mask_value

    def call(self, inputs):
        mask = self.compute_mask(inputs)
        return with_mask(ops.where(ops.expand_dims(mask, -1), inputs, 0.0), mask)

    def compute_mask(self, inputs, previous_mask=None):
        """False for the steps whose features all equal `mask_value`."""
        return ops.any(ops.not_equal(inputs, self.mask_value), axis=-1)

    def compute_output_shape(self, input_shape):
        return input_shape
