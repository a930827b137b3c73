"""Every case in every installed library, for pytest-benchmark: `python -m pytest benchmarks`."""

from __future__ import annotations

import itertools

import pytest

from benchmarks import libraries, timing
from benchmarks.cases import all_cases


def _parameters() -> list:
    found = []
    for case, name in itertools.product(all_cases(), libraries.NAMES):
        for variant in case.variants:
            if variant.split(":")[0] == name:
                found.append(pytest.param(case, variant, id=f"{case}, {variant}"))
    return found


@pytest.mark.parametrize(("case", "variant"), _parameters())
def test_speed(benchmark, case, variant):
    if not libraries.load(variant.split(":")[0]):
        pytest.skip(f"{variant} is not installed")
    calls = [libraries.prepare(case, variant, arrays) for arrays in timing.input_sets(case)]
    turns = itertools.cycle(calls)
    benchmark.group = str(case)
    benchmark.extra_info["calls"] = case.calls
    benchmark(lambda: next(turns)())
