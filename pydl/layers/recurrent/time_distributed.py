"""Any layer on every step of sequences."""

from __future__ import annotations

from pydl import ops
from pydl.layers.wrapper import Wrapper

__all__ = ["TimeDistributed"]


class TimeDistributed(Wrapper):
    """Applies a layer to every step of sequences.

    Batch and steps become one axis, so that the layer runs once. A layer with variables that
    training updates, such as moving means, runs step by step while training.

    Args:
        layer: The layer for one step.

    Call arguments:
        inputs: A tensor of shape `(batch, steps, ...)`.
        training: Passed on to the layer, if it takes it.
        mask: A tensor of shape `(batch, steps, ...)`, False for padding; what it says of a step is
            passed on to the layer, if it takes masks.

    Returns:
        A tensor of shape `(batch, steps, ...)`.

    Raises:
        ValueError: no layer, inputs without steps, or a mask of another shape.

    Example:
        >>> import pydl
        >>> frames = pydl.ops.ones((2, 5, 8, 8, 3))
        >>> pydl.layers.TimeDistributed(pydl.layers.Conv2D(4, 3))(frames).shape
        (2, 5, 6, 6, 4)
    """

    supports_masking = True

    def build(self, input_shape):
        super().build(self._step_shape(input_shape))

    def compute_output_shape(self, input_shape):
        output = self.layer.compute_output_shape(self._step_shape(input_shape))
        return (output[0], input_shape[1], *output[1:])

    def call(self, inputs, training=None, mask=None):
        shape = tuple(inputs.shape[:2])
        if mask is not None and tuple(mask.shape[:2]) != shape:
            raise ValueError(
                f"[{self.name}] expected a mask of shape {shape} or more axes for inputs of shape "
                f"{inputs.shape}, got {mask.shape}."
            )
        options = {}
        if self.layer._takes_training and training is not None:
            options["training"] = training
        if not self.layer._takes_mask:
            mask = None
        state = [v for v in self.layer.weights if not v.declared_trainable]
        if training and state:
            return self._step_through(inputs, mask, options)
        if mask is not None:
            options["mask"] = ops.reshape(mask, (-1, *mask.shape[2:]))
        outputs = self.layer(ops.reshape(inputs, (-1, *inputs.shape[2:])), **options)
        return ops.reshape(outputs, (*shape, *outputs.shape[1:]))

    def _step_through(self, inputs, mask, options: dict):
        steps = ops.unstack(inputs, axis=1)
        if mask is None:
            outputs = [self.layer(step, **options) for step in steps]
        else:
            masks = ops.unstack(mask, axis=1)
            outputs = [self.layer(x, mask=m, **options) for x, m in zip(steps, masks)]
        return ops.stack(outputs, axis=1)

    def _step_shape(self, input_shape) -> tuple:
        if len(input_shape) < 3:
            raise ValueError(
                f"[{self.name}] expected inputs of shape (batch, steps, ...), got {input_shape}."
            )
        return (input_shape[0], *input_shape[2:])
