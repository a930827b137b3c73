"""Small things that the features of many architectures are made of."""

from __future__ import annotations

from pydl.layers import KerasTensor, Layer

__all__ = ["chain", "divisible", "strided_padding"]


def chain(x: KerasTensor, *layers: Layer) -> KerasTensor:
    """Calls one layer after the other."""
    for layer in layers:
        x = layer(x)
    return x


def divisible(filters: float, divisor: int = 8, tolerant: bool = True) -> int:
    """Rounds filters to a multiple of `divisor`; if tolerant, never down by over 10 %."""
    rounded = max(divisor, int(filters + divisor / 2) // divisor * divisor)
    return rounded + divisor if tolerant and rounded < 0.9 * filters else rounded


def strided_padding(x: KerasTensor, kernel_size: int) -> tuple[tuple[int, int], ...]:
    """The zeros around images for a kernel of stride 2: one less before a side that is even."""
    half = kernel_size // 2
    odd = [0 if size is None else size % 2 for size in x.shape[1:3]]
    return tuple((half - 1 + remainder, half) for remainder in odd)
