"""DLPack and the CUDA array interface: the same memory in other libraries, in the order of streams.

The other libraries are played by small classes, as those that have GPUs are not at hand.
"""

from __future__ import annotations

import gc

import numpy as np
import pytest

import pydl
from pydl import cuda, ops


class Producer:
    """An array of another library: memory of a tensor under the CUDA array interface."""

    def __init__(self, tensor: pydl.Tensor, **changes) -> None:
        self.tensor = tensor
        self.__cuda_array_interface__ = {**tensor.__cuda_array_interface__, **changes}


class DLProducer:
    """The same under DLPack; notes the stream that it was asked for."""

    def __init__(self, tensor: pydl.Tensor) -> None:
        self.tensor, self.streams = tensor, []

    def __dlpack_device__(self):
        return self.tensor.__dlpack_device__()

    def __dlpack__(self, stream=None):
        self.streams.append(stream)
        return self.tensor.__dlpack__(stream=stream)


def test_dlpack_shares_memory():
    x = pydl.tensor(np.arange(6.0, dtype="float32").reshape(2, 3))
    assert x.__dlpack_device__() == (2, 0)
    y = pydl.from_dlpack(x)
    assert y.device == "gpu:0" and y.shape == (2, 3)
    y[0, 0] = 9
    assert x.tolist()[0][0] == 9
    view = pydl.from_dlpack(x.transpose())
    np.testing.assert_array_equal(view.numpy(), x.numpy().T)


def test_dlpack_asks_for_the_current_stream():
    producer = DLProducer(pydl.tensor([1.0]))
    pydl.from_dlpack(producer)
    stream = cuda.Stream()
    with cuda.stream(stream):
        pydl.from_dlpack(producer)
    assert producer.streams == [1, stream.handle]


def test_dlpack_keeps_the_memory_alive():
    gc.collect()
    before = cuda.memory_stats()["allocated_bytes"]
    x = pydl.from_dlpack(ops.full((1000,), 3.0))
    gc.collect()
    assert (x.numpy() == 3).all()
    del x
    gc.collect()
    assert cuda.memory_stats()["allocated_bytes"] == before


def test_dlpack_to_the_cpu():
    x = pydl.tensor([1.0, 2.0])
    capsule = x.__dlpack__(dl_device=(1, 0))
    assert "dltensor" in repr(capsule)
    with pytest.raises(BufferError, match="expected device gpu:0, got"):
        x.__dlpack__(dl_device=(1, 0), copy=False)
    with pytest.raises(BufferError, match="outside any graph"):
        pydl.tensor([1.0], requires_grad=True).__dlpack__()
    for stream in (None, -1, 1, 2, cuda.Stream().handle):
        x.__dlpack__(stream=stream)


def test_array_interface_describes_the_memory():
    x = pydl.tensor(np.zeros((2, 3), "float32"))
    array = x.__cuda_array_interface__
    assert array["shape"] == (2, 3) and array["typestr"] == "<f4" and array["version"] == 3
    assert array["strides"] is None and array["data"][1] is False and array["stream"] == 1
    assert x.transpose().__cuda_array_interface__["strides"] == (4, 12)
    stream = cuda.Stream()
    with cuda.stream(stream):
        assert x.__cuda_array_interface__["stream"] == stream.handle


def test_array_interface_is_absent_where_it_cannot_be():
    assert not hasattr(pydl.tensor([1.0], device="cpu"), "__cuda_array_interface__")
    assert not hasattr(pydl.tensor([1.0], requires_grad=True), "__cuda_array_interface__")
    assert not hasattr(pydl.tensor([1.0]).astype("bfloat16"), "__cuda_array_interface__")


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "int8", "uint8", "int32", "int64", "bool"])
def test_arrays_of_others(dtype):
    array = np.arange(12).reshape(3, 4).astype(dtype)
    x = pydl.tensor(array)
    for source in (x, x.transpose(), x[1:, ::2], x[::-1]):
        taken = cuda.from_cuda_array(Producer(source))
        assert taken.device == "gpu:0" and taken.dtype == dtype
        np.testing.assert_array_equal(taken.numpy(), source.numpy())
        assert taken.__cuda_array_interface__["data"] == source.__cuda_array_interface__["data"]


def test_arrays_of_others_are_waited_for_and_kept():
    stream = cuda.Stream()
    stream.wait_stream(cuda.current_stream())
    with cuda.stream(stream):
        source = Producer(ops.full((100,), 2.0))
    taken = cuda.from_cuda_array(source) + 1
    del source
    assert (taken.numpy() == 3).all()
    assert cuda.from_cuda_array(Producer(pydl.tensor([1.0]), stream=2)).tolist() == [1]
    assert cuda.from_cuda_array(Producer(pydl.tensor([1.0]), stream=None)).tolist() == [1]
    assert cuda.from_cuda_array(Producer(ops.zeros((0, 3)))).shape == (0, 3)


def test_read_only_arrays_of_others():
    x = pydl.tensor([1.0, 2.0])
    taken = cuda.from_cuda_array(Producer(x, data=(x.__cuda_array_interface__["data"][0], True)))
    with pytest.raises(ValueError, match="read-only"):
        taken[0] = 3


@pytest.mark.parametrize(
    "changes, kind, pattern",
    [
        ({"typestr": "<c8"}, TypeError, "expected a dtype that pydl has, got <c8"),
        ({"mask": object()}, ValueError, "without a mask"),
        ({"stream": 0}, ValueError, "stream other than 0"),
        ({"strides": (3,)}, ValueError, "strides of whole elements"),
    ],
)
def test_arrays_that_pydl_cannot_take(changes, kind, pattern):
    with pytest.raises(kind, match=rf"\[from_cuda_array\] expected.*{pattern}|{pattern}"):
        cuda.from_cuda_array(Producer(pydl.tensor([1.0]), **changes))
