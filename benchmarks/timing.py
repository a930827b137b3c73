"""Fair timing: all libraries in one process, taking turns on the same rotating inputs."""

from __future__ import annotations

import functools
import os
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks import libraries, machine
from benchmarks.case import Case

_ROTATED_BYTES = 64 << 20  # inputs are rotated until they hold this much,
_MOST_SETS = 16  # but no more sets than these
_PAUSE = 0.002  # seconds before a turn,
_LONG_PAUSE = 0.05  # on several threads: those of the last library spin for 10 to 40 ms
_AGREE = 1.1  # times the fastest turn; a median above it asks for more turns
_WARM = 0.01  # seconds of untimed calls at its beginning


@dataclass(frozen=True)
class Effort:
    """How long to measure: `turns` for each library, each of at least `seconds`.

    More turns, up to `most`, follow while they disagree. `compiles` also measures torch.compile,
    which takes half a minute a row.
    """

    turns: int
    most: int
    seconds: float
    compiles: bool


FULL = Effort(turns=11, most=21, seconds=0.02, compiles=True)
QUICK = Effort(turns=3, most=7, seconds=0.005, compiles=False)


@dataclass(frozen=True)
class Result:
    """What measuring a case gave.

    Args:
        seconds: by variant, those of one operation: the median over the turns.
        best: the same for the fastest turn.
        floor: the least seconds that the machine needs for it, the median of looks taken between
            the turns; 0 when the case does not say how much work it is.
        failures: by variant, why it could not be measured.
    """

    seconds: dict[str, float]
    best: dict[str, float]
    floor: float
    failures: dict[str, str]


def working_set(case: Case) -> float:
    """Returns the bytes that measuring a case walks through: its inputs times how many sets."""
    return case.bytes * len(input_sets(case))


@functools.lru_cache(maxsize=1)
def input_sets(case: Case) -> list[tuple[Any, ...]]:
    """Makes as many sets of random inputs as it takes to not sit in a small cache."""
    random = np.random.default_rng(0)
    sets = [case.inputs(random)]
    if not case.rotate:
        return sets
    size = max(1, sum(getattr(a, "nbytes", 0) for a in sets[0]))
    while len(sets) < min(_MOST_SETS, -(-_ROTATED_BYTES // size)):
        sets.append(case.inputs(random))
    return sets


def variants(case: Case, found: Sequence[str]) -> list[str]:
    """Returns the variants of a case whose library is one of `found`."""
    return [variant for variant in case.variants if variant.split(":")[0] in found]


def measure(case: Case, variants: Sequence[str], effort: Effort) -> Result:
    """Times a case in several libraries.

    Each turn pauses, makes untimed calls, then times a batch of calls that goes through the sets of
    inputs. The libraries and the machine's own limit take turns, so that a slow moment of the
    machine hits all alike.

    Args:
        case: what to time.
        variants: which of its variants.
        effort: for how long.
    """
    calls: dict[str, list[Callable[[], Any]]] = {}
    batch: dict[str, int] = {}
    failures: dict[str, str] = {}
    for variant in variants:
        try:
            ready = [libraries.prepare(case, variant, arrays) for arrays in input_sets(case)]
            batch[variant] = _batch_size(ready, effort.seconds)
            calls[variant] = ready
        except Exception as error:  # one library's trouble must not cost the others' figures
            failures[variant] = f"{type(error).__name__}: {error}"
    samples: dict[str, list[float]] = {v: [] for v in calls}
    pause = _PAUSE if len(os.sched_getaffinity(0)) == 1 else _LONG_PAUSE
    floors = []
    while len(floors) < effort.turns or (len(floors) < effort.most and not _settled(samples)):
        for variant in calls:
            time.sleep(pause)
            _warm_up(calls[variant][-1])
            samples[variant].append(_run(calls[variant], batch[variant]) / case.calls)
        time.sleep(pause)
        floors.append(machine.floor_sample(case.flops, case.bytes, working_set(case)))
    return Result(
        seconds={v: statistics.median(s) for v, s in samples.items()},
        best={v: min(s) for v, s in samples.items()},
        floor=statistics.median(floors),
        failures=failures,
    )


def _settled(samples: dict[str, list[float]]) -> bool:
    """Says whether most turns of the fast libraries, which decide a row, were like their fastest."""
    fastest = [(min(s), statistics.median(s)) for s in samples.values()]
    limit = 2 * min((best for best, _ in fastest), default=0.0)
    return all(median < _AGREE * best for best, median in fastest if best < limit)


def _batch_size(calls: Sequence[Callable[[], Any]], seconds: float) -> int:
    for call in calls:
        call()
    count = 1
    while (spent := _run(calls, count) * count) < seconds / 2:
        count = max(2 * count, int(count * seconds / max(spent, 1e-9) * 0.7))
    return max(1, round(count * seconds / spent))


def _warm_up(call: Callable[[], Any]) -> None:
    """Calls until threads that slept in the pause have found their cores again."""
    end = time.perf_counter() + _WARM
    while time.perf_counter() < end:
        call()


def _run(calls: Sequence[Callable[[], Any]], count: int) -> float:
    """Returns the seconds that one of `count` calls takes."""
    order = [calls[i % len(calls)] for i in range(count)]
    calls[-1]()
    start = time.perf_counter()
    for call in order:
        call()
    return (time.perf_counter() - start) / count
