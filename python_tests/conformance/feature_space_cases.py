"""Feature spaces, for pydl and for Keras alike.

Keras needs TensorFlow for them. Run this file where both are installed to write anew what Keras
answers: KERAS_BACKEND=tensorflow python feature_space_cases.py
"""

import json
from pathlib import Path

import numpy as np

REFERENCE = Path(__file__).with_name("feature_space_reference.json")
_rng = np.random.default_rng(5)
ROWS = 70
DATA = {
    "size": _rng.normal(3.0, 2.0, ROWS).astype("float32"),
    "price": _rng.uniform(-5, 5, ROWS).astype("float32"),
    "zip": _rng.integers(0, 7, ROWS),
    "town": np.array([["Bern", "Genf", "Chur", "Brig"][i] for i in _rng.integers(0, 4, ROWS)]),
}
KINDS = [
    "float", "float_normalized", "float_rescaled", "float_discretized", "integer_categorical", "integer_hashed",
    "string_categorical", "string_hashed",
]  # fmt: skip


def cases(space):
    """The arguments of a space, by the `FeatureSpace` of either library."""
    for kind in KINDS:
        column = {"f": "size", "i": "zip", "s": "town"}[kind[0]]
        yield {"features": {column: kind}}
    every = {"size": "float_normalized", "price": "float_discretized", "zip": "integer_categorical", "town": "string_hashed"}
    yield {"features": every, "hashing_dim": 5, "num_discretization_bins": 4}
    yield {"features": every, "output_mode": "dict", "crosses": [("zip", "town"), ("price", "town")], "crossing_dim": 9}
    yield {"features": every, "crosses": [space.cross(("town", "zip"), 6)]}
    yield {
        "features": {
            "town": space.string_categorical(output_mode="int", num_oov_indices=2), "zip": space.integer_categorical(4, output_mode="int"),
            "size": space.float_rescaled(0.5, 1.0), "price": space.float_discretized(6, output_mode="int"),
        },
        "crosses": [space.cross(("town", "zip"), 11, output_mode="int")], "output_mode": "dict",
    }  # fmt: skip
    yield {"features": {"town": space.string_hashed(3), "zip": space.integer_hashed(4, output_mode="one_hot"), "size": space.float()}}


def answers(space, arguments):
    """What the space makes of columns and of one row."""
    made = space(**arguments)
    made.adapt({name: DATA[name] for name in arguments["features"]})
    one = {"size": 2.5, "price": -1.25, "zip": 99, "town": "Genf"}
    results = []
    for data in ({k: v[:6] for k, v in DATA.items()}, one):
        result = made({name: data[name] for name in arguments["features"]})
        result = result if isinstance(result, dict) else {"all": result}
        results.append({key: np.asarray(result[key]).round(5).tolist() for key in sorted(result)})
    return results


if __name__ == "__main__":
    import keras

    own = keras.utils.FeatureSpace
    lines = [json.dumps(answers(own, arguments)) for arguments in cases(own)]
    REFERENCE.write_text("[\n" + ",\n".join(lines) + "\n]\n")
