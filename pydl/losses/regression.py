"""Losses of real-valued predictions: mean squared error, mean absolute error, Huber."""

from __future__ import annotations

from typing import Any

from pydl import ops
from pydl._convert import as_tensor
from pydl._core import Tensor
from pydl.errors import ShapeError
from pydl.losses.loss import Loss, squeeze_or_expand_to_same_rank


def aligned(name: str, y_true: Any, y_pred: Any) -> tuple[Tensor, Tensor]:
    """Targets and predictions as tensors of one shape, the targets in the predictions' dtype.

    Raises:
        ShapeError: the shapes differ by more than a last axis of size 1.
    """
    y_pred = as_tensor(y_pred)
    y_true = as_tensor(y_true, y_pred.dtype)
    if y_true.shape != y_pred.shape:
        y_true, y_pred = squeeze_or_expand_to_same_rank(y_true, y_pred)
        if y_true.shape != y_pred.shape:
            raise ShapeError(
                f"[{name}] expected y_true and y_pred of one shape, "
                f"got y_true {y_true.shape} and y_pred {y_pred.shape}. "
                "Check the units of the last layer and the shape of the targets"
            )
    return y_true, y_pred


def _mean_of_last_axis(losses: Tensor) -> Tensor:
    return ops.mean(losses, axis=-1) if losses.ndim else losses


def mean_squared_error(y_true: Any, y_pred: Any) -> Tensor:
    """Mean of `(y_true - y_pred) ** 2` over the last axis.

    Args:
        y_true: targets, shape `(batch, ..., features)`.
        y_pred: predictions, same shape.

    Returns:
        Losses of shape `(batch, ...)`.

    Raises:
        ShapeError: the shapes differ.

    Example:
        >>> pydl.losses.mean_squared_error([[0.0, 1.0]], [[1.0, 1.0]]).tolist()
        [0.5]
    """
    y_true, y_pred = aligned("mean_squared_error", y_true, y_pred)
    return _mean_of_last_axis(ops.squared_error(y_pred, y_true))


def mean_absolute_error(y_true: Any, y_pred: Any) -> Tensor:
    """Mean of `abs(y_true - y_pred)` over the last axis.

    Args, Returns and Raises are those of `mean_squared_error`.

    Example:
        >>> pydl.losses.mean_absolute_error([[0.0, 1.0]], [[3.0, 1.0]]).tolist()
        [1.5]
    """
    y_true, y_pred = aligned("mean_absolute_error", y_true, y_pred)
    return _mean_of_last_axis(ops.absolute_error(y_pred, y_true))


def huber(y_true: Any, y_pred: Any, delta: float = 1.0) -> Tensor:
    """Half the squared error up to `delta`, linear beyond, mean over the last axis.

    Args:
        y_true: targets, shape `(batch, ..., features)`.
        y_pred: predictions, same shape.
        delta: absolute error at which the loss becomes linear.

    Returns:
        Losses of shape `(batch, ...)`.

    Raises:
        ShapeError: the shapes differ.

    Source: Huber, Robust Estimation of a Location Parameter, 1964.

    Example:
        >>> pydl.losses.huber([[0.0, 0.0]], [[1.0, 3.0]]).tolist()
        [1.5]
    """
    y_true, y_pred = aligned("huber", y_true, y_pred)
    return _mean_of_last_axis(ops.huber(y_pred, y_true, delta))


class MeanSquaredError(Loss):
    """Mean of `(y_true - y_pred) ** 2`. Arguments are those of `Loss`.

    Example:
        >>> float(pydl.losses.MeanSquaredError()([[0.0, 1.0]], [[1.0, 1.0]]))
        0.5
    """

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        return mean_squared_error(y_true, y_pred)

    def mean(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        y_true, y_pred = aligned(self.name, y_true, y_pred)
        return ops.squared_error(y_pred, y_true, reduction="mean")


class MeanAbsoluteError(Loss):
    """Mean of `abs(y_true - y_pred)`. Arguments are those of `Loss`.

    Example:
        >>> float(pydl.losses.MeanAbsoluteError()([[0.0, 1.0]], [[3.0, 1.0]]))
        1.5
    """

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        return mean_absolute_error(y_true, y_pred)

    def mean(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        y_true, y_pred = aligned(self.name, y_true, y_pred)
        return ops.absolute_error(y_pred, y_true, reduction="mean")


class Huber(Loss):
    """Huber loss: half the squared error up to `delta`, linear beyond.

    Args:
        delta: absolute error at which the loss becomes linear.
        reduction, name, dtype: see `Loss`.

    Example:
        >>> float(pydl.losses.Huber()([[0.0, 0.0]], [[1.0, 3.0]]))
        1.5
    """

    def __init__(
        self,
        delta: float = 1.0,
        reduction: str | None = "sum_over_batch_size",
        name: str = "huber_loss",
        dtype: str | None = None,
    ) -> None:
        super().__init__(name, reduction, dtype)
        self.delta = delta

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        return huber(y_true, y_pred, self.delta)

    def mean(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        y_true, y_pred = aligned(self.name, y_true, y_pred)
        return ops.huber(y_pred, y_true, self.delta, reduction="mean")

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "delta": self.delta}
