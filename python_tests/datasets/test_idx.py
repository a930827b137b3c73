from __future__ import annotations

import gzip

import numpy as np
import pytest

from pydl.datasets.idx import read_idx


@pytest.fixture
def images() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (5, 4, 3), np.uint8)


@pytest.mark.parametrize("compress", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_reads_what_was_written(tmp_path, idx_bytes, images, compress):
    path = tmp_path / "images"
    path.write_bytes(compress(idx_bytes(images)))
    result = read_idx(path)
    assert result.dtype == np.uint8 and result.flags.writeable
    np.testing.assert_array_equal(result, images)


def test_reads_an_empty_set(tmp_path, idx_bytes):
    path = tmp_path / "labels"
    path.write_bytes(idx_bytes(np.zeros(0, np.uint8)))
    assert read_idx(path).shape == (0,)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda data: b"<!DOCTYPE html>", "starts with two zero bytes, got 3c 21 44 4f"),
        (lambda data: b"", "got nothing"),
        (lambda data: data[:3], "starts with two zero bytes"),
        (lambda data: b"\0\0\x0d" + data[3:], "0x08 .unsigned byte., got type 0x0d"),
        (lambda data: b"\0\0\x08\0" + data[4:], "expected one or more sizes"),
        (lambda data: data[:10], "expected 3 sizes of 4 bytes .*got 6 bytes"),
        (lambda data: data[:-1], r"expected 60 values for shape \(5, 4, 3\), got 59"),
        (lambda data: data + b"x", "expected 60 values .*, got 61"),
        (lambda data: data[:4] + b"\xff" * 12 + data[16:], "expected 7922816245"),
        (lambda data: gzip.compress(data)[:-12], "expected a whole gzip file"),
        (lambda data: gzip.compress(data)[:20] + bytes(40), "expected a whole gzip file"),
    ],
)
def test_damaged_files_are_named(tmp_path, idx_bytes, images, damage, message):
    path = tmp_path / "train-images-idx3-ubyte"
    path.write_bytes(damage(idx_bytes(images)))
    with pytest.raises(ValueError, match=message) as caught:
        read_idx(path)
    assert str(path) in str(caught.value)
