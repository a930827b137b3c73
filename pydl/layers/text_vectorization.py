"""Text to numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from pydl import _core
from pydl._core import Tensor, as_tensor
from pydl.layers.category_arrays import as_text, check_mode, encode
from pydl.layers.keras_tensor import is_symbolic
from pydl.layers.lookup import MODES, VocabularyLayer, document_batches
from pydl.layers.vocabulary import Vocabulary

__all__ = ["TextVectorization"]

_STANDARDS = {
    None: (False, False),
    "lower": (True, False),
    "strip_punctuation": (False, True),
    "lower_and_strip_punctuation": (True, True),
}


class TextVectorization(VocabularyLayer):
    """Turns texts into sequences of numbers of their words, or into one row a text.

    Every text is put in lower case without punctuation, split into words, joined to n-grams if
    wanted, and looked up. The vocabulary is learnt by `adapt` or given. All of it runs in C++ on all
    cores, unless `standardize` or `split` is a function.

    Args:
        max_tokens: The most tokens, special ones among them; None for no limit.
        standardize: "lower_and_strip_punctuation" (of ASCII), "lower", "strip_punctuation", None,
            or a function from an array of strings to one.
        split: "whitespace", "character", None for texts that are tokens, or a function from an
            array of strings to a list of lists of tokens.
        ngrams: n for tokens of 1 to n words; a tuple for these widths; None for single words.
        output_mode: "int" a number for every token; "multi_hot" (or "binary"), "count", "tf_idf" one
            row with a place for every token; "one_hot" a row for every token.
        output_sequence_length: Pads or cuts to this length, with "int"; None for the longest text.
        pad_to_max_tokens: Whether rows have `max_tokens` places although there are fewer tokens.
        vocabulary: A list of tokens, or a text file with one a line; None to use `adapt`.
        idf_weights: Inverse document frequencies of the tokens, for "tf_idf".
        sparse: Only False: there are no sparse tensors.
        ragged: Only False: there are no ragged tensors.
        encoding: Of bytes; only "utf-8".

    Call arguments:
        inputs: Texts, `(batch,)` or `(batch, 1)`, or a single one. Without a split, tokens
            `(batch, tokens)`, or those of a single text.

    Returns:
        int64 `(batch, length)` with 0 behind the end and 1 for unknown tokens; or float32
        `(batch, tokens)`.

    Raises:
        ValueError: arguments that do not go together, or inputs of another shape.

    Example:
        >>> import pydl
        >>> layer = pydl.layers.TextVectorization(output_sequence_length=4)
        >>> layer.adapt(["The cat sat.", "The dog!"])
        >>> layer.get_vocabulary()
        ['', '[UNK]', 'the', 'sat', 'dog', 'cat']
        >>> layer(["the DOG ran"]).tolist()
        [[2, 4, 1, 0]]
    """

    def __init__(
        self,
        max_tokens: int | None = None,
        standardize: str | Callable | None = "lower_and_strip_punctuation",
        split: str | Callable | None = "whitespace",
        ngrams: int | tuple[int, ...] | None = None,
        output_mode: str = "int",
        output_sequence_length: int | None = None,
        pad_to_max_tokens: bool = False,
        vocabulary: Any = None,
        idf_weights: Any = None,
        sparse: bool = False,
        ragged: bool = False,
        encoding: str = "utf-8",
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.output_mode = check_mode(self.name, output_mode, MODES, sparse)
        if not callable(standardize) and standardize not in _STANDARDS:
            raise ValueError(
                f"[{self.name}] expected standardize in {list(_STANDARDS)} or a function, got "
                f"{standardize!r}."
            )
        if not callable(split) and split not in (None, "whitespace", "character"):
            raise ValueError(
                f"[{self.name}] expected split None, 'whitespace', 'character' or a function, got "
                f"{split!r}."
            )
        if output_sequence_length is not None and self.output_mode != "int":
            raise ValueError(
                f"[{self.name}] expected output_sequence_length with output_mode 'int' only, got "
                f"{output_mode!r}."
            )
        if ragged:
            raise ValueError(f"[{self.name}] expected ragged=False: pydl has no ragged tensors.")
        if encoding.lower().replace("-", "") != "utf8":
            raise ValueError(f"[{self.name}] expected encoding 'utf-8', got {encoding!r}.")
        self._standardize = standardize
        self._split = split
        self._ngrams = _widths(self.name, ngrams)
        self._length = output_sequence_length
        self._vocabulary = Vocabulary(
            self.name, True, max_tokens, 1, "", "[UNK]", self.output_mode, pad_to_max_tokens
        )
        if vocabulary is not None:
            self._vocabulary.set(vocabulary, idf_weights)

    def adapt(self, data: Any, batch_size: int | None = None, steps: int | None = None) -> None:
        """Learn the vocabulary: all tokens of the texts, the most frequent first.

        Args:
            data: Texts: a list, an array, or an iterable of batches.
            batch_size: Not needed; for calls written for Keras.
            steps: How many batches to read; None for all.
        """
        counter = None
        for batch in document_batches(self.name, data, steps):
            batch = batch.T if batch.shape[0] == 1 and self._split is not None else batch
            strings, rows, rules = self._prepare_text(as_text(self.name, batch))
            counter = counter or _core.TokenCounter(rules)
            counter.update(strings, rows)
        if counter is None:
            raise ValueError(f"[{self.name}] expected texts, got none.")
        tokens, _, documents = counter.sorted()
        self._vocabulary.learn(tokens, documents, counter.documents)

    def __call__(self, inputs, **kwargs):
        if not is_symbolic(inputs):
            inputs = as_text(self.name, inputs)
        return super().__call__(inputs, **kwargs)

    def call(self, inputs):
        texts = as_text(self.name, inputs)
        one_document = texts.ndim == 0 or (self._split is None and texts.ndim == 1)
        strings, rows, rules = self._prepare_text(texts[None] if one_document else texts)
        single = len(rows) == len(strings) + 1  # every string is a document
        whole = self.output_mode != "int" or not single
        limit = -1 if whole or self._length is None else self._length
        if self._vocabulary.tokens is None:
            self._vocabulary.learn([], np.empty(0), 0)
        places, lengths = self._vocabulary.table.encode(strings, rules, limit)
        if not single:
            lengths = np.add.reduceat(np.append(lengths, 0), rows[:-1]) * (np.diff(rows) > 0)
        numbers = self._vocabulary.numbers(places)
        if self._split is None:  # an empty text is masked; words are never empty
            empty = np.array([not string for string in strings])
            numbers[empty] = 0 if self.output_mode == "int" else -1
        output = self._output(numbers, lengths)
        return output[0] if one_document else output

    def compute_output_shape(self, input_shape):
        batch = tuple(input_shape[:1])
        if self.output_mode == "int":
            return (*batch, self._length)
        depth = (self._vocabulary.depth,)
        return (*batch, None, *depth) if self.output_mode == "one_hot" else batch + depth

    @classmethod
    def from_config(cls, config):
        if isinstance(config.get("ngrams"), list):
            config = {**config, "ngrams": tuple(config["ngrams"])}
        return super().from_config(config)

    def _prepare_text(self, texts: np.ndarray) -> tuple[list[str], np.ndarray, Any]:
        """Strings, where each document begins among them, and what is left for C++ to do."""
        lower, strip = _STANDARDS.get(self._standardize, (False, False))
        if callable(self._standardize):
            texts = as_text(self.name, self._standardize(texts.astype("U")))
        if self._split is not None and texts.ndim > 1:
            if texts.shape[-1] != 1:
                raise ValueError(
                    f"[{self.name}] expected texts of shape (batch,) or (batch, 1), got "
                    f"{texts.shape}."
                )
            texts = texts[..., 0]
        if callable(self._split) or (self._split is None and texts.ndim > 1):
            return self._split_in_python(texts, lower, strip)
        split = self._split or "none"
        rules = _core.TextRules(lower, strip, split, self._ngrams)
        return texts.ravel().tolist(), np.arange(texts.size + 1), rules

    def _split_in_python(self, texts: np.ndarray, lower: bool, strip: bool):
        if callable(self._split):
            if lower or strip:
                texts = _standardized(texts, lower, strip)
                lower = strip = False
            documents = [list(map(str, tokens)) for tokens in self._split(texts.astype("U"))]
        else:
            documents = texts.tolist()
        if self._ngrams:
            documents = [_ngrams(tokens, self._ngrams) for tokens in documents]
        rows = np.concatenate([[0], np.cumsum([len(tokens) for tokens in documents])]).astype(int)
        strings = [token for tokens in documents for token in tokens]
        return strings, rows, _core.TextRules(lower, strip, "none", [])

    def _output(self, numbers: np.ndarray, lengths: np.ndarray) -> Tensor:
        count = len(lengths)
        if self.output_mode in ("int", "one_hot"):
            length = int(lengths.max(initial=0)) if self._length is None else self._length
            inside = np.arange(max(length, int(lengths.max(initial=0)))) < lengths[:, None]
            padded = np.full(inside.shape, 0 if self.output_mode == "int" else -1)
            padded[inside] = numbers
            if self.output_mode == "int":
                return as_tensor(np.ascontiguousarray(padded[:, :length]))
            rows = encode(padded[..., None], "one_hot", self._vocabulary.depth, "float32")
            return as_tensor(rows).astype(self.compute_dtype)
        row_of = np.repeat(np.arange(count), lengths)
        rows = self._vocabulary.rows(numbers, row_of, count)
        return as_tensor(rows).astype(self.compute_dtype)


def _widths(owner: str, ngrams: Any) -> list[int]:
    if ngrams is None:
        return []
    widths = list(range(1, ngrams + 1)) if isinstance(ngrams, int) else list(ngrams)
    if not widths or not all(isinstance(width, int) and width >= 1 for width in widths):
        raise ValueError(
            f"[{owner}] expected ngrams None, a positive integer or a tuple of them, got {ngrams!r}."
        )
    return widths


def _ngrams(tokens: list[str], widths: list[int]) -> list[str]:
    return [
        " ".join(tokens[i : i + width]) for width in widths for i in range(len(tokens) - width + 1)
    ]


def _standardized(texts: np.ndarray, lower: bool, strip: bool) -> np.ndarray:
    """What C++ does, for functions that split."""
    import string

    table = {}
    if lower:
        table.update(zip(map(ord, string.ascii_uppercase), string.ascii_lowercase))
    if strip:
        table.update(dict.fromkeys(map(ord, string.punctuation)))
    cleaned = [text.translate(table) for text in texts.ravel().tolist()]
    return np.array(cleaned, dtype=object).reshape(texts.shape)
