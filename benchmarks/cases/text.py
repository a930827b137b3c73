"""Documents turned into numbers."""

from __future__ import annotations

import os

import numpy

from benchmarks.case import Case

DOCUMENTS, WORDS, VOCABULARY, LENGTH = 2000, 20000, 10000, 200


def _documents(random):
    letters = random.integers(97, 123, (WORDS, 10)).astype("uint8")
    words = [row[:size].tobytes().decode() for row, size in zip(letters, random.integers(2, 11, WORDS))]
    texts = []
    for size in random.integers(20, 300, DOCUMENTS):
        texts.append(" ".join(words[i % WORDS] for i in random.zipf(1.3, size)) + ". And, so!")
    return (numpy.array(texts),)


def _layer(keras, documents, **options):
    layer = keras.layers.TextVectorization(VOCABULARY, **options)
    layer.adapt(documents)
    return lambda: layer(documents)


def _keras(tensorflow, documents, **options):
    os.environ["KERAS_BACKEND"] = "tensorflow"  # no other can run this layer
    import keras

    return _layer(keras, documents, **options)


def _case(name: str, **options) -> Case:
    return Case(
        "text",
        f"{name} of a document of 160 words",
        _documents,
        prepare={
            "pydl": lambda pydl, documents: _layer(pydl, documents, **options),
            "tensorflow": lambda module, documents: _keras(module, documents, **options),
        },
        calls=DOCUMENTS,
    )


CASES = [
    _case("TextVectorization to numbers", output_sequence_length=LENGTH),
    _case("TextVectorization to tf-idf", output_mode="tf_idf"),
]
