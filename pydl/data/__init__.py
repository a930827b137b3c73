"""Input pipelines: `Dataset` makes elements, changes them, shuffles them and puts them in batches."""

from __future__ import annotations

from pydl.data.dataset import Dataset
from pydl.data.tables import read_table
from pydl.data.workers import AUTOTUNE

__all__ = ["AUTOTUNE", "Dataset", "read_table"]
