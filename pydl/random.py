"""Random tensors.

All numbers come from Philox, a counter generator: a seed gives the same numbers for any number of
threads. Uniform numbers, integers and choices are the same bits on every CPU; normal ones pass
through logarithms and may differ in the last bits between CPUs with and without fused multiply-add.

Every function takes a `seed`: None draws from the global stream, an integer gives the same numbers on
every call, a `SeedGenerator` gives new ones on every call from a stream of its own.
"""

from __future__ import annotations

import random as _python_random
from typing import Any, Union

import numpy as np

from pydl import _core
from pydl._call_errors import explain_arguments, show
from pydl._core import Tensor
from pydl.replay import about_to_change
from pydl.typing import ArrayLike, DTypeLike, Shape

__all__ = [
    "SeedGenerator",
    "bernoulli",
    "beta",
    "binomial",
    "categorical",
    "dropout",
    "gamma",
    "global_generator",
    "normal",
    "permutation",
    "randint",
    "set_random_seed",
    "shuffle",
    "truncated_normal",
    "uniform",
]


class SeedGenerator:
    """A stream of random numbers that is used up call by call.

    Args:
        seed: Where the stream starts; None takes a seed from the global stream.

    Attributes:
        state: ``(seed, offset)``: all there is to know about the stream. Assign it to go back.

    Example:
        >>> generator = pydl.random.SeedGenerator(7)
        >>> first = pydl.random.normal((2,), seed=generator)
        >>> second = pydl.random.normal((2,), seed=generator)  # other numbers
        >>> generator.state = (7, 0)
        >>> again = pydl.random.normal((2,), seed=generator)  # those of `first`
    """

    def __init__(self, seed: int | None = None) -> None:
        if seed is None:
            seed = randint((), 0, 2**62, dtype="int64").item()
        self._generator = _core.Generator(_as_key(seed))

    @property
    def state(self) -> tuple[int, int]:
        return self._generator.state

    @state.setter
    def state(self, value: tuple[int, int]) -> None:
        if not isinstance(value, (list, tuple)) or [type(v) for v in value] != [int, int]:
            raise ValueError(f"[SeedGenerator] expected a state (seed, offset), got {show(value)}")
        self._generator.state = tuple(value)

    def __repr__(self) -> str:
        return "SeedGenerator(seed={}, offset={})".format(*self.state)

    def __getstate__(self) -> tuple[int, int]:
        return self.state

    def __setstate__(self, state: tuple[int, int]) -> None:
        self._generator = _core.Generator(0)
        self._generator.state = state


Seed = Union[None, int, SeedGenerator]


def _as_key(seed: Any) -> int:
    if isinstance(seed, (bool, np.bool_)) or not isinstance(seed, (int, np.integer)):
        raise TypeError(
            f"[random] expected a seed that is None, an integer or a SeedGenerator, got {seed!r}"
        )
    return int(seed) % 2**64


def _generator(seed: Seed) -> _core.Generator:
    if seed is not None and not isinstance(seed, SeedGenerator):
        return _core.Generator(_as_key(seed))
    generator = _core.default_generator() if seed is None else seed._generator
    about_to_change(generator)
    return generator


def global_generator() -> SeedGenerator:
    """The stream of calls without a seed; its `state` can be saved and restored."""
    generator = SeedGenerator(0)
    generator._generator = _core.default_generator()
    return generator


def set_random_seed(seed: int) -> None:
    """Starts the global random stream anew, and those of NumPy and of Python's `random`.

    Args:
        seed: Any integer; NumPy takes its lower 32 bits.

    Example:
        >>> pydl.set_random_seed(42)
        >>> a = pydl.random.uniform((3,))
        >>> pydl.set_random_seed(42)
        >>> bool((a == pydl.random.uniform((3,))).numpy().all())
        True
    """
    key = _as_key(seed)
    _core.default_generator().state = (key, 0)
    np.random.seed(key % 2**32)
    _python_random.seed(key)


@explain_arguments
def uniform(
    shape: Shape,
    minval: float = 0.0,
    maxval: float = 1.0,
    dtype: DTypeLike | None = None,
    seed: Seed = None,
) -> Tensor:
    """Numbers of even density in ``[minval, maxval)``.

    Args:
        shape: The extents of the result.
        minval: The lower bound, which may come.
        maxval: The upper bound, which does not.
        dtype: A floating dtype; None is float32.
        seed: None, an integer or a `SeedGenerator`.

    Raises:
        ValueError: If ``minval > maxval`` or an extent is negative.
        DTypeError: If `dtype` is not floating. For integers there is `randint`.

    Example:
        >>> pydl.random.uniform((2, 3), -1.0, 1.0, seed=1).shape
        (2, 3)
    """
    return _core.uniform(shape, minval, maxval, dtype or "float32", _generator(seed))


@explain_arguments
def normal(
    shape: Shape,
    mean: float = 0.0,
    stddev: float = 1.0,
    dtype: DTypeLike | None = None,
    seed: Seed = None,
) -> Tensor:
    """Numbers of the normal distribution.

    Args:
        shape: The extents of the result.
        mean: The mean.
        stddev: The standard deviation, at least 0.
        dtype: A floating dtype; None is float32.
        seed: None, an integer or a `SeedGenerator`.

    Example:
        >>> pydl.random.normal((2, 3), seed=1).dtype
        'float32'
    """
    return _core.normal(shape, mean, stddev, dtype or "float32", _generator(seed))


@explain_arguments
def truncated_normal(
    shape: Shape,
    mean: float = 0.0,
    stddev: float = 1.0,
    dtype: DTypeLike | None = None,
    seed: Seed = None,
) -> Tensor:
    """As `normal`, but within two standard deviations of the mean.

    The standard deviation of the result is 0.88 of `stddev`.
    """
    return _core.truncated_normal(shape, mean, stddev, dtype or "float32", _generator(seed))


@explain_arguments
def randint(
    shape: Shape, minval: int, maxval: int, dtype: DTypeLike = "int32", seed: Seed = None
) -> Tensor:
    """Integers of even probability in ``[minval, maxval)``.

    Raises:
        ValueError: If ``minval >= maxval``, or if the range does not fit `dtype`.
        DTypeError: If `dtype` is no integer dtype.

    Example:
        >>> dice = pydl.random.randint((100,), 1, 7)
        >>> int(dice.numpy().max()) <= 6
        True
    """
    return _core.randint(shape, minval, maxval, dtype, _generator(seed))


@explain_arguments
def bernoulli(
    shape: Shape, p: float = 0.5, dtype: DTypeLike = "bool", seed: Seed = None
) -> Tensor:
    """True, or 1, with probability `p`, else False, or 0.

    Raises:
        ValueError: If `p` is outside [0, 1].
    """
    return _core.bernoulli(shape, p, dtype, _generator(seed))


@explain_arguments
def categorical(
    logits: ArrayLike, num_samples: int, dtype: DTypeLike = "int32", seed: Seed = None
) -> Tensor:
    """Draws classes in proportion to ``exp(logits)``.

    Args:
        logits: Unnormalised log probabilities, shape ``(rows, classes)``; ``-inf`` is never drawn.
        num_samples: How many classes to draw for each row, with replacement.
        dtype: The integer dtype of the result.
        seed: None, an integer or a `SeedGenerator`.

    Returns:
        Class indices, shape ``(rows, num_samples)``.

    Raises:
        ShapeError: If `logits` is not two-dimensional or has no classes.

    Example:
        >>> pydl.random.categorical([[0.0, float("-inf")]], 3)
        tensor([[0, 0, 0]])
    """
    return _core.categorical(logits, num_samples, dtype, _generator(seed))


@explain_arguments
def permutation(n: int, seed: Seed = None) -> Tensor:
    """The integers ``0 .. n - 1`` in random order, int64."""
    return _core.permutation(n, _generator(seed))


@explain_arguments
def shuffle(x: ArrayLike, axis: int = 0, seed: Seed = None) -> Tensor:
    """A copy of `x` with the entries along an axis in random order.

    Raises:
        ValueError: If `axis` is outside the rank.
    """
    x = _core.as_tensor(x)
    if not -x.ndim <= axis < x.ndim:
        raise ValueError(
            f"[shuffle] expected an axis in [{-x.ndim}, {x.ndim}) for shape {x.shape}, got {axis}"
        )
    return _core.take(x, permutation(x.shape[axis], seed), axis)


@explain_arguments
def dropout(
    x: ArrayLike, rate: float, noise_shape: Shape | None = None, seed: Seed = None
) -> Tensor:
    """Sets a random share of the elements to 0 and scales the others by ``1 / (1 - rate)``.

    No mask is stored: the gradient makes the same choices again. `rate` is rounded to a multiple of
    2**-16.

    Args:
        x: A floating tensor.
        rate: The share to drop, in [0, 1].
        noise_shape: A shape that broadcasts to that of `x`; elements that one of its elements
            stretches over stay or go together. None decides for each element alone.
        seed: None, an integer or a `SeedGenerator`.

    Returns:
        The shape and dtype of `x`.

    Raises:
        DTypeError: If `x` is not floating.
        ValueError: If `rate` is outside [0, 1].

    Example:
        >>> pydl.random.dropout(np.ones((2, 3), "float32"), 0.0)
        tensor([[1., 1., 1.],
                [1., 1., 1.]])

    Reference:
        Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting", 2014.
    """
    generator = _generator(seed)
    if noise_shape is None:
        return _core.dropout(x, rate, generator)
    x = _core.as_tensor(x)
    noise = _core.dropout(_core.full(noise_shape, 1.0, x.dtype), rate, generator)
    return _core.multiply(x, _core.broadcast_to(noise, x.shape))


@explain_arguments
def gamma(
    shape: Shape, alpha: ArrayLike, dtype: DTypeLike | None = None, seed: Seed = None
) -> Tensor:
    """Numbers of the gamma distribution with scale 1. They have no gradient.

    Args:
        shape: The extents of the result.
        alpha: The shape parameter, positive; a number, or a tensor that broadcasts to `shape`.
        dtype: A floating dtype; None is float32.
        seed: None, an integer or a `SeedGenerator`.

    Raises:
        ValueError: If `alpha` is not positive.

    Example:
        >>> bool((pydl.random.gamma((3,), 2.0, seed=1) > 0).numpy().all())
        True
    """
    (alpha,) = _positive("gamma", alpha)
    return _drawn(_host_stream(seed).standard_gamma(alpha, _extents(shape)), dtype)


@explain_arguments
def beta(
    shape: Shape,
    alpha: ArrayLike,
    beta: ArrayLike,
    dtype: DTypeLike | None = None,
    seed: Seed = None,
) -> Tensor:
    """Numbers of the beta distribution, between 0 and 1. They have no gradient.

    Args:
        shape: The extents of the result.
        alpha: The first parameter, positive; a number, or a tensor that broadcasts to `shape`.
        beta: The second one, likewise.
        dtype: A floating dtype; None is float32.
        seed: None, an integer or a `SeedGenerator`.

    Raises:
        ValueError: If a parameter is not positive.

    Example:
        >>> pydl.random.beta((2, 3), 1.0, 2.0, seed=1).shape
        (2, 3)
    """
    alpha, beta = _positive("beta", alpha, beta)
    return _drawn(_host_stream(seed).beta(alpha, beta, _extents(shape)), dtype)


@explain_arguments
def binomial(
    shape: Shape,
    counts: ArrayLike,
    probabilities: ArrayLike,
    dtype: DTypeLike | None = None,
    seed: Seed = None,
) -> Tensor:
    """How many of several independent tries succeed.

    Args:
        shape: The extents of the result.
        counts: The number of tries; a number, or a tensor that broadcasts to `shape`.
        probabilities: Of success, in [0, 1], likewise.
        dtype: The dtype of the result; None is float32.
        seed: None, an integer or a `SeedGenerator`.

    Raises:
        ValueError: If a count is negative or a probability outside of [0, 1].

    Example:
        >>> pydl.random.binomial((2,), 5, 1.0, seed=1)
        tensor([5., 5.])
    """
    tries, chance = (np.asarray(_core.as_tensor(v), "float64") for v in (counts, probabilities))
    if not ((tries >= 0).all() and ((chance >= 0) & (chance <= 1)).all()):
        raise ValueError(
            "[binomial] expected counts of at least 0 and probabilities in [0, 1], got "
            f"{show(counts)} and {show(probabilities)}"
        )
    return _drawn(_host_stream(seed).binomial(tries.astype("int64"), chance, _extents(shape)), dtype)


def _host_stream(seed: Seed) -> np.random.Generator:
    """A stream of NumPy's Philox, which begins where the next numbers of ours are."""
    key = _core.randint((2,), 0, 2**62, "int64", _generator(seed))
    return np.random.Generator(np.random.Philox(key=np.asarray(key).astype("uint64")))


def _extents(shape: Shape) -> tuple[int, ...]:
    """A shape that there is memory for; an error says so otherwise."""
    return _core.empty(shape, "float64").shape


def _positive(op: str, *values: ArrayLike) -> list[np.ndarray]:
    arrays = [np.asarray(_core.as_tensor(v), "float64") for v in values]
    if not all((a > 0).all() for a in arrays):
        raise ValueError(f"[{op}] expected positive parameters, got {show(values)}")
    return arrays


def _drawn(values: np.ndarray, dtype: DTypeLike | None) -> Tensor:
    return _core.cast(_core.tensor(np.asarray(values, "float64")), dtype or "float32")
