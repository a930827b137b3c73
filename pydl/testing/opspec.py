"""`OpSpec`: the description of an op that drives all its tests."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import pydl
from pydl import _core

FLOATS = ("float32", "float64")
HALVES = ("float16", "bfloat16")
INTEGERS = ("int8", "uint8", "int32", "int64")

# The spacing of numbers near 1, times a few roundings.
TOLERANCE = {"float64": 1e-10, "float32": 2e-5, "float16": 4e-3, "bfloat16": 3e-2}


class Sample:
    """One call of an op: positional arguments and keywords.

    Floating arrays among the positional arguments take the dtype under test and are differentiated
    by; everything else is passed as it is.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.args = args
        self.kwargs = kwargs

    def __repr__(self) -> str:
        shown = [str(a.shape) if isinstance(a, np.ndarray) else repr(a)[:40] for a in self.args]
        shown += [f"{k}={v!r}"[:40] for k, v in self.kwargs.items()]
        return ", ".join(shown)


@dataclasses.dataclass
class OpSpec:
    """What an op should do, so that `OpTests` can check it.

    Attributes:
        name: The op's name.
        op: The pydl function; takes the positional arguments as tensors.
        reference: The same on numpy arrays in float64 (or integers); returns an array or a tuple.
        samples: From a numpy Generator, the calls to try. Include empty, size-1 and broadcast ones.
            Floating arrays are float64.
        dtypes: The dtypes to try for the floating (or, for integer dtypes, all) arrays.
        gradient: Whether the op has a gradient with respect to every floating array.
        double_gradient: Whether that gradient can be differentiated again.
        differentiable: The positions of the floating arrays to differentiate by; None for all.
        tolerance: A factor on the tolerance of each dtype.
        gradient_samples: Smaller calls for finite differences; None takes `samples`.
        takes_dtype: Whether the op is told the dtype of its result instead of taking that of arrays:
            it is called with ``dtype=``, and its result must have that dtype.
        errors: Bad calls: (function of no arguments, exception class, pattern of its message).
    """

    name: str
    op: Callable[..., Any]
    reference: Callable[..., Any]
    samples: Callable[[np.random.Generator], Sequence[Sample]]
    dtypes: Sequence[str] = FLOATS
    gradient: bool = True
    double_gradient: bool = True
    differentiable: Sequence[int] | None = None
    tolerance: float = 1.0
    gradient_samples: Callable[[np.random.Generator], Sequence[Sample]] | None = None
    takes_dtype: bool = False
    errors: Sequence[tuple[Callable[[], Any], type, str]] = ()

    def __repr__(self) -> str:
        return self.name

    def call(self, args: Sequence[Any], sample: Sample, dtype: str) -> Any:
        """The op's result on tensors made of a sample's arguments."""
        if not self.takes_dtype:
            return self.op(*args, **sample.kwargs)
        result = self.op(*args, **sample.kwargs, dtype=dtype)
        assert all(output.dtype == dtype for output in outputs_of(result))
        return result


def is_floating(value: Any) -> bool:
    """Whether a sample's argument is a floating array."""
    return isinstance(value, np.ndarray) and value.dtype.kind == "f"


def as_dtype(value: Any, dtype: str) -> Any:
    """A sample's argument as a tensor of the dtype under test."""
    if not isinstance(value, np.ndarray):
        return value
    if is_floating(value) or (dtype in INTEGERS and value.dtype.kind in "iu"):
        if dtype in INTEGERS or dtype == "bool":
            return pydl.tensor(value.astype(dtype))
        return pydl.tensor(value).astype(dtype)
    return pydl.tensor(value)


def as_reference(tensor: Any) -> Any:
    """What the reference gets: the values that the op sees, in float64 where they are floating."""
    if not isinstance(tensor, pydl.Tensor):
        return tensor
    array = tensor.numpy()
    return array.astype("float64") if array.dtype.kind == "f" else array


def outputs_of(result: Any) -> list[pydl.Tensor]:
    """An op's result as a list of tensors."""
    return list(result) if isinstance(result, (tuple, list)) else [result]


def compare(actual: Any, expected: Any, dtype: str, factor: float) -> None:
    """Checks every output of an op against the reference's."""
    actual, expected = outputs_of(actual), outputs_of(expected)
    assert len(actual) == len(expected)
    for got, want in zip(actual, expected):
        want = np.asarray(want)
        assert got.shape == want.shape, f"shape {got.shape}, expected {want.shape}"
        tolerance = TOLERANCE.get(got.dtype, 0) * factor
        got_array = got.numpy()
        if want.dtype.kind == "f" and got_array.dtype.kind == "f":
            got_array = got_array.astype("float64")
            scale = np.abs(want[np.isfinite(want)]).max(initial=1.0)
            np.testing.assert_allclose(got_array, want, rtol=tolerance, atol=tolerance * scale)
        else:
            np.testing.assert_array_equal(got_array, want)


def strided(tensor: pydl.Tensor) -> pydl.Tensor:
    """The same values in memory that is not contiguous: transposed, with gaps between elements."""
    if tensor.ndim == 0 or tensor.size == 0:
        return tensor
    axes = tuple(reversed(range(tensor.ndim)))
    array = tensor.numpy()
    every_second = tuple(slice(None, None, 2) for _ in axes)
    spread = np.zeros(tuple(2 * n for n in reversed(array.shape)), array.dtype)
    spread[every_second] = array.transpose()
    return pydl.ops.permute(pydl.tensor(spread).astype(tensor.dtype)[every_second], axes)


def on_gpu() -> bool:
    """Whether tensors are made on a GPU, inside ``with pydl.device(...)``."""
    return _core.default_device() != "cpu"


def is_emulated() -> bool:
    """Whether that GPU is one whose kernels run on the CPU, where large arrays take minutes."""
    return on_gpu() and _core.gpu_backend_name() == "cuda-emulated"


def refresh(tensor: pydl.Tensor, array: np.ndarray) -> None:
    """Gives a tensor the values of an array, where the two do not share memory."""
    if tensor.device != "cpu":
        _core.assign_(tensor.detach(), _core.tensor(array))


def weights_like(outputs: Sequence[pydl.Tensor], seed: int = 7) -> list[pydl.Tensor | None]:
    """Random numbers of the outputs' shapes, so that a scalar can be made of any result."""
    generator = np.random.default_rng(seed)
    return [
        pydl.tensor(generator.uniform(0.5, 1.5, o.shape)).astype(o.dtype) if is_real(o) else None
        for o in outputs
    ]


def is_real(tensor: pydl.Tensor) -> bool:
    """Whether a tensor is floating, so that it can have a gradient."""
    return tensor.dtype in FLOATS + HALVES


def scalar_of(outputs: Sequence[pydl.Tensor], weights: Sequence[pydl.Tensor | None]) -> pydl.Tensor:
    """The weighted sum of all floating outputs."""
    total = None
    for output, weight in zip(outputs, weights):
        if weight is None:
            continue
        term = pydl.ops.sum(output * weight)
        total = term if total is None else total + term
    return total


def numeric_gradient(f: Callable[[], float], array: np.ndarray, step: float = 1e-6) -> np.ndarray:
    """Central differences of `f` with respect to every element of `array`, which `f` reads."""
    gradient = np.zeros_like(array)
    flat, out = array.reshape(-1), gradient.reshape(-1)
    for i in range(flat.size):
        original = flat[i]
        h = step * max(1.0, abs(original))
        flat[i] = original + h
        above = f()
        flat[i] = original - h
        below = f()
        flat[i] = original
        out[i] = (above - below) / (2 * h)
    return gradient


def check_gradient(
    got: np.ndarray, f: Callable[[], float], array: np.ndarray, rtol: float, step: float, about: str
) -> None:
    """Compares a gradient with central differences of `f`, which reads `array`.

    With those of every element or, on a GPU, where a small call takes as long as a large one, with that
    along a random direction: of an error, too, all but a few directions show their part.
    """
    if not on_gpu():
        numeric = numeric_gradient(f, array, step)
        atol = rtol / 10 * max(1, abs(numeric).max(initial=0))
        np.testing.assert_allclose(got, numeric, rtol=rtol, atol=atol, err_msg=about)
        return
    original, direction = array.copy(), np.random.default_rng(3).normal(size=array.shape)
    array[...] = original + step * direction
    above = f()
    array[...] = original - step * direction
    slope = (above - f()) / (2 * step)
    array[...] = original
    atol = rtol / 10 * max(1, np.linalg.norm(got))
    np.testing.assert_allclose((got * direction).sum(), slope, rtol=rtol, atol=atol, err_msg=about)
