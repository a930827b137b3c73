"""Learning rates that change with the step."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from pydl.saving import deserialize_keras_object, serialize_keras_object
from pydl.saving.configurable import Configurable

__all__ = [
    "CosineDecay",
    "CosineDecayRestarts",
    "ExponentialDecay",
    "InverseTimeDecay",
    "LearningRateSchedule",
    "PiecewiseConstantDecay",
    "PolynomialDecay",
    "deserialize",
    "serialize",
]


class LearningRateSchedule(Configurable):
    """Base class: a function of the step, given to an optimizer as its `learning_rate`.

    A subclass implements `__call__(step)`.

    Example:
        >>> class Halving(pydl.optimizers.schedules.LearningRateSchedule):
        ...     def __call__(self, step):
        ...         return 0.5 ** int(step)
        >>> float(pydl.optimizers.SGD(Halving()).learning_rate)
        1.0
    """

    def __call__(self, step: int) -> float:
        """The learning rate at `step`, which counts from 0."""
        raise NotImplementedError(
            f"[{type(self).__name__}] expected a subclass that defines __call__(step)"
        )


class ExponentialDecay(LearningRateSchedule):
    """`initial_learning_rate * decay_rate ** (step / decay_steps)`.

    Args:
        initial_learning_rate: rate at step 0.
        decay_steps: steps over which the rate is multiplied by `decay_rate`.
        decay_rate: the factor.
        staircase: whether to change only every `decay_steps` steps.
        name: name of the instance.

    Example:
        >>> pydl.optimizers.schedules.ExponentialDecay(0.1, 100, 0.5)(200)
        0.025
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        decay_rate: float,
        staircase: bool = False,
        name: str = "ExponentialDecay",
    ) -> None:
        _check_steps(self, "decay_steps", decay_steps)
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = decay_steps
        self.decay_rate = decay_rate
        self.staircase = staircase
        self.name = name

    def __call__(self, step: int) -> float:
        decays = _decays(step, self.decay_steps, self.staircase)
        return self.initial_learning_rate * self.decay_rate**decays


class CosineDecay(LearningRateSchedule):
    """Half a cosine from the initial rate down to `alpha` times it, after an optional warm-up.

    Args:
        initial_learning_rate: rate at the start of the warm-up, or of the decay without one.
        decay_steps: steps of the decay, not counting the warm-up.
        alpha: smallest rate as a share of the rate at the start of the decay.
        name: name of the instance.
        warmup_target: rate at the end of a linear warm-up; None skips it.
        warmup_steps: steps of the warm-up.

    Source: Loshchilov and Hutter, SGDR: Stochastic Gradient Descent with Warm Restarts, 2016.

    Example:
        >>> schedule = pydl.optimizers.schedules.CosineDecay(
        ...     0.0, decay_steps=100, warmup_target=0.1, warmup_steps=10)
        >>> schedule(5), schedule(60), schedule(1000)
        (0.05, 0.05, 0.0)
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        alpha: float = 0.0,
        name: str = "CosineDecay",
        warmup_target: float | None = None,
        warmup_steps: int = 0,
    ) -> None:
        _check_steps(self, "decay_steps", decay_steps)
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = decay_steps
        self.alpha = alpha
        self.name = name
        self.warmup_target = warmup_target
        self.warmup_steps = warmup_steps

    def __call__(self, step: int) -> float:
        step = int(step)
        start = self.initial_learning_rate
        if self.warmup_target is not None:
            if step < self.warmup_steps:
                return start + (self.warmup_target - start) * step / self.warmup_steps
            start = self.warmup_target
            step -= self.warmup_steps
        share = min(step, self.decay_steps) / self.decay_steps
        cosine = 0.5 * (1.0 + math.cos(math.pi * share))
        return start * ((1.0 - self.alpha) * cosine + self.alpha)


class InverseTimeDecay(LearningRateSchedule):
    """`initial_learning_rate / (1 + decay_rate * step / decay_steps)`.

    Args:
        initial_learning_rate: rate at step 0.
        decay_steps: steps over which the divisor grows by `decay_rate`.
        decay_rate: how fast the rate falls.
        staircase: whether to change only every `decay_steps` steps.
        name: name of the instance.

    Example:
        >>> pydl.optimizers.schedules.InverseTimeDecay(0.1, 100, 1.0)(300)
        0.025
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        decay_rate: float,
        staircase: bool = False,
        name: str = "InverseTimeDecay",
    ) -> None:
        _check_steps(self, "decay_steps", decay_steps)
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = decay_steps
        self.decay_rate = decay_rate
        self.staircase = staircase
        self.name = name

    def __call__(self, step: int) -> float:
        decays = _decays(step, self.decay_steps, self.staircase)
        return self.initial_learning_rate / (1.0 + self.decay_rate * decays)


class PolynomialDecay(LearningRateSchedule):
    """From the initial to the end rate along `(1 - step / decay_steps) ** power`.

    Args:
        initial_learning_rate: rate at step 0.
        decay_steps: steps of the decay.
        end_learning_rate: rate after it.
        power: 1 for a straight line.
        cycle: whether to stretch the decay to the next multiple of `decay_steps` when it is over.
        name: name of the instance.

    Example:
        >>> schedule = pydl.optimizers.schedules.PolynomialDecay(0.5, 100, end_learning_rate=0.0)
        >>> schedule(50), schedule(1000)
        (0.25, 0.0)
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        end_learning_rate: float = 0.0001,
        power: float = 1.0,
        cycle: bool = False,
        name: str = "PolynomialDecay",
    ) -> None:
        _check_steps(self, "decay_steps", decay_steps)
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = decay_steps
        self.end_learning_rate = end_learning_rate
        self.power = power
        self.cycle = cycle
        self.name = name

    def __call__(self, step: int) -> float:
        step, steps = int(step), self.decay_steps
        if self.cycle:
            steps *= max(1, math.ceil(step / steps))
        left = 1.0 - min(step, steps) / steps
        span = self.initial_learning_rate - self.end_learning_rate
        return span * left**self.power + self.end_learning_rate


class CosineDecayRestarts(LearningRateSchedule):
    """Half a cosine down, then up again at once, over longer and longer periods.

    Args:
        initial_learning_rate: rate at step 0.
        first_decay_steps: steps of the first period.
        t_mul: how much longer each period is than the one before, at least 1.
        m_mul: what the rate at the start of a period is multiplied with after it.
        alpha: smallest rate as a share of the initial one.
        name: name of the instance.

    Source: Loshchilov and Hutter, SGDR: Stochastic Gradient Descent with Warm Restarts, 2016.

    Example:
        >>> schedule = pydl.optimizers.schedules.CosineDecayRestarts(0.5, 100)
        >>> schedule(50), schedule(100), schedule(200)
        (0.25, 0.5, 0.25)
    """

    def __init__(
        self,
        initial_learning_rate: float,
        first_decay_steps: int,
        t_mul: float = 2.0,
        m_mul: float = 1.0,
        alpha: float = 0.0,
        name: str = "SGDRDecay",
    ) -> None:
        _check_steps(self, "first_decay_steps", first_decay_steps)
        self.initial_learning_rate = initial_learning_rate
        self.first_decay_steps = first_decay_steps
        self.t_mul = t_mul
        self.m_mul = m_mul
        self.alpha = alpha
        self.name = name

    def __call__(self, step: int) -> float:
        left, length, restarts = float(step), float(self.first_decay_steps), 0
        if self.t_mul == 1.0:
            restarts, left = divmod(left, length)
        while left >= length:
            left -= length
            length *= self.t_mul
            restarts += 1
        cosine = 0.5 * self.m_mul**restarts * (1.0 + math.cos(math.pi * left / length))
        return self.initial_learning_rate * ((1.0 - self.alpha) * cosine + self.alpha)


class PiecewiseConstantDecay(LearningRateSchedule):
    """`values[0]` up to and including step `boundaries[0]`, then `values[1]`, and so on.

    Args:
        boundaries: steps after which the rate changes, in growing order.
        values: the rates, one more than boundaries.
        name: name of the instance.

    Example:
        >>> schedule = pydl.optimizers.schedules.PiecewiseConstantDecay([10, 20], [1.0, 0.5, 0.1])
        >>> schedule(10), schedule(11), schedule(21)
        (1.0, 0.5, 0.1)
    """

    def __init__(
        self, boundaries: Sequence[int], values: Sequence[float], name: str = "PiecewiseConstant"
    ) -> None:
        if len(boundaries) != len(values) - 1:
            raise ValueError(
                f"[PiecewiseConstantDecay] expected one value more than boundaries, "
                f"got {len(boundaries)} boundaries and {len(values)} values"
            )
        self.boundaries = list(boundaries)
        self.values = list(values)
        self.name = name

    def __call__(self, step: int) -> float:
        passed = sum(int(step) > boundary for boundary in self.boundaries)
        return self.values[passed]


def _check_steps(schedule: LearningRateSchedule, name: str, steps: int) -> None:
    if steps <= 0:
        raise ValueError(f"[{type(schedule).__name__}] expected {name} above 0, got {steps}")


def _decays(step: int, decay_steps: int, staircase: bool) -> float:
    """How often `decay_steps` have passed, whole times only for a staircase."""
    return int(step) // decay_steps if staircase else int(step) / decay_steps


def serialize(learning_rate_schedule: LearningRateSchedule) -> dict[str, Any]:
    """What `deserialize` makes the schedule from."""
    return serialize_keras_object(learning_rate_schedule)


def deserialize(config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Any:
    """The schedule that `serialize` described."""
    return deserialize_keras_object(config, custom_objects)
