"""Steps of optimizers: in place, without gradients, one call for all parameters.

Parameters and state are lists of contiguous floating tensors; gradients have their shapes. Weight
decay shrinks a parameter by ``learning_rate * weight_decay`` before the step. `scales` multiply the
gradients, which are then clipped to [-clip_value, clip_value].
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from pydl import _core
from pydl._core import Tensor
from pydl.typing import ArrayLike

__all__ = ["adam_step", "clip_by_global_norm", "global_norm", "rmsprop_step", "sgd_step"]


def sgd_step(
    params: Sequence[Tensor],
    grads: Sequence[ArrayLike],
    momentums: Sequence[Tensor] | None,
    learning_rate: float,
    momentum: float = 0.0,
    nesterov: bool = False,
    weight_decay: float = 0.0,
    scales: Sequence[float] | None = None,
    clip_value: float | None = None,
) -> None:
    """``v = momentum v - learning_rate g; p += v``.

    Nesterov's variant adds ``momentum v - learning_rate g`` instead.

    Args:
        params: Parameters, changed in place.
        grads: Their gradients.
        momentums: The moves ``v``, changed in place; None for plain gradient descent.
        learning_rate: The learning rate.
        momentum: The share of the last move that is kept.
        nesterov: Whether to look ahead along the momentum.
        weight_decay, scales, clip_value: See the module.

    Raises:
        ShapeError: If a gradient or a state has another shape than its parameter.

    Example:
        >>> p = pydl.tensor([1.0, 2.0])
        >>> pydl.ops.sgd_step([p], [[1.0, -1.0]], None, learning_rate=0.5)
        >>> p.tolist()
        [0.5, 2.5]
    """
    _core.sgd_step(
        params, grads, momentums or [], learning_rate, momentum, nesterov, weight_decay,
        scales or [], math.inf if clip_value is None else clip_value,
    )  # fmt: skip


def rmsprop_step(
    params: Sequence[Tensor],
    grads: Sequence[ArrayLike],
    velocities: Sequence[Tensor],
    averages: Sequence[Tensor] | None,
    momentums: Sequence[Tensor] | None,
    learning_rate: float,
    rho: float = 0.9,
    momentum: float = 0.0,
    epsilon: float = 1e-7,
    weight_decay: float = 0.0,
    scales: Sequence[float] | None = None,
    clip_value: float | None = None,
) -> None:
    """``s = rho s + (1 - rho) g^2; p -= learning_rate g / sqrt(s + epsilon)``.

    Args:
        params: Parameters, changed in place.
        grads: Their gradients.
        velocities: The mean squares ``s``, changed in place.
        averages: Means of the gradients, changed in place, whose squares are taken from ``s``; or
            None.
        momentums: Moves, changed in place; None without momentum.
        learning_rate: The learning rate.
        rho: The share of the old means that is kept.
        momentum: The share of the last move that is kept.
        epsilon: Added under the root.
        weight_decay, scales, clip_value: See the module.

    Raises:
        ShapeError: If a gradient or a state has another shape than its parameter.

    Example:
        >>> p, s = pydl.tensor([1.0]), pydl.tensor([0.0])
        >>> pydl.ops.rmsprop_step([p], [[2.0]], [s], None, None, learning_rate=0.1)
        >>> round(p.item(), 4)
        0.6838
    """
    _core.rmsprop_step(
        params, grads, velocities, averages or [], momentums or [], learning_rate, rho, momentum,
        epsilon, weight_decay, scales or [], math.inf if clip_value is None else clip_value,
    )  # fmt: skip


def adam_step(
    params: Sequence[Tensor],
    grads: Sequence[ArrayLike],
    m: Sequence[Tensor],
    v: Sequence[Tensor],
    vhat: Sequence[Tensor] | None,
    step: int,
    learning_rate: float,
    beta_1: float = 0.9,
    beta_2: float = 0.999,
    epsilon: float = 1e-7,
    weight_decay: float = 0.0,
    scales: Sequence[float] | None = None,
    clip_value: float | None = None,
) -> None:
    """``p -= a m / (sqrt(v) + epsilon)`` with running means ``m`` of ``g`` and ``v`` of ``g^2``.

    ``a`` is ``learning_rate sqrt(1 - beta_2^step) / (1 - beta_1^step)``.

    Args:
        params: Parameters, changed in place.
        grads: Their gradients.
        m: Means of the gradients, changed in place.
        v: Means of the squared gradients, changed in place.
        vhat: The largest ``v`` so far, changed in place and used in its stead (AMSGrad); or None.
        step: The number of this step, from 1.
        learning_rate: The learning rate.
        beta_1: The share of ``m`` that is kept.
        beta_2: The share of ``v`` that is kept.
        epsilon: Added to the root.
        weight_decay, scales, clip_value: See the module.

    Raises:
        ShapeError: If a gradient or a state has another shape than its parameter.

    Example:
        >>> p, m, v = (pydl.tensor([x]) for x in (1.0, 0.0, 0.0))
        >>> pydl.ops.adam_step([p], [[2.0]], [m], [v], None, step=1, learning_rate=0.1)
        >>> round(p.item(), 4)
        0.9
    """
    _core.adam_step(
        params, grads, m, v, vhat or [], step, learning_rate, beta_1, beta_2, epsilon, weight_decay,
        scales or [], math.inf if clip_value is None else clip_value,
    )  # fmt: skip


def global_norm(tensors: Sequence[ArrayLike]) -> Tensor:
    """The root of the sum of the squares of all elements of all tensors.

    Args:
        tensors: Floating tensors.

    Returns:
        A 0-d tensor, float32 unless one of `tensors` is float64. It has no gradient.

    Example:
        >>> pydl.ops.global_norm([[3.0], [4.0]]).item()
        5.0
    """
    return _core.global_norm(tensors)


def clip_by_global_norm(tensors: Sequence[Tensor], clip_norm: float) -> Tensor:
    """Scales tensors down in place, all by one factor, to a global norm of at most `clip_norm`.

    Args:
        tensors: Contiguous floating tensors.
        clip_norm: The largest norm, above 0.

    Returns:
        The norm before, a 0-d tensor.

    Raises:
        ValueError: If `clip_norm` is not above 0.

    Example:
        >>> g = pydl.tensor([3.0, 4.0])
        >>> pydl.ops.clip_by_global_norm([g], 1.0).item()
        5.0
        >>> g.numpy().round(4).tolist()
        [0.6000000238418579, 0.800000011920929]
    """
    return _core.clip_by_global_norm(tensors, clip_norm)
