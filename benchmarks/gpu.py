"""The libraries on a GPU, timed by its own events.

Measures the cases of the CPU where they are: pydl's and torch's functions with their tensors on
the GPU, and those of NumPy in CuPy.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from benchmarks import libraries
from benchmarks.case import Arrays, Case
from benchmarks.timing import Effort, Result, input_sets

_NAMES = ("pydl", "cupy", "torch")
_FLUSHED_BYTES = 256 << 20  # more than any L2 cache holds
_COPIED_BYTES = 1 << 30


class Clock(NamedTuple):
    """A library's events.

    Args:
        mark: records an event after the work that the library has started, and returns it.
        seconds: those between two events, once both have happened.
        flush: starts work that fills the L2 cache with something else. It takes long enough for
            the next calls to be in the queue before it ends, so that launching costs nothing.
    """

    mark: Callable[[], Any]
    seconds: Callable[[Any, Any], float]
    flush: Callable[[], Any]


def enter() -> None:
    """Makes the GPU the place where pydl and torch put what they make."""
    import pydl

    pydl.device("gpu:0").__enter__()
    if torch := load("torch"):
        torch.set_default_device("cuda")


def load(name: str) -> Any | None:
    """Imports a library; None when it is not installed, or has no GPU to work on."""
    module = libraries.load(name) if name in _NAMES else None
    return None if name == "torch" and module and not module.cuda.is_available() else module


def variants(case: Case, found: Sequence[str]) -> list[str]:
    """Returns the variants of a case that run on a GPU; those of NumPy are called cupy's."""
    named = [variant.replace("numpy", "cupy") for variant in case.variants]
    return [variant for variant in named if variant.split(":")[0] in found]


def prepare(case: Case, variant: str, arrays: Arrays) -> Callable[[], Any]:
    """Returns the function without arguments that is timed, its inputs on the GPU."""
    name, source = variant.split(":")[0], variant.replace("cupy", "numpy")
    module = libraries.load(name)
    inputs = tuple(_CONVERT[name](module, a) for a in arrays)
    if adapt := case.adapt.get(source) or case.adapt.get(source.split(":")[0]):
        inputs = adapt(*inputs)
    if source in case.prepare:
        return case.prepare[source](module, *inputs)
    if case.gradient:
        return libraries.gradient(name, module, case.run[source], inputs, case.gradient)
    return libraries.forward(name, module, case.run[source], inputs)


def measure(case: Case, found: Sequence[str], effort: Effort) -> Result:
    """Times a case in several libraries that take turns, each call after a flush of the L2 cache.

    Args:
        case: what to time.
        found: its variants.
        effort: for how long.
    """
    calls: dict[str, list[Callable[[], Any]]] = {}
    failures: dict[str, str] = {}
    for variant in found:
        try:
            ready = [prepare(case, variant, arrays) for arrays in input_sets(case)[:2]]
            for call in ready * 3:  # compiles, chooses algorithms, fills the caching allocator
                call()
            clock(variant)  # raises what went wrong so far
            calls[variant] = ready
        except Exception as error:  # one library's trouble must not cost the others' figures
            failures[variant] = f"{type(error).__name__}: {error}"[:300]
    samples: dict[str, list[float]] = {variant: [] for variant in calls}
    for _ in range(effort.turns):
        for variant, ready in calls.items():
            samples[variant] += _turn(clock(variant), ready, effort.seconds)
    return Result(
        seconds={v: statistics.median(s) / case.calls for v, s in samples.items()},
        best={v: min(s) / case.calls for v, s in samples.items()},
        floor=case.bytes / bandwidth() if case.bytes else 0.0,
        failures=failures,
    )


def _turn(events: Clock, calls: Sequence[Callable[[], Any]], seconds: float) -> list[float]:
    marks, start = [], time.perf_counter()
    while time.perf_counter() - start < seconds or len(marks) < 5:
        events.flush()
        before = events.mark()
        calls[len(marks) % len(calls)]()
        marks.append((before, events.mark()))
    return [events.seconds(*pair) for pair in marks]


_clocks: dict[str, Clock] = {}
_rate: list[float] = []


def clock(variant: str) -> Clock:
    """Returns the clock of a variant's library."""
    name = variant.split(":")[0]
    if name not in _clocks:
        _clocks[name] = _CLOCKS[name](libraries.load(name))
    return _clocks[name]


def bandwidth() -> float:
    """Returns the bytes a second that the GPU reads and writes when it copies, the best library's."""
    if not _rate:
        array = np.zeros(_scaled(_COPIED_BYTES) // 4, "float32")
        for name in _NAMES:
            if module := load(name):
                x = _CONVERT[name](module, array)
                times = _turn(clock(name), [_COPY[name](x)] * 2, 0.2)
                _rate.append(2 * array.nbytes / statistics.median(times))
    return max(_rate)


def describe() -> dict[str, Any]:
    """Returns what the GPU is and how fast it copies."""
    import pydl

    facts = pydl.cuda.get_device_properties()
    name = f"{facts['name']}, emulated" if facts["emulated"] else facts["name"]
    return {"gpu": name, "copy": bandwidth(), "torch": _behind_torch()}


def _behind_torch() -> str:
    """Says which libraries compute for torch."""
    torch = load("torch")
    if torch is None:
        return ""
    heads = torch.zeros((1, 2, 128, 64), dtype=torch.bfloat16)
    backend = torch.nn.attention.SDPBackend(torch._fused_sdp_choice(heads, heads, heads))
    cudnn = torch.backends.cudnn.version()
    return f"(CUDA {torch.version.cuda}, cuDNN {cudnn}, attention by {backend.name})"


def _scaled(size: int) -> int:
    """An emulated GPU, on which the script is tried, gets less to do."""
    import pydl

    return size >> 10 if pydl.cuda.get_device_properties()["emulated"] else size


def _pydl_clock(pydl: Any) -> Clock:
    block = pydl.ops.zeros((_scaled(_FLUSHED_BYTES) // 4,))

    def mark() -> Any:
        event = pydl.cuda.Event()
        event.record()
        return event

    def seconds(before: Any, after: Any) -> float:
        after.synchronize()
        return before.elapsed_time(after) / 1e3

    return Clock(mark, seconds, lambda: block.__setitem__(slice(None), 0.0))


def _torch_clock(torch: Any) -> Clock:
    block = torch.zeros(_FLUSHED_BYTES // 4)

    def mark() -> Any:
        event = torch.cuda.Event(enable_timing=True)
        event.record()
        return event

    def seconds(before: Any, after: Any) -> float:
        after.synchronize()
        return before.elapsed_time(after) / 1e3

    return Clock(mark, seconds, block.zero_)


def _cupy_clock(cupy: Any) -> Clock:
    block = cupy.zeros(_FLUSHED_BYTES // 4, "float32")

    def mark() -> Any:
        event = cupy.cuda.Event()
        event.record()
        return event

    def seconds(before: Any, after: Any) -> float:
        after.synchronize()
        return cupy.cuda.get_elapsed_time(before, after) / 1e3

    return Clock(mark, seconds, lambda: block.fill(0))


_CLOCKS = {"pydl": _pydl_clock, "torch": _torch_clock, "cupy": _cupy_clock}
_CONVERT: dict[str, Callable[[Any, Any], Any]] = {
    "pydl": lambda pydl, a: a if a.dtype.kind == "U" else pydl.tensor(a, device="gpu:0"),
    "torch": lambda torch, a: torch.from_numpy(a).cuda(),
    "cupy": lambda cupy, a: cupy.asarray(a),
}
_COPY: dict[str, Callable[[Any], Callable[[], Any]]] = {
    "pydl": lambda x: x.copy,
    "torch": lambda x: x.clone,
    "cupy": lambda x: x.copy,
}
