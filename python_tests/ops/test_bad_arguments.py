"""Every public op on every kind of odd argument: a result, or a clear error; never a crash."""

import inspect

import numpy as np
import pytest

import pydl
from pydl import ops

pytestmark = pytest.mark.cpu  # arguments are looked at before any kernel, the same on every device

# Those that call a function of the user, who may well ask for 2**62 rounds.
LOOPS = {*ops.control.__all__, "custom_gradient", "jvp"}
FUNCTIONS = {name: getattr(ops, name) for name in ops.__all__ if name not in LOOPS}
FUNCTIONS |= {
    f"random.{name}": value
    for name, value in vars(pydl.random).items()
    if name in pydl.random.__all__ and inspect.isfunction(value)
}
ODD = {
    "None": None,
    "text": "abc",
    "object": object(),
    "function": len,
    "dict": {"a": 1},
    "complex": 1j,
    "nan": float("nan"),
    "infinity": float("inf"),
    "fraction": 1.5,
    "negative": -3,
    "63 bits": 2**62,
    "70 bits": 2**70,
    "nothing": [],
    "ragged": [[1, 2], [3]],
    "large shape": (2**40, 2**40),
    "9 axes": (1,) * 9,
    "array": np.arange(12.0).reshape(3, 4),
    "reversed": np.arange(12.0, dtype="float32").reshape(3, 4)[::-1, ::-2],
    "no axes": np.array(3.0),
    "empty": np.zeros((0, 4), "float32"),
    "objects": np.array([1, "a", None], object),
    "texts": np.array(["a", "b"]),
    "complexes": np.ones(3, "complex64"),
    "dates": np.array(["2020"], "M8[D]"),
    "indices out of range": np.array([5, -7, 2**40]),
    "tensor": pydl.tensor(np.ones((2, 2), "float32"), requires_grad=True),
    "integer tensor": pydl.tensor([[1, 2], [3, 4]]),
    "tensors": [pydl.tensor([1.0]), pydl.tensor([1.0, 2.0])],
}
USUAL = [np.ones((3, 4), "float32"), np.ones((2, 6, 6, 3), "float32"), [1, 2], 1]


@pytest.fixture(autouse=True)
def little_memory():
    pydl.set_memory_limit(pydl.memory_stats()["allocated_bytes"] + 2**29)
    yield
    pydl.set_memory_limit(0)


def calls(function):
    """One odd argument at a time, beside usual ones."""
    parameters = inspect.signature(function).parameters
    required = [n for n, p in parameters.items() if p.default is p.empty and p.kind != p.VAR_POSITIONAL]
    for usual in USUAL:
        for name, parameter in parameters.items():
            for odd in ODD.values():
                arguments = {n: usual for n in required} | {name: odd}
                if parameter.kind != parameter.VAR_POSITIONAL:
                    yield (), arguments
                else:
                    del arguments[name]
                    yield (*arguments.values(), odd), {}


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.filterwarnings("ignore")
def test_odd_arguments(name):
    for args, kwargs in calls(FUNCTIONS[name]):
        try:
            result = FUNCTIONS[name](*args, **kwargs)
        except (ValueError, TypeError, IndexError, MemoryError, pydl.errors.AutogradError) as error:
            assert str(error).startswith("["), (args, kwargs, error)
            continue
        for tensor in result if isinstance(result, (list, tuple)) else [result]:
            if isinstance(tensor, pydl.Tensor) and tensor.size < 10**6:
                tensor.numpy().copy()  # reads all of it


@pytest.mark.parametrize("call, kind, text", [
    (lambda: ops.argmax(np.ones((3, 4)), axis="a"), TypeError,
     r"\[argmax\] expected \(x: ArrayLike, axis: int \| None = None, keepdims: bool = False\), "
     r"got \(float64 ndarray of shape \(3, 4\), axis='a'\)"),
    (lambda: ops.relu(None), TypeError, r"\[relu\] expected \(x: ArrayLike\), got \(None\)"),
    (lambda: ops.moveaxis(np.ones((2, 2)), "a", 0), TypeError, r"\[moveaxis\] expected \(x: "),
    (lambda: ops.exp([[1, 2], [3]]), ValueError,
     r"\[tensor\] expected nested lists of numbers of one shape, got ragged ones"),
    (lambda: ops.zeros(pydl.tensor([[1.0, 2.0]])), pydl.errors.DTypeError,
     r"\[shape\] expected integers, got tensor\(\[\[1., 2.\]\]\)"),
    (lambda: ops.zeros((2, 1.5)), pydl.errors.DTypeError, r"\[shape\] expected integers, got \(2, 1.5\)"),
    (lambda: ops.zeros(2**70), ValueError, r"\[shape\] expected integers that fit 64 bits, got 1180591"),
    (lambda: ops.reshape(np.ones(3), np.array(1.0)), pydl.errors.DTypeError, "expected integers"),
    (lambda: pydl.random.normal((2,), stddev="a"), TypeError, r"\[normal\] expected \(shape: Shape, mean"),
    (lambda: pydl.set_num_threads("a"), TypeError, r"\[set_num_threads\] expected \(count: int\), got \('a'\)"),
])  # fmt: skip
def test_errors_name_the_op_and_what_it_got(call, kind, text):
    with pytest.raises(kind, match=text):
        call()


def test_errors_about_the_signature_are_pythons_own():
    with pytest.raises(TypeError, match=r"argmax\(\) got an unexpected keyword argument 'axes'"):
        ops.argmax([1.0], axes=0)


def test_shapes_may_be_arrays_and_tensors():
    for shape in (np.array([2, 3]), pydl.tensor([2, 3]), [np.int64(2), pydl.tensor(3)], range(2, 4)):
        assert ops.zeros(shape).shape == (2, 3)
    assert ops.zeros(np.array(3)).shape == ops.zeros(pydl.tensor(3)).shape == (3,)
