"""One table and one picture of how fast pydl is: against its peers and the machine's own limit.

    python -m benchmarks.report                    everything, on one thread and on all
    python -m benchmarks.report --quick            a first impression
    python -m benchmarks.report --only gemm,conv   what holds one of these words in its name
    python -m benchmarks.report --device gpu       on the first GPU, against torch and CuPy
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.bars import (
    BARS,
    GPU_BARS,
    TIE,
    Row,
    against_bars,
    fastest,
    geometric_mean,
    label,
    lowest_ratio,
    ratio,
    share_of_limit,
)
from benchmarks.libraries import NAMES, PEERS

_WRONG = 0.05  # more than bfloat16 explains


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.report",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    cpus = len(os.sched_getaffinity(0))
    default_threads = ",".join(str(n) for n in sorted({1, cpus}))
    parser.add_argument("--threads", default=default_threads, help=f"default: {default_threads}")
    parser.add_argument("--only", default="", help="parts of names, separated by commas")
    parser.add_argument("--libraries", default=",".join(NAMES), help="default: all installed")
    parser.add_argument("--quick", action="store_true", help="fewer and shorter measurements")
    parser.add_argument("--picture", default="benchmarks.png", help="default: %(default)s")
    parser.add_argument("--json", help="also write every measurement to this file")
    parser.add_argument("--device", choices=("cpu", "gpu"), default="cpu")
    options = parser.parse_args()
    if options.device == "gpu":
        options.threads = "1"

    rows: list[Row] = []
    for threads in options.threads.split(","):
        header, *measured = _measure(int(threads), options)
        print(describe(header))
        if header["load"] > 0.5 and options.device == "cpu":
            print(f"Others keep {header['load']:.1f} CPUs of this machine busy: mistrust the times.")
        rows += measured
    if not rows:
        sys.exit(f"no benchmark's name holds one of: {options.only}")
    print(table(rows))
    print(against_bars(rows, GPU_BARS if options.device == "gpu" else BARS))
    if options.json:
        Path(options.json).write_text(json.dumps(rows, indent=1))
    _draw(rows, options.picture)
    if failures := _failures(rows):
        sys.exit(f"{len(failures)} failed:\n" + "\n".join(failures))


def _measure(threads: int, options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    command = [
        sys.executable, "-m", "benchmarks.measure", f"--threads={threads}",
        f"--only={options.only}", f"--libraries={options.libraries}", f"--device={options.device}",
    ]  # fmt: skip
    if options.quick:
        command.append("--quick")
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            row = json.loads(line)
            if "name" in row:
                _progress(f"{threads} threads: {row['family']}: {row['name']}")
            yield row
    _progress("")
    if process.returncode:
        sys.exit(f"measuring on {threads} threads failed, see above")


def _progress(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def describe(header: dict[str, Any]) -> str:
    """Returns a line about the machine as it was measured, and the versions of the libraries."""
    machine = header["machine"]
    versions = " ".join(f"{name} {version}" for name, version in header["libraries"].items())
    if "gpu" in machine:
        libraries = f"{versions} {machine['torch']}"
        return f"{machine['gpu']}, which copies {machine['copy'] / 1e9:.0f} GB/s\n{libraries}"
    bandwidth = ", ".join(f"{size} {rate / 1e9:.0f}" for size, rate in machine["bandwidth"].items())
    return (
        f"{machine['cpu']}, {machine['isa']}, threads: {machine['threads']}; "
        f"{machine['flops'] / 1e9:.0f} GFLOP/s float32; a + b in GB/s by memory used: {bandwidth}\n"
        f"{versions}"
    )


def table(rows: list[Row]) -> str:
    """Returns the table: pydl's time, each peer's time as a multiple of it, share of the limit, error.

    A ratio above 1 means that pydl is faster than the peer. The error is the largest one beside the
    same in float64, as a share of the largest exact value.
    """
    peers = [peer for peer in PEERS if any(fastest(row, peer) for row in rows)]
    width = max(len(label(row)) for row in rows)
    lines = [
        f"{'':{width}}  threads      pydl"
        + "".join(f"{peer:>13}" for peer in peers)
        + "   of limit     error"
    ]
    for row in sorted(rows, key=_order(rows)):
        ours = fastest(row, "pydl")
        cells = "".join(f"{_ratio(row, peer):>13}" for peer in peers)
        near = share_of_limit(row)
        share = "" if near is None else f"{near:.0%}"
        error = "" if row["error"] is None else f"{row['error']:.0e}"
        lines.append(
            f"{label(row):{width}}  {row['threads']:>7}  {_time(ours):>8}{cells}   {share:>8}"
            f"{error:>10}"
        )
    means = "".join(f"{_mean_ratio(rows, peer):>13}" for peer in peers)
    lines.append(f"{'geometric mean':{width}}  {'':>7}  {'':>8}{means}")
    lines.append("1.50x: the peer takes 1.5 times as long as pydl. Within 15% is a tie.")
    lines.append(_verdict(rows))
    return "\n".join(lines)


def _order(rows: list[Row]):
    first = {label(row): i for i, row in reversed(list(enumerate(rows)))}
    return lambda row: (first[label(row)], row["threads"])


def _ratio(row: Row, peer: str) -> str:
    value = ratio(row, peer)
    return f"{value:.2f}x" if value else "-"


def _mean_ratio(rows: list[Row], peer: str) -> str:
    found = [value for row in rows if (value := ratio(row, peer))]
    return f"{geometric_mean(found):.2f}x" if found else "-"


def _verdict(rows: list[Row]) -> str:
    best = [found for row in rows if (found := lowest_ratio(row))]
    faster, slower = sum(r > TIE for r in best), sum(r < 1 / TIE for r in best)
    return (
        f"Beside the fastest peer of each row, pydl is faster in {faster}, slower in {slower} "
        f"and ties in {len(best) - faster - slower} of {len(best)} rows."
    )


def _time(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-9:.3g} ns"


def _failures(rows: list[Row]) -> list[str]:
    found = []
    for row in rows:
        where = f"{label(row)}, {row['threads']} threads"
        found += [f"{where}, {variant}: {why}" for variant, why in row["failures"].items()]
        if (row["error"] or 0) > _WRONG:
            found.append(f"{where}: pydl's result is wrong by {row['error']:.0%}")
    return found


def _draw(rows: list[Row], path: str) -> None:
    try:
        from benchmarks.picture import draw
    except ImportError as error:
        print(f"no picture: {error}. pip install matplotlib draws one")
        return
    draw(rows, path)
    print(f"wrote {path}")


if __name__ == "__main__":
    main()
