"""Everything worth knowing on a real GPU, in one command that goes on where it was cut off.

    python benchmarks/gpu_run.py results --wheel dist/pydl-*.whl

Installs a wheel that was built with CUDA (or builds this checkout), then, step by step: what the
device is, PTX wrappers against the emulator (where nvcc and g++ are), the tests of the CUDA backend,
also under compute-sanitizer, the tests of all ops, models and interoperation on the GPU, and the
benchmarks against CuPy and torch. Needs numpy and pytest; torch and cupy when there are some. Ends
after --seconds; called again with the same folder it does the steps that are missing. The last lines
are a table of all steps, whose output is in the folder, and how the benchmarks stand beside their bars.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
FAMILIES = (
    "large", "elementwise", "reduce", "softmax", "norm", "loss", "gemm", "linear", "conv", "pool",
    "attention", "recurrent", "embedding", "random", "optimizer", "shape", "sort", "training",
    "layers", "image", "generation", "small",
)  # fmt: skip


class Step(NamedTuple):
    """A command that is run once.

    Args:
        name: also of the files that it leaves in the folder.
        command: what to run.
        seconds: after which it is ended, with what it has written so far.
    """

    name: str
    command: list[str]
    seconds: int


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="for results; kept between calls")
    parser.add_argument("--wheel", help="built with CUDA for this Python; default: build one")
    parser.add_argument("--installed", action="store_true", help="use the pydl that Python finds")
    parser.add_argument("--seconds", type=float, default=560, help="for this call (%(default)s)")
    parser.add_argument("--only", default="", help="steps, separated by commas")
    parser.add_argument(
        "--device", default="cuda", help="cuda-emulated tries the script without a GPU"
    )
    options = parser.parse_args()
    end = time.monotonic() + options.seconds
    stage(options.folder)
    found = [
        step
        for step in steps(options.folder.resolve(), options.wheel, options.device)
        if not options.only or step.name in options.only.split(",")
        if not options.installed or step.name != "install"
    ]
    for step in found:
        left = end - time.monotonic()
        if left > 10 and not done(options.folder, step):
            run(options.folder, step, min(step.seconds, left), left < step.seconds)
    print(table(options.folder, found))
    print(targets(options.folder))


def stage(folder: Path) -> None:
    """Makes the folder, and in it one to run in: the checkout without its package that is not built."""
    (folder / "run").mkdir(parents=True, exist_ok=True)
    for name in ("benchmarks", "python_tests", "pyproject.toml"):
        link = folder / "run" / name
        if not link.exists():
            link.symlink_to(ROOT / name)


def steps(folder: Path, wheel: str | None, device: str) -> list[Step]:
    """Returns all steps, the most telling ones first."""
    python, package = sys.executable, wheel or str(ROOT)
    install = [python, "-m", "pip", "install", "--no-deps", "--upgrade", "--target"]
    pytest = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--device={device}"]
    facts = "import pydl; print(pydl.cuda.why_unavailable() or pydl.cuda.get_device_properties())"
    report = [python, "-m", "benchmarks.report", "--device=gpu", "--quick"]
    found = [
        Step("install", [*install, str(folder / "site"), package], 900),
        Step("device", [python, "-c", facts], 60),
        Step("ptx", [*pytest, "-rs", "python_tests/cuda/test_ptx.py"], 120),
        Step("cuda-tests", [*pytest, "python_tests/cuda"], 300),
        *(
            Step(
                f"benchmark-{family}",
                [
                    *report, f"--only={family}:", f"--json={folder}/{family}.json",
                    f"--picture={folder}/{family}.png",
                ],
                120,
            )
            for family in FAMILIES
        ),
        Step("op-tests", [*pytest, "python_tests/ops"], 540),
        Step("layer-tests", [*pytest, "python_tests/layers", "python_tests/models"], 540),
    ]  # fmt: skip
    if sanitizer := shutil.which("compute-sanitizer"):
        small = [*pytest, "-x", "python_tests/cuda", "-k", "not large and not sanitizer"]
        for tool in ("memcheck", "racecheck"):
            command = [sanitizer, f"--tool={tool}", "--error-exitcode=9", "--target-processes=all"]
            found.insert(4, Step(f"sanitizer-{tool}", [*command, *small], 300))
    return found


def done(folder: Path, step: Step) -> bool:
    """Whether an earlier call has run a step to its end."""
    return (folder / f"{step.name}.json").exists() and not record(folder, step)["cut_off"]


def record(folder: Path, step: Step) -> dict:
    return json.loads((folder / f"{step.name}.json").read_text())


def run(folder: Path, step: Step, seconds: float, may_repeat: bool) -> None:
    """Runs a step and writes its output and its record.

    Args:
        folder: where they go.
        step: what to run.
        seconds: after which the step is ended.
        may_repeat: whether a later call would give it more time.
    """
    path = os.pathsep.join([str(folder.resolve() / "site"), os.environ.get("PYTHONPATH", "")])
    start = time.monotonic()
    with open(folder / f"{step.name}.txt", "w") as output:
        try:
            code = subprocess.run(
                step.command, stdout=output, stderr=subprocess.STDOUT, timeout=seconds, check=False,
                cwd=folder / "run", env={**os.environ, "PYTHONPATH": path},
            ).returncode  # fmt: skip
        except subprocess.TimeoutExpired:
            code = None
    facts = {
        "code": code,
        "seconds": round(time.monotonic() - start, 1),
        "cut_off": code is None and may_repeat,
    }
    (folder / f"{step.name}.json").write_text(json.dumps(facts))


def table(folder: Path, found: list[Step]) -> str:
    """Returns a line for each step: how it ended, how long it took, the line that says most."""
    lines = []
    for step in found:
        if not (folder / f"{step.name}.json").exists():
            lines.append(f"{step.name:24}  not yet")
            continue
        facts = record(folder, step)
        state = "time is up" if facts["code"] is None else f"exit {facts['code']}"
        text = (folder / f"{step.name}.txt").read_text(errors="replace").strip().splitlines()
        said = [line for line in text if "wrote" not in line]
        verdicts = [line for line in said if line.startswith("Beside the fastest peer of")]
        last = (verdicts or said or [""])[-1]
        lines.append(f"{step.name:24}  {state:10}  {facts['seconds']:6.1f} s  {last[:110]}")
    return "\n".join(lines)


def targets(folder: Path) -> str:
    """Returns what the benchmarks so far have reached of what they have to."""
    sys.path.append(str(ROOT))
    from benchmarks.bars import GPU_BARS, against_bars

    files = (folder / f"{family}.json" for family in FAMILIES)
    rows = [row for file in files if file.exists() for row in json.loads(file.read_text())]
    return against_bars(rows, GPU_BARS) if rows else "no benchmarks yet"


if __name__ == "__main__":
    main()
