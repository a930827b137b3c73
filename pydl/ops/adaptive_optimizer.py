"""Steps of optimizers that adapt the rate of each element; see `pydl.ops.optimizer`."""

from __future__ import annotations

import math
from collections.abc import Sequence

from pydl import _core
from pydl._core import Tensor
from pydl.typing import ArrayLike

__all__ = [
    "adadelta_step",
    "adagrad_step",
    "adamax_step",
    "ftrl_step",
    "lion_step",
    "nadam_step",
]


def adagrad_step(
    params: Sequence[Tensor],
    grads: Sequence[ArrayLike],
    accumulators: Sequence[Tensor],
    learning_rate: float,
    epsilon: float = 1e-7,
    weight_decay: float = 0.0,
    scales: Sequence[float] | None = None,
    clip_value: float | None = None,
) -> None:
    """``a += g^2; p -= learning_rate g / sqrt(a + epsilon)``.

    Args:
        params: Parameters, changed in place.
        grads: Their gradients.
        accumulators: Sums ``a`` of the squared gradients, changed in place.
        learning_rate: The learning rate.
        epsilon: Added under the root.
        weight_decay, scales, clip_value: See `pydl.ops.optimizer`.

    Raises:
        ShapeError: If a gradient or a state has another shape than its parameter.

    Example:
        >>> p, a = pydl.tensor([1.0]), pydl.tensor([0.0])
        >>> pydl.ops.adagrad_step([p], [[2.0]], [a], learning_rate=0.5)
        >>> round(p.item(), 4)
        0.5
    """
    _core.adagrad_step(
        params, grads, accumulators, learning_rate, epsilon, weight_decay, scales or [],
        math.inf if clip_value is None else clip_value,
    )  # fmt: skip


def adadelta_step(
    params: Sequence[Tensor],
    grads: Sequence[ArrayLike],
    squares: Sequence[Tensor],
    moves: Sequence[Tensor],
    learning_rate: float,
    rho: float = 0.95,
    epsilon: float = 1e-7,
    weight_decay: float = 0.0,
    scales: Sequence[float] | None = None,
    clip_value: float | None = None,
) -> None:
    """``d = g sqrt(x + epsilon) / sqrt(s + epsilon); p -= learning_rate d``.

    Args:
        params: Parameters, changed in place.
        grads: Their gradients.
        squares: Running means ``s`` of ``g^2``, changed in place.
        moves: Running means ``x`` of ``d^2``, changed in place.
        learning_rate: The learning rate.
        rho: The share of the old means that is kept.
        epsilon: Added under the roots.
        weight_decay, scales, clip_value: See `pydl.ops.optimizer`.

    Raises:
        ShapeError: If a gradient or a state has another shape than its parameter.

    Example:
        >>> p, s, x = (pydl.tensor([v]) for v in (1.0, 0.0, 1.0))
        >>> pydl.ops.adadelta_step([p], [[2.0]], [s], [x], learning_rate=0.1, rho=0.0)
        >>> round(p.item(), 4)
        0.9
    """
    _core.adadelta_step(
        params, grads, squares, moves, learning_rate, rho, epsilon, weight_decay, scales or
        [], math.inf if clip_value is None else clip_value,
    )  # fmt: skip


def adamax_step(
    params: Sequence[Tensor],
    grads: Sequence[ArrayLike],
    m: Sequence[Tensor],
    u: Sequence[Tensor],
    step: int,
    learning_rate: float,
    beta_1: float = 0.9,
    beta_2: float = 0.999,
    epsilon: float = 1e-7,
    weight_decay: float = 0.0,
    scales: Sequence[float] | None = None,
    clip_value: float | None = None,
) -> None:
    """``u = max(beta_2 u, |g|); p -= a m / (u + epsilon)`` with the running mean ``m``.

    ``a`` is ``learning_rate / (1 - beta_1^step)``.

    Args:
        params: Parameters, changed in place.
        grads: Their gradients.
        m: Running means of the gradients, changed in place.
        u: The largest gradients, which fade by ``beta_2``, changed in place.
        step: The number of this step, from 1.
        learning_rate: The learning rate.
        beta_1: The share of ``m`` that is kept.
        beta_2: The share of ``u`` that is kept.
        epsilon: Added to ``u``.
        weight_decay, scales, clip_value: See `pydl.ops.optimizer`.

    Raises:
        ShapeError: If a gradient or a state has another shape than its parameter.

    Example:
        >>> p, m, u = (pydl.tensor([v]) for v in (1.0, 0.0, 0.0))
        >>> pydl.ops.adamax_step([p], [[2.0]], [m], [u], step=1, learning_rate=0.1)
        >>> round(p.item(), 4)
        0.9
    """
    _core.adamax_step(
        params, grads, m, u, learning_rate, step, beta_1, beta_2, epsilon, weight_decay,
        scales or [], math.inf if clip_value is None else clip_value,
    )  # fmt: skip


def nadam_step(
    params: Sequence[Tensor],
    grads: Sequence[ArrayLike],
    m: Sequence[Tensor],
    v: Sequence[Tensor],
    step: int,
    learning_rate: float,
    mean_share: float,
    gradient_share: float,
    beta_1: float = 0.9,
    beta_2: float = 0.999,
    epsilon: float = 1e-7,
    weight_decay: float = 0.0,
    scales: Sequence[float] | None = None,
    clip_value: float | None = None,
) -> None:
    """Adam with a look ahead: ``p -= (a m + b g) / (sqrt(v) + epsilon)``.

    ``v`` is divided by ``1 - beta_2^step``.

    Args:
        params: Parameters, changed in place.
        grads: Their gradients.
        m: Running means of the gradients, changed in place.
        v: Running means of the squared gradients, changed in place.
        step: The number of this step, from 1.
        learning_rate: The learning rate.
        mean_share: ``a / learning_rate``.
        gradient_share: ``b / learning_rate``.
        beta_1: The share of ``m`` that is kept.
        beta_2: The share of ``v`` that is kept.
        epsilon: Added to the root.
        weight_decay, scales, clip_value: See `pydl.ops.optimizer`.

    Raises:
        ShapeError: If a gradient or a state has another shape than its parameter.

    Example:
        >>> p, m, v = (pydl.tensor([x]) for x in (1.0, 0.0, 0.0))
        >>> pydl.ops.nadam_step([p], [[2.0]], [m], [v], 1, 0.1, mean_share=0.5, gradient_share=1.0)
        >>> round(p.item(), 4)
        0.895
    """
    _core.nadam_step(
        params, grads, m, v, learning_rate, step, mean_share, gradient_share, beta_1,
        beta_2, epsilon, weight_decay, scales or [], math.inf if clip_value is None else
        clip_value,
    )  # fmt: skip


def lion_step(
    params: Sequence[Tensor],
    grads: Sequence[ArrayLike],
    m: Sequence[Tensor],
    learning_rate: float,
    beta_1: float = 0.9,
    beta_2: float = 0.99,
    weight_decay: float = 0.0,
    scales: Sequence[float] | None = None,
    clip_value: float | None = None,
) -> None:
    """``p -= learning_rate sign(beta_1 m + (1 - beta_1) g)``.

    Args:
        params: Parameters, changed in place.
        grads: Their gradients.
        m: Running means of the gradients, changed in place after the move.
        learning_rate: The learning rate.
        beta_1: The share of ``m`` in the move.
        beta_2: The share of ``m`` that is kept.
        weight_decay, scales, clip_value: See `pydl.ops.optimizer`.

    Raises:
        ShapeError: If a gradient or a state has another shape than its parameter.

    Example:
        >>> p, m = pydl.tensor([1.0, 1.0]), pydl.tensor([0.0, 0.0])
        >>> pydl.ops.lion_step([p], [[2.0, -3.0]], [m], learning_rate=0.5)
        >>> p.tolist()
        [0.5, 1.5]
    """
    _core.lion_step(
        params, grads, m, learning_rate, beta_1, beta_2, weight_decay, scales or [],
        math.inf if clip_value is None else clip_value,
    )  # fmt: skip


def ftrl_step(
    params: Sequence[Tensor],
    grads: Sequence[ArrayLike],
    accumulators: Sequence[Tensor],
    linears: Sequence[Tensor],
    learning_rate: float,
    power: float = -0.5,
    l1: float = 0.0,
    l2: float = 0.0,
    l2_shrinkage: float = 0.0,
    weight_decay: float = 0.0,
    scales: Sequence[float] | None = None,
    clip_value: float | None = None,
) -> None:
    """``p = (clip(z, -l1, l1) - z) / (a^-power / learning_rate + 2 l2)``.

    ``z += g - (a^-power - a_before^-power) / learning_rate p`` (follow the regularized leader).

    Args:
        params: Parameters, changed in place.
        grads: Their gradients.
        accumulators: Sums ``a`` of the squared gradients, changed in place.
        linears: The linear parts ``z``, changed in place.
        learning_rate: The learning rate.
        power: At most 0; how the rate falls as ``a`` grows.
        l1: Parameters whose ``z`` is smaller are 0.
        l2: Pulls parameters towards 0.
        l2_shrinkage: Adds ``2 l2_shrinkage p`` to the gradient in ``z``.
        weight_decay, scales, clip_value: See `pydl.ops.optimizer`.

    Raises:
        ShapeError: If a gradient or a state has another shape than its parameter.

    Example:
        >>> p, a, z = (pydl.tensor([v]) for v in (0.0, 0.0, 0.0))
        >>> pydl.ops.ftrl_step([p], [[2.0]], [a], [z], learning_rate=0.1, l1=1.0)
        >>> round(p.item(), 4)
        -0.05
    """
    _core.ftrl_step(
        params, grads, accumulators, linears, learning_rate, power, l1, l2, l2_shrinkage,
        weight_decay, scales or [], math.inf if clip_value is None else clip_value,
    )  # fmt: skip
