"""Vocabulary: which number belongs to which token, and how tokens become the outputs of a layer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from pydl import _core
from pydl.layers.category_arrays import encode_rows

__all__ = ["Vocabulary"]

_PLAIN = _core.TextRules(False, False, "none", [])


class Vocabulary:
    """The tokens of a layer: first the mask, then those that stand for unknown ones, then the rest.

    Args:
        owner: The layer's name, for messages.
        is_text: Whether tokens are strings, not integers.
        max_tokens: The most tokens, special ones among them; None for no limit.
        num_oov_indices: How many numbers unknown tokens share.
        mask_token: The token that means nothing, number 0; None for none.
        oov_token: What stands for unknown tokens when numbers become tokens.
        output_mode: That of the layer.
        pad_to_max_tokens: Whether rows have `max_tokens` places from the start.
    """

    def __init__(
        self,
        owner: str,
        is_text: bool,
        max_tokens: int | None,
        num_oov_indices: int,
        mask_token: Any,
        oov_token: Any,
        output_mode: str,
        pad_to_max_tokens: bool,
    ) -> None:
        if max_tokens is not None and max_tokens <= 1:
            raise ValueError(f"[{owner}] expected max_tokens of at least 2, got {max_tokens}.")
        if pad_to_max_tokens and max_tokens is None:
            raise ValueError(f"[{owner}] expected max_tokens with pad_to_max_tokens=True, got None.")
        if num_oov_indices < 0:
            raise ValueError(
                f"[{owner}] expected num_oov_indices of at least 0, got {num_oov_indices}."
            )
        self._owner = owner
        self._is_text = is_text
        self._max_tokens = max_tokens
        self._mask_token = mask_token
        self._oov_token = oov_token
        self._mode = output_mode
        self._pads = pad_to_max_tokens
        self.num_oov_indices = num_oov_indices
        self.oov_start = 1 if mask_token is not None and output_mode == "int" else 0
        self.token_start = self.oov_start + num_oov_indices
        self.tokens: list[Any] | None = None  # without the special ones
        self.idf_weights: np.ndarray | None = None  # of all numbers

    # What the tokens are

    def set(self, vocabulary: Any, idf_weights: Any = None) -> None:
        """Take the tokens from a list, an array or a text file with one a line."""
        if isinstance(vocabulary, str):
            vocabulary = self._read(vocabulary)
        tokens = [self._plain(token) for token in vocabulary]
        if not tokens:
            raise ValueError(f"[{self._owner}] expected a vocabulary, got an empty one.")
        if self._mode == "tf_idf" and idf_weights is None:
            raise ValueError(f"[{self._owner}] expected idf_weights with output_mode 'tf_idf'.")
        if self._mode != "tf_idf" and idf_weights is not None:
            raise ValueError(
                f"[{self._owner}] expected idf_weights with output_mode 'tf_idf' only, got "
                f"{self._mode!r}."
            )
        special = [self._mask_token] * self.oov_start + [self._oov_token] * self.num_oov_indices
        has_special = bool(special) and tokens[: len(special)] == special
        weights = None
        if idf_weights is not None:
            weights = np.asarray(idf_weights, "float32")
            if weights.shape != (len(tokens),):
                raise ValueError(
                    f"[{self._owner}] expected {len(tokens)} idf_weights, one a token, got shape "
                    f"{weights.shape}."
                )
            if not has_special:  # nobody counted unknown tokens: they get the mean
                weights = np.concatenate([np.full(len(special), weights.mean()), weights])
        self._check(tokens[len(special) :] if has_special else tokens, special)
        self._keep(tokens[len(special) :] if has_special else tokens, weights)

    def learn(self, tokens: list[Any], documents: np.ndarray, num_documents: int) -> None:
        """Take the most frequent tokens.

        Args:
            tokens: The most frequent first.
            documents: In how many documents each comes.
            num_documents: How many documents there are.
        """
        special = {self._mask_token, self._oov_token}
        kept = [i for i, token in enumerate(tokens) if token not in special]
        if self._max_tokens is not None:
            kept = kept[: max(0, self._max_tokens - self.token_start)]
        weights = None
        if self._mode == "tf_idf":
            weights = np.log(1 + num_documents / (1 + documents[kept])).astype("float32")
            mean = weights.mean() if len(weights) else 0
            weights = np.concatenate([np.full(self.token_start, mean, "float32"), weights])
        self._keep([tokens[i] for i in kept], weights)

    def all(self, include_special_tokens: bool = True) -> list[Any]:
        """The tokens in the order of their numbers."""
        tokens = list(self.tokens or [])
        if not include_special_tokens or self.tokens is None and not self.token_start:
            return tokens
        return [self._mask_token] * self.oov_start + [
            self._oov_token
        ] * self.num_oov_indices + tokens

    def __len__(self) -> int:
        return self.token_start + len(self.tokens or [])

    @property
    def depth(self) -> int | None:
        """Places in a row of a mode other than "int"; None before there is a vocabulary."""
        if self._pads:
            return self._max_tokens
        return None if self.tokens is None else len(self)

    # What becomes of data

    def places(self, values: np.ndarray) -> np.ndarray:
        """Where each value is among the tokens, -1 for unknown ones."""
        if self._is_text:
            return self.table.encode(values.ravel().tolist(), _PLAIN, -1)[0]
        sorted_tokens, order = self._sorted
        flat = values.ravel().astype("int64")
        if not sorted_tokens.size:
            return np.full(flat.size, -1)
        found = np.searchsorted(sorted_tokens, flat).clip(max=sorted_tokens.size - 1)
        return np.where(sorted_tokens[found] == flat, order[found], -1)

    def numbers(self, places: np.ndarray, buckets: np.ndarray | None = None) -> np.ndarray:
        """Numbers for places; unknown tokens get a number of their own by bucket, if given."""
        unknown = self.oov_start + (0 if buckets is None else buckets)
        return np.where(places < 0, unknown, places + self.token_start)

    def rows(self, numbers: np.ndarray, row_of: np.ndarray, count: int) -> np.ndarray:
        """Rows of a place for every token: marked, counted or weighed by the layer's mode."""
        depth = self.depth
        if depth is None:
            raise RuntimeError(
                f"[{self._owner}] expected a vocabulary. Hint: call adapt(data) first, or pass "
                "vocabulary."
            )
        mode = "multi_hot" if self._mode == "multi_hot" else "count"
        rows = encode_rows(numbers, row_of, count, mode, depth, "float32")
        if self._mode == "tf_idf":
            weights = np.zeros(depth, "float32")
            weights[: len(self.idf_weights)] = self.idf_weights
            rows *= weights
        return rows

    def refuse_unknown(self, places: np.ndarray, values: Sequence[Any]) -> None:
        """Raise ValueError if a token is unknown and there is no number for such."""
        if self.num_oov_indices == 0 and (places < 0).any():
            place = int(np.argmax(places < 0))
            raise ValueError(
                f"[{self._owner}] expected tokens of the vocabulary, because num_oov_indices is 0, "
                f"got {values[place]!r} in element {place}."
            )

    def config(self) -> dict[str, Any]:
        """What `set` needs to restore the vocabulary."""
        weights = None if self.idf_weights is None else self.idf_weights[self.token_start :].tolist()
        return {"vocabulary": self.tokens, "idf_weights": weights}

    def _keep(self, tokens: list[Any], weights: np.ndarray | None) -> None:
        self.tokens, self.idf_weights = tokens, weights
        if self._is_text:
            self.table = _core.TokenTable(tokens)
        else:
            values = np.array(tokens, "int64")
            order = np.argsort(values)
            self._sorted = values[order], order

    def _check(self, tokens: list[Any], special: list[Any]) -> None:
        repeated = [token for token, count in Counter(tokens).items() if count > 1]
        if repeated:
            raise ValueError(
                f"[{self._owner}] expected every token once, got again: {repeated[:10]}."
            )
        if self._mask_token is not None and self._mask_token in tokens:
            raise ValueError(
                f"[{self._owner}] expected the mask token {self._mask_token!r} at the start only, "
                f"got it as token {tokens.index(self._mask_token)}. Hint: leave out special tokens, "
                f"or begin with {special}."
            )
        size = self.token_start + len(tokens)
        if self._max_tokens is not None and size > self._max_tokens:
            raise ValueError(
                f"[{self._owner}] expected at most max_tokens={self._max_tokens} tokens, special "
                f"ones among them, got {size}."
            )

    def _plain(self, token: Any) -> Any:
        if not self._is_text:
            return int(token)
        return token.decode("utf-8") if isinstance(token, bytes) else str(token)

    def _read(self, path: str) -> list[str]:
        try:
            with open(path, encoding="utf-8") as file:
                return file.read().splitlines()
        except FileNotFoundError as error:
            raise ValueError(f"[{self._owner}] expected a vocabulary file, got {path}.") from error
