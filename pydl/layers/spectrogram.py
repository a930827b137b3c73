"""Sound as pictures of its frequencies."""

from __future__ import annotations

from typing import Any

import numpy as np

from pydl import initializers, ops
from pydl.errors import DTypeError, ShapeError
from pydl.layers.arguments import check_data_format, positive_int
from pydl.layers.conv import window_output_size
from pydl.layers.input_spec import InputSpec
from pydl.layers.layer import Layer

__all__ = ["MelSpectrogram", "STFTSpectrogram"]

_MODES = ("log", "magnitude", "psd", "real", "imag", "angle", "stft")
_EPSILON = 1e-7


class MelSpectrogram(Layer):
    """The strength of frequencies over time, in bands as wide as the ear tells them apart.

    Args:
        fft_length: Samples of a Fourier transform.
        sequence_stride: Samples from one transform to the next.
        sequence_length: Samples of the window; None is `fft_length`.
        window: "hann", "hamming", the weights themselves, or None.
        sampling_rate: Samples a second.
        num_mel_bins: The number of bands.
        min_freq: Where the lowest band begins, in hertz.
        max_freq: Where the highest band ends; None is half of the sampling rate.
        power_to_db: Whether to return decibels.
        top_db: Decibels below the loudest are cut off.
        mag_exp: The power that magnitudes are raised to: 1 for magnitudes, 2 for power.
        min_power: The least power of the decibels.
        ref_power: The power that is 0 decibels.

    Call arguments:
        inputs: Samples, shape `(samples,)` or `(batch, samples)`.

    Returns:
        Shape `(num_mel_bins, time)` or `(batch, num_mel_bins, time)`.

    Raises:
        ValueError: `sequence_length` is above `fft_length`.
        ShapeError: inputs of another rank.

    Example:
        >>> import pydl
        >>> layer = pydl.layers.MelSpectrogram(num_mel_bins=80, sampling_rate=8000, sequence_stride=128)
        >>> layer(np.ones((2, 16000), "float32")).shape
        (2, 80, 126)
    """

    def __init__(
        self,
        fft_length: int = 2048,
        sequence_stride: int = 512,
        sequence_length: int | None = None,
        window: Any = "hann",
        sampling_rate: int = 16000,
        num_mel_bins: int = 128,
        min_freq: float = 20.0,
        max_freq: float | None = None,
        power_to_db: bool = True,
        top_db: float = 80.0,
        mag_exp: float = 2.0,
        min_power: float = 1e-10,
        ref_power: float = 1.0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.fft_length = fft_length
        self.sequence_stride = sequence_stride
        self.sequence_length = sequence_length or fft_length
        if self.fft_length < self.sequence_length:
            raise ValueError(
                f"[{self.name}] expected sequence_length up to fft_length {fft_length}, got "
                f"{sequence_length}."
            )
        self.window = window
        self.sampling_rate = sampling_rate
        self.num_mel_bins = num_mel_bins
        self.min_freq = min_freq
        self.max_freq = max_freq or int(sampling_rate / 2)
        self.power_to_db = power_to_db
        self.top_db = top_db
        self.mag_exp = mag_exp
        self.min_power = min_power
        self.ref_power = ref_power

    def call(self, inputs):
        if inputs.ndim not in (1, 2):
            raise ShapeError(f"[{self.name}] expected (batch, samples), got shape {inputs.shape}.")
        dtype = self.compute_dtype if self.compute_dtype == "float64" else "float32"
        parts = ops.stft(
            ops.cast(inputs, dtype), self.sequence_length, self.sequence_stride, self.fft_length,
            self.window,
        )  # fmt: skip
        power = ops.square(parts[0]) + ops.square(parts[1])
        if self.mag_exp != 2:
            power = ops.power(power, self.mag_exp / 2)
        bands = ops.matmul(power, ops.cast(self._bands(), dtype))
        if self.power_to_db:
            bands = 10.0 * ops.log10(ops.maximum(bands, self.min_power))
            bands = bands - 10.0 * float(np.log10(max(abs(self.ref_power), self.min_power)))
            bands = ops.maximum(bands, ops.max(bands) - self.top_db)
        return ops.cast(ops.swapaxes(bands, -1, -2), self.compute_dtype)

    def _bands(self) -> np.ndarray:
        """How much of each frequency goes into each band: triangles on the scale of mels."""
        frequencies = np.linspace(0, self.sampling_rate / 2, self.fft_length // 2 + 1)
        places = _mel(frequencies)[:, None]
        edges = np.linspace(_mel(self.min_freq), _mel(self.max_freq), self.num_mel_bins + 2)
        low, middle, high = edges[:-2], edges[1:-1], edges[2:]
        rising, falling = (places - low) / (middle - low), (high - places) / (high - middle)
        weights = np.maximum(0.0, np.minimum(rising, falling))
        weights[0] = 0.0  # the constant part is no sound
        return weights

    def compute_output_shape(self, input_shape):
        samples = input_shape[-1]
        padded = None if samples is None else samples + 2 * (self.fft_length // 2)
        time = None if padded is None else 1 + (padded - self.fft_length) // self.sequence_stride
        return (*input_shape[:-1], self.num_mel_bins, time)


def _mel(hertz: Any) -> Any:
    return 1127.0 * np.log(1.0 + hertz / 700.0)


class STFTSpectrogram(Layer):
    """The strength or the phase of frequencies over time, by convolutions that may be trained.

    Args:
        mode: What to return: "log" for logarithms of the magnitudes, "magnitude", "psd" for the power
            spectral density, "real" or "imag" for a part of the complex numbers, "angle" for
            their phase in radians, "stft" for the real parts and after them the imaginary parts.
        frame_length: Samples of a window.
        frame_step: Samples from one window to the next; None is half of `frame_length`.
        fft_length: Gives the number of frequencies, ``fft_length // 2 + 1``; None is the least power
            of two of at least `frame_length`.
        window: The name of a window of `scipy.signal.get_window`, the weights, or None for none.
        periodic: Whether the window is periodic, and not symmetric.
        scaling: "density", "spectrum" or None: what the window is divided by, the root of the sum
            of its squares, the sum of its magnitudes, or nothing.
        padding: "valid" for windows inside the signal only, "same" for as many as steps.
        expand_dims: Whether frequencies have an axis of their own, as images have.
        data_format: "channels_last" or "channels_first".

    Call arguments:
        inputs: Samples in floating point, shape `(batch, samples, channels)`, or
            `(batch, channels, samples)` for channels_first.

    Returns:
        Shape `(batch, time, channels * frequencies)`, with `expand_dims`
        `(batch, time, frequencies, channels)`; for channels_first `(batch, channels *
        frequencies, time)` or `(batch, channels, time, frequencies)`.

    Raises:
        ValueError: an argument outside the values listed.
        DTypeError: inputs that are no floating point numbers.
        ImportError: a window by name without SciPy.

    Example:
        >>> import pydl
        >>> layer = pydl.layers.STFTSpectrogram(frame_length=256, frame_step=128, fft_length=512)
        >>> layer(np.ones((3, 16000, 2), "float32")).shape
        (3, 124, 514)
    """

    def __init__(
        self,
        mode: str = "log",
        frame_length: int = 256,
        frame_step: int | None = None,
        fft_length: int | None = None,
        window: Any = "hann",
        periodic: bool = False,
        scaling: str | None = "density",
        padding: str = "valid",
        expand_dims: bool = False,
        data_format: str | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if mode not in _MODES:
            raise ValueError(f"[{self.name}] expected a mode of {', '.join(_MODES)}, got {mode!r}.")
        if padding not in ("valid", "same"):
            raise ValueError(f"[{self.name}] expected padding valid or same, got {padding!r}.")
        self.mode = mode
        self.frame_length = positive_int("frame_length", frame_length, self.name)
        self.frame_step = frame_step
        self.fft_length = fft_length
        self.window = window
        self.periodic = periodic
        self.scaling = scaling
        self.padding = padding
        self.expand_dims = expand_dims
        self.data_format = check_data_format(data_format, self.name)
        self.input_spec = InputSpec(ndim=3)
        self._step = max(1, frame_length // 2) if frame_step is None else frame_step
        if not 1 <= self._step <= frame_length:
            raise ValueError(
                f"[{self.name}] expected frame_step from 1 to frame_length {frame_length}, got "
                f"{frame_step}."
            )
        length = 1 << (frame_length - 1).bit_length() if fft_length is None else fft_length
        if length < frame_length:
            raise ValueError(
                f"[{self.name}] expected fft_length of at least frame_length {frame_length}, got "
                f"{fft_length}."
            )
        self._frequencies = length // 2 + 1
        self._initializers = {
            side: initializers.STFT(side, window, scaling, periodic) for side in ("real", "imag")
        }

    def build(self, input_shape):
        self.real_kernel = self._add_kernel("real") if self.mode != "imag" else None
        self.imag_kernel = self._add_kernel("imag") if self.mode != "real" else None

    def call(self, inputs):
        if "float" not in inputs.dtype:
            raise DTypeError(f"[{self.name}] expected floating point samples, got {inputs.dtype}.")
        if self.data_format == "channels_last":
            inputs = ops.swapaxes(inputs, 1, 2)
        real, imag = (
            None if kernel is None else self._transform(inputs, kernel)
            for kernel in (self.real_kernel, self.imag_kernel)
        )
        return self._arranged(self._combined(real, imag))

    def compute_output_shape(self, input_shape):
        last = self.data_format == "channels_last"
        batch, samples, channels = input_shape if last else (input_shape[0], *input_shape[:0:-1])
        time = window_output_size(samples, self.frame_length, self._step, self.padding)
        bands = self._frequencies * (2 if self.mode == "stft" else 1)
        if self.expand_dims:
            return (batch, time, bands, channels) if last else (batch, channels, time, bands)
        return (batch, time, channels * bands) if last else (batch, channels * bands, time)

    def _add_kernel(self, side: str):
        shape = (self.frame_length, 1, self._frequencies)
        return self.add_weight(shape, self._initializers[side], name=f"{side}_kernel")

    def _transform(self, signals, kernel):
        """One part of the transform of `(batch, channels, samples)`: `(batch, channels, time, frequencies)`."""
        batch, channels, samples = signals.shape
        one_by_one = ops.reshape(signals, (batch * channels, samples, 1))
        windows = ops.conv(one_by_one, kernel, strides=self._step, padding=self.padding)
        return ops.reshape(windows, (batch, channels, *windows.shape[1:]))

    def _combined(self, real, imag):
        if self.mode in ("real", "imag"):
            return real if imag is None else imag
        if self.mode == "angle":
            return ops.arctan2(imag, real)
        if self.mode == "stft":
            return ops.concatenate([real, imag], axis=-1)
        power = ops.square(real) + ops.square(imag)
        if self.mode == "psd":  # all but the ends stand for two frequencies
            return power + ops.pad(power[..., 1:-1], [(0, 0)] * 3 + [(1, 1)])
        magnitude = ops.sqrt(ops.maximum(power, _EPSILON))
        return magnitude if self.mode == "magnitude" else ops.log(ops.maximum(magnitude, _EPSILON))

    def _arranged(self, x):
        """From `(batch, channels, time, frequencies)` to what was asked for."""
        batch, channels, time, bands = x.shape
        if self.data_format == "channels_last":
            if self.expand_dims:
                return ops.transpose(x, (0, 2, 3, 1))
            return ops.reshape(ops.transpose(x, (0, 2, 1, 3)), (batch, time, channels * bands))
        if self.expand_dims:
            return x
        return ops.reshape(ops.swapaxes(x, 2, 3), (batch, channels * bands, time))
