"""Sequences, under the names of `keras.preprocessing.sequence`."""

from __future__ import annotations

from pydl.utils.sequences import pad_sequences

__all__ = ["pad_sequences"]
