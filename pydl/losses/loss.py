"""Loss: the base of every loss, and how losses of samples become one number."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydl import ops
from pydl._convert import as_tensor
from pydl._core import Tensor
from pydl.naming import to_snake_case
from pydl.saving import deserialize_keras_object, serialize_keras_object

__all__ = ["Loss", "LossFunctionWrapper"]

REDUCTIONS = ("sum_over_batch_size", "mean", "sum", "mean_with_sample_weight", "none", None)


class Loss:
    """Base class of losses.

    A subclass implements `call(y_true, y_pred)`, which returns one loss a sample; the base class
    applies `sample_weight` and reduces.

    Args:
        name: name of the instance; by default the class name in snake case.
        reduction: `"sum_over_batch_size"` and `"mean"` divide the sum by the number of losses,
            `"sum"` adds them up, `"mean_with_sample_weight"` divides by the sum of the weights,
            `"none"` or None returns them as they are.
        dtype: dtype to compute in; by default that of `y_pred`, float32 for 16-bit predictions.

    Example:
        >>> class Cubed(pydl.losses.Loss):
        ...     def call(self, y_true, y_pred):
        ...         return pydl.ops.mean(pydl.ops.abs(y_true - y_pred) ** 3, axis=-1)
        >>> float(Cubed()(np.zeros((2, 3), "float32"), np.ones((2, 3), "float32")))
        1.0
    """

    def __init__(
        self,
        name: str | None = None,
        reduction: str | None = "sum_over_batch_size",
        dtype: str | None = None,
    ) -> None:
        if reduction not in REDUCTIONS:
            raise ValueError(
                f"[{type(self).__name__}] expected a reduction among {REDUCTIONS}, "
                f"got {reduction!r}"
            )
        self.name = name or to_snake_case(type(self).__name__)
        self.reduction = reduction
        self._dtype = dtype

    @property
    def dtype(self) -> str | None:
        """dtype to compute in; None means that of `y_pred`."""
        return self._dtype

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Losses of the samples, shape `y_pred.shape[:-1]` as a rule."""
        raise NotImplementedError(
            f"[{type(self).__name__}] expected a subclass that defines call()"
        )

    def mean(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """The mean of `call`; losses with a fused kernel override it."""
        return ops.mean(self.call(y_true, y_pred))

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Tensor:
        """The reduced loss.

        Args:
            y_true: targets, shape `(batch, ...)`.
            y_pred: predictions, shape `(batch, ...)`; where a layer masked steps, those count nothing.
            sample_weight: weights that broadcast to the losses, `(batch,)` or `(batch, ...)`.

        Returns:
            A 0-d tensor; one loss a sample when the reduction is `"none"`.
        """
        mask = getattr(y_pred, "_keras_mask", None)
        y_pred = as_tensor(y_pred, self._dtype)
        if self._dtype is None and y_pred.dtype in ("float16", "bfloat16"):
            y_pred = y_pred.astype("float32")
        y_true = as_tensor(y_true)
        if mask is not None:
            sample_weight = masked_weights(mask, sample_weight, self.reduction, y_pred.dtype)
        if sample_weight is None and self.reduction in ("sum_over_batch_size", "mean"):
            return self.mean(y_true, y_pred)
        return reduce_losses(self.call(y_true, y_pred), sample_weight, self.reduction)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal loss."""
        config: dict[str, Any] = {"name": self.name, "reduction": self.reduction}
        if self._dtype is not None:
            config["dtype"] = self._dtype
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Loss:
        """A loss from what `get_config` returned."""
        return cls(**config)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}>"


class LossFunctionWrapper(Loss):
    """A loss that calls a function; the base of all losses that Keras names.

    The further arguments of the function are attributes of the loss.

    Args:
        fn: `fn(y_true, y_pred, **kwargs)` returns one loss a sample.
        reduction, name, dtype: see `Loss`; the name is that of `fn` by default.
        **kwargs: further arguments of `fn`.

    Example:
        >>> loss = pydl.losses.LossFunctionWrapper(pydl.losses.huber, delta=2.0)
        >>> float(loss([[0.0]], [[4.0]])), loss.delta
        (6.0, 2.0)
    """

    # Where a kernel reduces too: (y_true, y_pred, *kwargs, reduction="mean"), the mean of `fn`.
    fused: Callable[..., Tensor] | None = None

    def __init__(
        self,
        fn: Callable[..., Any],
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name or getattr(fn, "__name__", None), reduction, dtype)
        self.fn = fn
        self._fn_kwargs = kwargs

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__["_fn_kwargs"][name]
        except KeyError:
            raise AttributeError(f"{type(self).__name__!r} has no attribute {name!r}") from None

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        return self.fn(y_true, y_pred, **self._fn_kwargs)

    def mean(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        if self.fused is None:
            return super().mean(y_true, y_pred)
        return self.fused(y_true, y_pred, **self._fn_kwargs, reduction="mean")

    def get_config(self) -> dict[str, Any]:
        config = {**super().get_config(), **self._fn_kwargs}
        if type(self) is LossFunctionWrapper:
            config["fn"] = serialize_keras_object(self.fn)
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> LossFunctionWrapper:
        """A loss from what `get_config` returned."""
        if "fn" in config:
            config = {**config, "fn": deserialize_keras_object(config["fn"])}
        return cls(**config)


class FunctionLoss(LossFunctionWrapper):
    """Base of losses whose function has no further arguments; a subclass sets `function`."""

    function: Callable[..., Any]

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: str | None = None,
    ) -> None:
        super().__init__(self.function, reduction, name, dtype)


def of_valid(losses: Tensor, valid: Tensor, reduction: str | None) -> Tensor:
    """Losses of which only the valid ones count.

    Args:
        losses: losses of samples.
        valid: True where a loss counts; the others are 0 already.
        reduction: where it is a mean, the losses are scaled so that it becomes that of the valid.
    """
    if reduction not in ("mean", "sum_over_batch_size"):
        return losses
    count = ops.maximum(ops.sum(valid.astype(losses.dtype)), 1.0)
    return losses * (float(losses.size) / count)


def masked_weights(
    mask: Any, sample_weight: Any, reduction: str | None, dtype: str = "float32"
) -> Tensor:
    """`sample_weight`, or ones, with 0 where `mask` is False.

    Args:
        mask: False for what does not count, `(batch, steps)`.
        sample_weight: weights of samples or steps, or None.
        reduction: where it is a mean, the others are scaled so that it becomes theirs.
        dtype: dtype of the result.
    """
    weights = as_tensor(mask, dtype)
    weights = of_valid(weights, weights, reduction)
    if sample_weight is None:
        return weights
    given = as_tensor(sample_weight, dtype)
    weights, given = squeeze_or_expand_to_same_rank(weights, given)
    return weights * given


def reduce_losses(losses: Tensor, sample_weight: Any, reduction: str | None) -> Tensor:
    """Weighs the losses of samples and reduces them as `reduction` says (see `Loss`)."""
    weights = None
    if sample_weight is not None:
        weights = weights_like(sample_weight, losses)
        losses = losses * weights
    if reduction in (None, "none"):
        return losses
    if reduction == "sum":
        return ops.sum(losses)
    if reduction == "mean_with_sample_weight" and weights is not None:
        return ops.sum(losses) / ops.sum(ops.broadcast_to(weights, losses.shape))
    return ops.mean(losses)


def weights_like(sample_weight: Any, values: Tensor) -> Tensor:
    """`sample_weight` as a tensor that broadcasts to `values` from the left, as weights do."""
    weights = as_tensor(sample_weight)
    if weights.requires_grad:
        weights = weights.detach()
    weights = as_tensor(weights, values.dtype)
    if weights.ndim == values.ndim + 1 and weights.shape[-1] == 1:
        weights = ops.squeeze(weights, -1)
    if weights.ndim < values.ndim:
        weights = weights.reshape(weights.shape + (1,) * (values.ndim - weights.ndim))
    for size, weight in zip(values.shape, weights.shape):
        if weight not in (1, size) or weights.ndim > values.ndim:
            raise ValueError(
                f"[sample_weight] expected weights that broadcast to {values.shape}, "
                f"got shape {as_tensor(sample_weight).shape}. Give one weight a sample"
            )
    return weights


def squeeze_or_expand_to_same_rank(x1: Tensor, x2: Tensor) -> tuple[Tensor, Tensor]:
    """Drops or adds a last axis of size 1 where the ranks of `x1` and `x2` differ by one."""
    if x1.ndim == x2.ndim + 1 and x1.shape[-1] == 1:
        return (x1, ops.expand_dims(x2, -1)) if x2.ndim == 1 else (ops.squeeze(x1, -1), x2)
    if x2.ndim == x1.ndim + 1 and x2.shape[-1] == 1:
        return (ops.expand_dims(x1, -1), x2) if x1.ndim == 1 else (x1, ops.squeeze(x2, -1))
    return x1, x2
