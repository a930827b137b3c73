"""The table that `model.summary()` prints."""

from __future__ import annotations

import math
import re
import sys
import textwrap
from collections.abc import Callable, Sequence
from typing import Any

from pydl import tree
from pydl._call_errors import show

__all__ = ["print_summary", "summary_text"]

_SOURCES, _SOURCES_WIDTH = "Connected to", 40  # a column that can get long
_BYTES = {"float64": 8, "int64": 8, "float32": 4, "int32": 4, "float16": 2, "bfloat16": 2}


def print_summary(
    model: Any,
    line_length: int | None = None,
    positions: Sequence[float] | None = None,
    print_fn: Callable[[str], Any] | None = None,
    expand_nested: bool = False,
    show_trainable: bool = False,
    layer_range: tuple[str, str] | None = None,
) -> None:
    """Print a table of the layers of `model`; see `Model.summary`."""
    rows = _rows(model, _selected(model, layer_range), expand_nested, show_trainable)
    if print_fn is None and sys.stdout.isatty() and _print_with_rich(model, rows):
        return
    text = summary_text(model, rows, line_length, positions)
    (print_fn or print)(text)


def summary_text(
    model: Any,
    rows: list[list[str]],
    line_length: int | None = None,
    positions: Sequence[float] | None = None,
) -> str:
    """Return the table as plain text.

    Args:
        model: The model.
        rows: The header and one row of cells per layer.
        line_length: The width in characters; chosen to fit when None.
        positions: Where each column ends, as shares of the line; chosen to fit when None.
    """
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    sources = rows[0].index(_SOURCES) if _SOURCES in rows[0] else None
    if sources is not None:
        widths[sources] = min(widths[sources], _SOURCES_WIDTH)
    if positions is not None:
        widths = _widths_from(positions, len(widths), line_length or 80)
    elif line_length is not None:
        if not isinstance(line_length, int) or not 0 < line_length < 10_000:
            raise ValueError(
                f"[summary] expected line_length from 1 to 9999, got {show(line_length)}"
            )
        widths[0] = max(8, widths[0] + line_length - sum(widths) - 2 * (len(widths) - 1))
    rule = "─" * (sum(widths) + 2 * (len(widths) - 1))

    def lines(row: list[str]) -> list[str]:
        """The row, and lines below it for more sources than its own has room for."""
        more = []
        if sources is not None:
            first, *more = textwrap.wrap(row[sources], max(8, widths[sources]))
            row = [*row[:sources], first, *row[sources + 1 :]]
        cells = [_shorten(cell, width) for cell, width in zip(row, widths)]
        padded = [
            cell.rjust(width) if i == 2 else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(cells, widths))
        ]
        below = " " * (sum(widths[:sources]) + 2 * (sources or 0))
        return ["  ".join(padded).rstrip(), *(below + names for names in more)]

    table = [line for row in rows[1:] for line in lines(row)]
    body = [*lines(rows[0]), rule, *table, rule]
    return "\n".join([f'Model: "{model.name}"', rule, *body, *_totals(model)])


def _widths_from(positions: Sequence[float], columns: int, line_length: int) -> list[int]:
    if len(positions) != columns:
        raise ValueError(f"[summary] expected {columns} positions, got {list(positions)}.")
    ends = [int(line_length * position) for position in positions]
    return [max(1, end - start - 2) for start, end in zip([-2, *ends], ends)]


def _selected(model: Any, layer_range: tuple[str, str] | None) -> list:
    """Return the layers from the first that matches one pattern to the last that matches other."""
    if layer_range is None:
        return model.operations
    layers, (first, last) = model.operations, layer_range
    starts = [i for i, layer in enumerate(layers) if re.match(first, layer.name)]
    ends = [i for i, layer in enumerate(layers) if re.match(last, layer.name)]
    if not starts or not ends:
        raise ValueError(
            f"[summary] expected layer_range among {[layer.name for layer in layers]}, "
            f"got {tuple(layer_range)}."
        )
    start, end = sorted((starts[0], ends[-1]))
    return layers[start : end + 1]


def _rows(
    model: Any, layers: list, expand_nested: bool, show_trainable: bool
) -> list[list[str]]:
    branches = _has_branches(model)
    header = ["Layer (type)", "Output shape", "Parameters"]
    header += [_SOURCES] if branches else []
    header += ["Trainable"] if show_trainable else []
    rows = [header]

    def add(layer: Any, indent: str, graph: Any) -> None:
        row = [
            f"{indent}{layer.name} ({type(layer).__name__})",
            _output_shape(layer),
            _count(layer),
        ]
        row += [_sources(layer, graph)] if branches else []
        row += ["yes" if layer.trainable and layer.weights else "-"] if show_trainable else []
        rows.append(row)
        if expand_nested and hasattr(layer, "operations"):
            for inner in layer.operations:
                add(inner, indent + "  ", layer._graph)

    for layer in layers:
        add(layer, "", model._graph)
    return rows


def _totals(model: Any) -> list[str]:
    if not model.built:
        return ["Not built yet: call it on data, or call build(input_shape)"]
    trainable, frozen = model.trainable_weights, model.non_trainable_weights
    state = [v for v in getattr(model.optimizer, "variables", [])] if model.compiled else []
    lines = [
        f"Total parameters: {_amount(trainable + frozen)}",
        f"Trainable: {_amount(trainable)}",
        f"Not trainable: {_amount(frozen)}",
    ]
    return lines + ([f"Optimizer: {_amount(state)}"] if state else [])


def _amount(variables: list) -> str:
    numbers = sum(math.prod(v.shape) for v in variables)
    size = float(sum(math.prod(v.shape) * _BYTES.get(v.dtype, 1) for v in variables))
    for unit in ("B", "KB", "MB", "GB"):
        if size < 1024 or unit == "GB":
            return f"{numbers:,} ({size:.2f} {unit})"
        size /= 1024
    return ""


def _has_branches(model: Any) -> bool:
    """Whether the graph is more than a chain, so that the table says what feeds each layer."""
    if model._graph is None:
        return False
    nodes = model._graph.nodes
    fed = [id(tensor) for node in nodes for tensor in node.inputs]
    return len(fed) != len(set(fed)) or any(len(node.inputs) > 1 for node in nodes)


def _output_shape(layer: Any) -> str:
    if not layer._inbound_nodes:
        return "?"
    shapes = [t.shape for t in tree.flatten(layer._inbound_nodes[0].outputs)]
    return ", ".join(map(str, shapes))


def _count(layer: Any) -> str:
    return f"{layer.count_params():,}" if layer.built else "? (not built)"


def _sources(layer: Any, graph: Any) -> str:
    nodes = [node for node in graph.nodes if node.layer is layer] if graph else []
    sources = [t._keras_history[0].name for node in nodes for t in node.inputs]
    return ", ".join(sources) or "-"


def _shorten(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"


def _print_with_rich(model: Any, rows: list[list[str]]) -> bool:
    """Print with rich if it is installed; return whether it was."""
    try:
        from rich.console import Console
        from rich.markup import escape
        from rich.table import Table
    except ImportError:
        return False
    table = Table(title=f'Model: "{escape(model.name)}"', title_justify="left")
    for i, title in enumerate(rows[0]):
        table.add_column(title, justify="right" if i == 2 else "left")
    for row in rows[1:]:
        table.add_row(*map(escape, row))
    console = Console()
    console.print(table)
    for total in _totals(model):
        console.print(f" {total}", highlight=True)
    return True
