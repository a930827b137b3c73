"""What a `FeatureSpace` knows about one column of a table, and about columns combined."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydl.layers import (
    CategoryEncoding,
    Discretization,
    HashedCrossing,
    Hashing,
    IntegerLookup,
    Normalization,
    StringLookup,
)
from pydl.layers.layer import Layer
from pydl.layers.lookup import VocabularyLayer
from pydl.saving.serialize import serialize_keras_object

__all__ = ["Cross", "Feature"]


class Feature:
    """A column of a table: its dtype, the layer that prepares it, and how the result is encoded.

    Args:
        dtype: The dtype of the column, or "string".
        preprocessor: A layer.
        output_mode: "int" or "float" for what the layer returns, "one_hot" for rows that mark it.

    Raises:
        ValueError: another output mode, or a preprocessor that is no layer.
    """

    def __init__(self, dtype: str, preprocessor: Layer, output_mode: str):
        if output_mode not in ("int", "one_hot", "float"):
            raise ValueError(
                f"[Feature] expected output_mode int, one_hot or float, got {output_mode!r}."
            )
        if not isinstance(preprocessor, Layer):
            raise ValueError(f"[Feature] expected a layer as preprocessor, got {preprocessor!r}.")
        self.dtype = dtype
        self.preprocessor = preprocessor
        self.output_mode = output_mode

    @property
    def adaptable(self) -> bool:
        """Whether the preprocessor learns from data."""
        layer = self.preprocessor
        if isinstance(layer, Normalization):
            return layer.input_mean is None
        if isinstance(layer, Discretization):
            return layer.num_bins is not None
        if isinstance(layer, VocabularyLayer):
            return layer._constructor_arguments().get("vocabulary") is None
        return hasattr(layer, "adapt")

    def encoder(self, name: str, dtype: str) -> CategoryEncoding | None:
        """The layer that makes rows of zeros and ones from results of `dtype`; None for no rows.

        Raises:
            ValueError: "one_hot" for a preprocessor with unknown or no categories.
        """
        return _encoder(name, self.output_mode, self.preprocessor, dtype)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        preprocessor = serialize_keras_object(self.preprocessor)
        return {"dtype": self.dtype, "preprocessor": preprocessor, "output_mode": self.output_mode}


class Cross:
    """Columns whose combinations are categories, by a hash.

    Args:
        feature_names: The columns.
        crossing_dim: The number of categories.
        output_mode: "int" for their numbers, "one_hot" for rows that mark them.

    Raises:
        ValueError: another output mode.
    """

    def __init__(
        self, feature_names: Sequence[str], crossing_dim: int, output_mode: str = "one_hot"
    ):
        if output_mode not in ("int", "one_hot"):
            raise ValueError(f"[Cross] expected output_mode int or one_hot, got {output_mode!r}.")
        self.feature_names = tuple(feature_names)
        self.crossing_dim = crossing_dim
        self.output_mode = output_mode
        self.crosser = HashedCrossing(crossing_dim, name=self.name)

    @property
    def name(self) -> str:
        """The names of the columns, joined."""
        return "_X_".join(self.feature_names)

    def encoder(self, name: str, dtype: str) -> CategoryEncoding | None:
        """As that of `Feature`."""
        return _encoder(name, self.output_mode, self.crosser, dtype)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return {
            "feature_names": list(self.feature_names),
            "crossing_dim": self.crossing_dim,
            "output_mode": self.output_mode,
        }


def _encoder(name: str, output_mode: str, layer: Layer, dtype: str) -> CategoryEncoding | None:
    if output_mode != "one_hot":
        return None
    if not dtype.startswith("int"):
        raise ValueError(
            f"[FeatureSpace] expected integers of the preprocessor of {name!r}, which is to be "
            f"one-hot encoded, got {dtype}. Hint: output_mode='float'."
        )
    if isinstance(layer, (IntegerLookup, StringLookup)):
        return CategoryEncoding(layer.vocabulary_size())
    if isinstance(layer, CategoryEncoding):
        return CategoryEncoding(layer.num_tokens)
    if isinstance(layer, Discretization):
        return CategoryEncoding(layer.num_bins or len(layer.bin_boundaries) + 1)
    if isinstance(layer, (Hashing, HashedCrossing)):
        return CategoryEncoding(layer.num_bins)
    raise ValueError(
        f"[FeatureSpace] expected a preprocessor of {name!r} with a known number of categories for "
        f"output_mode 'one_hot', got {type(layer).__name__}. Hint: output_mode='int'."
    )
