"""Sound as pictures of its frequencies."""

from __future__ import annotations

from typing import Any

import numpy as np

from pydl import ops
from pydl.errors import ShapeError
from pydl.layers.layer import Layer

__all__ = ["MelSpectrogram"]


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
