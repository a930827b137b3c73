"""What pydl has to reach beside the fastest peer, a bar for each kind of work, and what is below it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from benchmarks.libraries import PEERS
from benchmarks.reasons import REASONS

Row = dict[str, Any]
TIE = 1.15  # times within this factor of each other count as equal


@dataclass(frozen=True)
class Bar:
    """What some rows have to reach, as the peer's time over pydl's.

    Args:
        title: of these rows.
        rows: a regular expression that finds them by "family: name".
        each: for every row.
        mean: for their geometric mean; 0 for none.
        limit: as a share of what the machine allows, for every row; 0 for none.
        peers: beside which; a variant, "jax:scan", stands for itself only.
    """

    title: str
    rows: str
    each: float
    mean: float = 0
    peers: tuple[str, ...] = PEERS
    limit: float = 0


BARS = (
    Bar("GEMM float32", r"^gemm: ", 1.0, 1.15),
    Bar("the same from 512^3", r"^gemm: matmul (512x512|1024x|2048x|512x768x)", 1.0, limit=0.9),
    Bar("GEMM bfloat16 and int8", r"^gemm (bfloat16|int8): ", 1.0, 1.1),
    Bar("linear", r"^linear: ", 1.1, 1.3),
    Bar("convolution", r"^conv: (?!depthwise.*bwd)", 1.0, 1.3),
    Bar("depthwise backward", r"^conv: depthwise.*bwd", 2.5, 2.5),
    Bar("pooling", r"^pool: (max|average).*bwd", 2.0, 3.0),
    Bar("global pooling", r"^pool: global.*bwd", 0.95),
    Bar("softmax and norms", r"^(softmax|norm): ", 1.2, 1.6),
    Bar("cross entropy", r"^loss: ", 5.0, 10.0),
    Bar(
        "elementwise, reductions, sort", r"^(elementwise|reduce|sort|shape): (?!.* 1e3$)", 1.0, 3.0
    ),
    Bar("the same, 1000 elements", r"^(elementwise|reduce): .* 1e3$", 0.8),
    Bar("random and dropout", r"^random: ", 3.0, 6.0),
    Bar("embedding", r"^embedding: ", 1.2, 5.0),
    Bar("attention", r"^attention: ", 1.3, 1.8),
    Bar("optimizers", r"^optimizer: ", 0.95, 2.0),
    Bar("one small op", r"^small: add", 0.8, peers=("numpy",)),
    Bar("one small op, beside torch", r"^small: add, 4 numbers$", 3.0, peers=("torch",)),
    Bar("a small layer, backward too", r"^small: linear", 5.0, peers=("torch",)),
    Bar("recurrent, backward too", r"^recurrent: .*bwd", 1.5),
    Bar(
        "MLP training beside Keras", r"^training: MLP.* step", 2.0, peers=("keras",), limit=1 / 1.3
    ),
    Bar("MLP training beside scanned JAX", r"^training: MLP.* step", 1.0, peers=("jax",)),
    Bar("CNN training", r"^training: CNN", 1.5, 2.0, limit=1 / 1.3),
    Bar("MLP inference", r"^layers: MLP", 1.5, 2.0),
    Bar("whole networks", r"^models: ", 1.0, 1.2),
    Bar("decoding GPT-2", r"^generation: token of GPT-2", 1.0, 2.0),
    Bar("image and text", r"^(image|text): ", 1.0),
)

# On an H100, where the limit is the fastest copy of 1 GiB.
GPU_BARS = (
    Bar("limited by memory", r"^(softmax|norm|loss|elementwise|pool|optimizer|random): ", 1.0),
    Bar("the same, large", r"^large: (add|softmax|layer norm|rms norm)", 1.0, limit=0.85),
    Bar("GEMM bfloat16", r"^large: matmul .*bfloat16", 0.9),
    Bar("GEMM float32 in 3xTF32", r"^large: matmul .*float32", 1.5),
    Bar("convolution", r"^conv: ", 0.8),
    Bar("attention forward", r"^large: attention (?!.*bwd)", 0.7),
    Bar("training steps", r"^training: .* step", 2.0),
    Bar("beside CuPy", r"", 1.0, peers=("cupy",)),
)


def against_bars(rows: Iterable[Row], bars: Iterable[Bar] = BARS) -> str:
    """Returns a line a bar for each number of threads, and below it the rows that miss it, and why."""
    rows = list(rows)
    lines = [
        f"\n{'beside the fastest peers':34}  threads   rows   geometric mean            lowest"
    ]
    for bar in bars:
        for threads in sorted({row["threads"] for row in rows}):
            found = {label(row): row for row in rows if row["threads"] == threads}
            lines += _lines(bar, threads, found)
    return "\n".join(lines)


def label(row: Row) -> str:
    return f"{row['family']}: {row['name']}"


def fastest(row: Row, library: str) -> float | None:
    """Returns the seconds of a library's fastest variant; None where it was not measured."""
    times = [t for variant, t in row["seconds"].items() if variant.split(":")[0] == library]
    return min(times, default=None)


def ratio(row: Row, peer: str) -> float | None:
    """Returns the peer's time as a multiple of pydl's."""
    ours, theirs = fastest(row, "pydl"), fastest(row, peer)
    return theirs / ours if ours and theirs else None


def lowest_ratio(row: Row, peers: Iterable[str] = PEERS) -> float | None:
    """Returns the ratio to the fastest of some peers; None where none was measured."""
    return min((found for peer in peers if (found := ratio(row, peer))), default=None)


def geometric_mean(ratios: Iterable[float]) -> float:
    ratios = list(ratios)
    return math.exp(sum(map(math.log, ratios)) / len(ratios))


def _lines(bar: Bar, threads: int, rows: dict[str, Row]) -> list[str]:
    ratios = {
        name: value
        for name, row in rows.items()
        if re.search(bar.rows, name) and (value := lowest_ratio(row, bar.peers))
    }
    if not ratios:
        return []
    mean, least = geometric_mean(ratios.values()), min(ratios.values())
    wanted = f"(bar {bar.mean:g})" if bar.mean else ""
    why = _reason(bar.title) if mean < bar.mean else ""
    lines = [
        f"{bar.title:34}  {threads:>7}  {len(ratios):>5}  {mean:>8.2f}x {wanted:10}"
        f"  {least:>8.2f}x (bar {bar.each:g}){why}"
    ]
    for name, value in sorted(ratios.items(), key=lambda item: item[1]):
        share = share_of_limit(rows[name])
        if value < bar.each or (share is not None and share < bar.limit):
            near = "" if share is None else f", {share:.0%} of the limit"
            wanted = f" (bar {bar.limit:.0%})" if near and bar.limit else ""
            reason = "" if bar in GPU_BARS else _reason(name)
            lines.append(f"    {value:.2f}x  {name}{near}{wanted}{reason}")
    return lines


def share_of_limit(row: Row) -> float | None:
    """Returns the least time that the machine needs, over pydl's; None where that is not known."""
    ours = fastest(row, "pydl")
    return row["floor"] / ours if ours and row["floor"] else None


def _reason(name: str) -> str:
    return next((f": {why}" for rows, why in REASONS.items() if re.search(rows, name)), "")
