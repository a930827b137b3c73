"""IMDB: 50,000 film reviews that are good or bad, as numbers of words."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from pydl.datasets.inert_pickle import load_inert_npz
from pydl.datasets.single_file import FileDataset
from pydl.datasets.splitting import Split
from pydl.datasets.word_sequences import (
    as_objects,
    limit_words,
    mark_start,
    shuffled,
    without_long,
)

_URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
_CHECKSUM = "69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f"
_WORDS_CHECKSUM = "bfafd718b763782e994055a2d397834f"


def load_data(
    path: str = "imdb.npz",
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int | None = 3,
) -> Split:
    """Loads film reviews: 25,000 to train on and 25,000 to test with.

    Words are numbers by how frequent they are. The file holds lists of them in a pickle, which is
    read as data only: nothing in it is run.

    Args:
        path: The name of the file in the folders that it is looked for in.
        num_words: Only words below this number are kept.
        skip_top: Words below this number are left out.
        maxlen: Only reviews shorter than this are kept.
        seed: Of the shuffle.
        start_char: What each review begins with; None for nothing.
        oov_char: What stands for words left out; None for nothing.
        index_from: The number of the most frequent word is this and one.

    Returns:
        `((x_train, y_train), (x_test, y_test))`: object arrays of lists of integers, and labels, 1
        for good.

    Raises:
        FileNotFoundError: no source has it; the message says where to put the file.
        ValueError: a damaged file, or no review shorter than `maxlen`.

    Example:
        >>> (x_train, y_train), _ = load_data(num_words=10000)  # doctest: +SKIP
        >>> x_train[0][:3]  # doctest: +SKIP
        [1, 14, 22]

    Source: Maas et al., "Learning word vectors for sentiment analysis", 2011.
    """
    arrays = load_inert_npz(FileDataset("imdb", path, _URL, _CHECKSUM).path())
    random = np.random.RandomState(seed)
    parts: list[Any] = []
    for part in ("train", "test"):
        xs, labels = shuffled(arrays[f"x_{part}"], arrays[f"y_{part}"], random)
        xs = mark_start(xs, start_char, index_from)
        parts.append(without_long("imdb", xs, labels, maxlen))
    count = len(parts[0][0])
    xs = limit_words(parts[0][0] + parts[1][0], num_words, skip_top, oov_char)
    return (as_objects(xs[:count]), parts[0][1]), (as_objects(xs[count:]), parts[1][1])


def get_word_index(path: str = "imdb_word_index.json") -> dict[str, int]:
    """The number of each word, before `index_from` is added.

    Args:
        path: The name of the file in the folders that it is looked for in.

    Example:
        >>> get_word_index()["the"]  # doctest: +SKIP
        1
    """
    with open(FileDataset("imdb", path, _URL, _WORDS_CHECKSUM).path(), encoding="utf-8") as file:
        return json.load(file)
