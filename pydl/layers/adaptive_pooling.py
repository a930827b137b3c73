"""Pooling to a given size, whatever the size of the input."""

from __future__ import annotations

from typing import Any

from pydl import ops
from pydl.layers.arguments import check_data_format, size_tuple
from pydl.layers.input_spec import InputSpec
from pydl.layers.layer import Layer

__all__ = [
    "AdaptiveAveragePooling1D",
    "AdaptiveAveragePooling2D",
    "AdaptiveAveragePooling3D",
    "AdaptiveMaxPooling1D",
    "AdaptiveMaxPooling2D",
    "AdaptiveMaxPooling3D",
]


class BaseAdaptivePooling(Layer):
    """What these layers share; `rank` is the number of spatial axes, `_pool` the operation."""

    rank = 2

    def __init__(self, output_size: Any, data_format: str | None = None, **kwargs):
        super().__init__(**kwargs)
        if not isinstance(output_size, (int, list, tuple)):
            raise TypeError(
                f"[{self.name}] expected output_size to be one or {self.rank} integers, "
                f"got {output_size!r}."
            )
        self.output_size = size_tuple("output_size", output_size, self.rank, self.name)
        self.data_format = check_data_format(data_format, self.name)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def call(self, inputs):
        return self._pool(inputs, self.output_size, self.data_format)

    def compute_output_shape(self, input_shape):
        if self.data_format == "channels_last":
            return (input_shape[0], *self.output_size, input_shape[-1])
        return (*input_shape[:2], *self.output_size)


_DOC = """{what} windows that divide {axes} as evenly as can be.

    Args:
        output_size: How many windows along {every}.
        data_format: "channels_last", which is the default, or "channels_first".

    Call arguments:
        inputs: A tensor of shape `(batch, {sizes}, channels)`.

    Returns:
        A tensor of shape `(batch, *output_size, channels)`.

    Raises:
        TypeError: `output_size` is neither an integer nor several.
        ValueError: a size that is not positive, or too few or many of them.

    Example:
        >>> import pydl
        >>> pydl.layers.{name}(4)(pydl.ops.ones({example})).shape
        {result}
    """

_WORDS = {
    1: ("sequences", "the steps", "steps", "(1, 9, 3)", "(1, 4, 3)"),
    2: ("images", "height and width; an integer for both", "height, width", "(1, 9, 8, 3)",
        "(1, 4, 4, 3)"),
    3: ("volumes", "depth, height and width; an integer for all", "depth, height, width",
        "(1, 9, 8, 7, 3)", "(1, 4, 4, 4, 3)"),
}  # fmt: skip


def _document(cls: type, what: str) -> None:
    words = dict(zip(("axes", "every", "sizes", "example", "result"), _WORDS[cls.rank]))
    cls.__doc__ = _DOC.format(what=what, name=cls.__name__, **words)


class AdaptiveAveragePooling1D(BaseAdaptivePooling):
    rank = 1
    _pool = staticmethod(ops.adaptive_average_pool)


class AdaptiveAveragePooling2D(BaseAdaptivePooling):
    _pool = staticmethod(ops.adaptive_average_pool)


class AdaptiveAveragePooling3D(BaseAdaptivePooling):
    rank = 3
    _pool = staticmethod(ops.adaptive_average_pool)


class AdaptiveMaxPooling1D(BaseAdaptivePooling):
    rank = 1
    _pool = staticmethod(ops.adaptive_max_pool)


class AdaptiveMaxPooling2D(BaseAdaptivePooling):
    _pool = staticmethod(ops.adaptive_max_pool)


class AdaptiveMaxPooling3D(BaseAdaptivePooling):
    rank = 3
    _pool = staticmethod(ops.adaptive_max_pool)


for _cls in (AdaptiveAveragePooling1D, AdaptiveAveragePooling2D, AdaptiveAveragePooling3D):
    _document(_cls, "The means of")
for _cls in (AdaptiveMaxPooling1D, AdaptiveMaxPooling2D, AdaptiveMaxPooling3D):
    _document(_cls, "The largest values of")
