"""Measures cases on a fixed number of threads and writes what it found as JSON lines.

The report runs this in a process of its own for each number of threads, because some libraries fix
theirs when they start.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import sys
from typing import Any


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--only", default="", help="parts of names, separated by commas")
    parser.add_argument("--libraries", required=True)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--device", choices=("cpu", "gpu"), default="cpu")
    options = parser.parse_args()
    busy = os.getloadavg()[0]
    if options.device == "cpu":
        limit_threads(options.threads)

    from benchmarks import accuracy, gpu, libraries, machine, timing

    on_gpu = options.device == "gpu"
    instrument, limits = (gpu, gpu) if on_gpu else (timing, machine)
    load = gpu.load if on_gpu else libraries.load
    wanted = [name for name in libraries.NAMES if name in options.libraries.split(",")]
    found = [name for name in wanted if load(name)]
    effort = timing.QUICK if options.quick else timing.FULL
    if on_gpu:
        gpu.enter()
    _write({"machine": limits.describe(), "libraries": libraries.versions(found), "load": busy})
    for case in select(options.only, options.device):
        variants = instrument.variants(case, found)
        if not effort.compiles:
            variants = [name for name in variants if not name.endswith(":compiled")]
        if variants:
            result = instrument.measure(case, variants, effort)
            error = None
            if case.flops or not on_gpu:
                try:
                    error = accuracy.error(case)
                except Exception as why:  # nor must a reference's trouble
                    result.failures["accuracy"] = f"{type(why).__name__}: {why}"
            name = {"family": case.family, "name": case.name, "threads": options.threads}
            _write(name | dataclasses.asdict(result) | {"error": error})


def limit_threads(count: int) -> None:
    """Holds every library to `count` threads; to be called before any of them is imported.

    XLA's pool cannot be set once it runs, so the process is bound to that many CPUs, which every
    library takes as its number of threads.
    """
    cpus = sorted(os.sched_getaffinity(0))
    if count > len(cpus):
        raise ValueError(f"expected at most {len(cpus)} threads on this machine, got {count}")
    os.sched_setaffinity(0, cpus[-count:])  # CPU 0 serves most interrupts
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[variable] = str(count)


def select(only: str, device: str) -> list:
    """Returns the cases whose "family: name" holds one of the comma-separated words."""
    from benchmarks.cases import all_cases

    words = only.split(",")
    return [case for case in all_cases(device) if any(word in str(case) for word in words)]


def _write(row: dict[str, Any]) -> None:
    print(json.dumps(row), flush=True)


if __name__ == "__main__":
    sys.exit(main())
