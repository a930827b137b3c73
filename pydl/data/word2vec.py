"""Word2Vec: vectors of words, trained on texts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from pydl import _core, random
from pydl.data.word_vectors import WordVectors
from pydl.tensor import from_numpy

__all__ = ["Word2Vec"]


class Word2Vec:
    """Learns vectors of words by telling the neighbours of each word from random words.

    Trains in C++ on all cores, which change the vectors at the same time without locks; with more
    than one thread the result differs a little from run to run. `pydl.set_num_threads(1)` makes it
    the same every time for one seed.

    Args:
        vector_size: The length of the vectors.
        window: How far neighbours may be; nearer ones count for more.
        min_count: Words that come less often are left out.
        architecture: `"skip_gram"` predicts a word from each of its neighbours, `"cbow"` from their
            mean, which is faster.
        negative: How many random words each true one is told apart from.
        sample: Words with a larger share of the text are left out at random; 0 keeps all.
        epochs: How often the text is read.
        learning_rate: At the start; it falls to 0.0001. None for 0.025 (skip-gram) or 0.05 (CBOW).
        seed: An integer; None takes one from the global stream.

    Raises:
        ValueError: an argument out of range.

    Example:
        >>> texts = ["the cat sat on the mat", "the dog sat on the rug"] * 50
        >>> vectors = Word2Vec(vector_size=8, min_count=1, seed=1).fit(texts)
        >>> len(vectors), vectors["cat"].shape
        (7, (8,))

    Source: Mikolov et al., "Distributed representations of words and phrases and their
    compositionality", 2013.
    """

    def __init__(
        self,
        vector_size: int = 100,
        window: int = 5,
        min_count: int = 5,
        architecture: str = "skip_gram",
        negative: int = 5,
        sample: float = 1e-3,
        epochs: int = 5,
        learning_rate: float | None = None,
        seed: int | None = None,
    ) -> None:
        positive = {"vector_size": vector_size, "window": window, "min_count": min_count}
        for name, value in {**positive, "negative": negative, "epochs": epochs}.items():
            if value < 1:
                raise ValueError(f"[Word2Vec] expected {name} to be at least 1, got {value}.")
        if architecture not in ("skip_gram", "cbow"):
            raise ValueError(
                f"[Word2Vec] expected architecture 'skip_gram' or 'cbow', got {architecture!r}."
            )
        if sample < 0:
            raise ValueError(f"[Word2Vec] expected sample to be at least 0, got {sample}.")
        self._size = vector_size
        self._min_count = min_count
        self._seed = seed
        self._cbow = architecture == "cbow"
        self._options = {
            "cbow": self._cbow,
            "window": window,
            "negative": negative,
            "epochs": epochs,
            "sample": sample,
            "learning_rate": learning_rate or (0.05 if self._cbow else 0.025),
            "last_learning_rate": 1e-4,
        }

    def fit(self, texts: Iterable[Any]) -> WordVectors:
        """Learn the vectors of the words in texts.

        Args:
            texts: Sentences: strings, split at white space, or lists of words.

        Returns:
            The words that come often enough, the most frequent first, with their vectors.

        Raises:
            ValueError: no word comes often enough.
        """
        sentences = [text if isinstance(text, str) else " ".join(text) for text in texts]
        rules = _core.TextRules(False, False, "whitespace", [])
        counter = _core.TokenCounter(rules)
        counter.update(sentences, np.arange(len(sentences) + 1))
        words, counts, _ = counter.sorted()
        kept = int((counts >= self._min_count).sum())
        if not kept:
            raise ValueError(
                f"[Word2Vec] expected words that come at least min_count={self._min_count} times, got "
                "none."
            )
        words, counts = words[:kept], counts[:kept]
        numbers, lengths = _core.TokenTable(words).encode(sentences, rules, -1)
        known = numbers >= 0
        ends = np.append(0, known.cumsum())[lengths.cumsum()]  # without the words left out
        starts = np.append(0, ends)
        seed = self._seed
        if seed is None:
            seed = random.randint((), 0, 2**62, dtype="int64").item()
        start = (np.random.default_rng(seed % 2**64).random((kept, self._size)) - 0.5) / self._size
        vectors = from_numpy(start.astype("float32"))
        contexts = from_numpy(np.zeros((kept, self._size), "float32"))
        _core.train_word2vec(
            numbers[known].astype("int32"), starts, counts, vectors, contexts, seed=seed % 2**64,
            **self._options,
        )  # fmt: skip
        return WordVectors(words, vectors.numpy())
