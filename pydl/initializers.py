"""The first values of weights.

An initializer is called with a shape and a dtype. One with an integer `seed` returns the same
values every time; without a seed it draws from the stream that `pydl.set_random_seed` starts.

>>> import pydl
>>> pydl.initializers.Constant(3.0)((2,)).tolist()
[3.0, 3.0]
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pydl import ops, random
from pydl._call_errors import explain_method
from pydl._core import tensor
from pydl.saving.configurable import Configurable
from pydl.saving.lookup import Lookup

__all__ = [
    "Constant", "GlorotNormal", "GlorotUniform", "HeNormal", "HeUniform", "Identity",
    "IdentityInitializer", "Initializer", "LecunNormal", "LecunUniform", "Ones", "Orthogonal",
    "OrthogonalInitializer", "RandomNormal", "RandomUniform", "STFT",
    "STFTInitializer", "TruncatedNormal", "VarianceScaling", "Zeros", "constant", "deserialize",
    "get", "glorot_normal", "glorot_uniform", "he_normal", "he_uniform", "identity", "lecun_normal",
    "lecun_uniform", "ones", "orthogonal", "random_normal", "random_uniform", "serialize", "stft",
    "truncated_normal", "variance_scaling", "zeros",
]  # fmt: skip

# Standard deviation of a standard normal variable cut off at two standard deviations.
_TRUNCATED_STDDEV = 0.87962566103423978


class Initializer(Configurable):
    """Base class: a function of a shape and a dtype that returns a tensor."""

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        explain_method(cls, "__call__")

    def __call__(self, shape: Sequence[int], dtype: str | None = None):
        """Return a new tensor of `shape` with the first values of a weight."""
        raise NotImplementedError(f"[{type(self).__name__}] expected a __call__ method.")

    def clone(self) -> Initializer:
        """Return a new initializer with the same configuration."""
        return type(self).from_config(self.get_config())


class Zeros(Initializer):
    """All zeros."""

    def __call__(self, shape, dtype=None):
        return ops.zeros(shape, dtype=dtype or "float32")


class Ones(Initializer):
    """All ones."""

    def __call__(self, shape, dtype=None):
        return ops.ones(shape, dtype=dtype or "float32")


class Constant(Initializer):
    """The same value everywhere.

    Args:
        value: A number, or an array that broadcasts to the shape of the weight.
    """

    def __init__(self, value: Any = 0.0):
        self.value = value

    def __call__(self, shape, dtype=None):
        dtype = dtype or "float32"
        if np.ndim(self.value) == 0:
            return ops.full(shape, self.value, dtype=dtype)
        return tensor(np.broadcast_to(np.asarray(self.value), shape), dtype)


class Identity(Initializer):
    """A matrix with `gain` on its diagonal and zeros elsewhere.

    Args:
        gain: The value on the diagonal.

    Raises:
        ValueError: the shape is not two-dimensional.
    """

    def __init__(self, gain: float = 1.0):
        self.gain = gain

    def __call__(self, shape, dtype=None):
        if len(shape) != 2:
            raise ValueError(f"[Identity] expected a shape of 2 dimensions, got {tuple(shape)}.")
        return self.gain * ops.eye(shape[0], shape[1], dtype=dtype or "float32")


class RandomNormal(Initializer):
    """Normally distributed values.

    Args:
        mean: Their mean.
        stddev: Their standard deviation.
        seed: None, an integer, or a `pydl.random.SeedGenerator`.
    """

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed=None):
        self.mean = mean
        self.stddev = stddev
        self.seed = seed

    def __call__(self, shape, dtype=None):
        return random.normal(shape, self.mean, self.stddev, dtype=dtype, seed=self.seed)


class TruncatedNormal(RandomNormal):
    """Normally distributed values, drawn again where further than two `stddev` from `mean`."""

    def __call__(self, shape, dtype=None):
        return random.truncated_normal(shape, self.mean, self.stddev, dtype=dtype, seed=self.seed)


class RandomUniform(Initializer):
    """Uniformly distributed values.

    Args:
        minval: The lower end, included.
        maxval: The upper end, not included.
        seed: None, an integer, or a `pydl.random.SeedGenerator`.
    """

    def __init__(self, minval: float = -0.05, maxval: float = 0.05, seed=None):
        self.minval = minval
        self.maxval = maxval
        self.seed = seed

    def __call__(self, shape, dtype=None):
        return random.uniform(shape, self.minval, self.maxval, dtype=dtype, seed=self.seed)


class VarianceScaling(Initializer):
    """Random values whose variance is `scale / n`, for `n` the number of units of the weight.

    Args:
        scale: A positive number.
        mode: What `n` counts: "fan_in" inputs, "fan_out" outputs, "fan_avg" their mean.
        distribution: "truncated_normal" (also called "normal"), "untruncated_normal", "uniform".
        seed: None, an integer, or a `pydl.random.SeedGenerator`.
        input_axes: The axes of the weight that hold inputs; the last but one (and, times that,
            the window of a convolution) when None.
        output_axes: The axes of the weight that hold outputs; the last one when None.

    Raises:
        ValueError: an argument outside the values listed.

    Example:
        >>> import pydl
        >>> weight = pydl.initializers.VarianceScaling(mode="fan_in", seed=1)((100, 50))
        >>> 0.08 < float(weight.numpy().std()) < 0.12
        True
    """

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        seed=None,
        input_axes: Sequence[int] | None = None,
        output_axes: Sequence[int] | None = None,
    ):
        if scale <= 0:
            raise ValueError(f"[VarianceScaling] expected a positive scale, got {scale}.")
        if mode not in ("fan_in", "fan_out", "fan_avg"):
            raise ValueError(
                f"[VarianceScaling] expected fan_in, fan_out or fan_avg, got {mode!r}."
            )
        distribution = "truncated_normal" if distribution == "normal" else distribution
        if distribution not in ("truncated_normal", "untruncated_normal", "uniform"):
            raise ValueError(
                "[VarianceScaling] expected truncated_normal, untruncated_normal or uniform, "
                f"got {distribution!r}."
            )
        self.scale = scale
        self.mode = mode
        self.distribution = distribution
        self.seed = seed
        self.input_axes = input_axes
        self.output_axes = output_axes

    def __call__(self, shape, dtype=None):
        fan_in, fan_out = _fans(shape, self.input_axes, self.output_axes)
        fans = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}
        variance = self.scale / max(1.0, fans[self.mode])
        if self.distribution == "uniform":
            limit = math.sqrt(3 * variance)
            return random.uniform(shape, -limit, limit, dtype=dtype, seed=self.seed)
        stddev = math.sqrt(variance)
        if self.distribution == "untruncated_normal":
            return random.normal(shape, 0.0, stddev, dtype=dtype, seed=self.seed)
        stddev /= _TRUNCATED_STDDEV
        return random.truncated_normal(shape, 0.0, stddev, dtype=dtype, seed=self.seed)

    def with_axes(self, input_axes: Sequence[int], output_axes: Sequence[int]) -> VarianceScaling:
        """Return a copy for a weight with several input or output axes, unless it has them."""
        config = self.get_config()
        if self.input_axes is None:
            config.update(input_axes=input_axes, output_axes=output_axes)
        return type(self).from_config(config)


def _fixed(name: str, scale: float, mode: str, distribution: str, source: str) -> type:
    def __init__(self, seed=None, input_axes=None, output_axes=None):
        VarianceScaling.__init__(self, scale, mode, distribution, seed, input_axes, output_axes)

    doc = (
        f"`VarianceScaling` with scale {scale:g}, {mode} and a {distribution} distribution.\n\n"
        "    Args:\n"
        "        seed: None, an integer, or a `pydl.random.SeedGenerator`.\n"
        "        input_axes: See `VarianceScaling`.\n"
        "        output_axes: See `VarianceScaling`.\n\n"
        f"    Source: {source}.\n    "
    )
    return type(
        name, (VarianceScaling,), {"__init__": __init__, "__doc__": doc, "__module__": __name__}
    )


_GLOROT, _HE, _LECUN = "Glorot and Bengio, 2010", "He et al., 2015", "LeCun et al., 1998"
GlorotUniform = _fixed("GlorotUniform", 1.0, "fan_avg", "uniform", _GLOROT)
GlorotNormal = _fixed("GlorotNormal", 1.0, "fan_avg", "truncated_normal", _GLOROT)
HeUniform = _fixed("HeUniform", 2.0, "fan_in", "uniform", _HE)
HeNormal = _fixed("HeNormal", 2.0, "fan_in", "truncated_normal", _HE)
LecunUniform = _fixed("LecunUniform", 1.0, "fan_in", "uniform", _LECUN)
LecunNormal = _fixed("LecunNormal", 1.0, "fan_in", "truncated_normal", _LECUN)


class Orthogonal(Initializer):
    """A matrix with orthonormal rows or columns, from the QR decomposition of random numbers.

    A weight of more than two dimensions is filled as a matrix with its last axis as columns.

    Args:
        gain: A factor applied to the matrix.
        seed: None, an integer, or a `pydl.random.SeedGenerator`.

    Raises:
        ValueError: the shape has fewer than two dimensions.

    Source: Saxe et al., 2014.
    """

    def __init__(self, gain: float = 1.0, seed=None):
        self.gain = gain
        self.seed = seed

    def __call__(self, shape, dtype=None):
        if len(shape) < 2:
            raise ValueError(f"[Orthogonal] expected a shape of 2 or more dimensions, got {shape}.")
        rows, columns = math.prod(shape[:-1]), shape[-1]
        size = (max(rows, columns), min(rows, columns))
        q, r = np.linalg.qr(random.normal(size, dtype="float64", seed=self.seed).numpy())
        q = q * np.sign(np.diagonal(r))
        matrix = q if rows >= columns else q.T
        return tensor(self.gain * matrix.reshape(shape), dtype or "float32")


IdentityInitializer, OrthogonalInitializer = Identity, Orthogonal
class STFT(Initializer):
    """The kernel of a short-time Fourier transform, for a Conv1D over one channel of sound.

    Args:
        side: "real" for cosines, "imag" for sines.
        window: The name of a window of `scipy.signal.get_window`, an array, or None for none.
        scaling: "density", "spectrum" or None: what the window is divided by, the root of the sum
            of its squares, the sum of its magnitudes, or nothing.
        periodic: Whether the window is periodic, and not symmetric.

    Raises:
        ValueError: an argument outside the values listed, or a window of another length.
        ImportError: a window by name without SciPy.

    Example:
        >>> import pydl
        >>> kernel = pydl.initializers.STFT(window=None)((4, 1, 3))
        >>> abs(kernel.numpy()[:, 0, 1]).round(3).tolist()  # one wave over the window
        [1.0, 0.0, 1.0, 0.0]
    """

    def __init__(
        self,
        side: str = "real",
        window: Any = "hann",
        scaling: str | None = "density",
        periodic: bool = False,
    ):
        if side not in ("real", "imag"):
            raise ValueError(f"[STFT] expected side to be real or imag, got {side!r}.")
        if scaling not in (None, "density", "spectrum"):
            raise ValueError(f"[STFT] expected scaling density, spectrum or None, got {scaling!r}.")
        self.side = side
        self.window = window
        self.scaling = scaling
        self.periodic = periodic

    def __call__(self, shape, dtype=None):
        length, _, bands = shape
        wave = np.cos if self.side == "real" else np.sin
        turns = np.arange(length)[:, None, None] * np.arange(bands) / (2 * (bands - 1))
        kernel = wave(-2 * np.pi * turns)
        if self.window is not None:
            kernel = kernel * self._scaled_window(length)[:, None, None]
        return tensor(kernel + 0.0, dtype or "float32")

    def _scaled_window(self, length: int) -> np.ndarray:
        window = self.window
        if isinstance(window, str):
            try:
                from scipy.signal import get_window
            except ImportError as error:
                raise ImportError(
                    f"[STFT] expected SciPy for the window {window!r}. Hint: pip install scipy"
                ) from error
            window = get_window(window, length, self.periodic)
        window = np.asarray(window, "float64")
        if window.shape != (length,):
            raise ValueError(f"[STFT] expected a window of shape ({length},), got {window.shape}.")
        scales = {"density": np.sqrt(np.sum(window**2)), "spectrum": np.sum(np.abs(window))}
        return window / scales.get(self.scaling, 1.0)


stft, STFTInitializer = STFT, STFT
zeros, ones, constant, identity, orthogonal = Zeros, Ones, Constant, Identity, Orthogonal
random_normal, truncated_normal, random_uniform = RandomNormal, TruncatedNormal, RandomUniform
variance_scaling, glorot_uniform, glorot_normal = VarianceScaling, GlorotUniform, GlorotNormal
he_uniform, he_normal, lecun_uniform, lecun_normal = HeUniform, HeNormal, LecunUniform, LecunNormal

_ALIASES = {"uniform": RandomUniform, "normal": RandomNormal, "zero": Zeros, "one": Ones}
_lookup = Lookup(
    "initializers",
    {name: globals()[name] for name in __all__ if isinstance(globals().get(name), type)} | _ALIASES,
)


def get(identifier: Any) -> Callable | None:
    """Return an initializer.

    Args:
        identifier: A name, a description, a class, a function `f(shape, dtype)`, a number or an
            array (for `Constant`), or None, which stays None.

    Returns:
        A function of a shape and a dtype.

    Raises:
        ValueError: the name is not known.

    Example:
        >>> import pydl
        >>> pydl.initializers.get("ones")((2,)).tolist()
        [1.0, 1.0]
    """
    is_values = isinstance(identifier, (int, float)) or hasattr(identifier, "__array__")
    if is_values and not isinstance(identifier, bool):
        return Constant(identifier)
    return _lookup.get(identifier)


def serialize(initializer: Any) -> Any:
    """Return a description of `initializer` that JSON can hold."""
    return _lookup.serialize(initializer)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Callable | None:
    """Return the initializer that `serialize` described."""
    return _lookup.deserialize(config, custom_objects)


def _fans(shape, input_axes, output_axes) -> tuple[int, int]:
    if input_axes is not None and output_axes is not None:
        return math.prod(shape[a] for a in input_axes), math.prod(shape[a] for a in output_axes)
    if len(shape) < 2:
        size = shape[0] if shape else 1
        return size, size
    window = math.prod(shape[:-2])
    return shape[-2] * window, shape[-1] * window
