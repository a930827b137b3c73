"""Activations as layers of their own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydl import activations, ops
from pydl.layers.input_spec import InputSpec
from pydl.layers.layer import Layer

__all__ = ["Activation", "ELU", "LeakyReLU", "PReLU", "ReLU", "Softmax"]


class _Elementwise(Layer):
    supports_masking = True

    def compute_output_shape(self, input_shape):
        return input_shape


class Activation(_Elementwise):
    """Applies an activation function.

    Args:
        activation: A name from `pydl.activations`, or a function.

    Call arguments:
        inputs: A tensor of any shape.

    Returns:
        A tensor of the same shape.

    Example:
        >>> import pydl
        >>> pydl.layers.Activation("relu")(pydl.tensor([-1.0, 2.0])).tolist()
        [0.0, 2.0]
    """

    def __init__(self, activation: Any, **kwargs):
        super().__init__(**kwargs)
        self.activation = activations.get(activation)

    def call(self, inputs):
        return self.activation(inputs)


class ReLU(_Elementwise):
    """The rectified linear unit, `max(x, 0)` by default.

    Args:
        max_value: The largest value returned; no limit when None.
        negative_slope: The slope below `threshold`.
        threshold: The value below which the slope is `negative_slope`.

    Call arguments:
        inputs: A tensor of any shape.

    Returns:
        A tensor of the same shape.

    Raises:
        ValueError: a negative argument.
    """

    def __init__(
        self,
        max_value: float | None = None,
        negative_slope: float = 0.0,
        threshold: float = 0.0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if min(max_value or 0, negative_slope, threshold) < 0:
            raise ValueError(
                f"[{self.name}] expected max_value, negative_slope and threshold to be at least 0, "
                f"got {max_value}, {negative_slope}, {threshold}."
            )
        self.max_value = max_value
        self.negative_slope = negative_slope
        self.threshold = threshold

    def call(self, inputs):
        return activations.relu(inputs, self.negative_slope, self.max_value, self.threshold)


class LeakyReLU(_Elementwise):
    """The rectified linear unit with a small slope below zero.

    Args:
        negative_slope: The slope below zero.

    Call arguments:
        inputs: A tensor of any shape.

    Returns:
        A tensor of the same shape.

    Raises:
        ValueError: a negative slope.
    """

    def __init__(self, negative_slope: float = 0.3, **kwargs):
        negative_slope = kwargs.pop("alpha", negative_slope)
        super().__init__(**kwargs)
        if negative_slope is None or negative_slope < 0:
            raise ValueError(
                f"[{self.name}] expected negative_slope to be at least 0, got {negative_slope}."
            )
        self.negative_slope = negative_slope

    def call(self, inputs):
        return ops.leaky_relu(inputs, self.negative_slope)


class ELU(_Elementwise):
    """The exponential linear unit: `alpha * (exp(x) - 1)` below zero, `x` above.

    Args:
        alpha: What large negative inputs go to, negated.

    Call arguments:
        inputs: A tensor of any shape.

    Returns:
        A tensor of the same shape.

    Example:
        >>> import pydl
        >>> pydl.layers.ELU(2.0)(pydl.tensor([-100.0, 3.0])).tolist()
        [-2.0, 3.0]

    Source: Clevert et al., 2016.
    """

    def __init__(self, alpha: float = 1.0, **kwargs):
        super().__init__(**kwargs)
        self.alpha = alpha

    def call(self, inputs):
        return ops.elu(inputs, self.alpha)


class PReLU(_Elementwise):
    """The rectified linear unit with a trained slope `alpha` below zero.

    Args:
        alpha_initializer: First values of the slopes.
        alpha_regularizer: Penalty on the slopes.
        alpha_constraint: Projection of the slopes after every step.
        shared_axes: Axes of the input, counted from 1, along which elements share a slope.

    Call arguments:
        inputs: A tensor of shape `(batch, ...)`.

    Returns:
        A tensor of the same shape.

    Raises:
        ValueError: a shared axis that the input does not have.

    Example:
        >>> import pydl
        >>> layer = pydl.layers.PReLU(alpha_initializer=pydl.initializers.Constant(0.5))
        >>> layer(pydl.tensor([[-2.0, 3.0]])).tolist()
        [[-1.0, 3.0]]

    Source: He et al., 2015.
    """

    def __init__(
        self,
        alpha_initializer: Any = "Zeros",
        alpha_regularizer: Any = None,
        alpha_constraint: Any = None,
        shared_axes: int | Sequence[int] | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.alpha_initializer = alpha_initializer
        self.alpha_regularizer = alpha_regularizer
        self.alpha_constraint = alpha_constraint
        axes = (shared_axes,) if isinstance(shared_axes, int) else shared_axes
        self.shared_axes = None if axes is None else tuple(axes)

    def build(self, input_shape):
        shared = self.shared_axes or ()
        if not all(axis in range(1, len(input_shape)) for axis in shared):
            raise ValueError(
                f"[{self.name}] expected shared_axes from 1 to {len(input_shape) - 1} for shape "
                f"{tuple(input_shape)}, got {self.shared_axes}."
            )
        self.alpha = self.add_weight(
            shape=[1 if i in shared else n for i, n in enumerate(input_shape)][1:],
            initializer=self.alpha_initializer,
            regularizer=self.alpha_regularizer,
            constraint=self.alpha_constraint,
            name="alpha",
        )
        own = {i: n for i, n in enumerate(input_shape) if i > 0 and i not in shared}
        self.input_spec = InputSpec(ndim=len(input_shape), axes=own)

    def call(self, inputs):
        return ops.relu(inputs) - self.alpha * ops.relu(-inputs)


class Softmax(_Elementwise):
    """Turns scores into probabilities: positive numbers that sum to 1 along the axis.

    Args:
        axis: The axis, or several axes that sum to 1 together.

    Call arguments:
        inputs: A tensor of any shape.
        mask: A bool tensor that broadcasts to `inputs`; entries with False get probability 0.

    Returns:
        A tensor of the same shape.

    Example:
        >>> import pydl
        >>> pydl.layers.Softmax()(pydl.tensor([1.0, 1.0])).tolist()
        [0.5, 0.5]
    """

    def __init__(self, axis: int | Sequence[int] = -1, **kwargs):
        super().__init__(**kwargs)
        self.axis = axis if isinstance(axis, int) else tuple(axis)

    def call(self, inputs, mask=None):
        if mask is None:
            return self._softmax(inputs)
        mask = ops.cast(mask, "bool")
        lowest = -3e4 if inputs.dtype == "float16" else -1e9
        return ops.where(mask, self._softmax(ops.where(mask, inputs, lowest)), 0.0)

    def _softmax(self, x):
        if isinstance(self.axis, int):
            return ops.softmax(x, axis=self.axis)
        return ops.exp(x - ops.logsumexp(x, axis=self.axis, keepdims=True))
