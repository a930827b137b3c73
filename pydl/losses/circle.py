"""Circle loss: vectors of one class close together, those of others apart."""

from __future__ import annotations

from typing import Any

from pydl import ops
from pydl._convert import as_tensor
from pydl._core import Tensor
from pydl.losses.loss import LossFunctionWrapper, of_valid

__all__ = ["Circle", "circle"]

_NEVER = -1e30  # logarithm of a weight of 0; finite, so that gradients are too


def circle(
    y_true: Any,
    y_pred: Any,
    ref_labels: Any = None,
    ref_embeddings: Any = None,
    remove_diagonal: bool = True,
    gamma: float = 80,
    margin: float = 0.4,
) -> Tensor:
    """Circle loss of each vector against the vectors of a batch.

    Args:
        y_true: integer labels, shape `(batch,)` or `(batch, 1)`.
        y_pred: vectors of length 1, shape `(batch, features)`.
        ref_labels: labels of the vectors to compare with; `y_true` by default.
        ref_embeddings: vectors to compare with; `y_pred` by default.
        remove_diagonal: whether to leave out the pairs of a vector with itself.
        gamma: scale of the loss.
        margin: how far apart the distances within and between classes shall be.

    Returns:
        Losses of shape `(batch,)`.

    Source: Sun et al., Circle Loss: A Unified Perspective of Pair Similarity Optimization, 2020.

    Example:
        >>> loss = pydl.losses.circle([0, 0, 1], [[1.0, 0.0], [0.8, 0.6], [0.0, 1.0]])
        >>> loss.numpy().round(2).tolist()
        [0.0, 6.400000095367432, 0.0]
    """
    y_pred = as_tensor(y_pred)
    references = y_pred if ref_embeddings is None else as_tensor(ref_embeddings, y_pred.dtype)
    labels = as_tensor(y_true).reshape((-1, 1))
    others = labels if ref_labels is None else as_tensor(ref_labels).reshape((-1, 1))
    distances = ops.relu(1.0 - ops.matmul(y_pred, ops.transpose(references)))
    same = ops.equal(labels, ops.transpose(others))
    different = ops.logical_not(same)
    if remove_diagonal:
        diagonal = ops.eye(labels.shape[0], others.shape[0], dtype="bool")
        same = ops.logical_and(same, ops.logical_not(diagonal))
    pull = -gamma * (distances + margin) * (margin - distances)
    push = gamma * ops.relu(1.0 + margin - distances) * (1.0 - margin - distances)
    near = ops.logsumexp(ops.where(same, pull, _NEVER), axis=1)
    far = ops.logsumexp(ops.where(different, push, _NEVER), axis=1)
    return ops.softplus(near + far)


class Circle(LossFunctionWrapper):
    """Circle loss of a batch of vectors; means are over the losses above 0.

    Args:
        gamma: scale of the loss.
        margin: how far apart the distances within and between classes shall be.
        remove_diagonal: whether to leave out the pairs of a vector with itself.
        reduction, name, dtype: see `Loss`.

    Example:
        >>> loss = pydl.losses.Circle()
        >>> round(float(loss([0, 0, 1], [[1.0, 0.0], [0.8, 0.6], [0.0, 1.0]])), 2)
        3.2
    """

    def __init__(
        self,
        gamma: float = 80.0,
        margin: float = 0.4,
        remove_diagonal: bool = True,
        reduction: str | None = "sum_over_batch_size",
        name: str = "circle",
        dtype: str | None = None,
    ) -> None:
        super().__init__(
            circle, reduction, name, dtype,
            gamma=gamma, margin=margin, remove_diagonal=remove_diagonal,
        )  # fmt: skip

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        losses = super().call(y_true, y_pred)
        return of_valid(losses, losses > 0, self.reduction)
