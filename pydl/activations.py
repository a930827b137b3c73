"""Activation functions, by name or as functions, with the defaults of `keras.activations`.

>>> import pydl
>>> pydl.activations.get("relu")(pydl.tensor([-1.0, 2.0])).tolist()
[0.0, 2.0]
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from pydl import ops
from pydl.saving.serialize import deserialize_keras_object, serialize_keras_object

__all__ = [
    "celu", "deserialize", "elu", "exponential", "gelu", "get", "glu", "hard_shrink",
    "hard_sigmoid", "hard_silu", "hard_swish", "hard_tanh", "leaky_relu", "linear", "log_sigmoid",
    "log_softmax", "mish", "relu", "relu6", "selu", "serialize", "sigmoid", "silu", "soft_shrink",
    "softmax", "softplus", "softsign", "sparse_plus", "sparse_sigmoid", "sparsemax", "squareplus",
    "swish", "tanh", "tanh_shrink", "threshold",
]  # fmt: skip


def linear(x):
    """Return `x` unchanged."""
    return x


def relu(x, negative_slope: float = 0.0, max_value: float | None = None, threshold: float = 0.0):
    """Return the rectified linear unit, `max(x, 0)` by default.

    Args:
        x: A tensor of any shape.
        negative_slope: The slope below `threshold`.
        max_value: The largest value returned; no limit when None.
        threshold: The value below which the slope is `negative_slope`.

    Returns:
        A tensor of the shape of `x`.

    Example:
        >>> import pydl
        >>> pydl.activations.relu(pydl.tensor([-2.0, 5.0]), 0.5, 4.0).tolist()
        [-1.0, 4.0]
    """
    if threshold == 0:
        y = ops.leaky_relu(x, negative_slope) if negative_slope else ops.relu(x)
    else:
        y = ops.where(x > threshold, x, negative_slope * (x - threshold))
    return y if max_value is None else ops.minimum(y, max_value)


def gelu(x, approximate: bool = False):
    """Return the Gaussian error linear unit, `x * P(X <= x)` (Hendrycks and Gimpel, 2016).

    Args:
        x: A tensor of any shape.
        approximate: Whether to use the tanh formula instead of the error function.

    Returns:
        A tensor of the shape of `x`.
    """
    return ops.gelu(x, approximate=approximate)


def _from_ops(name: str) -> Callable:
    def activation(x, *args, **kwargs):
        return getattr(ops, name)(x, *args, **kwargs)

    activation.__name__ = activation.__qualname__ = name
    activation.__signature__ = inspect.signature(getattr(ops, name))
    activation.__doc__ = f"Return `pydl.ops.{name}(x)`; further arguments are those of the op."
    return activation


relu6, leaky_relu, elu, selu, celu = map(_from_ops, ("relu6", "leaky_relu", "elu", "selu", "celu"))
sigmoid, tanh, silu, softplus = map(_from_ops, ("sigmoid", "tanh", "silu", "softplus"))
softsign, hard_sigmoid, hard_silu = map(_from_ops, ("softsign", "hard_sigmoid", "hard_silu"))
mish, log_sigmoid, exponential = map(_from_ops, ("mish", "log_sigmoid", "exponential"))
softmax, log_softmax, sparsemax = map(_from_ops, ("softmax", "log_softmax", "sparsemax"))
hard_shrink, soft_shrink = map(_from_ops, ("hard_shrink", "soft_shrink"))
tanh_shrink, threshold, hard_tanh = map(_from_ops, ("tanh_shrink", "threshold", "hard_tanh"))
sparse_plus, sparse_sigmoid = map(_from_ops, ("sparse_plus", "sparse_sigmoid"))
squareplus, glu = map(_from_ops, ("squareplus", "glu"))
swish, hard_swish = silu, hard_silu

_BY_NAME = {
    name: globals()[name] for name in __all__ if name not in ("get", "serialize", "deserialize")
}

# Activations that `ops.linear` and `ops.conv` apply to their result before it leaves the cache.
_FUSED = {
    linear: None,
    relu: "relu",
    relu6: "relu6",
    sigmoid: "sigmoid",
    tanh: "tanh",
    silu: "silu",
    gelu: "gelu",
}


def get(identifier: str | dict | Callable | None) -> Callable:
    """Return an activation function.

    Args:
        identifier: A name, a function, a description of a function, or None for `linear`.

    Returns:
        A function of one tensor.

    Raises:
        ValueError: the name is not known.

    Example:
        >>> import pydl
        >>> pydl.activations.get(None)(3)
        3
    """
    if identifier is None:
        return linear
    if isinstance(identifier, str):
        return _by_name(identifier)
    if isinstance(identifier, dict):
        identifier = deserialize_keras_object(identifier)
    if callable(identifier):
        return identifier
    raise ValueError(f"[activations] expected a name or a function, got {identifier!r}.")


def serialize(activation: Callable) -> Any:
    """Return the name of a known activation, or the description of another function."""
    name = getattr(activation, "__name__", None)
    return name if _BY_NAME.get(name) is activation else serialize_keras_object(activation)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Callable:
    """Return the function that `serialize` described."""
    return get(deserialize_keras_object(config, custom_objects))


def split_fused(activation: Callable) -> tuple[str | None, Callable | None]:
    """Divide an activation into the part that ops apply themselves and the rest.

    Args:
        activation: A function of this module or any other.

    Returns:
        `(name, None)` when `ops.linear` and `ops.conv` can apply it, else `(None, activation)`.
    """
    if activation in _FUSED:
        return _FUSED[activation], None
    return None, activation


def _by_name(name: str) -> Callable:
    from pydl.saving.registry import find_custom_object

    found = find_custom_object(name) or _BY_NAME.get(name)
    if found is None:
        raise ValueError(
            f"[activations] expected one of {', '.join(sorted(_BY_NAME))}, got {name!r}."
        )
    return found
