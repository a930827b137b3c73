"""Input pipelines: `Dataset` makes elements, changes them, shuffles them and puts them in batches."""

from __future__ import annotations

from pydl.data.dataset import Dataset
from pydl.data.tables import read_table
from pydl.data.word2vec import Word2Vec
from pydl.data.word_vectors import WordVectors, read_word_vectors
from pydl.data.workers import AUTOTUNE

__all__ = [
    "AUTOTUNE",
    "Dataset",
    "Word2Vec",
    "WordVectors",
    "read_table",
    "read_word_vectors",
]
