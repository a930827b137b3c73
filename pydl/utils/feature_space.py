"""Tables: every column prepared and encoded by its kind, and all of them put together."""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from pydl import ops
from pydl._core import Tensor
from pydl.layers import (
    Concatenate,
    Discretization,
    Hashing,
    Identity,
    IntegerLookup,
    Normalization,
    Rescaling,
    StringLookup,
)
from pydl.layers.input_layer import Input
from pydl.layers.keras_tensor import is_symbolic
from pydl.layers.layer import Layer
from pydl.naming import auto_name
from pydl.saving.model_file import save_model
from pydl.utils.features import Cross, Feature

__all__ = ["FeatureSpace"]

_BATCH = 32  # of rows that adapt gathers, as in Keras


class FeatureSpace(Layer):
    """Prepares and encodes the columns of a table.

    The kinds of columns are methods of this class, and may be named by a string where their
    defaults will do: `float`, `float_normalized`, `float_rescaled`, `float_discretized`,
    `integer_categorical`, `string_categorical`, `integer_hashed`, `string_hashed`; `feature` takes
    any layer.

    Args:
        features: The kind of every column by its name.
        output_mode: "concat" for one row with all columns in the order of their names, the crosses
            behind; "dict" for every column by itself.
        crosses: Columns whose combinations are features of their own, hashed: tuples of names, or
            what `cross` returns.
        crossing_dim: The categories of a cross.
        hashing_dim: The categories of a hashed column.
        num_discretization_bins: The intervals of a discretized column.
        name: A name for it.

    Call arguments:
        data: A dict of columns `(rows,)` or `(rows, 1)`, or of single values.

    Returns:
        A tensor `(rows, width)` or a dict of tensors `(rows, ...)`; without rows for single values.

    Raises:
        ValueError: no features or unknown ones, other modes, a call before `adapt`.

    Example:
        >>> import pydl
        >>> data = {"age": [20.0, 40.0, 60.0], "pet": ["cat", "dog", "cat"]}
        >>> kinds = {"age": "float_normalized", "pet": "string_categorical"}
        >>> space = pydl.utils.FeatureSpace(kinds)
        >>> space.adapt(data)
        >>> space({"age": 40.0, "pet": "dog"}).tolist()
        [0.0, 0.0, 0.0, 1.0]
        >>> pydl.Model(space.get_inputs(), space.get_encoded_features()).output_shape
        (None, 4)
    """

    def __init__(
        self,
        features: dict[str, Any],
        output_mode: str = "concat",
        crosses: Sequence[Any] | None = None,
        crossing_dim: int = 32,
        hashing_dim: int = 32,
        num_discretization_bins: int = 32,
        name: str | None = None,
    ):
        super().__init__(name=name)
        if not isinstance(features, dict) or not features:
            raise ValueError(f"[{self.name}] expected a dict of features, got {features!r}.")
        if output_mode not in ("dict", "concat"):
            raise ValueError(f"[{self.name}] expected output_mode dict or concat, got {output_mode!r}.")
        self.output_mode = output_mode
        self.crossing_dim = crossing_dim
        self.hashing_dim = hashing_dim
        self.num_discretization_bins = num_discretization_bins
        self.features = {key: self._feature(key, value) for key, value in features.items()}
        self.crosses = [self._cross(cross) for cross in crosses or ()]
        self.preprocessors = {key: value.preprocessor for key, value in self.features.items()}
        self.crossers = {cross.name: cross.crosser for cross in self.crosses}
        self.one_hot_encoders: dict[str, Layer] = {}
        self.inputs = {
            key: Input((1,), dtype=value.dtype, name=key) for key, value in self.features.items()
        }
        self._encoded: Any = None
        self._adapted = not any(feature.adaptable for feature in self.features.values())

    @classmethod
    def cross(
        cls, feature_names: Sequence[str], crossing_dim: int, output_mode: str = "one_hot"
    ) -> Cross:
        """Return a cross of columns; `output_mode` is "one_hot" or "int"."""
        return Cross(feature_names, crossing_dim, output_mode)

    @classmethod
    def feature(cls, dtype: str, preprocessor: Layer, output_mode: str) -> Feature:
        """Return a column of `dtype` that any layer prepares; `output_mode` is "one_hot", "int" or "float"."""
        return Feature(dtype, preprocessor, output_mode)

    @classmethod
    def float(cls, name: str | None = None) -> Feature:
        """Return a column of numbers that stay what they are."""
        return Feature("float32", Identity(name=_layer_name("float", name)), "float")

    @classmethod
    def float_rescaled(
        cls, scale: builtins.float = 1.0, offset: builtins.float = 0.0, name: str | None = None
    ) -> Feature:
        """Return a column of numbers that become `number * scale + offset`."""
        layer = Rescaling(scale, offset, name=_layer_name("float_rescaled", name))
        return Feature("float32", layer, "float")

    @classmethod
    def float_normalized(cls, name: str | None = None) -> Feature:
        """Return a column of numbers that get mean 0 and variance 1."""
        layer = Normalization(axis=-1, name=_layer_name("float_normalized", name))
        return Feature("float32", layer, "float")

    @classmethod
    def float_discretized(
        cls,
        num_bins: int,
        bin_boundaries: Sequence[builtins.float] | None = None,
        output_mode: str = "one_hot",
        name: str | None = None,
    ) -> Feature:
        """Return a column of numbers that become those of `num_bins` intervals, or of given ones."""
        layer = Discretization(
            bin_boundaries,
            num_bins if bin_boundaries is None else None,
            name=_layer_name("float_discretized", name),
        )
        return Feature("float32", layer, output_mode)

    @classmethod
    def integer_categorical(
        cls,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        output_mode: str = "one_hot",
        name: str | None = None,
    ) -> Feature:
        """Return a column of integers that a vocabulary knows; arguments as those of `IntegerLookup`."""
        name = _layer_name("integer_categorical", name)
        return Feature("int32", IntegerLookup(max_tokens, num_oov_indices, name=name), output_mode)

    @classmethod
    def string_categorical(
        cls,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        output_mode: str = "one_hot",
        name: str | None = None,
    ) -> Feature:
        """Return a column of strings that a vocabulary knows; arguments as those of `StringLookup`."""
        name = _layer_name("string_categorical", name)
        return Feature("string", StringLookup(max_tokens, num_oov_indices, name=name), output_mode)

    @classmethod
    def string_hashed(
        cls, num_bins: int, output_mode: str = "one_hot", name: str | None = None
    ) -> Feature:
        """Return a column of strings that a hash puts into `num_bins` categories."""
        layer = Hashing(num_bins, name=_layer_name("string_hashed", name))
        return Feature("string", layer, output_mode)

    @classmethod
    def integer_hashed(
        cls, num_bins: int, output_mode: str = "one_hot", name: str | None = None
    ) -> Feature:
        """Return a column of integers that a hash puts into `num_bins` categories."""
        layer = Hashing(num_bins, name=_layer_name("integer_hashed", name))
        return Feature("int32", layer, output_mode)

    def adapt(self, dataset: Any) -> None:
        """Let the preprocessors learn what they need: means, intervals, vocabularies.

        Args:
            dataset: A dict of columns, or a `data.Dataset` (or another iterable that starts anew
                every time) of such dicts, batched or row by row.

        Raises:
            ValueError: something else, or a column that is missing.
        """
        if not isinstance(dataset, dict) and (
            not isinstance(dataset, Iterable) or isinstance(dataset, (Iterator, str, np.ndarray))
        ):
            raise ValueError(
                f"[{self.name}] expected a dict of columns or a dataset of them, got "
                f"{type(dataset).__name__}."
            )
        for name, feature in self.features.items():
            if feature.adaptable:
                feature.preprocessor.adapt(self._column(dataset, name))
        self._adapted, self._encoded = True, None
        self.get_encoded_features()

    def get_inputs(self) -> dict[str, Any]:
        """Return the symbolic inputs of all columns by name, to begin a model with."""
        self.get_encoded_features()
        return self.inputs

    def get_encoded_features(self) -> Any:
        """Return the symbolic outputs for `get_inputs`, as a call returns them."""
        if not self._adapted:
            raise ValueError(f"[{self.name}] expected data before. Hint: call adapt(dataset).")
        if self._encoded is None:
            self._encoded = self._merge(self._prepared(self.inputs), make_encoders=True)
            self.built = True
        return self._encoded

    def __call__(self, data: dict[str, Any]) -> Any:
        if not isinstance(data, dict) or is_symbolic(data):
            raise ValueError(
                f"[{self.name}] expected a dict of columns, got {type(data).__name__}. Hint: "
                "get_encoded_features() are the symbolic outputs."
            )
        missing = [name for name in self.features if name not in data]
        if missing:
            raise ValueError(f"[{self.name}] expected columns {missing}, got {list(data)}.")
        self.get_encoded_features()
        columns = {name: _array(data[name]) for name in self.features}
        single = any(column.ndim == 0 for column in columns.values())
        columns = {k: v.reshape(-1, 1) if v.ndim < 2 else v for k, v in columns.items()}
        encoded = self._merge(self._prepared(columns))
        if not single:
            return encoded
        if self.output_mode == "concat":
            return ops.squeeze(encoded, axis=0)
        return {key: ops.squeeze(value, axis=0) for key, value in encoded.items()}

    def get_config(self) -> dict[str, Any]:
        return {
            "features": {key: value.get_config() for key, value in self.features.items()},
            "output_mode": self.output_mode,
            "crosses": [cross.get_config() for cross in self.crosses],
            "crossing_dim": self.crossing_dim,
            "hashing_dim": self.hashing_dim,
            "num_discretization_bins": self.num_discretization_bins,
            "name": self.name,
        }

    def get_build_config(self) -> dict[str, Any]:
        return {key: value.get_build_config() for key, value in self.preprocessors.items()}

    def build_from_config(self, config: dict[str, Any]) -> None:
        for key, shapes in config.items():
            if shapes and not self.preprocessors[key].built:
                self.preprocessors[key].build_from_config(shapes)
        self._adapted = True
        self.get_encoded_features()

    def save(self, filepath: Any) -> None:
        """Save it, with all that it learned, for `pydl.models.load_model`.

        Args:
            filepath: A path that ends in `.pydl` or `.keras`.
        """
        self.get_encoded_features()
        save_model(self, filepath)

    def _feature(self, name: str, kind: Any) -> Feature:
        if isinstance(kind, dict):
            return Feature(**kind)
        if isinstance(kind, Feature):
            return kind
        arguments = {
            "float": (), "float_normalized": (), "float_rescaled": (),
            "float_discretized": (self.num_discretization_bins,),
            "integer_categorical": (), "string_categorical": (),
            "integer_hashed": (self.hashing_dim,), "string_hashed": (self.hashing_dim,),
        }  # fmt: skip
        if not isinstance(kind, str) or kind not in arguments:
            raise ValueError(
                f"[{self.name}] expected the kind of {name!r} to be one of {', '.join(arguments)}, "
                f"got {kind!r}."
            )
        return getattr(self, kind)(*arguments[kind], name=name)

    def _cross(self, cross: Any) -> Cross:
        if isinstance(cross, dict):
            cross = Cross(**cross)
        elif not isinstance(cross, Cross):
            cross = Cross(cross, self.crossing_dim)
        unknown = [name for name in cross.feature_names if name not in self.features]
        if unknown:
            raise ValueError(f"[{self.name}] expected crosses of features, got unknown {unknown}.")
        return cross

    def _column(self, dataset: Any, name: str) -> Iterator[np.ndarray]:
        """One column in batches `(rows, ...)` of at least two axes."""
        try:
            if isinstance(dataset, dict):
                rows = _array(dataset[name])
                batches: Iterable = (rows[i : i + _BATCH] for i in range(0, len(rows), _BATCH))
            else:
                batches = _gathered(_array(element[name]) for element in dataset)
            for batch in batches:
                yield batch[:, np.newaxis] if batch.ndim == 1 else batch
        except (KeyError, TypeError) as error:
            raise ValueError(f"[{self.name}] expected dicts with a column {name!r}.") from error

    def _prepared(self, columns: dict[str, Any]) -> dict[str, Any]:
        """What the preprocessors make of the columns, and then the crossers."""
        made = {name: self.preprocessors[name](column) for name, column in columns.items()}
        crossed = {
            cross.name: cross.crosser([made[name] for name in cross.feature_names])
            for cross in self.crosses
        }
        return {**{k: made[k] for k in sorted(made)}, **{k: crossed[k] for k in sorted(crossed)}}

    def _merge(self, made: dict[str, Any], make_encoders: bool = False) -> Any:
        if make_encoders:
            specs = {**self.features, **{cross.name: cross for cross in self.crosses}}
            encoders = {name: specs[name].encoder(name, made[name].dtype) for name in made}
            self.one_hot_encoders = {name: one for name, one in encoders.items() if one is not None}
            self._concatenate = Concatenate(axis=-1)
        encoded = {
            name: self.one_hot_encoders[name](value) if name in self.one_hot_encoders else value
            for name, value in made.items()
        }
        if self.output_mode == "dict":
            return encoded
        for name, value in encoded.items():
            if "float" not in value.dtype:
                raise ValueError(
                    f"[{self.name}] expected numbers to concatenate, got {value.dtype} for {name!r}. "
                    "Hint: output_mode='dict', or 'one_hot' for the feature."
                )
        values = list(encoded.values())
        return self._concatenate(values) if len(values) > 1 else values[0]


def _layer_name(kind: str, name: str | None) -> str:
    return f"{name or auto_name(kind)}_preprocessor"


def _array(values: Any) -> np.ndarray:
    """A column as an array; floats in float32 unless they come as an array."""
    if isinstance(values, Tensor):
        return values.numpy()
    array = np.asarray(values)
    is_list = isinstance(values, (list, tuple, builtins.float))
    return array.astype("float32") if is_list and array.dtype.kind == "f" else array


def _gathered(elements: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    """Batches as they come, single values in batches of their own."""
    waiting: list[np.ndarray] = []
    for element in elements:
        if element.ndim:
            yield element
            continue
        waiting.append(element)
        if len(waiting) == _BATCH:
            yield np.stack(waiting)
            waiting = []
    if waiting:
        yield np.stack(waiting)
