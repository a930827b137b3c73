"""Draws the report: how much slower each peer is, and how near pydl is to the machine's limit."""

from __future__ import annotations

import math

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

from benchmarks.bars import TIE, Row, fastest, label, ratio
from benchmarks.libraries import PEERS

_NAMES = (
    "tab:blue", "tab:red", "tab:purple", "tab:cyan", "tab:green", "tab:pink", "tab:orange", "tab:brown",
)  # fmt: skip
_COLOURS = dict(zip(PEERS, _NAMES))


def draw(rows: list[Row], path: str) -> None:
    """Writes a PNG with a pair of panels for each number of threads.

    Args:
        rows: measurements, as the report has them.
        path: where the picture goes.
    """
    counts = sorted({row["threads"] for row in rows})
    names = list(dict.fromkeys(label(row) for row in rows))
    figure, axes = plt.subplots(
        1,
        2 * len(counts),
        figsize=(4 + 5 * len(counts), 1.5 + 0.2 * len(names)),
        sharey=True,
        squeeze=False,
        width_ratios=[3, 1] * len(counts),
        layout="constrained",
    )
    for i, count in enumerate(counts):
        measured = {label(row): row for row in rows if row["threads"] == count}
        _draw_ratios(axes[0, 2 * i], names, measured, count)
        _draw_limit(axes[0, 2 * i + 1], names, measured)
    axes[0, 0].set_yticks(range(len(names)), names, fontsize=7)
    axes[0, 0].set_ylim(len(names) - 0.5, -0.5)
    figure.savefig(path, dpi=120)
    plt.close(figure)


def _draw_ratios(axis, names: list[str], rows: dict[str, Row], threads: int) -> None:
    axis.axvspan(1 / TIE, TIE, color="0.88", zorder=0)
    axis.axvline(1, color="0.4", linewidth=1)
    for peer in PEERS:
        points = [
            (value, i)
            for i, name in enumerate(names)
            if name in rows and (value := ratio(rows[name], peer))
        ]
        if points:
            axis.scatter(*zip(*points), s=14, color=_COLOURS[peer], label=peer, zorder=3)
    axis.set_xscale("log", base=2)
    low, high = axis.get_xlim()
    ticks = [2.0**k for k in range(math.floor(math.log2(low)), math.ceil(math.log2(high)) + 1)]
    axis.set_xticks(ticks, [f"{tick:g}" for tick in ticks], fontsize=7)
    axis.set_title(f"peer's time / pydl's, {threads} thread{'s' * (threads > 1)}", fontsize=9)
    axis.set_xlabel("left: peer is faster      right: pydl is faster", fontsize=8)
    axis.grid(axis="both", color="0.93")
    if axis.get_legend_handles_labels()[0]:
        axis.legend(fontsize=7, loc="lower right")


def _draw_limit(axis, names: list[str], rows: dict[str, Row]) -> None:
    shares = [
        (i, 100 * rows[name]["floor"] / ours)
        for i, name in enumerate(names)
        if name in rows and (ours := fastest(rows[name], "pydl"))
    ]
    if shares:
        axis.barh(*zip(*shares), height=0.7, color="0.55")
    axis.set_axisbelow(True)
    axis.set_xlim(0, 100)
    axis.set_title("% of limit", fontsize=9)
    axis.tick_params(axis="x", labelsize=7)
    axis.grid(axis="x", color="0.93")
