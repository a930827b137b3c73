"""Normalization of every sample by itself: layer, group and root-mean-square normalization."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydl.layers.arguments import positive_int
from pydl.layers.input_spec import InputSpec
from pydl.layers.layer import Layer
from pydl.ops.norm import group_norm, layer_norm, rms_norm

__all__ = ["GroupNormalization", "LayerNormalization", "RMSNormalization"]


class BaseNormalization(Layer):
    """What normalizations with a trained scale `gamma` and shift `beta` share."""

    def __init__(
        self,
        axis,
        epsilon,
        center,
        scale,
        beta_initializer,
        gamma_initializer,
        beta_regularizer,
        gamma_regularizer,
        beta_constraint,
        gamma_constraint,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.axis = axis
        self.epsilon = epsilon
        self.center = center
        self.scale = scale
        self.beta_initializer = beta_initializer
        self.gamma_initializer = gamma_initializer
        self.beta_regularizer = beta_regularizer
        self.gamma_regularizer = gamma_regularizer
        self.beta_constraint = beta_constraint
        self.gamma_constraint = gamma_constraint

    def compute_output_shape(self, input_shape):
        return input_shape

    def _add_scale_and_shift(self, shape: Sequence[int]) -> None:
        self.gamma = self.beta = None
        if self.scale:
            self.gamma = self.add_weight(
                shape=shape,
                initializer=self.gamma_initializer,
                regularizer=self.gamma_regularizer,
                constraint=self.gamma_constraint,
                autocast=False,
                name="gamma",
            )
        if self.center:
            self.beta = self.add_weight(
                shape=shape,
                initializer=self.beta_initializer,
                regularizer=self.beta_regularizer,
                constraint=self.beta_constraint,
                autocast=False,
                name="beta",
            )


class LayerNormalization(BaseNormalization):
    """Gives every sample mean 0 and variance 1 over the given axes, then scales and shifts it.

    Args:
        axis: The axis or axes to normalize over.
        epsilon: Added to the variance.
        center: Whether to add `beta`.
        scale: Whether to multiply by `gamma`.
        beta_initializer: First values of `beta`.
        gamma_initializer: First values of `gamma`.
        beta_regularizer: Penalty on `beta`.
        gamma_regularizer: Penalty on `gamma`.
        beta_constraint: Projection of `beta` after every step.
        gamma_constraint: Projection of `gamma` after every step.

    Call arguments:
        inputs: A tensor of any shape.

    Returns:
        A tensor of the same shape.

    Example:
        >>> import pydl
        >>> y = pydl.layers.LayerNormalization()(pydl.tensor([[1.0, 3.0]]))
        >>> y.numpy().round(2).tolist()
        [[-1.0, 1.0]]

    Source: Ba et al., 2016.
    """

    supports_masking = True

    def __init__(
        self,
        axis: int | Sequence[int] = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **kwargs,
    ):
        super().__init__(
            axis if isinstance(axis, int) else tuple(axis), epsilon, center, scale,
            beta_initializer, gamma_initializer, beta_regularizer, gamma_regularizer,
            beta_constraint, gamma_constraint, **kwargs,
        )  # fmt: skip

    def build(self, input_shape):
        axes = (self.axis,) if isinstance(self.axis, int) else self.axis
        self._add_scale_and_shift([input_shape[axis] for axis in axes])

    def call(self, inputs):
        return layer_norm(inputs, self.gamma, self.beta, self.axis, self.epsilon)


class GroupNormalization(BaseNormalization):
    """Gives groups of channels of every sample mean 0 and variance 1, then scales and shifts.

    Args:
        groups: The number of groups; -1 for as many as channels.
        axis: The axis of the channels.
        epsilon: Added to the variance.
        center: Whether to add `beta`.
        scale: Whether to multiply by `gamma`.
        beta_initializer: First values of `beta`.
        gamma_initializer: First values of `gamma`.
        beta_regularizer: Penalty on `beta`.
        gamma_regularizer: Penalty on `gamma`.
        beta_constraint: Projection of `beta` after every step.
        gamma_constraint: Projection of `gamma` after every step.

    Call arguments:
        inputs: A tensor of any shape.

    Returns:
        A tensor of the same shape.

    Raises:
        ValueError: the number of channels is not a multiple of `groups`.

    Example:
        >>> import pydl
        >>> pydl.layers.GroupNormalization(2)(pydl.ops.ones((1, 5, 5, 4))).shape
        (1, 5, 5, 4)

    Source: Wu and He, 2018.
    """

    supports_masking = True

    def __init__(
        self,
        groups: int = 32,
        axis: int = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **kwargs,
    ):
        super().__init__(
            axis, epsilon, center, scale, beta_initializer, gamma_initializer, beta_regularizer,
            gamma_regularizer, beta_constraint, gamma_constraint, **kwargs,
        )  # fmt: skip
        self.groups = -1 if groups == -1 else positive_int("groups", groups, "GroupNormalization")

    def build(self, input_shape):
        channels = input_shape[self.axis]
        self.groups = channels if self.groups == -1 else self.groups
        if channels is None or channels % self.groups:
            raise ValueError(
                f"[{self.name}] expected the channels on axis {self.axis} to be a multiple of "
                f"groups={self.groups}, got input shape {tuple(input_shape)}."
            )
        self._add_scale_and_shift([channels])
        self.input_spec = InputSpec(ndim=len(input_shape), axes={self.axis: channels})

    def call(self, inputs):
        return group_norm(inputs, self.groups, self.gamma, self.beta, self.axis, self.epsilon)


class RMSNormalization(Layer):
    """Divides every sample by its root mean square over the given axes, then scales it.

    Args:
        axis: The axis or axes to normalize over.
        epsilon: Added to the mean square.

    Call arguments:
        x: A tensor of any shape.

    Returns:
        A tensor of the same shape.

    Example:
        >>> import pydl
        >>> y = pydl.layers.RMSNormalization()(pydl.tensor([[3.0, 3.0]]))
        >>> y.numpy().round(2).tolist()
        [[1.0, 1.0]]

    Source: Zhang and Sennrich, 2019.
    """

    def __init__(self, axis: int | Sequence[int] = -1, epsilon: float = 1e-6, **kwargs):
        super().__init__(**kwargs)
        self.axis = axis if isinstance(axis, int) else tuple(axis)
        self.epsilon = epsilon

    def build(self, input_shape):
        axes = (self.axis,) if isinstance(self.axis, int) else self.axis
        shape = [input_shape[axis] for axis in axes]
        self.scale = self.add_weight(shape=shape, initializer="ones", autocast=False, name="scale")

    def call(self, x):
        return rms_norm(x, self.scale, self.axis, self.epsilon)

    def compute_output_shape(self, input_shape):
        return input_shape
