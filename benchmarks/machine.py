"""What this machine can do, measured with loops that do nothing else."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydl import _core

KIB = 1 << 10
MIB = 1 << 20
_SAMPLE = 0.004  # seconds of one look at a limit
_LEAST, _MOST = 24 * KIB, 512 * MIB  # memory that a look at the bandwidth walks through
_LEVELS = (24 * KIB, 512 * KIB, 4 * MIB, 64 * MIB, 512 * MIB)


def flops_sample(dtype: str = "float32") -> float:
    """Multiply-add operations a second in registers, on all threads that pydl uses, right now."""
    return _core.fma_rate(dtype, _rounds("fma", lambda rounds: _core.fma_rate(dtype, rounds)))


def bandwidth_sample(working_set: float) -> float:
    """Bytes a second of `out = a + b` right now, on about this many bytes of memory in all.

    The better of plain and streaming stores.
    """
    size = int(min(max(working_set, _LEAST), _MOST))
    rates = []
    for past_cache in (False, True):
        rounds = _rounds(
            (size, past_cache), lambda n: _core.stream_rate("add", size, n, past_cache)
        )
        rates.append(_core.stream_rate("add", size, rounds, past_cache))
    return max(rates)


def floor_sample(flop_count: float, byte_count: float, working_set: float) -> float:
    """Returns the least seconds that this machine needs right now for some work.

    Args:
        flop_count: floating-point operations.
        byte_count: bytes read and written.
        working_set: bytes that the benchmark walks through in all: they decide which cache helps.
    """
    arithmetic = flop_count / flops_sample() if flop_count else 0.0
    traffic = byte_count / bandwidth_sample(working_set) if byte_count else 0.0
    return max(arithmetic, traffic)


def describe() -> dict[str, Any]:
    """Returns the name of the CPU and the best of several looks at its limits."""
    return {
        "cpu": _cpu_name(),
        "isa": _core.cpu_isa(),
        "threads": _core.num_threads(),
        "flops": max(flops_sample() for _ in range(9)),
        "bandwidth": {
            _size_name(size): max(bandwidth_sample(size) for _ in range(5)) for size in _LEVELS
        },
    }


_known_rounds: dict[Any, int] = {}


def _rounds(key: Any, rate: Callable[[int], float]) -> int:
    """Returns for how many rounds `rate(rounds)` takes about as long as a sample should."""
    if key not in _known_rounds:
        rounds = 1
        while True:
            start = time.perf_counter()
            rate(rounds)
            spent = time.perf_counter() - start
            if spent >= _SAMPLE:
                break
            rounds *= 4
        _known_rounds[key] = max(1, round(rounds * _SAMPLE / spent))
    return _known_rounds[key]


def _cpu_name() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def _size_name(size: int) -> str:
    return f"{size // MIB}M" if size >= MIB else f"{size // KIB}K"
