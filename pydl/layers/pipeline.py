"""Layers one after the other as one layer, and a fixed number of boxes for every image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydl import ops
from pydl.errors import ShapeError
from pydl.layers.layer import Layer
from pydl.saving.serialize import deserialize_keras_object, serialize_keras_object

__all__ = ["MaxNumBoundingBoxes", "Pipeline"]


class Pipeline(Layer):
    """Applies layers one after the other: for preparing data, where no model is needed.

    Args:
        layers: The layers, in order.
        name: A name for it.

    Call arguments:
        inputs: What the first layer takes.
        training: Passed to the layers that take it.

    Returns:
        What the last layer returns.

    Raises:
        ValueError: `layers` is no sequence of layers.

    Example:
        >>> import pydl
        >>> steps = [pydl.layers.Rescaling(1 / 255), pydl.layers.RandomFlip("horizontal", seed=1)]
        >>> float(pydl.layers.Pipeline(steps)(np.full((2, 4, 4, 3), 255.0)).numpy().max())
        1.0
    """

    def __init__(self, layers: Sequence[Layer], name: str | None = None, **kwargs):
        super().__init__(name=name, **kwargs)
        if not isinstance(layers, (list, tuple)) or not all(isinstance(x, Layer) for x in layers):
            raise ValueError(f"[{self.name}] expected a list of layers, got {layers!r}.")
        self.layers = list(layers)
        self.autocast = False

    def build(self, input_shape=None):
        """The layers build themselves when they are called."""

    def call(self, inputs, training=True):
        for layer in self.layers:
            inputs = layer(inputs, training=training) if layer._takes_training else layer(inputs)
        return inputs

    def compute_output_shape(self, input_shape):
        for layer in self.layers:
            input_shape = layer.compute_output_shape(input_shape)
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name, "layers": [serialize_keras_object(x) for x in self.layers]}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Pipeline:
        layers = [
            x if isinstance(x, Layer) else deserialize_keras_object(x) for x in config["layers"]
        ]
        return cls(layers, config.get("name"))


class MaxNumBoundingBoxes(Layer):
    """Gives every image the same number of boxes: cuts further ones off, fills up with a value.

    Args:
        max_number: How many.
        fill_value: For boxes and labels that are missing.
        bounding_box_format: How the boxes are written, such as "xyxy"; it makes no difference here.

    Call arguments:
        inputs: A dict with `"bounding_boxes"`, a dict of `"boxes"` `(batch, boxes, 4)` and `"labels"`
            `(batch, boxes)`; what else it has stays.

    Returns:
        Such a dict, with `max_number` boxes and labels.

    Raises:
        ValueError: `max_number` is not positive, or there are no boxes and labels.

    Example:
        >>> import pydl
        >>> boxes = {"boxes": np.ones((1, 2, 4)), "labels": np.array([[3, 5]])}
        >>> layer = pydl.layers.MaxNumBoundingBoxes(3)
        >>> layer({"bounding_boxes": boxes})["bounding_boxes"]["labels"].tolist()
        [[3, 5, -1]]
    """

    def __init__(
        self,
        max_number: int,
        fill_value: int = -1,
        bounding_box_format: str | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.max_number, self.fill_value = int(max_number), int(fill_value)
        self.bounding_box_format = bounding_box_format
        if self.max_number < 1:
            raise ValueError(f"[{self.name}] expected max_number of at least 1, got {max_number}.")

    def call(self, inputs):
        boxes = inputs.get("bounding_boxes") if isinstance(inputs, dict) else None
        if not isinstance(boxes, dict) or not {"boxes", "labels"} <= set(boxes):
            raise ValueError(
                f"[{self.name}] expected a dict with bounding_boxes of boxes and labels, got "
                f"{list(inputs) if isinstance(inputs, dict) else type(inputs).__name__}."
            )
        if boxes["boxes"].ndim != 3 or boxes["labels"].ndim != 2:
            raise ShapeError(
                f"[{self.name}] expected boxes (batch, boxes, 4) and labels (batch, boxes), got shapes "
                f"{boxes['boxes'].shape} and {boxes['labels'].shape}."
            )
        return {**inputs, "bounding_boxes": {k: self._filled(v) for k, v in boxes.items()}}

    def _filled(self, values):
        values = values[:, : self.max_number]
        missing = self.max_number - values.shape[1]
        widths = [(0, 0), (0, missing), *[(0, 0)] * (values.ndim - 2)]
        return ops.pad(values, widths, constant_values=self.fill_value) if missing else values
