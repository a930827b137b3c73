"""Arguments of data sets and of what makes them that cannot be: errors name the method."""

import numpy as np
import pytest

import pydl
from pydl import utils
from pydl.data import Dataset

TEN = Dataset.from_arrays((np.arange(10.0), np.arange(10)))


@pytest.mark.parametrize("call, kind, message", [
    (lambda: TEN.batch("a"), TypeError, r"\[Dataset.batch\] expected batch_size to be an integer, got 'a'"),
    (lambda: TEN.batch(0), ValueError, r"\[Dataset.batch\] expected batch_size to be at least 1, got 0"),
    (lambda: TEN.shuffle(2.5), TypeError, r"\[Dataset.shuffle\] expected buffer_size to be an integer"),
    (lambda: TEN.shuffle(0), ValueError, r"\[Dataset.shuffle\] expected buffer_size to be at least 1"),
    (lambda: TEN.take("a"), TypeError, r"\[Dataset.take\] expected count to be an integer"),
    (lambda: TEN.take(-2), ValueError, r"\[Dataset.take\] expected count to be at least -1"),
    (lambda: TEN.skip(-1), ValueError, r"\[Dataset.skip\] expected count to be at least 0"),
    (lambda: TEN.repeat(-2), ValueError, r"\[Dataset.repeat\] expected count to be at least -1"),
    (lambda: TEN.prefetch("a"), TypeError, r"\[Dataset.prefetch\] expected buffer_size to be an integer"),
    (lambda: TEN.shard(2, 5), ValueError, r"\[Dataset.shard\] expected index below 2, got 5"),
    (lambda: TEN.concatenate(3), TypeError, r"\[Dataset.concatenate\] expected at least one data set, got \[3\]"),
    (lambda: Dataset.zip(), TypeError, r"\[Dataset.zip\] expected at least one data set, got \(\)"),
    (lambda: Dataset.zip(TEN, 3), TypeError, r"\[Dataset.zip\] expected at least one data set"),
    (lambda: Dataset.range("a"), TypeError, r"\[Dataset.range\] expected the arguments of range"),
    (lambda: Dataset.range(0, 9, 0), ValueError, r"\[Dataset.range\] .* must not be zero"),
    (lambda: list(TEN.unbatch()), ValueError, r"\[Dataset.unbatch\] expected batches, got the single value"),
    (lambda: list(TEN.interleave(lambda *_: 3)), TypeError, r"\[Dataset.interleave\] expected map_func .* got int"),
    (lambda: list(TEN.flat_map(lambda *_: 3)), TypeError, r"\[Dataset.flat_map\] expected map_func .* got int"),
    (lambda: utils.pad_sequences([[1], ["a"]]), ValueError, r"\[pad_sequences\] expected items of int32 in row 1"),
    (lambda: utils.pad_sequences([[1]], maxlen=-1), ValueError, r"\[pad_sequences\] expected maxlen .* got -1"),
    (lambda: utils.to_categorical(["a"]), ValueError, r"\[to_categorical\] expected integers"),
    (lambda: utils.img_to_array("a"), ValueError, r"\[img_to_array\] expected an image, got <U1"),
    (lambda: utils.save_img("picture.xyz", np.ones((2, 2, 3))), ValueError,
     r"\[save_img\] expected a format that Pillow writes, got 'xyz'"),
    (lambda: utils.timeseries_dataset_from_array(None, None, 2), ValueError,
     r"\[timeseries_dataset_from_array\] expected a series of steps, got None"),
    (lambda: utils.split_dataset(3, 0.5), TypeError, r"\[split_dataset\] expected a data set, .* got int"),
    (lambda: utils.image_dataset_from_directory(None), TypeError,
     r"\[image_dataset_from_directory\] expected the path of a folder, got None"),
])  # fmt: skip
def test_errors(call, kind, message):
    if "_img" in message or "img_" in message:
        pytest.importorskip("PIL")
    with pytest.raises(kind, match=message):
        call()


def test_counts_of_numpy_are_counts():
    assert len(TEN.take(np.int64(3)).batch(np.int32(2))) == 2
    assert pydl.data.Dataset.range(np.int64(3)).cardinality() == 3
