"""Word vectors: read from the files of GloVe, word2vec and fastText, or trained on texts."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

__all__ = ["WordVectors", "read_word_vectors"]


class WordVectors:
    """Words with a vector each.

    Args:
        words: The words, each once.
        vectors: One row a word.

    Raises:
        ValueError: another number of rows than of words, or a word twice.

    Example:
        >>> vectors = WordVectors(["cat", "dog", "car"], [[1, 0.1], [1, 0.2], [0, 1]])
        >>> vectors["dog"].tolist()
        [1.0, 0.20000000298023224]
        >>> vectors.most_similar("cat", 1)[0][0]
        'dog'
    """

    def __init__(self, words: Sequence[str], vectors: Any) -> None:
        self.words = list(words)
        self.vectors = np.asarray(vectors, "float32")
        self._places = {word: i for i, word in enumerate(self.words)}
        if self.vectors.ndim != 2 or len(self.vectors) != len(self.words):
            raise ValueError(
                f"[WordVectors] expected a vector for each of {len(self.words)} words, got shape "
                f"{self.vectors.shape}."
            )
        if len(self._places) != len(self.words):
            raise ValueError("[WordVectors] expected every word once, got one twice.")

    def __len__(self) -> int:
        return len(self.words)

    def __contains__(self, word: str) -> bool:
        return word in self._places

    def __getitem__(self, word: str) -> np.ndarray:
        return self.vectors[self._place(word)]

    def most_similar(self, word: str, count: int = 10) -> list[tuple[str, float]]:
        """The words whose vectors point the same way, with the cosine of the angle.

        Args:
            word: One of the words.
            count: How many others to return.

        Raises:
            KeyError: the word is unknown.
        """
        unit = self.vectors / np.maximum(np.linalg.norm(self.vectors, axis=1, keepdims=True), 1e-12)
        place = self._place(word)
        cosines = unit @ unit[place]
        cosines[place] = -np.inf
        return [(self.words[i], float(cosines[i])) for i in np.argsort(-cosines)[:count]]

    def embedding_matrix(self, vocabulary: Iterable[str], seed: int | None = None) -> np.ndarray:
        """Vectors for the words of a vocabulary, such as that of a `TextVectorization` layer.

        Args:
            vocabulary: The words in the order of their numbers.
            seed: Of the vectors for words that have none here, drawn with the spread of the others;
                None gives them zeros.

        Returns:
            float32, one row a word; the weights of an `Embedding` layer.

        Example:
            >>> vectors = WordVectors(["cat"], [[1, 2]])
            >>> vectors.embedding_matrix(["", "cat"]).tolist()
            [[0.0, 0.0], [1.0, 2.0]]
        """
        vocabulary = list(vocabulary)
        matrix = np.zeros((len(vocabulary), self.vectors.shape[1]), "float32")
        if seed is not None:
            spread = self.vectors.std()
            matrix[:] = np.random.default_rng(seed).normal(0, spread, matrix.shape)
        known = [(i, self._places[w]) for i, w in enumerate(vocabulary) if w in self._places]
        if known:
            rows, places = map(list, zip(*known))
            matrix[rows] = self.vectors[places]
        return matrix

    def save(self, path: Any) -> None:
        """Write the vectors as a text file in the format of word2vec and fastText.

        Example:
            >>> WordVectors(["cat"], [[1, 2]]).save("cat.vec")
            >>> read_word_vectors("cat.vec")["cat"].tolist()
            [1.0, 2.0]
        """
        with open(os.fspath(path), "w", encoding="utf-8") as file:
            file.write(f"{len(self.words)} {self.vectors.shape[1]}\n")
            for word, vector in zip(self.words, self.vectors):
                file.write(f"{word} {' '.join(map(repr, vector.tolist()))}\n")

    def _place(self, word: str) -> int:
        try:
            return self._places[word]
        except KeyError:
            raise KeyError(f"[WordVectors] expected a known word, got {word!r}.") from None


def read_word_vectors(path: Any, binary: bool = False, limit: int | None = None) -> WordVectors:
    """Reads word vectors: GloVe's text, word2vec's text and binary form, fastText's `.vec`.

    Args:
        path: The file.
        binary: Whether it is word2vec's binary form.
        limit: How many words to read, from the first on; None for all.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: a damaged line; the message names it.

    Example:
        >>> from pathlib import Path
        >>> _ = Path("glove.txt").write_text("cat 1 2\\ndog 3 4\\n")
        >>> read_word_vectors("glove.txt")["dog"].tolist()
        [3.0, 4.0]
    """
    path = os.fspath(path)
    return _read_binary(path, limit) if binary else _read_text(path, limit)


def _read_text(path: str, limit: int | None) -> WordVectors:
    words: dict[str, None] = {}
    rows: list[np.ndarray] = []
    size = None
    with open(path, encoding="utf-8", errors="replace", newline="\n") as file:
        for number, line in enumerate(file, 1):
            parts = line.rstrip().split(" ")
            if number == 1 and len(parts) == 2 and all(part.isdigit() for part in parts):
                size = int(parts[1])  # word2vec and fastText say how many and how long; GloVe does not
                continue
            size = len(parts) - 1 if size is None else size
            try:
                vector = np.array(parts[len(parts) - size :], "float32")
            except ValueError:
                vector = np.empty(0)
            if len(vector) != size or len(parts) <= size:
                raise ValueError(
                    f"[read_word_vectors] expected a word and {size} numbers, got {line[:40]!r} in "
                    f"line {number} of {path}."
                )
            word = " ".join(parts[: len(parts) - size])  # a few words of GloVe hold spaces
            if word not in words:
                words[word] = None
                rows.append(vector)
            if limit is not None and len(rows) >= limit:
                break
    if not rows:
        raise ValueError(f"[read_word_vectors] expected words, got none in {path}.")
    return WordVectors(list(words), np.stack(rows))


def _read_binary(path: str, limit: int | None) -> WordVectors:
    with open(path, "rb") as file:
        header = file.readline(100).split()
        if len(header) != 2 or not all(part.isdigit() for part in header):
            raise ValueError(
                f"[read_word_vectors] expected the number of words and their size in the first line "
                f"of {path}, got {b' '.join(header)[:40]!r}."
            )
        content = file.read()
    count, size = map(int, header)
    words: dict[str, None] = {}
    rows, at = [], 0
    for i in range(count if limit is None else min(count, limit)):
        space = content.find(b" ", at)
        end = space + 1 + 4 * size
        if space < 0 or end > len(content):
            raise ValueError(
                f"[read_word_vectors] expected {count} words, got {i} in {path}. It is cut short."
            )
        word = content[at:space].lstrip(b"\n").decode("utf-8", errors="replace")
        if word not in words:
            words[word] = None
            rows.append(np.frombuffer(content, "<f4", size, space + 1))
        at = end
    if not rows:
        raise ValueError(f"[read_word_vectors] expected words, got none in {path}.")
    return WordVectors(list(words), np.stack(rows))
