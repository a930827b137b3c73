"""What this machine can do, measured with loops that do nothing else."""

from __future__ import annotations

import functools
import platform
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydl import _core

KIB = 1 << 10
MIB = 1 << 20
# From one thread's first-level cache to memory.
WORKING_SETS = (24 * KIB, 512 * KIB, 4 * MIB, 64 * MIB, 512 * MIB)


def _best_rate(rate: Callable[[int], float], seconds: float, tries: int) -> float:
    """Returns the highest of several results of `rate(rounds)`, with rounds for about `seconds`."""
    rounds = 1
    while True:
        start = time.perf_counter()
        rate(rounds)
        spent = time.perf_counter() - start
        if spent >= seconds / 2:
            break
        rounds *= 4
    rounds = max(1, round(rounds * seconds / spent))
    return max(rate(rounds) for _ in range(tries))


@functools.cache
def flops(dtype: str = "float32") -> float:
    """Multiply-add operations a second in registers, on all threads that pydl uses."""
    return _best_rate(lambda rounds: _core.fma_rate(dtype, rounds), seconds=0.05, tries=7)


@functools.cache
def bandwidth(working_set: int, kind: str = "add") -> float:
    """Bytes a second of `out = a + b` (or "read", "write", "copy") on this much memory in all.

    The better of plain and streaming stores.
    """
    return max(
        _best_rate(
            lambda rounds: _core.stream_rate(kind, working_set, rounds, past_cache),
            seconds=0.02,
            tries=5,
        )
        for past_cache in (False, True)
    )


def describe() -> dict[str, Any]:
    """Returns the name of the CPU and its limits, for the head of a report."""
    return {
        "cpu": _cpu_name(),
        "isa": _core.cpu_isa(),
        "threads": _core.num_threads(),
        "flops": flops(),
        "bandwidth": {_size_name(size): bandwidth(size) for size in WORKING_SETS},
    }


def _cpu_name() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def _size_name(size: int) -> str:
    return f"{size // MIB}M" if size >= MIB else f"{size // KIB}K"


def seconds_at_limit(flop_count: float, byte_count: float, working_set: float) -> float:
    """The least time that this machine needs for some work.

    Args:
        flop_count: floating-point operations.
        byte_count: bytes read and written.
        working_set: bytes that the benchmark walks through in all, which tells the cache level.
    """
    level = next((size for size in WORKING_SETS if size >= working_set), WORKING_SETS[-1])
    return max(flop_count / flops(), byte_count / bandwidth(level))
