"""Layers around another layer."""

from __future__ import annotations

from pydl.layers.layer import Layer

__all__ = ["Wrapper"]


class Wrapper(Layer):
    """Base class of layers that change what another layer does.

    Args:
        layer: The layer inside; also an attribute of this name.

    Raises:
        ValueError: `layer` is not a layer.

    Example:
        >>> import pydl
        >>> class Twice(pydl.layers.Wrapper):
        ...     def call(self, inputs):
        ...         return self.layer(self.layer(inputs))
        >>> Twice(pydl.layers.Rescaling(3.0))(pydl.tensor([1.0])).tolist()
        [9.0]
    """

    def __init__(self, layer: Layer, **kwargs):
        super().__init__(**kwargs)
        if not isinstance(layer, Layer):
            raise ValueError(f"[{self.name}] expected a layer, got {layer!r}.")
        self.layer = layer

    def build(self, input_shape=None):
        if not self.layer.built:
            self.layer.build(input_shape)
