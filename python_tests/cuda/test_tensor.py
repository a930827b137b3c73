"""Tensors on a GPU: where they are made, how values come and go, what may meet."""

from __future__ import annotations

import copy
import pickle
import threading

import numpy as np
import pytest

import pydl
from pydl import ops

DTYPES = ("float32", "float64", "float16", "int8", "uint8", "int32", "int64", "bool")


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(), (0,), (1,), (3, 5), (2, 0, 4), (70, 513)])
def test_values_come_back_as_they_went(dtype, shape):
    array = np.random.default_rng(0).integers(0, 2, shape).astype(dtype)
    tensor = pydl.tensor(array, device="gpu:0")
    assert tensor.device == "gpu:0" and tensor.shape == shape and tensor.dtype == dtype
    np.testing.assert_array_equal(tensor.numpy(), array)
    np.testing.assert_array_equal(tensor.to("cpu").numpy(), array)


def test_views_come_back():
    array = np.arange(24.0, dtype="float32").reshape(4, 6)
    view = pydl.tensor(array).transpose()[1:5:2]
    np.testing.assert_array_equal(view.numpy(), array.T[1:5:2])


def test_numbers_of_one_element():
    x = pydl.tensor([2.5])
    assert x.item() == 2.5 and float(x) == 2.5 and int(x) == 2 and bool(x)
    assert pydl.tensor([[1, 2]]).tolist() == [[1, 2]]
    assert pydl.tensor(3, dtype="int64").item() == 3 and [10, 20][pydl.tensor(1)] == 20
    assert repr(x) == "tensor([2.5], device=gpu:0)"


def test_to_keeps_a_tensor_that_is_there():
    x = pydl.tensor([1.0])
    assert x.to("gpu:0") is x and x.to("cpu").device == "cpu"
    assert x.to("cpu").to("gpu").device == "gpu:0"


def test_the_scope_decides_where_tensors_are_made():
    with pydl.device("cpu"):
        assert ops.zeros(2).device == "cpu"
        with pydl.device("gpu:0"):
            assert ops.zeros(2).device == "gpu:0"
            assert ops.add(np.ones(2), 1.0).device == "gpu:0"
            assert pydl.tensor([1.0], device="cpu").device == "cpu"
            assert pydl.from_numpy(np.ones(1)).device == "cpu"
        assert pydl.tensor([1.0]).device == "cpu"
        with pytest.raises(pydl.errors.DeviceError, match="below gpu:"):
            pydl.device("gpu:99").__enter__()
        assert pydl.tensor([1.0]).device == "cpu"


def test_each_thread_has_its_own_scope():
    found = []
    thread = threading.Thread(target=lambda: found.append(pydl.tensor([1.0]).device))
    thread.start()
    thread.join()
    assert found == ["cpu"] and pydl.tensor([1.0]).device == "gpu:0"


@pytest.mark.parametrize("name", ["", "cuda", "gpu:", "gpu:-1", "gpu:1x", "cpu:1"])
def test_names_of_devices(name):
    with pytest.raises(pydl.errors.DeviceError, match=r"\[device\] expected 'cpu' or 'gpu:'"):
        pydl.tensor([1.0], device=name)


def test_numbers_follow_a_tensor_to_its_device():
    x = pydl.tensor([1.0, 2.0])
    with pydl.device("cpu"):
        one = pydl.tensor(1.0)
        for result in (x + 1, 1 + x, x + one, one + x, x + np.float32(1)):
            assert result.device == "gpu:0"
            assert result.tolist() == [2.0, 3.0]


def test_tensors_on_different_devices():
    x, y = pydl.tensor([1.0, 2.0]), pydl.tensor([1.0, 2.0], device="cpu")
    for call in (lambda: x + y, lambda: y * x, lambda: ops.matmul(x, y)):
        with pytest.raises(pydl.errors.DeviceError, match="on one device, got (gpu:0 and cpu|cpu and gpu:0)"):
            call()


def test_gradients_cross_devices():
    x = pydl.tensor([1.0, 2.0], device="cpu", requires_grad=True)
    y = x.to("gpu:0")
    ops.sum(y * y).backward()
    assert x.grad.device == "cpu" and x.grad.tolist() == [2.0, 4.0]


def test_gradients_live_where_their_tensor_does():
    x = pydl.tensor([1.0, 2.0], requires_grad=True)
    ops.sum(x * 3).backward()
    assert x.grad.device == "gpu:0" and x.grad.tolist() == [3.0, 3.0]


def test_copies_stay_on_the_device():
    x = pydl.tensor([1.0, 2.0])
    assert copy.deepcopy(x).device == "gpu:0"
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(x)).numpy(), [1, 2])
    variable = pydl.Variable([1.0, 2.0])
    assert variable.device == "gpu:0" and copy.deepcopy(variable).device == "gpu:0"


def test_writing_elements():
    x = ops.zeros((3, 2))
    x[1] = 5
    x[2] = np.array([1.0, 2.0], "float32")
    assert x.tolist() == [[0, 0], [5, 5], [1, 2]]


def test_indices_of_the_cpu():
    x = pydl.tensor([[1.0, 2.0], [3.0, 4.0]])
    assert x[pydl.tensor([1, 0], device="cpu")].tolist() == [[3, 4], [1, 2]]
    assert x[np.array([True, False])].tolist() == [[1, 2]]


def test_index_errors_show_at_the_next_synchronisation():
    x = pydl.tensor([1.0, 2.0, 3.0])
    result = ops.take(x, [0, 7])
    with pytest.raises(IndexError, match=r"\[take\] expected indices in \[-3, 3\).*, got 7"):
        result.numpy()
    pydl.cuda.synchronize()  # it was reported once
    assert x.tolist() == [1, 2, 3]
