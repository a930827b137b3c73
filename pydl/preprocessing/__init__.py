"""Sequences and pictures, under the names of `keras.preprocessing`."""

from __future__ import annotations

from pydl.preprocessing import image, sequence
from pydl.utils.directory_datasets import (
    image_dataset_from_directory,
    text_dataset_from_directory,
)
from pydl.utils.timeseries import timeseries_dataset_from_array

__all__ = [
    "image",
    "image_dataset_from_directory",
    "sequence",
    "text_dataset_from_directory",
    "timeseries_dataset_from_array",
]
