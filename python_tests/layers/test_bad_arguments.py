"""Odd arguments of layers, initializers and constraints: errors say what was expected and what came."""

import numpy as np
import pytest

import pydl
from pydl import layers

X = np.ones((2, 3), "float32")


@pytest.mark.parametrize("call, kind, text", [
    (lambda: layers.Dense("a"), ValueError, r"\[dense\] expected units to be a positive integer, got 'a'"),
    (lambda: layers.Dense(-3), ValueError, "positive integer, got -3"),
    (lambda: layers.Conv2D(3, 0), ValueError, "positive integer, got 0"),
    (lambda: layers.Dense(3, dtype=[1]), ValueError, r"\[DTypePolicy\] expected one of float16, .*got \[1\]"),
    (lambda: layers.Dense(3, dtype={}), ValueError, r"\[DTypePolicy\] expected one of float16, .*got {}"),
    (lambda: layers.Dense(3, units_=4), TypeError, r"\[Dense\] expected no argument named units_"),
    (lambda: layers.BatchNormalization(axis="x"), ValueError,
     r"\[BatchNormalization\] expected \(axis: int = -1, .*got \(axis='x'\)"),
    (lambda: layers.GroupNormalization(0), ValueError, "expected groups to be a positive integer, got 0"),
    (lambda: layers.MaxPooling2D(padding=3), TypeError, r"\[MaxPooling2D\] expected \(pool_size"),
    (lambda: pydl.Input("a"), ValueError, r"\[InputLayer\] expected sizes .*, got \(None, 'a'\)"),
    (lambda: layers.Dense(3)(None), TypeError, r"\[dense\] expected a tensor or an array, got None"),
    (lambda: layers.Dense(3)("abc"), TypeError, r"\[dense\] expected a tensor or an array, got 'abc'"),
    (lambda: layers.ReLU()(object()), TypeError, "expected a tensor or an array, got object"),
    (lambda: layers.Embedding(3, 2)([X, X]), TypeError,
     r"\[embedding\] expected \(inputs\), got \(\[float32 ndarray of shape \(2, 3\), float32"),
    (lambda: layers.Reshape((7,))(X), pydl.errors.ShapeError, r"\[reshape\] expected .* got shape \(2, 3\)"),
    (lambda: layers.Dense(3).set_weights(None), TypeError, "set_weights expected a list of 0 arrays, got None"),
    (lambda: pydl.initializers.GlorotUniform()(None), TypeError,
     r"\[GlorotUniform\] expected \(shape, dtype = None\), got \(None\)"),
    (lambda: pydl.constraints.MaxNorm(axis=None)(X), TypeError, r"\[MaxNorm\] expected \(w\), got \(float32"),
])  # fmt: skip
def test_errors(call, kind, text):
    pydl.naming.clear_names()
    with pytest.raises(kind, match=text):
        call()


def test_errors_of_other_peoples_classes_are_theirs():
    class Mine(layers.Layer):
        def __init__(self, size):
            super().__init__()
            raise ValueError("sizes are odd here")

    with pytest.raises(ValueError, match="^sizes are odd here$"):
        Mine(4)
