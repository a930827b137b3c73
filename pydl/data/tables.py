"""Tables: CSV files and pandas frames to arrays, with missing values handled."""

from __future__ import annotations

import csv
import math
import os
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

__all__ = ["read_table"]

_MISSING = frozenset({"", "na", "n/a", "nan", "null", "none", "?"})
_METHODS = ("raise", "drop", "mean", "median", "zero")


def read_table(
    source: Any,
    target: str | None = None,
    missing: str = "raise",
    columns: Sequence[str] | None = None,
    text_columns: Sequence[str] = (),
    delimiter: str = ",",
) -> Any:
    """Reads a CSV file or a pandas DataFrame as one array a column.

    A column is one of numbers where its first value is a number, else one of text. Empty cells and
    NA, N/A, NaN, null, none and ? are missing values, in capitals or not.

    Args:
        source: The path of a CSV file whose first row holds the names, or a DataFrame.
        target: The column to give apart.
        missing: What becomes of missing numbers: `"raise"` an error, `"drop"` the row, or fill in
            the `"mean"` or `"median"` of the column or `"zero"`. Missing text is `""`.
        columns: The columns wanted; None for all.
        text_columns: Columns that are text although they begin with a number.
        delimiter: What is between the cells of a file.

    Returns:
        `{name: array}` with float32 for numbers and str for text; with `target` a pair of that and
        the array of the target. `Dataset.from_arrays` takes either.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: a cell that is no number, a missing one, or a row of another length; the message
            names row and column. Rows count from 1 below the header.

    Example:
        >>> from pathlib import Path
        >>> _ = Path("pets.csv").write_text("kind,age\\ncat,3\\ndog,\\n")
        >>> table, age = read_table("pets.csv", target="age", missing="mean")
        >>> table["kind"].tolist(), age.tolist()
        (['cat', 'dog'], [3.0, 3.0])
    """
    if missing not in _METHODS:
        raise ValueError(f"[read_table] expected missing in {list(_METHODS)}, got {missing!r}.")
    cells = _frame_cells(source) if hasattr(source, "columns") else _file_cells(source, delimiter)
    for name in [*(columns or ()), *text_columns, *([target] if target else ())]:
        if name not in cells:
            raise ValueError(
                f"[read_table] expected a column named {name!r}, got {', '.join(cells)}."
            )
    if columns is not None:
        wanted = {*columns, *([target] if target else ())}
        cells = {name: column for name, column in cells.items() if name in wanted}
    table = {
        name: _parse(name, column, name in text_columns) for name, column in cells.items()
    }
    table = _without_missing(table, missing)
    return table if target is None else (table, table.pop(target))


def _file_cells(path: Any, delimiter: str) -> dict[str, list[Any]]:
    with open(os.fspath(path), newline="", encoding="utf-8-sig") as file:
        rows = csv.reader(file, delimiter=delimiter)
        header = next(rows, None)
        if not header:
            raise ValueError(f"[read_table] expected names in the first row, got none in {path}.")
        lines = []
        for number, row in enumerate((row for row in rows if row), 1):
            if len(row) != len(header):
                raise ValueError(
                    f"[read_table] expected {len(header)} cells, got {len(row)} in row {number} "
                    f"of {path}."
                )
            lines.append(row)
    return {name.strip(): [row[i].strip() for row in lines] for i, name in enumerate(header)}


def _frame_cells(frame: Any) -> dict[str, list[Any]]:
    return {str(name): frame[name].tolist() for name in frame.columns}


def _parse(name: str, cells: Iterable[Any], is_text: bool) -> np.ndarray:
    values = [None if _is_missing(cell) else cell for cell in cells]
    first = next((value for value in values if value is not None), None)
    if is_text or (first is not None and _number(first) is None):
        return np.array(["" if value is None else str(value) for value in values], dtype=str)
    numbers = np.full(len(values), np.nan, "float32")
    for i, value in enumerate(values):
        if value is None:
            continue
        number = _number(value)
        if number is None:
            raise ValueError(
                f"[read_table] expected a number, got {value!r} in row {i + 1}, column {name!r}. "
                f"Hint: text_columns=[{name!r}] reads the column as text."
            )
        numbers[i] = number
    return numbers


def _is_missing(cell: Any) -> bool:
    if isinstance(cell, str):
        return cell.strip().lower() in _MISSING
    return cell is None or type(cell).__name__ == "NAType" or cell != cell


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _without_missing(table: dict[str, np.ndarray], method: str) -> dict[str, np.ndarray]:
    holes = {k: np.isnan(v) for k, v in table.items() if v.dtype.kind == "f"}
    if method == "raise":
        for name, hole in holes.items():
            if hole.any():
                raise ValueError(
                    f"[read_table] expected a number, got a missing value in row "
                    f"{int(hole.argmax()) + 1}, column {name!r}. Hint: missing='mean' or 'drop'."
                )
        return table
    if method == "drop":
        keep = ~np.any([*holes.values()], axis=0) if holes else slice(None)
        return {name: column[keep] for name, column in table.items()}
    for name, hole in holes.items():
        if hole.any():
            table[name][hole] = _filling(name, table[name][~hole], method)
    return table


def _filling(name: str, values: np.ndarray, method: str) -> float:
    if method == "zero":
        return 0.0
    if not values.size:
        raise ValueError(
            f"[read_table] expected at least one number to take the {method} of, got an empty "
            f"column {name!r}."
        )
    filling = float(np.mean(values, dtype="float64") if method == "mean" else np.median(values))
    return filling if math.isfinite(filling) else 0.0
