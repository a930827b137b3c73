"""Fourier transforms; complex numbers are pairs of tensors, the real and the imaginary parts."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pydl import _core
from pydl._core import DTypeError, ShapeError, Tensor
from pydl.autograd import Function
from pydl.ops.host import array, floating, promoted, wrapped
from pydl.ops.indexing import scatter_add
from pydl.typing import ArrayLike

__all__ = ["extract_sequences", "fft", "fft2", "ifft2", "irfft", "istft", "rfft", "stft"]

Pair = tuple[Tensor, Tensor]


class _LinearMap(Function):
    """A linear function of arrays, whose gradient is its adjoint."""

    @staticmethod
    def forward(ctx, function, adjoint, *tensors):
        ctx.maps = adjoint, function
        return tuple(wrapped(y, tensors[0].dtype) for y in function(*map(array, tensors)))

    @staticmethod
    def backward(ctx, *grads):
        return _LinearMap.apply(*ctx.maps, *grads)


def _linear(function: Callable, adjoint: Callable, *tensors: Tensor) -> tuple[Tensor, ...]:
    return _LinearMap.apply(function, adjoint, *tensors)


def _parts(z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return z.real, z.imag


def _pair(op: str, x: tuple[ArrayLike, ArrayLike], rank: int) -> list[Tensor]:
    if not isinstance(x, (tuple, list)) or len(x) != 2:
        raise ValueError(
            f"[{op}] expected a pair of real and imaginary parts, got {type(x).__name__}"
        )
    parts = [floating(part) for part in x]
    if parts[0].shape != parts[1].shape or parts[0].ndim < rank:
        raise ShapeError(
            f"[{op}] expected two parts of one shape with at least {rank} axes, got shapes "
            f"{parts[0].shape} and {parts[1].shape}"
        )
    return promoted(*parts)


def fft(x: tuple[ArrayLike, ArrayLike]) -> Pair:
    """The discrete Fourier transform along the last axis.

    Args:
        x: A pair: the real and the imaginary parts, of one shape.

    Returns:
        A pair likewise.

    Raises:
        ValueError: If `x` is no pair.

    Example:
        >>> real, imaginary = pydl.ops.fft(([1.0, 1.0, 1.0, 1.0], [0.0, 0.0, 0.0, 0.0]))
        >>> real
        tensor([4., 0., 0., 0.])
    """
    forward = lambda a, b: _parts(np.fft.fft(a + 1j * b))
    adjoint = lambda a, b: _parts(np.fft.ifft(a + 1j * b, norm="forward"))
    return _linear(forward, adjoint, *_pair("fft", x, 1))


def fft2(x: tuple[ArrayLike, ArrayLike]) -> Pair:
    """The discrete Fourier transform along the last two axes; arguments as `fft`."""
    forward = lambda a, b: _parts(np.fft.fft2(a + 1j * b))
    adjoint = lambda a, b: _parts(np.fft.ifft2(a + 1j * b, norm="forward"))
    return _linear(forward, adjoint, *_pair("fft2", x, 2))


def ifft2(x: tuple[ArrayLike, ArrayLike]) -> Pair:
    """The inverse of `fft2`.

    Example:
        >>> x = ([[1.0, 2.0], [3.0, 4.0]], [[0.0, 0.0], [0.0, 0.0]])
        >>> pydl.ops.ifft2(pydl.ops.fft2(x))[0]
        tensor([[1., 2.],
                [3., 4.]])
    """
    forward = lambda a, b: _parts(np.fft.ifft2(a + 1j * b))
    adjoint = lambda a, b: _parts(np.fft.fft2(a + 1j * b, norm="forward"))
    return _linear(forward, adjoint, *_pair("ifft2", x, 2))


def rfft(x: ArrayLike, fft_length: int | None = None) -> Pair:
    """The Fourier transform of real numbers along the last axis: the frequencies of at least 0.

    Args:
        x: Real numbers.
        fft_length: To cut or fill the axis up to with zeros; None is its size.

    Returns:
        The real and the imaginary parts; the last axis has ``fft_length // 2 + 1`` entries.

    Example:
        >>> pydl.ops.rfft([1.0, 0.0, -1.0, 0.0])[0]
        tensor([0., 2., 0.])
    """
    x = floating(x)
    size = x.shape[-1]
    length = _length("rfft", fft_length, size)

    def adjoint(a, b):
        full = np.zeros((*a.shape[:-1], length), "complex128")
        full[..., : a.shape[-1]] = a + 1j * b
        result = np.fft.ifft(full, norm="forward").real[..., :size]
        return (np.pad(result, [(0, 0)] * (a.ndim - 1) + [(0, size - result.shape[-1])]),)

    return _linear(lambda x: _parts(np.fft.rfft(x, length)), adjoint, x)


def irfft(x: tuple[ArrayLike, ArrayLike], fft_length: int | None = None) -> Tensor:
    """The inverse of `rfft`.

    Args:
        x: The real and the imaginary parts of the frequencies of at least 0.
        fft_length: The size of the result's last axis; None is twice that of `x` less 2.

    Returns:
        Real numbers.

    Example:
        >>> pydl.ops.irfft(pydl.ops.rfft([1.0, 2.0, 3.0, 4.0]))
        tensor([1., 2., 3., 4.])
    """
    parts = _pair("irfft", x, 1)
    count = parts[0].shape[-1]
    length = _length("irfft", fft_length, 2 * (count - 1))

    def adjoint(g):
        z = np.fft.rfft(g, norm="forward")
        z[..., 1 : (length + 1) // 2] *= 2  # each stands for two frequencies
        z = z[..., :count]
        z = np.pad(z, [(0, 0)] * (z.ndim - 1) + [(0, count - z.shape[-1])])
        return _parts(z)

    return _linear(lambda a, b: (np.fft.irfft(a + 1j * b, length),), adjoint, *parts)[0]


def _length(op: str, length: int | None, size: int) -> int:
    length = size if length is None else int(length)
    if length < 1:
        raise ValueError(f"[{op}] expected a length of at least 1, got {length}")
    return length


def extract_sequences(x: ArrayLike, sequence_length: int, sequence_stride: int) -> Tensor:
    """Windows of the last axis, one after the other.

    Args:
        x: Shape ``(..., length)``.
        sequence_length: How long they are.
        sequence_stride: How far apart they begin.

    Returns:
        Shape ``(..., windows, sequence_length)``.

    Raises:
        ValueError: If a number is not positive, or a window does not fit.

    Example:
        >>> pydl.ops.extract_sequences([1, 2, 3, 4], 2, 1)
        tensor([[1, 2],
                [2, 3],
                [3, 4]])
    """
    x = _core.as_tensor(x)
    if sequence_stride < 1 or not 1 <= sequence_length <= x.shape[-1]:
        raise ValueError(
            f"[extract_sequences] expected a positive stride and a length up to {x.shape[-1]}, got "
            f"{sequence_stride} and {sequence_length}"
        )
    return _core.take(x, _windows(x.shape[-1], sequence_length, sequence_stride), -1)


def _windows(size: int, length: int, stride: int) -> np.ndarray:
    return np.arange(0, size - length + 1, stride)[:, None] + np.arange(length)


def stft(
    x: ArrayLike,
    sequence_length: int,
    sequence_stride: int,
    fft_length: int,
    window: str | ArrayLike | None = "hann",
    center: bool = True,
) -> Pair:
    """The short-time Fourier transform: `rfft` of overlapping windows of the last axis.

    Args:
        x: Real numbers ``(..., samples)``.
        sequence_length: Samples a window.
        sequence_stride: Samples from one window to the next.
        fft_length: To fill the windows up to with zeros.
        window: "hann", "hamming", the weights themselves, or None for none.
        center: Whether to mirror the ends, so that the first window has its middle at sample 0.

    Returns:
        Real and imaginary parts ``(..., windows, fft_length // 2 + 1)``.

    Raises:
        ValueError: If the lengths or the window do not fit.
        DTypeError: If `x` is not float32 or float64.

    Example:
        >>> pydl.ops.stft(np.ones(16, "float32"), 8, 4, 8)[0].shape
        (5, 5)
    """
    x = _core.as_tensor(x)
    if x.dtype not in ("float32", "float64"):
        raise DTypeError(f"[stft] expected float32 or float64, got {x.dtype}")
    weights = _window_weights("stft", window, sequence_length, fft_length, x.dtype)
    if center:
        edge = [0] * (x.ndim - 1) + [fft_length // 2]
        x = _core.pad(x, edge, edge, "reflect", 0)
    return rfft(extract_sequences(x, fft_length, sequence_stride) * weights)


def istft(
    x: tuple[ArrayLike, ArrayLike],
    sequence_length: int,
    sequence_stride: int,
    fft_length: int,
    length: int | None = None,
    window: str | ArrayLike | None = "hann",
    center: bool = True,
) -> Tensor:
    """The inverse of `stft`, by overlapping and adding.

    Args:
        x: Real and imaginary parts ``(..., windows, fft_length // 2 + 1)``.
        sequence_length: As in `stft`.
        sequence_stride: As in `stft`.
        fft_length: As in `stft`.
        length: The samples wanted; None for all.
        window: As in `stft`.
        center: As in `stft`.

    Returns:
        Shape ``(..., samples)``.

    Example:
        >>> signal = np.arange(16, dtype="float32")
        >>> again = pydl.ops.istft(pydl.ops.stft(signal, 8, 2, 8), 8, 2, 8)
        >>> pydl.ops.allclose(again, signal, atol=1e-4)
        tensor(True)
    """
    real, imaginary = _pair("istft", x, 2)
    weights = _window_weights("istft", window, sequence_length, fft_length, real.dtype)
    windows = irfft((real, imaginary), fft_length) * weights
    total = fft_length + sequence_stride * (windows.shape[-2] - 1)
    positions = _windows(total, fft_length, sequence_stride).reshape(-1)
    batch = windows.shape[:-2]
    flat = _core.reshape(windows, (-1, positions.size))
    start = _core.full((flat.shape[0], total), 0, flat.dtype)
    added = scatter_add(start, np.broadcast_to(positions, flat.shape), flat, 1)
    squares = np.bincount(positions, np.tile(array(weights).astype("float64") ** 2,
                                             windows.shape[-2]), total)  # fmt: skip
    squares = np.where(squares > 1e-10, squares, 1.0)
    result = _core.reshape(added / wrapped(squares, flat.dtype), (*batch, total))
    first = fft_length // 2 if center else 0
    last = first + length if length is not None else total - first
    return result[..., first:last]


def _window_weights(
    op: str, window: str | ArrayLike | None, length: int, fft_length: int, dtype: str
) -> Tensor:
    """The weights of a window, with zeros around them up to `fft_length`."""
    if not 1 <= length <= fft_length:
        raise ValueError(
            f"[{op}] expected sequence_length from 1 to fft_length {fft_length}, got {length}"
        )
    if window is None:
        return _core.full((fft_length,), 1, dtype)
    if isinstance(window, str):
        if window not in ("hann", "hamming"):
            raise ValueError(f"[{op}] expected window 'hann' or 'hamming', got {window!r}")
        cosines = np.cos(2 * np.pi * np.arange(length) / length)
        weights = 0.5 - 0.5 * cosines if window == "hann" else 0.54 - 0.46 * cosines
    else:
        weights = array(window)
    if np.shape(weights) != (length,):
        raise ShapeError(f"[{op}] expected a window of shape ({length},), got {np.shape(weights)}")
    before = (fft_length - length) // 2
    return wrapped(np.pad(weights, (before, fft_length - length - before)), dtype)
