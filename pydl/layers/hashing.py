"""Categories without a vocabulary: a hash picks one of a fixed number of buckets."""

from __future__ import annotations

from typing import Any

import numpy as np

from pydl import _core, ops
from pydl._core import as_tensor
from pydl.layers.category_arrays import (
    as_array,
    as_numbers,
    as_text,
    check_mode,
    encode,
    rows_shape,
    text_list,
)
from pydl.layers.keras_tensor import KerasTensor, is_symbolic
from pydl.layers.layer import Layer

__all__ = ["HashedCrossing", "Hashing", "hash_buckets", "parse_salt"]


def parse_salt(owner: str, salt: Any) -> list[int] | None:
    """A key of two integers, of one or two.

    Raises:
        ValueError: anything else.
    """
    if salt is None:
        return None
    if isinstance(salt, int):
        return [salt, salt]
    if isinstance(salt, (list, tuple)) and len(salt) == 2:
        return [int(part) for part in salt]
    raise ValueError(f"[{owner}] expected a salt of one or two integers, got {salt!r}.")


def hash_buckets(strings: list[str], count: int, salt: list[int] | None) -> np.ndarray:
    """The bucket of every string: by FarmHash, or by SipHash with a salt, as in TensorFlow."""
    if salt is None:
        return _core.string_buckets(strings, count)
    return _core.keyed_string_buckets(strings, count, *(part % 2**64 for part in salt))


class _Hashed(Layer):
    """What layers have in common that take strings or integers and give buckets."""

    num_bins: int
    output_mode: str

    def __init__(self, num_bins: int, output_mode: str, modes: tuple, sparse: bool, **kwargs):
        dtype = kwargs.pop("dtype", None)
        super().__init__(dtype=None if output_mode == "int" else dtype, **kwargs)
        self._output_dtype = (dtype or "int64") if output_mode == "int" else self.compute_dtype
        self.output_mode = check_mode(self.name, output_mode, modes, sparse)
        if num_bins is None or num_bins < 1:
            raise ValueError(f"[{self.name}] expected num_bins of at least 1, got {num_bins}.")
        if output_mode == "int" and self._output_dtype not in ("int32", "int64"):
            raise ValueError(
                f"[{self.name}] expected dtype int32 or int64 with output_mode 'int', got {dtype}."
            )
        self.num_bins = num_bins

    def _output(self, buckets: np.ndarray):
        if self.output_mode == "int":
            tensor = as_tensor(np.atleast_1d(buckets)).reshape(buckets.shape)
        else:
            tensor = as_tensor(encode(buckets, self.output_mode, self.num_bins, "float32"))
        return ops.cast(tensor, self._output_dtype)

    def get_config(self):
        return {**super().get_config(), "dtype": self._output_dtype}


class Hashing(_Hashed):
    """Gives every string or integer the number of a bucket, with no vocabulary to learn.

    Different values may share a bucket. The same value has the same bucket everywhere, that of
    Keras's layer.

    Args:
        num_bins: How many buckets there are.
        mask_value: A value that has bucket 0 to itself; None for none.
        salt: One or two integers for another distribution, by SipHash instead of FarmHash.
        output_mode: `"int"`, or `"one_hot"`, `"multi_hot"`, `"count"` as in `CategoryEncoding`.
        sparse: Only False: there are no sparse tensors.

    Call arguments:
        inputs: Strings or integers of any shape; floats are cut to integers.

    Returns:
        int64 of the same shape, or rows as `CategoryEncoding` makes them.

    Example:
        >>> import pydl
        >>> layer = pydl.layers.Hashing(num_bins=3)
        >>> layer([["A"], ["B"], ["C"], ["D"], ["E"]]).tolist()
        [[1], [0], [1], [1], [2]]
    """

    def __init__(
        self,
        num_bins: int,
        mask_value: Any = None,
        salt: Any = None,
        output_mode: str = "int",
        sparse: bool = False,
        **kwargs,
    ):
        modes = ("int", "one_hot", "multi_hot", "count")
        super().__init__(num_bins, output_mode, modes, sparse, **kwargs)
        self.mask_value = mask_value
        self.salt = parse_salt(self.name, salt)

    def __call__(self, inputs, **kwargs):
        return super().__call__(
            inputs if is_symbolic(inputs) else as_array(self.name, inputs), **kwargs
        )

    def call(self, inputs):
        values = as_array(self.name, inputs)
        masked = self.mask_value is not None and self.num_bins > 1
        strings = text_list(_as_strings(self.name, values))
        buckets = hash_buckets(strings, self.num_bins - masked, self.salt).reshape(values.shape)
        if masked:
            buckets = np.where(values == self.mask_value, 0, buckets + 1)
        return self._output(buckets)

    def compute_output_shape(self, input_shape):
        if self.output_mode == "int":
            return input_shape
        return rows_shape(input_shape, self.output_mode, self.num_bins)

    def compute_output_spec(self, inputs):
        return KerasTensor(self.compute_output_shape(inputs.shape), self._output_dtype)


class HashedCrossing(_Hashed):
    """Gives every combination of two or more features the number of a bucket.

    Args:
        num_bins: How many buckets there are.
        output_mode: `"int"` or `"one_hot"`.
        sparse: Only False: there are no sparse tensors.

    Call arguments:
        inputs: A list of at least two features, strings or integers, each `()`, `(batch,)` or
            `(batch, 1)`.

    Returns:
        int64 of the shape of one feature, or `(batch, num_bins)` floats.

    Raises:
        ValueError: one feature only, or other or different shapes.

    Example:
        >>> import pydl
        >>> layer = pydl.layers.HashedCrossing(num_bins=5)
        >>> features = ["A", "B", "A", "B", "A"], [101, 101, 101, 102, 102]
        >>> layer(features).tolist()
        [1, 4, 1, 1, 3]
    """

    def __init__(self, num_bins: int, output_mode: str = "int", sparse: bool = False, **kwargs):
        super().__init__(num_bins, output_mode, ("int", "one_hot"), sparse, **kwargs)

    def __call__(self, inputs, **kwargs):
        if not isinstance(inputs, (list, tuple)) or len(inputs) < 2:
            raise ValueError(f"[{self.name}] expected a list of at least two features.")
        if not is_symbolic(inputs):
            inputs = [as_array(self.name, feature) for feature in inputs]
        return super().__call__(inputs, **kwargs)

    def call(self, inputs):
        features = [as_array(self.name, feature) for feature in inputs]
        shape = features[0].shape
        if len(shape) > 2 or (len(shape) == 2 and shape[1] != 1):
            raise ValueError(
                f"[{self.name}] expected features of shape (), (batch,) or (batch, 1), got {shape}."
            )
        if any(feature.shape != shape for feature in features):
            raise ValueError(
                f"[{self.name}] expected features of one shape, got {[f.shape for f in features]}."
            )
        columns = []
        for feature in features:
            if feature.dtype.kind == "f":
                raise ValueError(f"[{self.name}] expected strings or integers, got floats.")
            is_number = feature.dtype.kind in "biu"
            column = feature if is_number else as_text(self.name, feature)
            columns.append(column.ravel().tolist())
        return self._output(_core.crossed_buckets(columns, self.num_bins).reshape(shape))

    def compute_output_shape(self, input_shape):
        shape = tuple(input_shape[0])
        return shape if self.output_mode == "int" else rows_shape(shape, "one_hot", self.num_bins)

    def compute_output_spec(self, inputs):
        shape = self.compute_output_shape([feature.shape for feature in inputs])
        return KerasTensor(shape, self._output_dtype)


def _as_strings(owner: str, values: np.ndarray) -> np.ndarray:
    if values.dtype.kind == "f":
        values = as_numbers(owner, values, "int64")
    if values.dtype.kind in "iu":
        return values.astype("U").astype(object)
    return as_text(owner, values)
