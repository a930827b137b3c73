"""Pooling layers: the largest or the mean value of every window."""

from __future__ import annotations

from typing import Any

from pydl.layers.arguments import check_data_format, size_tuple
from pydl.layers.conv import window_output_size
from pydl.layers.input_spec import InputSpec
from pydl.layers.layer import Layer
from pydl.ops.pool import average_pool, max_pool

__all__ = [
    "AveragePooling1D",
    "AveragePooling2D",
    "AveragePooling3D",
    "MaxPooling1D",
    "MaxPooling2D",
    "MaxPooling3D",
]


class BasePooling(Layer):
    """What pooling layers share; `rank` is the number of spatial axes, `_pool` the operation."""

    rank = 2
    _keeps_dtype = True

    def __init__(self, pool_size, strides=None, padding="valid", data_format=None, **kwargs):
        super().__init__(**kwargs)
        strides = pool_size if strides is None else strides
        self.pool_size = size_tuple("pool_size", pool_size, self.rank, self.name)
        self.strides = size_tuple("strides", strides, self.rank, self.name)
        self.padding = padding.lower()
        if self.padding not in ("valid", "same"):
            raise ValueError(
                f"[{self.name}] expected padding to be valid or same, got {padding!r}."
            )
        self.data_format = check_data_format(data_format, self.name)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def call(self, inputs):
        return self._pool(inputs, self.pool_size, self.strides, self.padding, self.data_format)

    def compute_output_shape(self, input_shape):
        first = 1 if self.data_format == "channels_last" else 2
        sizes = tuple(
            window_output_size(size, window, stride, self.padding)
            for size, window, stride in zip(input_shape[first:], self.pool_size, self.strides)
        )
        if any(size is not None and size <= 0 for size in sizes):
            raise ValueError(
                f"[{self.name}] expected an input at least as large as the window "
                f"{self.pool_size}, got shape {tuple(input_shape)}. Hint: padding='same'."
            )
        return (*input_shape[:first], *sizes, *input_shape[first + self.rank :])


_DOC = """{what} every window along {axes}.

    Args:
        pool_size: The size of the window{sizes}.
        strides: The step of the window; as large as the window when None.
        padding: "valid" (none) or "same" (windows at the border are cut off).
        data_format: "channels_last", which is the default, or "channels_first".

    Call arguments:
        inputs: A tensor of shape `(batch, {sizes_in}, channels)`.

    Returns:
        A tensor of shape `(batch, {sizes_out}, channels)`.

    Raises:
        ValueError: an argument outside the values listed, or a window larger than the input.

    Example:
        >>> import pydl
        >>> pydl.layers.{name}(2)(pydl.ops.ones({example})).shape
        {result}
    """


_WORDS = {
    1: ("the steps of sequences", "", "steps", "new steps", "(1, 8, 3)", "(1, 4, 3)"),
    2: (
        "the height and width of images", ", height and width; an integer for both",
        "height, width", "new height, new width", "(1, 8, 8, 3)", "(1, 4, 4, 3)",
    ),
    3: (
        "the depth, height and width of volumes", ", depth, height and width; an integer for all",
        "depth, height, width", "new depth, new height, new width", "(1, 8, 8, 8, 3)",
        "(1, 4, 4, 4, 3)",
    ),
}  # fmt: skip


def _document(cls: type, what: str) -> None:
    names = ("axes", "sizes", "sizes_in", "sizes_out", "example", "result")
    words = dict(zip(names, _WORDS[cls.rank]))
    cls.__doc__ = _DOC.format(what=what, name=cls.__name__, **words)


class MaxPooling1D(BasePooling):
    rank = 1
    _pool = staticmethod(max_pool)

    def __init__(
        self, pool_size: Any = 2, strides=None, padding="valid", data_format=None, **kwargs
    ):
        super().__init__(pool_size, strides, padding, data_format, **kwargs)


class MaxPooling2D(BasePooling):
    _pool = staticmethod(max_pool)

    def __init__(
        self, pool_size: Any = (2, 2), strides=None, padding="valid", data_format=None, **kwargs
    ):
        super().__init__(pool_size, strides, padding, data_format, **kwargs)


class MaxPooling3D(BasePooling):
    rank = 3
    _pool = staticmethod(max_pool)

    def __init__(
        self, pool_size: Any = (2, 2, 2), strides=None, padding="valid", data_format=None, **kwargs
    ):
        super().__init__(pool_size, strides, padding, data_format, **kwargs)


class AveragePooling1D(BasePooling):
    rank = 1
    _pool = staticmethod(average_pool)


class AveragePooling2D(BasePooling):
    _pool = staticmethod(average_pool)


class AveragePooling3D(BasePooling):
    rank = 3
    _pool = staticmethod(average_pool)


for _cls in (MaxPooling1D, MaxPooling2D, MaxPooling3D):
    _document(_cls, "The largest value of")
for _cls in (AveragePooling1D, AveragePooling2D, AveragePooling3D):
    _document(_cls, "The mean of")
