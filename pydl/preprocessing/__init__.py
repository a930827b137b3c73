"""Sequences and pictures, under the names of `keras.preprocessing`."""

from __future__ import annotations

from pydl.preprocessing import image, sequence
from pydl.utils.timeseries import timeseries_dataset_from_array

__all__ = ["image", "sequence", "timeseries_dataset_from_array"]
