"""Batch normalization."""

from __future__ import annotations

from typing import Any

from pydl import ops
from pydl.autograd import no_grad
from pydl.layers.input_spec import InputSpec
from pydl.layers.layer import Layer
from pydl.ops.norm import batch_norm

__all__ = ["BatchNormalization"]

_EPSILON = 1e-7  # so that a batch of nothing but padding has a mean


class BatchNormalization(Layer):
    """Gives every channel mean 0 and variance 1 over the batch, then scales and shifts it.

    While training it uses the mean and variance of the batch and keeps moving averages of them;
    otherwise, and when `trainable` is False, it uses the moving averages.

    Args:
        axis: The axis of the channels.
        momentum: The share of the old value that the moving averages keep in every step.
        epsilon: Added to the variance.
        center: Whether to add `beta`.
        scale: Whether to multiply by `gamma`.
        beta_initializer: First values of `beta`.
        gamma_initializer: First values of `gamma`.
        moving_mean_initializer: First values of the moving mean.
        moving_variance_initializer: First values of the moving variance.
        beta_regularizer: Penalty on `beta`.
        gamma_regularizer: Penalty on `gamma`.
        beta_constraint: Projection of `beta` after every step.
        gamma_constraint: Projection of `gamma` after every step.

    Call arguments:
        inputs: A tensor of any shape.
        training: Whether to use the statistics of the batch.
        mask: A bool tensor of the shape of `inputs` without channels, False for padding, which the
            statistics leave out; found on `inputs`.

    Returns:
        A tensor of the same shape.

    Example:
        >>> import pydl
        >>> layer = pydl.layers.BatchNormalization()
        >>> y = layer(pydl.tensor([[1.0], [3.0]]), training=True)
        >>> y.numpy().round(2).ravel().tolist(), [w.name for w in layer.weights]
        ([-1.0, 1.0], ['gamma', 'beta', 'moving_mean', 'moving_variance'])

    Source: Ioffe and Szegedy, 2015.
    """

    supports_masking = True

    def __init__(
        self,
        axis: int = -1,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        moving_mean_initializer: Any = "zeros",
        moving_variance_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.axis = int(axis)
        self.momentum = momentum
        self.epsilon = epsilon
        self.center = center
        self.scale = scale
        self.beta_initializer = beta_initializer
        self.gamma_initializer = gamma_initializer
        self.moving_mean_initializer = moving_mean_initializer
        self.moving_variance_initializer = moving_variance_initializer
        self.beta_regularizer = beta_regularizer
        self.gamma_regularizer = gamma_regularizer
        self.beta_constraint = beta_constraint
        self.gamma_constraint = gamma_constraint

    def build(self, input_shape):
        size = input_shape[self.axis]
        self.gamma = self.beta = None
        if self.scale:
            self.gamma = self.add_weight(
                shape=(size,),
                initializer=self.gamma_initializer,
                regularizer=self.gamma_regularizer,
                constraint=self.gamma_constraint,
                autocast=False,
                name="gamma",
            )
        if self.center:
            self.beta = self.add_weight(
                shape=(size,),
                initializer=self.beta_initializer,
                regularizer=self.beta_regularizer,
                constraint=self.beta_constraint,
                autocast=False,
                name="beta",
            )
        self.moving_mean = self._add_statistic("moving_mean", size, self.moving_mean_initializer)
        self.moving_variance = self._add_statistic(
            "moving_variance", size, self.moving_variance_initializer
        )
        self.input_spec = InputSpec(min_ndim=len(input_shape), axes={self.axis: size})

    def call(self, inputs, training=False, mask=None):
        training = bool(training and self._trainable)
        if training and mask is not None:
            return self._normalize_unmasked(inputs, mask)
        return batch_norm(
            inputs, self.gamma, self.beta, self.moving_mean, self.moving_variance,
            axis=self.axis, momentum=self.momentum, epsilon=self.epsilon, training=training,
        )  # fmt: skip

    def _normalize_unmasked(self, inputs, mask):
        """Normalize by the mean and variance of the steps that are not masked."""
        axes = tuple(a for a in range(inputs.ndim) if a != self.axis % inputs.ndim)
        x = inputs if inputs.dtype == "float64" else ops.cast(inputs, "float32")
        weights = ops.expand_dims(ops.cast(mask, x.dtype), -1)
        weights = ops.broadcast_to(weights, x.shape)
        count = ops.sum(weights, axes, keepdims=True) + _EPSILON
        mean = ops.sum(weights * x, axes, keepdims=True) / count
        centered = x - mean
        variance = ops.sum(weights * ops.square(centered), axes, keepdims=True) / count
        with no_grad():
            for moving, value in ((self.moving_mean, mean), (self.moving_variance, variance)):
                value = ops.reshape(value, moving.shape)
                moving.assign(moving * self.momentum + value * (1 - self.momentum))
        y = centered * ops.rsqrt(variance + self.epsilon)
        if self.gamma is not None:
            y = y * ops.reshape(self.gamma, mean.shape)
        if self.beta is not None:
            y = y + ops.reshape(self.beta, mean.shape)
        return ops.cast(y, inputs.dtype)

    def compute_output_shape(self, input_shape):
        return input_shape

    def _add_statistic(self, name: str, size: int, initializer: Any):
        return self.add_weight(
            shape=(size,), initializer=initializer, trainable=False, autocast=False, name=name
        )
