"""Layers that return their inputs as they are: Identity, and one that adds a penalty."""

from __future__ import annotations

from pydl import regularizers
from pydl.layers.layer import Layer

__all__ = ["ActivityRegularization", "Identity"]


class Identity(Layer):
    """Returns its inputs.

    Call arguments:
        inputs: A tensor or a structure of them.

    Returns:
        The same.

    Example:
        >>> import pydl
        >>> pydl.layers.Identity()(pydl.tensor([1.0, 2.0])).tolist()
        [1.0, 2.0]
    """

    supports_masking = True
    _keeps_dtype = True

    def __init__(self, **kwargs):
        super().__init__(**kwargs)

    def call(self, inputs):
        return inputs

    def compute_output_shape(self, input_shape):
        return input_shape


class ActivityRegularization(Identity):
    """Returns its inputs, and adds a penalty on them to the loss.

    Args:
        l1: Factor of a sample's sum of magnitudes.
        l2: Factor of its sum of squares.

    Call arguments:
        inputs: A tensor of any shape.

    Returns:
        The same tensor.

    Example:
        >>> import pydl
        >>> layer = pydl.layers.ActivityRegularization(l1=0.5)
        >>> y = layer(pydl.tensor([[1.0, -3.0]]))
        >>> [float(loss) for loss in layer.losses]
        [2.0]
    """

    def __init__(self, l1: float = 0.0, l2: float = 0.0, **kwargs):
        super().__init__(activity_regularizer=regularizers.L1L2(l1, l2), **kwargs)
        self.l1 = l1
        self.l2 = l2
