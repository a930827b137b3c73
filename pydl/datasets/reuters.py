"""Reuters: 11,228 newswires on 46 topics, as numbers of words."""

from __future__ import annotations

import json

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
_CHECKSUM = "d6586e694ee56d7a4e65172e12b3e987c03096cb01eab99753921ef915959916"
_WORDS_CHECKSUM = "4d44cc38712099c9e383dc6e5f11a921"


def load_data(
    path: str = "reuters.npz",
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    test_split: float = 0.2,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int | None = 3,
) -> Split:
    """Loads newswires with their topics.

    Words are numbers by how frequent they are. The file holds lists of them in a pickle, which is
    read as data only: nothing in it is run.

    Args:
        path: The name of the file in the folders that it is looked for in.
        num_words: Only words below this number are kept.
        skip_top: Words below this number are left out.
        maxlen: Only newswires shorter than this are kept.
        test_split: The share of newswires to test with.
        seed: Of the shuffle.
        start_char: What each newswire begins with; None for nothing.
        oov_char: What stands for words left out; None for nothing.
        index_from: The number of the most frequent word is this and one.

    Returns:
        `((x_train, y_train), (x_test, y_test))`: object arrays of lists of integers, and topics from
        0 to 45.

    Raises:
        FileNotFoundError: no source has it; the message says where to put the file.
        ValueError: a damaged file, or no newswire shorter than `maxlen`.

    Example:
        >>> (x_train, y_train), _ = load_data(num_words=1000)  # doctest: +SKIP
        >>> len(x_train)  # doctest: +SKIP
        8982
    """
    arrays = load_inert_npz(FileDataset("reuters", path, _URL, _CHECKSUM).path())
    xs, labels = shuffled(arrays["x"], arrays["y"], np.random.RandomState(seed))
    xs, labels = without_long("reuters", mark_start(xs, start_char, index_from), labels, maxlen)
    xs = limit_words(xs, num_words, skip_top, oov_char)
    cut = int(len(xs) * (1 - test_split))
    return (as_objects(xs[:cut]), labels[:cut]), (as_objects(xs[cut:]), labels[cut:])


def get_word_index(path: str = "reuters_word_index.json") -> dict[str, int]:
    """The number of each word, before `index_from` is added.

    Args:
        path: The name of the file in the folders that it is looked for in.

    Example:
        >>> get_word_index()["the"]  # doctest: +SKIP
        1
    """
    dataset = FileDataset("reuters", path, _URL, _WORDS_CHECKSUM)
    with open(dataset.path(), encoding="utf-8") as file:
        return json.load(file)


def get_label_names() -> tuple[str, ...]:
    """The topics in the order of their labels.

    Example:
        >>> get_label_names()[3:5]
        ('earn', 'acq')
    """
    return tuple(
        "cocoa grain veg-oil earn acq wheat copper housing money-supply coffee sugar trade reserves "
        "ship cotton carcass crude nat-gas cpi money-fx interest gnp meal-feed alum oilseed gold tin "
        "strategic-metal livestock retail ipi iron-steel rubber heat jobs lei bop zinc orange "
        "pet-chem dlr gas silver wpi hog lead".split()
    )
