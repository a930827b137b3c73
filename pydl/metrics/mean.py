"""Metrics that add up or average what they are given."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydl import ops
from pydl._convert import as_tensor
from pydl._core import Tensor
from pydl.losses.loss import masked_weights, weights_like
from pydl.metrics.metric import Metric, detached
from pydl.saving import deserialize_keras_object, serialize_keras_object

__all__ = ["Mean", "MeanMetricWrapper", "Sum"]

# Sums are kept in float64: counts above 2**24 would stand still in float32.
STATE_DTYPE = "float64"


class Sum(Metric):
    """The weighted sum of the values given so far.

    Args:
        name: name of the instance.
        dtype: dtype of the result.

    Example:
        >>> metric = pydl.metrics.Sum()
        >>> metric.update_state([1.0, 3.0, 5.0])
        >>> float(metric.result())
        9.0
    """

    def __init__(self, name: str = "sum", dtype: str | None = None) -> None:
        super().__init__(dtype, name)
        self.total = self.add_variable(dtype=STATE_DTYPE, name="total")

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        """Adds `values`, each times its weight.

        Args:
            values: numbers of any shape.
            sample_weight: weights that broadcast to `values` from the left.
        """
        values = detached(as_tensor(values))
        if sample_weight is not None:
            values = values * weights_like(sample_weight, values)
        self.total.assign_add(ops.sum(values))

    def result(self) -> Tensor:
        """The sum, a 0-d tensor."""
        return self.total.astype(self.dtype)


class Mean(Metric):
    """The weighted mean of the values given so far; 0 before the first.

    Args:
        name: name of the instance.
        dtype: dtype of the result.

    Example:
        >>> metric = pydl.metrics.Mean()
        >>> metric.update_state([1.0, 3.0, 5.0, 7.0], sample_weight=[1, 1, 0, 0])
        >>> float(metric.result())
        2.0
    """

    def __init__(self, name: str = "mean", dtype: str | None = None) -> None:
        super().__init__(dtype, name)
        self.total = self.add_variable(dtype=STATE_DTYPE, name="total")
        self.count = self.add_variable(dtype=STATE_DTYPE, name="count")

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        """Takes `values` into the mean.

        Args:
            values: numbers of any shape.
            sample_weight: weights that broadcast to `values` from the left, or one number.
        """
        values = detached(as_tensor(values))
        if sample_weight is None:
            self._add(_total(values), values.size)
        elif isinstance(sample_weight, (int, float)):
            self._add(_total(values) * sample_weight, values.size * sample_weight)
        else:
            if "float" not in values.dtype:
                values = values.astype(self.dtype)
            weights = ops.broadcast_to(weights_like(sample_weight, values), values.shape)
            self._add(ops.sum(values * weights), ops.sum(weights))

    def _add(self, total: Tensor, count: Tensor | float) -> None:
        self.total.assign_add(total)
        self.count.assign_add(count)

    def result(self) -> Tensor:
        """The mean, a 0-d tensor."""
        count = self.count.item()
        mean = self.total / count if count else self.total
        return mean.astype(self.dtype)


def _total(values: Tensor) -> Tensor:
    return ops.sum(values) if values.ndim else values


class MeanMetricWrapper(Mean):
    """The mean of a function of targets and predictions.

    Args:
        fn: `fn(y_true, y_pred, **kwargs)` returns one value a sample (or an element).
        name: name of the instance; by default that of `fn`.
        dtype: dtype of the result.
        **kwargs: further arguments of `fn`, which are attributes of the metric.

    Example:
        >>> metric = pydl.metrics.MeanMetricWrapper(pydl.losses.mean_squared_error)
        >>> metric.update_state(np.zeros((2, 3)), np.ones((2, 3)))
        >>> float(metric.result())
        1.0
    """

    def __init__(
        self,
        fn: Callable[..., Any],
        name: str | None = None,
        dtype: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name or getattr(fn, "__name__", type(fn).__name__), dtype)
        self._fn = fn
        self._fn_kwargs = kwargs

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Takes `fn(y_true, y_pred)` into the mean.

        Args:
            y_true: targets, shape `(batch, ...)`.
            y_pred: predictions, shape `(batch, ...)`.
            sample_weight: weights that broadcast to the values of `fn` from the left.
        """
        mask = getattr(y_pred, "_keras_mask", None)
        if mask is not None:  # steps that a layer masked count nothing
            sample_weight = masked_weights(mask, sample_weight, "sum")
        super().update_state(self._fn(y_true, detached(y_pred), **self._fn_kwargs), sample_weight)

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__["_fn_kwargs"][name]
        except KeyError:
            raise AttributeError(f"{type(self).__name__!r} has no attribute {name!r}") from None

    def get_config(self) -> dict[str, Any]:
        config = {**super().get_config(), **self._fn_kwargs}
        if type(self) is MeanMetricWrapper:
            config["fn"] = serialize_keras_object(self._fn)
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> MeanMetricWrapper:
        if "fn" in config:
            config = {**config, "fn": deserialize_keras_object(config["fn"])}
        return cls(**config)


class FunctionMetric(MeanMetricWrapper):
    """Base of means whose function has no further arguments; a subclass sets `function`."""

    function: Callable[..., Any]

    def __init__(self, name: str | None = None, dtype: str | None = None) -> None:
        super().__init__(self.function, name, dtype)
