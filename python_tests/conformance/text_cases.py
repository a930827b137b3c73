"""Calls of the layers for text and categories, for pydl and for Keras alike.

Keras runs them on TensorFlow only. Run this file where both are installed to write anew what Keras
answers: KERAS_BACKEND=tensorflow python text_cases.py
"""

import itertools
import json
from pathlib import Path

import numpy as np

REFERENCE = Path(__file__).with_name("text_reference.json")
MODES = ("int", "one_hot", "multi_hot", "count", "tf_idf")

TEXTS = ["The cat sat on the mat.", "the DOG's mat", "Ünïcode cat! cat; (dog)", "", "a  b\tc\nd the"]
TOKENS = [["a", "c", "d"], ["d", "z", "b"], ["a", "a", ""]]
NUMBERS = [[12, 1138, 42], [42, 1000, 36], [42, 12, 7]]

TEXT_ARGUMENTS = [
    {}, {"ngrams": 2}, {"ngrams": (2, 3)}, {"split": "character"}, {"max_tokens": 6},
    {"max_tokens": 40, "pad_to_max_tokens": True}, {"standardize": "lower"},
    {"standardize": "strip_punctuation"}, {"standardize": None, "split": None},
]  # fmt: skip
STRING_ARGUMENTS = [
    {}, {"mask_token": ""}, {"num_oov_indices": 3}, {"max_tokens": 3},
    {"num_oov_indices": 4, "salt": 7}, {"max_tokens": 12, "pad_to_max_tokens": True},
]  # fmt: skip
INTEGER_ARGUMENTS = [
    {}, {"mask_token": 12}, {"num_oov_indices": 3}, {"max_tokens": 3},
    {"num_oov_indices": 3, "oov_method": "farmhash"},
    {"num_oov_indices": 4, "oov_method": "farmhash", "salt": 7},
]  # fmt: skip
HASH_ARGUMENTS = [{}, {"salt": 3}, {"salt": [1, 2]}, {"mask_value": "b"}]
LONG = ["", "ab", "abcd", "w" * 8, "x" * 16, "y" * 17, "q" * 33, "s" * 64, "t" * 65, "abc" * 50]


def cases():
    """Name of the layer, arguments, data to adapt to or None, inputs."""
    for mode, more in itertools.product(MODES, TEXT_ARGUMENTS):
        if mode != "one_hot":
            yield "TextVectorization", {"output_mode": mode, **more}, TEXTS, [*TEXTS, "new cat"]
    yield "TextVectorization", {"output_sequence_length": 4}, TEXTS, TEXTS
    yield "TextVectorization", {"output_sequence_length": 9}, TEXTS, TEXTS
    for mode, more in itertools.product(MODES, STRING_ARGUMENTS):
        x = [["a", "q", "zz"], ["b", "ww", "c"], ["", "d", "d"]]
        yield "StringLookup", {"output_mode": mode, **more}, TOKENS, x
    for mode, more in itertools.product(MODES, INTEGER_ARGUMENTS):
        x = [[12, 5, -9], [8, 36, 100], [42, 42, 1000]]
        yield "IntegerLookup", {"output_mode": mode, **more}, NUMBERS, x
    for mode, more in itertools.product(MODES[:4], HASH_ARGUMENTS):
        for x in ([["a", "b"], ["c", "d"]], [["a"], ["b"]]):
            yield "Hashing", {"num_bins": 5, "output_mode": mode, **more}, None, x
    yield "Hashing", {"num_bins": 7}, None, [[3, 4], [-5, 100]]
    yield "Hashing", {"num_bins": 2**40}, None, LONG
    yield "Hashing", {"num_bins": 2**40, "salt": [133, 137]}, None, LONG
    for mode in ("int", "one_hot"):
        for x in ([["a", "b"], [1, 30000000000]], [["a", "b"], ["x", "y"], ["u", "v"]]):
            yield "HashedCrossing", {"num_bins": 11, "output_mode": mode}, None, x


def answer(layers, case):
    """The vocabulary and the outputs, rounded to what float32 holds."""
    name, arguments, data, x = case
    layer = getattr(layers, name)(**arguments)
    if data is not None:
        layer.adapt(np.array(data))
    x = [np.array(part) for part in x] if name == "HashedCrossing" else np.array(x)
    outputs = np.asarray(layer(x))
    vocabulary = [] if data is None else layer.get_vocabulary()
    vocabulary = [token if isinstance(token, str) else int(token) for token in vocabulary]
    values = outputs.tolist() if outputs.dtype.kind == "i" else outputs.round(5).tolist()
    return {"vocabulary": vocabulary, "outputs": values}


if __name__ == "__main__":
    import keras

    lines = [json.dumps(answer(keras.layers, case), ensure_ascii=False) for case in cases()]
    REFERENCE.write_text("[\n" + ",\n".join(lines) + "\n]\n")
