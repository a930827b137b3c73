"""Variables: names, assignment in place, gradients, copies."""

import copy
import pickle

import numpy as np
import pytest

import pydl
from pydl.naming import name_scope
from pydl.variable import Variable


def test_values_dtype_and_names():
    v = Variable([1.0, 2.0], name="scale")
    assert (v.shape, v.dtype, v.name, v.path) == ((2,), "float32", "scale", "scale")
    assert Variable(np.arange(3)).dtype == "int64"
    assert Variable([1, 2], dtype="float64").dtype == "float64"
    with name_scope("outer"), name_scope("inner"):
        assert Variable(0.0, name="w").path == "outer/inner/w"
    assert "path=scale, shape=(2,), dtype=float32, value=[1. 2.]" in repr(v)


def test_initial_values_are_copied():
    array = np.zeros(2, "float32")
    v = Variable(array)
    array[0] = 1
    assert v.tolist() == [0.0, 0.0]


def test_function_as_initializer():
    v = Variable(lambda shape, dtype: np.full(shape, 3.0, dtype), shape=(2, 2), dtype="float64")
    assert v.dtype == "float64" and v.tolist() == [[3.0, 3.0], [3.0, 3.0]]
    with pytest.raises(ValueError, match=r"\[Variable\] expected a shape without unknown sizes"):
        Variable(lambda shape, dtype: np.ones(shape))
    with pytest.raises(pydl.errors.ShapeError, match="from the initializer, got"):
        Variable(lambda shape, dtype: np.ones(3), shape=(2,))


def test_bad_arguments():
    with pytest.raises(ValueError, match="name without a slash, got 'a/b'"):
        Variable([1.0], name="a/b")
    with pytest.raises(pydl.errors.ShapeError, match=r"values of shape \(3,\), got \(1,\)"):
        Variable([1.0], shape=(3,))


@pytest.mark.cpu
def test_assignment_in_place():
    v = Variable([1.0, 2.0])
    view = v.numpy()
    assert v.assign([3, 4]) is v
    v.assign_add([1, 1])
    v.assign_sub(np.array([2.0, 0.0]))
    assert v.tolist() == [2.0, 5.0] == view.tolist()
    assert v.dtype == "float32" and v.requires_grad and v.is_leaf


def test_assignment_of_another_shape():
    v = Variable([1.0, 2.0], name="w")
    with pytest.raises(
        pydl.errors.ShapeError, match=r"\[Variable.assign\].*\(2,\) for 'w', got \(3,\)"
    ):
        v.assign([1.0, 2.0, 3.0])
    assert v.tolist() == [1.0, 2.0]


def test_gradient():
    v = Variable([1.0, 2.0])
    assert v.grad is None
    (v * v).sum().backward()
    assert v.grad.tolist() == [2.0, 4.0]
    assert not isinstance(v * v, Variable)


def test_assignment_invalidates_recorded_ops():
    v = Variable([1.0, 2.0])
    y = (v * v).sum()
    v.assign([0.0, 0.0])
    with pytest.raises(pydl.errors.AutogradError):
        y.backward()


def test_trainable():
    v = Variable([1.0], trainable=False)
    assert not v.requires_grad
    v.trainable = True
    assert v.requires_grad
    v.trainable = False
    assert not v.requires_grad
    assert not Variable([1, 2]).requires_grad  # integers have no gradient


def test_copies():
    v = Variable([1.0, 2.0], name="w", trainable=False)
    for twin in (copy.deepcopy(v), pickle.loads(pickle.dumps(v))):
        assert isinstance(twin, Variable) and twin.path == "w" and not twin.trainable
        twin.assign([0.0, 0.0])
        assert v.tolist() == [1.0, 2.0]
