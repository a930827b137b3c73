"""Memory of training steps: its peak, and whether it grows from step to step.

    python -m benchmarks.memory --steps 1000

Each library trains in a process of its own, on all threads. What importing it takes does not count.
ResNet-18 makes a tenth of the steps, so that all takes a few minutes.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys

# Parts of benchmarks' names, and what divides the number of steps.
STEPS = {"CNN conv32": 1, "ResNet-18 32x32 training step": 10}
VARIANTS = {"pydl": ("pydl", "pydl:fit"), "torch": ("torch:nhwc",)}
_MIB = 1 << 20


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.memory",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--steps", type=int, default=1000, help="default: %(default)s")
    parser.add_argument(
        "--measure", nargs=2, metavar=("STEP", "LIBRARY"), help="one in this process"
    )
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measure(*options.measure, options.steps)))
        return
    print(f"{'MiB above those of imports':56}  library     peak   after a tenth   at the end")
    for step, divisor in STEPS.items():
        for library in VARIANTS:
            steps = max(10, options.steps // divisor)
            command = [
                sys.executable, "-m", "benchmarks.memory", f"--steps={steps}",
                "--measure", step, library,
            ]  # fmt: skip
            output = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
            name, peak, early, late = json.loads(output.splitlines()[-1])
            print(f"{name:56}  {library:8}  {peak:6.0f}  {early:14.0f}  {late:11.0f}", flush=True)


def measure(step: str, library: str, steps: int) -> tuple[str, float, float, float]:
    """Trains and returns the benchmark's name and MiB: at the peak, after a tenth, at the end.

    Args:
        step: a part of a benchmark's name.
        library: "pydl" or "torch".
        steps: how many training steps to make.
    """
    from benchmarks import libraries, timing
    from benchmarks.cases import all_cases

    case = next(case for case in all_cases() if step in case.name)
    variant = next(name for name in VARIANTS[library] if name in case.variants)
    arrays = timing.input_sets(case)[0]
    libraries.load(library)
    before = _resident()
    run = libraries.prepare(case, variant, arrays)
    calls, early = max(1, steps // case.calls), 0
    for i in range(calls):
        run()
        if i == calls // 10:
            early = _resident()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10
    return str(case), *((bytes_ - before) / _MIB for bytes_ in (peak, early, _resident()))


def _resident() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


if __name__ == "__main__":
    main()
