"""Losses of real-valued predictions."""

from __future__ import annotations

import math
from typing import Any

from pydl import ops
from pydl._convert import as_tensor
from pydl._core import Tensor
from pydl.errors import ShapeError
from pydl.losses.loss import FunctionLoss, LossFunctionWrapper, squeeze_or_expand_to_same_rank

__all__ = [
    "CosineSimilarity",
    "Huber",
    "LogCosh",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "cosine_similarity",
    "huber",
    "log_cosh",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_error",
    "mean_squared_logarithmic_error",
]

EPSILON = 1e-7  # what keeps logarithms and quotients finite, as in Keras


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


def mean_of_last_axis(losses: Tensor) -> Tensor:
    """Losses of elements to losses of samples."""
    return ops.mean(losses, axis=-1) if losses.ndim else losses


def _squared(y_true: Any, y_pred: Any, reduction: str = "none") -> Tensor:
    y_true, y_pred = aligned("mean_squared_error", y_true, y_pred)
    return ops.squared_error(y_pred, y_true, reduction=reduction)


def _absolute(y_true: Any, y_pred: Any, reduction: str = "none") -> Tensor:
    y_true, y_pred = aligned("mean_absolute_error", y_true, y_pred)
    return ops.absolute_error(y_pred, y_true, reduction=reduction)


def _huber(y_true: Any, y_pred: Any, delta: float, reduction: str = "none") -> Tensor:
    y_true, y_pred = aligned("huber", y_true, y_pred)
    return ops.huber(y_pred, y_true, delta, reduction=reduction)


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
    return mean_of_last_axis(_squared(y_true, y_pred))


def mean_absolute_error(y_true: Any, y_pred: Any) -> Tensor:
    """Mean of `abs(y_true - y_pred)` over the last axis.

    Args, Returns and Raises are those of `mean_squared_error`.

    Example:
        >>> pydl.losses.mean_absolute_error([[0.0, 1.0]], [[3.0, 1.0]]).tolist()
        [1.5]
    """
    return mean_of_last_axis(_absolute(y_true, y_pred))


def mean_absolute_percentage_error(y_true: Any, y_pred: Any) -> Tensor:
    """Mean of `100 * abs((y_true - y_pred) / y_true)` over the last axis.

    Targets below 1e-7 in size divide as 1e-7. Args, Returns and Raises are those of
    `mean_squared_error`.

    Example:
        >>> pydl.losses.mean_absolute_percentage_error([[2.0, 4.0]], [[1.0, 4.0]]).tolist()
        [25.0]
    """
    y_true, y_pred = aligned("mean_absolute_percentage_error", y_true, y_pred)
    error = ops.abs(y_true - y_pred) / ops.maximum(ops.abs(y_true), EPSILON)
    return 100.0 * mean_of_last_axis(error)


def mean_squared_logarithmic_error(y_true: Any, y_pred: Any) -> Tensor:
    """Mean of `(log(y_true + 1) - log(y_pred + 1)) ** 2` over the last axis.

    Values below 1e-7 count as 1e-7. Args, Returns and Raises are those of `mean_squared_error`.

    Example:
        >>> loss = pydl.losses.mean_squared_logarithmic_error([[0.0]], [[np.e - 1]])
        >>> round(float(loss[0]), 4)
        1.0
    """
    y_true, y_pred = aligned("mean_squared_logarithmic_error", y_true, y_pred)
    first, second = (ops.log(ops.maximum(y, EPSILON) + 1.0) for y in (y_pred, y_true))
    return mean_of_last_axis(ops.square(first - second))


def log_cosh(y_true: Any, y_pred: Any) -> Tensor:
    """Mean of `log(cosh(y_pred - y_true))` over the last axis, without overflow.

    Args, Returns and Raises are those of `mean_squared_error`.

    Example:
        >>> round(float(pydl.losses.log_cosh([[0.0]], [[1.0]])[0]), 4)
        0.4338
    """
    y_true, y_pred = aligned("log_cosh", y_true, y_pred)
    error = y_pred - y_true
    return mean_of_last_axis(error + ops.softplus(error * -2.0) - math.log(2.0))


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
    return mean_of_last_axis(_huber(y_true, y_pred, delta))


def unit_vectors(x: Tensor, axis: int) -> Tensor:
    """`x` divided by its length along `axis`; vectors shorter than 1e-12 stay about 0."""
    length = ops.sqrt(ops.maximum(ops.sum(ops.square(x), axis=axis, keepdims=True), 1e-24))
    return x / length


def cosine_similarity(y_true: Any, y_pred: Any, axis: int = -1) -> Tensor:
    """Minus the cosine of the angle between targets and predictions: -1 where they point alike.

    Args:
        y_true: vectors along `axis`, shape `(batch, ...)`.
        y_pred: predictions, same shape.
        axis: axis of the vectors.

    Returns:
        Losses in [-1, 1], of the shape without `axis`; 0 where a vector is 0.

    Raises:
        ShapeError: the shapes differ.

    Example:
        >>> pydl.losses.cosine_similarity([[0.0, 1.0]], [[0.0, 3.0]]).tolist()
        [-1.0]
    """
    y_true, y_pred = aligned("cosine_similarity", y_true, y_pred)
    return -ops.sum(unit_vectors(y_true, axis) * unit_vectors(y_pred, axis), axis=axis)


class MeanSquaredError(FunctionLoss):
    """Mean of `(y_true - y_pred) ** 2`. Arguments are those of `Loss`.

    Example:
        >>> float(pydl.losses.MeanSquaredError()([[0.0, 1.0]], [[1.0, 1.0]]))
        0.5
    """

    function = staticmethod(mean_squared_error)
    fused = staticmethod(_squared)


class MeanAbsoluteError(FunctionLoss):
    """Mean of `abs(y_true - y_pred)`. Arguments are those of `Loss`.

    Example:
        >>> float(pydl.losses.MeanAbsoluteError()([[0.0, 1.0]], [[3.0, 1.0]]))
        1.5
    """

    function = staticmethod(mean_absolute_error)
    fused = staticmethod(_absolute)


class MeanAbsolutePercentageError(FunctionLoss):
    """Mean of `100 * abs((y_true - y_pred) / y_true)`. Arguments are those of `Loss`.

    Example:
        >>> float(pydl.losses.MeanAbsolutePercentageError()([[2.0, 4.0]], [[1.0, 4.0]]))
        25.0
    """

    function = staticmethod(mean_absolute_percentage_error)


class MeanSquaredLogarithmicError(FunctionLoss):
    """Mean of `(log(y_true + 1) - log(y_pred + 1)) ** 2`. Arguments are those of `Loss`.

    Example:
        >>> round(float(pydl.losses.MeanSquaredLogarithmicError()([[0.0]], [[np.e - 1]])), 4)
        1.0
    """

    function = staticmethod(mean_squared_logarithmic_error)


class LogCosh(FunctionLoss):
    """Mean of `log(cosh(y_pred - y_true))`. Arguments are those of `Loss`.

    Example:
        >>> round(float(pydl.losses.LogCosh()([[0.0]], [[1.0]])), 4)
        0.4338
    """

    function = staticmethod(log_cosh)


class CosineSimilarity(LossFunctionWrapper):
    """Minus the cosine of the angle between targets and predictions.

    Args:
        axis: axis of the vectors.
        reduction, name, dtype: see `Loss`.

    Example:
        >>> float(pydl.losses.CosineSimilarity()([[0.0, 1.0]], [[0.0, 3.0]]))
        -1.0
    """

    def __init__(
        self,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str = "cosine_similarity",
        dtype: str | None = None,
    ) -> None:
        super().__init__(cosine_similarity, reduction, name, dtype, axis=axis)


class Huber(LossFunctionWrapper):
    """Huber loss: half the squared error up to `delta`, linear beyond.

    Args:
        delta: absolute error at which the loss becomes linear.
        reduction, name, dtype: see `Loss`.

    Example:
        >>> float(pydl.losses.Huber()([[0.0, 0.0]], [[1.0, 3.0]]))
        1.5
    """

    fused = staticmethod(_huber)

    def __init__(
        self,
        delta: float = 1.0,
        reduction: str | None = "sum_over_batch_size",
        name: str = "huber_loss",
        dtype: str | None = None,
    ) -> None:
        super().__init__(huber, reduction, name, dtype, delta=delta)
