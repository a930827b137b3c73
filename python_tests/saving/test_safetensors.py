"""The safetensors format, against the safetensors package and against damaged files."""

import json

import numpy as np
import pytest

import pydl
from pydl.saving import safetensors

DTYPES = ["float64", "float32", "float16", "int64", "int32", "int8", "uint8", "bool"]


def arrays():
    rng = np.random.default_rng(0)
    made = {f"{d}/x": rng.uniform(0, 100, (3, 5)).astype(d) for d in DTYPES}
    return {**made, "scalar": np.array(3, "float32"), "empty": np.zeros((0, 4), "int32")}


def dumped(tensors, metadata=None):
    return b"".join(safetensors.dump({k: pydl.tensor(v) for k, v in tensors.items()}, metadata))


def test_round_trip():
    tensors, metadata = safetensors.parse(dumped(arrays(), {"format": "pydl"}))
    assert metadata == {"format": "pydl"} and tensors.keys() == arrays().keys()
    for name, array in arrays().items():
        assert tensors[name].dtype == str(array.dtype) and tensors[name].shape == array.shape
        np.testing.assert_array_equal(tensors[name].numpy(), array)


def test_bfloat16_is_kept_exactly():
    x = pydl.tensor([1.0, -2.5, 3.140625, 1e30, float("inf")], "bfloat16")
    twin = safetensors.parse(b"".join(safetensors.dump({"x": x})))[0]["x"]
    assert twin.dtype == "bfloat16" and twin.tolist() == x.tolist()


def test_the_package_reads_what_we_write():
    numpy = pytest.importorskip("safetensors.numpy", reason="safetensors is not installed")
    loaded = numpy.load(dumped(arrays(), {"format": "pydl"}))
    for name, array in arrays().items():
        np.testing.assert_array_equal(loaded[name], array)
        assert loaded[name].dtype == array.dtype


def test_we_read_what_the_package_writes():
    numpy = pytest.importorskip("safetensors.numpy", reason="safetensors is not installed")
    tensors, _ = safetensors.parse(numpy.save(arrays()))
    for name, array in arrays().items():
        np.testing.assert_array_equal(tensors[name].numpy(), array)


def test_views_are_saved_densely():
    x = pydl.tensor(np.arange(6, dtype="float32").reshape(2, 3))
    saved = safetensors.parse(b"".join(safetensors.dump({"x": x.T})))[0]["x"]
    np.testing.assert_array_equal(saved.numpy(), x.numpy().T)


def test_every_truncation_is_noticed():
    data = dumped({"x": np.ones(3, "float32"), "y": np.ones(2, "int8")})
    for size in range(len(data)):
        with pytest.raises(ValueError, match=r"^\[safetensors\] expected"):
            safetensors.parse(data[:size])
    with pytest.raises(ValueError, match="end after the last array"):
        safetensors.parse(data + b"\0")


def file_of(header, body=b"\0" * 8):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + body


def entry(dtype="F32", shape=(2,), offsets=(0, 8)):
    return {"x": {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}}


@pytest.mark.parametrize(
    "data, message",
    [
        (b"PK\x03\x04 a zip file", "expected a header of"),
        (b"\xff" * 64, "expected a header of"),
        (file_of(b"{not json"), "expected a header in JSON"),
        (file_of(b"\xff\xfe"), "expected a header in JSON"),
        (file_of([1]), "expected the header to be an object"),
        (file_of({"x": 3}), "expected dtype, shape and offsets for 'x'"),
        (file_of({"x": {"dtype": "F32"}}), "expected dtype, shape and offsets for 'x'"),
        (file_of(entry(dtype="F31")), "got 'F31'"),
        (file_of(entry(dtype=["F32"])), "expected one of"),
        (file_of(entry(shape=(-2,))), "expected numbers from 0 for 'x'"),
        (file_of(entry(shape=(2.0,))), "expected numbers from 0 for 'x'"),
        (file_of(entry(shape=(3,))), "as many as shape"),
        (file_of(entry(offsets=(0, 9))), "inside the 8 bytes"),
        (file_of(entry(offsets=(8, 0))), "inside the 8 bytes"),
        (file_of(entry(shape=(2**62, 4, 2))), "as many as shape"),
        (file_of(entry(shape=(1,), offsets=(4, 8))), "gaps or overlaps"),
        (file_of(entry(shape=(1,), offsets=(0, 4))), "end after the last array"),
        (file_of({**entry(), "y": entry()["x"]}), "gaps or overlaps"),
        (file_of(entry("BOOL", (8,)), b"\0\1\2\3\4\5\6\7"), "bytes 0 and 1 for bool"),
        (file_of({"__metadata__": 3}, b""), "metadata to be an object"),
    ],
)
def test_damaged_files(data, message):
    with pytest.raises(ValueError, match=message):
        safetensors.parse(data)


def test_dtypes_that_cannot_be_saved():
    with pytest.raises(
        TypeError, match="expected a dtype that can be saved, got complex64 for 'x'"
    ):
        list(safetensors.dump({"x": np.ones(2, "complex64")}))
