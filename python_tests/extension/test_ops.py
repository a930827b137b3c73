"""Ops of an extension: calls, gradients, models, errors."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

import pydl
from pydl.testing import OpSpec, OpTests, Sample

pytestmark = pytest.mark.skipif(shutil.which("g++") is None, reason="needs g++")
SOURCES = Path(__file__).parent / "sources"

if shutil.which("g++"):
    sample = pydl.extension.loaded().get("sample") or pydl.extension.load(
        "sample", [SOURCES / "sample.cpp"]
    )


class TestOpSpec(OpTests):
    """What built-in ops go through."""

    specs = [
        OpSpec(
            "sample.scale",
            lambda x, *a, **k: sample.scale(x, *a, **k),
            lambda x, factor=2.0, shift=0: x * factor + shift,
            samples=lambda rng: [
                Sample(rng.normal(size=(3, 5)), 0.5, rng.normal(size=(3, 5))),
                Sample(rng.normal(size=(2000,))),
                Sample(np.zeros((0, 2)), factor=3.0),
                Sample(np.array(2.0)),
            ],
            double_gradient=False,
            errors=[
                (
                    lambda: sample.scale([1]),
                    TypeError,
                    r"\[sample.scale\] expected a dtype.*int32.*cpu float32",
                ),
                (
                    lambda: sample.scale([1.0], shift=[1.0, 2.0]),
                    pydl.errors.ShapeError,
                    r"\[sample.scale\] expected shift like x \(1,\) float32, got \(2,\)",
                ),
            ],
        )
    ]


def test_vectors_of_this_machine():
    x = np.random.default_rng(0).normal(size=37)
    np.testing.assert_allclose(sample.vector_exp(x).numpy(), np.exp(x), rtol=1e-14)


def test_is_a_function_of_pydl_ops():
    assert pydl.ops.sample.scale([1.0]).numpy() == [2.0]
    assert "x * factor + shift" in pydl.ops.sample.scale.__doc__
    assert "factor: float = 2.0" in pydl.ops.sample.scale.__doc__


def test_arguments_and_defaults():
    assert sample.arguments().tolist() == [-3, 1.5, 1, 3, 3]
    got = sample.arguments(4, real=2, flag=False, string="é", integers=(5, 6, 7))
    assert got.tolist() == [4, 2, 0, 2, 18]


@pytest.mark.parametrize(
    "call, message",
    [
        (
            lambda: sample.arguments(1.5),
            r"\[sample.arguments\] expected integer to be int, got 1.5",
        ),
        (lambda: sample.arguments(real="x"), "expected real to be float, got 'x'"),
        (lambda: sample.arguments(flag=1), "expected flag to be bool, got 1"),
        (lambda: sample.arguments(string=3), "expected string to be str, got 3"),
        (lambda: sample.arguments(integers=3), r"expected integers to be list\[int\], got 3"),
        (lambda: sample.arguments(integers=["a"]), r"expected integers to be list\[int\], got 'a'"),
        (lambda: sample.arguments(1, 2, 3, 4, 5, 6), "expected at most 5 arguments"),
        (lambda: sample.arguments(1, integer=2), "got twice integer"),
        (lambda: sample.arguments(other=2), "got an unknown one, other"),
        (lambda: sample.scale(), "expected the argument x"),
        (lambda: sample.scale(None), "expected x to be a tensor, got None"),
        (lambda: sample.scale(object()), "expected x to be a tensor"),
    ],
)
def test_wrong_arguments(call, message):
    with pytest.raises(TypeError, match=message):
        call()


def test_several_results():
    x = np.random.default_rng(0).normal(size=(4, 3)).astype("float32")
    low, high = sample.row_extremes(x.T.copy().T)
    np.testing.assert_array_equal(low.numpy(), x.min(1))
    np.testing.assert_array_equal(high.numpy(), x.max(1))


def test_random_stream_is_pydl_own():
    pydl.set_random_seed(5)
    first, second = sample.stream([0.0]).tolist(), sample.stream([0.0]).tolist()
    assert first[0] == second[0] and second[1] == first[1] + 16
    pydl.set_random_seed(5)
    assert sample.stream([0.0]).tolist() == first


@pytest.mark.parametrize(
    "name, kind, message",
    [
        ("throws_standard", RuntimeError, r"\[sample.throws_standard\] the moon is in the way"),
        ("throws_integer", RuntimeError, "threw something that is no exception"),
        ("throws_in_thread", IndexError, r"\[sample.throws_in_thread\] out of the range"),
        ("out_of_bounds", IndexError, "expected index 0 below 5000, got 5000"),
        ("negative_size", ValueError, "at least 0"),
        ("huge_size", ValueError, "fewer than 2\\^63|memory|bytes"),
        (
            "no_dtype",
            TypeError,
            "expected its shape function to set the dtype of every result, got 77",
        ),
        (
            "too_many_parameters",
            ValueError,
            "the kernel has more parameters than its op's signature",
        ),
        ("no_kernel", RuntimeError, "expected a device that it has a kernel for, got cpu. .* none"),
    ],
)
def test_errors_of_kernels(name, kind, message):
    with pytest.raises(kind, match=message):
        getattr(sample, name)(np.zeros(5000, "float32"))


def test_unknown_op():
    with pytest.raises(
        AttributeError, match=r"\[sample\] expected one of the ops .*scale.*, got 'nothing'"
    ):
        sample.nothing


def test_no_gradient():
    x = pydl.tensor([1.0], dtype="float32")
    x.requires_grad = True
    y = sample.vector_exp(x)
    with pytest.raises(
        pydl.errors.AutogradError, match=r"\[sample.vector_exp\] expected an op with a gradient"
    ):
        y.backward()


def test_gradient_in_python():
    @pydl.extension.gradient("sample.vector_exp")
    def vector_exp_gradient(y, dy):
        return y * dy

    x = pydl.tensor(np.linspace(-1, 1, 5))
    x.requires_grad = True
    first = pydl.grad(pydl.ops.sum(sample.vector_exp(x)), [x], create_graph=True)[0]
    np.testing.assert_allclose(first.detach().numpy(), np.exp(np.linspace(-1, 1, 5)))
    second = pydl.grad(pydl.ops.sum(first), [x])[0]
    np.testing.assert_allclose(second.numpy(), np.exp(np.linspace(-1, 1, 5)))


def test_bad_gradients_in_python():
    with pytest.raises(ValueError, match="expected parameters named after .*, got 'z'"):
        pydl.extension.gradient("sample.row_extremes")(lambda z: z)
    with pytest.raises(ValueError, match="expected an op of a loaded extension, got 'nowhere.op'"):
        pydl.extension.gradient("nowhere.op")(lambda x: x)
    pydl.extension.gradient("sample.row_extremes")(lambda x, dlow: (None, None))
    x = pydl.tensor(np.ones((2, 2), "float32"))
    x.requires_grad = True
    low, _ = sample.row_extremes(x)
    with pytest.raises(pydl.errors.AutogradError, match="expected its gradient to return 1 values"):
        pydl.ops.sum(low).backward()


def test_in_saved_models(tmp_path):
    inputs = pydl.Input((4,))
    model = pydl.Model(inputs, pydl.ops.sample.scale(pydl.layers.Dense(3)(inputs), factor=0.5))
    model.compile("sgd", "mse")
    x = np.random.default_rng(0).normal(size=(8, 4)).astype("float32")
    before = model.predict(x, verbose=0)
    model.fit(x, np.zeros((8, 3), "float32"), epochs=2, verbose=0)
    assert not np.allclose(model.predict(x, verbose=0), before)
    model.save(tmp_path / "model.pydl")
    again = pydl.models.load_model(tmp_path / "model.pydl")
    np.testing.assert_array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))


def test_in_a_sequential_layer():
    class Doubling(pydl.layers.Layer):
        def call(self, x):
            return sample.scale(x)

    model = pydl.Sequential([pydl.Input((2,)), Doubling()])
    assert model.predict(np.ones((1, 2), "float32"), verbose=0).tolist() == [[2, 2]]


def test_memory_is_given_back():
    x = pydl.tensor(np.ones(1000, "float32"))
    x.requires_grad = True
    sample.scale(x).sum().backward()
    x.grad = None
    before = pydl.memory_stats()["allocated_bytes"]
    for _ in range(20):
        sample.scale(x).sum().backward()
        x.grad = None
    assert pydl.memory_stats()["allocated_bytes"] == before
