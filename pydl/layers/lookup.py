"""Layers that turn tokens into numbers by a vocabulary, and back."""

from __future__ import annotations

from typing import Any

import numpy as np

from pydl import _core
from pydl._core import Tensor, as_tensor
from pydl.layers.category_arrays import (
    as_array,
    as_numbers,
    as_text,
    batches,
    check_mode,
    encode,
    rows_shape,
)
from pydl.layers.hashing import hash_buckets, parse_salt
from pydl.layers.keras_tensor import KerasTensor, is_symbolic
from pydl.layers.layer import Layer
from pydl.layers.vocabulary import Vocabulary

__all__ = ["IntegerLookup", "StringLookup", "VocabularyLayer", "document_batches"]

MODES = ("int", "one_hot", "multi_hot", "count", "tf_idf")


class VocabularyLayer(Layer):
    """What layers with a vocabulary have in common; they keep it in `self._vocabulary`."""

    _vocabulary: Vocabulary

    def get_vocabulary(self, include_special_tokens: bool = True) -> list[Any]:
        """Return the tokens in the order of their numbers.

        Args:
            include_special_tokens: Whether those for masked and unknown tokens come first.
        """
        return self._vocabulary.all(include_special_tokens)

    def vocabulary_size(self) -> int:
        """Return the number of tokens, special ones among them."""
        return len(self._vocabulary)

    def set_vocabulary(self, vocabulary: Any, idf_weights: Any = None) -> None:
        """Set the tokens, instead of `adapt`.

        Args:
            vocabulary: A list or array of tokens, with or without the special ones at its start, or
                the path of a text file with one token a line.
            idf_weights: Inverse document frequencies, one a token, with output_mode "tf_idf".

        Raises:
            ValueError: repeated tokens, or more than `max_tokens`.
        """
        self._vocabulary.set(vocabulary, idf_weights)

    def compute_output_spec(self, inputs):
        dtype = "int64" if self.output_mode == "int" else self.compute_dtype
        return KerasTensor(self.compute_output_shape(inputs.shape), dtype)

    def get_config(self):
        return {**super().get_config(), **self._vocabulary.config()}

    @classmethod
    def from_config(cls, config):
        if isinstance(config.get("vocabulary"), str):
            raise ValueError(
                f"[{cls.__name__}] expected a list of tokens in a saved configuration, got the path "
                "of a file, which a model file must not make pydl read."
            )
        return super().from_config(config)


def document_batches(owner: str, data: Any, steps: int | None):
    """Batches of documents as arrays, `(documents, tokens)`."""
    if isinstance(data, (list, tuple, Tensor)) or hasattr(data, "__array__"):
        whole = as_array(owner, data, object if isinstance(data, (list, tuple)) else None)
        yield whole[:, None] if whole.ndim == 1 else np.atleast_2d(whole)
        return
    for batch in batches(owner, data, steps):
        # A batch of one axis is one document, as in Keras.
        yield np.atleast_2d(as_array(owner, batch))


class _IndexLookup(VocabularyLayer):
    """The part that `StringLookup` and `IntegerLookup` share."""

    _is_text = True

    def _set_up(
        self, tokens: Vocabulary, vocabulary: Any, idf_weights: Any, invert: bool, salt: Any
    ) -> None:
        if invert and self.output_mode != "int":
            raise ValueError(
                f"[{self.name}] expected output_mode 'int' with invert=True, got "
                f"{self.output_mode!r}."
            )
        self.invert = invert
        self._salt = parse_salt(self.name, salt)
        self._vocabulary = tokens
        if vocabulary is not None:
            tokens.set(vocabulary, idf_weights)
        elif idf_weights is not None:
            raise ValueError(f"[{self.name}] expected idf_weights beside a vocabulary only.")

    def __call__(self, inputs, **kwargs):
        return super().__call__(inputs if is_symbolic(inputs) else self._clean(inputs), **kwargs)

    def call(self, inputs):
        values = self._clean(inputs)
        if self.invert:
            return self._tokens_of(values)
        places = self._vocabulary.places(values) if self._vocabulary.tokens is not None else None
        flat = values.ravel()
        places = np.full(flat.size, -1) if places is None else places
        masked = flat == self._mask_token if self._mask_token is not None else np.zeros(1, bool)
        known = np.where(masked, 0, places)
        self._vocabulary.refuse_unknown(known, flat)
        numbers = self._vocabulary.numbers(known, self._buckets(flat))
        int_mode = self.output_mode == "int"
        numbers = np.where(masked, 0 if int_mode else -1, numbers).reshape(values.shape)
        if int_mode:
            return as_tensor(np.atleast_1d(numbers)).reshape(values.shape)
        numbers = np.atleast_1d(numbers)
        if self.output_mode == "one_hot":
            return self._floats(encode(numbers, "one_hot", self._vocabulary.depth or 0, "float32"))
        items = numbers.reshape(-1, numbers.shape[-1])
        row_of = np.repeat(np.arange(len(items)), items.shape[1])
        rows = self._vocabulary.rows(items.ravel(), row_of, len(items))
        return self._floats(rows.reshape(*numbers.shape[:-1], -1))

    def compute_output_shape(self, input_shape):
        if self.output_mode == "int":
            return input_shape
        return rows_shape(input_shape, self.output_mode, self._vocabulary.depth)

    def _clean(self, inputs: Any) -> np.ndarray:
        if self._is_text and not self.invert:
            return as_text(self.name, inputs)
        values = as_array(self.name, inputs)
        if values.dtype.kind not in "biu":
            raise TypeError(f"[{self.name}] expected integers, got an array of {values.dtype}.")
        return values

    def _buckets(self, values: np.ndarray) -> np.ndarray | None:
        count = self._vocabulary.num_oov_indices
        if count <= 1:
            return None
        if not self._is_text and self._oov_method == "floormod":
            return np.mod(values.astype("int64"), count)
        return hash_buckets([str(value) for value in values.tolist()], count, self._salt)

    def _tokens_of(self, numbers: np.ndarray) -> Any:
        tokens = self._vocabulary.all()
        unknown = self.oov_token
        found = [tokens[n] if 0 <= n < len(tokens) else unknown for n in numbers.ravel().tolist()]
        dtype = "U" if self._is_text else "int64"
        array = np.array(found, dtype=dtype).reshape(numbers.shape)
        return array if self._is_text else as_tensor(np.atleast_1d(array)).reshape(array.shape)

    def _floats(self, rows: np.ndarray) -> Tensor:
        return as_tensor(rows).astype(self.compute_dtype)


class StringLookup(_IndexLookup):
    """Turns strings into numbers by a vocabulary, which it learns from data or is given.

    The most frequent token of `adapt` comes first. Unknown tokens get number 0, or 1 with a mask.

    Args:
        max_tokens: The most tokens, special ones among them; None for no limit.
        num_oov_indices: How many numbers unknown tokens share, by a hash; 0 refuses them.
        mask_token: A token that becomes 0; None for none.
        oov_token: What stands for unknown tokens in the vocabulary and with `invert`.
        vocabulary: A list of tokens, or a text file with one a line; None to use `adapt`.
        idf_weights: Inverse document frequencies of the tokens, for "tf_idf".
        invert: Whether to turn numbers into strings instead.
        output_mode: "int"; "one_hot" a row for every token; "multi_hot" (or "binary"), "count",
            "tf_idf" one row for the tokens of the last axis.
        pad_to_max_tokens: Whether rows have `max_tokens` places although there are fewer tokens.
        sparse: Only False: there are no sparse tensors.
        encoding: Of bytes; only "utf-8".
        salt: One or two integers: unknown tokens are shared out by SipHash with this key.

    Call arguments:
        inputs: Strings of any shape; integers with `invert`.

    Returns:
        int64 of the same shape, or float rows; a NumPy array of strings with `invert`.

    Raises:
        ValueError: an unknown token with num_oov_indices=0, or an unfit vocabulary.

    Example:
        >>> import pydl
        >>> layer = pydl.layers.StringLookup()
        >>> layer.adapt([["a", "c", "d"], ["d", "a", "a"]])
        >>> layer.get_vocabulary()
        ['[UNK]', 'a', 'd', 'c']
        >>> layer([["a", "z"]]).tolist()
        [[1, 0]]
    """

    def __init__(
        self,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        mask_token: str | None = None,
        oov_token: str = "[UNK]",
        vocabulary: Any = None,
        idf_weights: Any = None,
        invert: bool = False,
        output_mode: str = "int",
        pad_to_max_tokens: bool = False,
        sparse: bool = False,
        encoding: str = "utf-8",
        salt: Any = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if encoding.lower().replace("-", "") != "utf8":
            raise ValueError(f"[{self.name}] expected encoding 'utf-8', got {encoding!r}.")
        self.oov_token = oov_token
        self._mask_token = mask_token
        self.output_mode = check_mode(self.name, output_mode, MODES, sparse)
        tokens = Vocabulary(
            self.name, True, max_tokens, num_oov_indices, mask_token, oov_token, self.output_mode,
            pad_to_max_tokens,
        )  # fmt: skip
        self._set_up(tokens, vocabulary, idf_weights, invert, salt)

    def adapt(self, data: Any, steps: int | None = None) -> None:
        """Learn the vocabulary: all tokens of `data`, the most frequent first.

        Args:
            data: Strings: a list, an array `(documents, tokens)`, or an iterable of batches.
            steps: How many batches to read; None for all.
        """
        counter = _core.TokenCounter(_core.TextRules(False, False, "none", []))
        for batch in document_batches(self.name, data, steps):
            text = as_text(self.name, batch)
            per_row = text.size // max(1, len(text))
            counter.update(text.ravel().tolist(), np.arange(len(text) + 1) * per_row)
        tokens, _, documents = counter.sorted()
        self._vocabulary.learn(tokens, documents, counter.documents)


class IntegerLookup(_IndexLookup):
    """Turns integers into numbers from 0 on, by a vocabulary.

    Args:
        max_tokens: The most tokens, special ones among them; None for no limit.
        num_oov_indices: How many numbers unknown integers share; 0 refuses them.
        mask_token: An integer that becomes 0; None for none.
        oov_token: What stands for unknown integers in the vocabulary and with `invert`.
        vocabulary: A list of integers, or a text file with one a line; None to use `adapt`.
        vocabulary_dtype: Only "int64".
        idf_weights: Inverse document frequencies of the integers, for "tf_idf".
        invert: Whether to turn numbers back instead.
        output_mode: As in `StringLookup`.
        sparse: Only False: there are no sparse tensors.
        pad_to_max_tokens: Whether rows have `max_tokens` places although there are fewer tokens.
        oov_method: How unknown integers are shared out: "floormod" or "farmhash".
        salt: One or two integers, with "farmhash": by SipHash with this key.

    Call arguments:
        inputs: Integers of any shape.

    Returns:
        int64 of the same shape, or float rows.

    Example:
        >>> import pydl
        >>> layer = pydl.layers.IntegerLookup(vocabulary=[12, 36, 1138, 42])
        >>> layer([[12, 1138, 42], [42, 1000, 36]]).tolist()
        [[1, 3, 4], [4, 0, 2]]
    """

    _is_text = False

    def __init__(
        self,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        mask_token: int | None = None,
        oov_token: int = -1,
        vocabulary: Any = None,
        vocabulary_dtype: str = "int64",
        idf_weights: Any = None,
        invert: bool = False,
        output_mode: str = "int",
        sparse: bool = False,
        pad_to_max_tokens: bool = False,
        oov_method: str = "floormod",
        salt: Any = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if vocabulary_dtype != "int64":
            raise ValueError(
                f"[{self.name}] expected vocabulary_dtype 'int64', got {vocabulary_dtype!r}."
            )
        if oov_method not in ("floormod", "farmhash"):
            raise ValueError(
                f"[{self.name}] expected oov_method 'floormod' or 'farmhash', got {oov_method!r}."
            )
        if salt is not None and oov_method != "farmhash":
            raise ValueError(f"[{self.name}] expected a salt with oov_method 'farmhash' only.")
        self._oov_method = oov_method
        self.oov_token = oov_token
        self._mask_token = mask_token
        self.output_mode = check_mode(self.name, output_mode, MODES, sparse)
        tokens = Vocabulary(
            self.name, False, max_tokens, num_oov_indices, mask_token, oov_token, self.output_mode,
            pad_to_max_tokens,
        )  # fmt: skip
        self._set_up(tokens, vocabulary, idf_weights, invert, salt)

    def adapt(self, data: Any, steps: int | None = None) -> None:
        """Learn the vocabulary: all integers of `data`, the most frequent first.

        Args:
            data: Integers: a list, an array `(documents, tokens)`, or an iterable of batches.
            steps: How many batches to read; None for all.
        """
        tokens, counts, in_documents, documents = np.empty(0, "int64"), [], [], 0
        pieces = []
        for batch in document_batches(self.name, data, steps):
            rows = as_numbers(self.name, batch, "int64").reshape(len(batch), -1)
            documents += len(rows)
            pieces += [np.unique(row, return_counts=True) for row in rows]
        if pieces:
            flat = np.concatenate([tokens for tokens, _ in pieces])
            tokens, inverse = np.unique(flat, return_inverse=True)
            in_documents = np.bincount(inverse, minlength=tokens.size)
            counts = np.bincount(inverse, np.concatenate([c for _, c in pieces]))
        order = np.lexsort((tokens, counts))[::-1]
        self._vocabulary.learn(tokens[order].tolist(), np.asarray(in_documents)[order], documents)
