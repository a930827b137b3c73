"""Connectionist temporal classification: labels whose places in a sequence are not known."""

from __future__ import annotations

from typing import Any

from pydl import ops
from pydl._convert import as_tensor
from pydl._core import Tensor
from pydl.errors import ShapeError
from pydl.losses.loss import FunctionLoss

__all__ = ["CTC", "ctc"]


def ctc(y_true: Any, y_pred: Any) -> Tensor:
    """Minus the log-probability of label sequences, over all their alignments with the frames.

    Args:
        y_true: integer labels from 1, padded with 0 at the end, shape `(batch, labels)`.
        y_pred: logits, shape `(batch, frames, classes)`; class 0 is the blank.

    Returns:
        Losses of shape `(batch,)`; infinite where there are too few frames for the labels.

    Raises:
        ShapeError: the shapes are not those.

    Source: Graves et al., Connectionist Temporal Classification, 2006.

    Example:
        >>> loss = pydl.losses.ctc([[1]], np.zeros((1, 2, 2), "float32"))
        >>> round(float(loss[0]), 4)  # 3 of 4 paths are the label: 1-, -1 and 11
        0.2877
    """
    labels, logits = as_tensor(y_true), as_tensor(y_pred)
    if labels.ndim != 2 or logits.ndim != 3 or labels.shape[0] != logits.shape[0]:
        raise ShapeError(
            "[ctc] expected labels (batch, labels) and logits (batch, frames, classes), "
            f"got {labels.shape} and {logits.shape}"
        )
    lengths = ops.count_nonzero(labels, axis=1)
    return ops.ctc_loss(labels, logits, lengths, ops.full(lengths.shape, logits.shape[1], "int64"))


class CTC(FunctionLoss):
    """Connectionist temporal classification of logits. Arguments are those of `Loss`.

    Example:
        >>> round(float(pydl.losses.CTC()([[1]], np.zeros((1, 2, 2), "float32"))), 4)
        0.2877
    """

    function = staticmethod(ctc)
