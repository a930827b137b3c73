"""What CIFAR-10 and CIFAR-100 have in common: pictures in pickles in a tar archive."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pydl.datasets.inert_pickle import load_inert_pickle

__all__ = ["read_batches"]


def read_batches(
    archive: Path, members: Sequence[str], label_key: str
) -> tuple[np.ndarray, np.ndarray]:
    """Reads pictures and labels of some files of an archive.

    Args:
        archive: The `.tar.gz` file.
        members: Paths of files in it.
        label_key: What the labels are called there.

    Returns:
        Pictures `(count, 32, 32, 3)` and labels `(count, 1)`, both uint8.

    Raises:
        ValueError: a file is missing or damaged.
    """
    pictures, labels = [], []
    try:
        with tarfile.open(archive) as files:
            for member in members:
                content = files.extractfile(member)
                batch = load_inert_pickle(io.BytesIO(content.read()), f"{archive}: {member}")
                pictures.append(np.asarray(batch["data"], "uint8").reshape(-1, 3, 32, 32))
                labels.append(np.asarray(batch[label_key], "uint8"))
    except (tarfile.TarError, EOFError, KeyError, OSError) as error:
        raise ValueError(
            f"[datasets] cannot read {archive}: {error}. Delete it, so that it is fetched again."
        ) from error
    x = np.ascontiguousarray(np.concatenate(pictures).transpose(0, 2, 3, 1))
    return x, np.concatenate(labels).reshape(-1, 1)
