"""pydl.utils against keras.utils."""

import numpy as np
import pytest

from pydl import utils

pytestmark = pytest.mark.conformance


def same(mine, other):
    other = np.asarray(other)
    assert mine.shape == other.shape and mine.dtype == other.dtype
    np.testing.assert_array_equal(mine, other)


@pytest.mark.parametrize(
    "arguments",
    [
        {}, {"maxlen": 2}, {"maxlen": 5, "padding": "post"}, {"maxlen": 2, "truncating": "post"},
        {"dtype": "float32", "value": -1.5}, {"dtype": object, "value": "x"},
    ],
)  # fmt: skip
def test_pad_sequences(keras, arguments):
    sequences = [[1], [], [2, 3, 4], [5, 6]]
    same(
        utils.pad_sequences(sequences, **arguments), keras.utils.pad_sequences(sequences, **arguments)
    )
    vectors = [np.ones((2, 3)), np.zeros((1, 3))]
    if "value" not in arguments or arguments["dtype"] == "float32":
        same(
            utils.pad_sequences(vectors, **arguments), keras.utils.pad_sequences(vectors, **arguments)
        )


def test_to_categorical_and_normalize(keras):
    for x in ([0, 1, 3], [[1], [0]], [[0, 1], [2, 2]], np.uint8([3, 0])):
        same(utils.to_categorical(x), keras.utils.to_categorical(x))
        same(utils.to_categorical(x, 5), keras.utils.to_categorical(x, 5))
    x = np.random.default_rng(0).standard_normal((3, 4))
    for order in (1, 2, np.inf):
        same(utils.normalize(x, -1, order), keras.utils.normalize(x, -1, order))


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("scale", [True, False])
def test_pictures(keras, tmp_path, channels, scale):
    pytest.importorskip("PIL")
    x = np.random.default_rng(channels).uniform(0, 255, (6, 8, channels))
    ours, theirs = tmp_path / "a.png", tmp_path / "b.png"
    utils.save_img(ours, x, scale=scale)
    keras.utils.save_img(theirs, x, scale=scale)
    for mode in ("grayscale", "rgb", "rgba"):
        for size in (None, (3, 5)):
            for keep in (False, True):
                mine = utils.load_img(ours, mode, size, "bilinear", keep)
                other = keras.utils.load_img(theirs, mode, size, "bilinear", keep)
                same(utils.img_to_array(mine), keras.utils.img_to_array(other))
