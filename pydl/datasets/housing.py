"""What the two data sets of house prices have in common."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pydl.datasets.splitting import Split

__all__ = ["read_housing"]


def read_housing(path: Path, test_split: float, seed: int, count: int | None = None) -> Split:
    """Reads a table and splits it as Keras does.

    Args:
        path: An `.npz` file with arrays `x` and `y`.
        test_split: The share of rows to test with.
        seed: Of the shuffle.
        count: The rows to use; None for all.

    Raises:
        ValueError: a share outside of (0, 1), or a damaged file.
    """
    if not 0 <= test_split < 1:
        raise ValueError(f"[datasets] expected test_split from 0 to below 1, got {test_split}.")
    try:
        with np.load(path, allow_pickle=False) as file:
            x, y = file["x"][:count], file["y"][:count]
    except (OSError, KeyError, EOFError, ValueError) as error:
        raise ValueError(
            f"[datasets] cannot read {path}: {error}. Delete it, so that it is fetched again."
        ) from error
    order = np.arange(len(x))
    np.random.RandomState(seed).shuffle(order)
    x, y = x[order], y[order]
    cut = int(len(x) * (1 - test_split))
    return (x[:cut], y[:cut]), (x[cut:], y[cut:])
