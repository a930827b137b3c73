"""Tables of labelled images that come in one piece, and how they are split."""

from __future__ import annotations

from pathlib import Path
from typing import TypeAlias

import numpy as np

# ((x_train, y_train), (x_test, y_test))
Split: TypeAlias = tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]

_SEED = 5  # of the one fixed split: changing it would make figures of old runs incomparable


def read_csv(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Reads rows of pixels with the label in the last column, as two uint8 arrays."""
    table = np.loadtxt(path, delimiter=",").astype(np.uint8)
    return table[:, :-1], table[:, -1]


def stratified_split(x: np.ndarray, y: np.ndarray, test_share: float) -> Split:
    """Splits shuffled samples so that each label has the same share of the test part.

    The same input always gives the same split.

    Args:
        x: samples, `(count, ...)`.
        y: labels, `(count,)`.
        test_share: the part of each label's samples that goes to the test set, from 0 to 1.

    Returns:
        `((x_train, y_train), (x_test, y_test))`, each shuffled.

    Example:
        >>> (_, y_train), (_, y_test) = stratified_split(np.arange(10), np.arange(10) % 2, 0.2)
        >>> sorted(y_train.tolist()), sorted(y_test.tolist())
        ([0, 0, 0, 0, 1, 1, 1, 1], [0, 1])
    """
    random = np.random.RandomState(_SEED)  # its stream is frozen, that of a Generator is not
    drawn, order = random.permutation(len(y)), random.permutation(len(y))
    in_test = np.zeros(len(y), bool)
    for label in np.unique(y):
        members = drawn[y[drawn] == label]
        in_test[members[: round(test_share * len(members))]] = True
    train, test = order[~in_test[order]], order[in_test[order]]
    return (x[train], y[train]), (x[test], y[test])
