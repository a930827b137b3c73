"""Folders with one folder of files for every class: their files, labels and splits."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pydl import random
from pydl.data.dataset import Dataset

__all__ = ["DirectoryDataset", "Files", "find_files", "labelled", "split_files"]


class DirectoryDataset(Dataset):
    """A Dataset that knows the files it comes from.

    Attributes:
        class_names: The classes in the order of their labels; None without labels.
        file_paths: The files, in the order they had before any shuffle of the data set.
    """

    class_names: list[str] | None = None
    file_paths: list[str] = []


@dataclass
class Files:
    """Files of a folder with their labels.

    Attributes:
        paths: The paths.
        labels: Their labels, None for none.
        class_names: The classes in the order of their labels.
    """

    paths: list[str]
    labels: np.ndarray | None
    class_names: list[str] | None

    def part(self, places: slice) -> Files:
        """The files at these places."""
        labels = None if self.labels is None else self.labels[places]
        return Files(self.paths[places], labels, self.class_names)


def find_files(
    caller: str,
    directory: Any,
    labels: Any,
    label_mode: str | None,
    class_names: Sequence[str] | None,
    endings: tuple[str, ...],
    follow_links: bool,
) -> Files:
    """The files of a folder in alphabetical order.

    Raises:
        TypeError: `directory` is no path.
        FileNotFoundError: there is no such folder.
        ValueError: no files, or labels or class names that do not fit.
    """
    if not isinstance(directory, (str, os.PathLike)):
        raise TypeError(f"[{caller}] expected the path of a folder, got {directory!r}.")
    root = os.fspath(directory)
    if not os.path.isdir(root):
        raise FileNotFoundError(f"[{caller}] expected a folder, got {root}.")
    if label_mode not in ("int", "categorical", "binary", None):
        raise ValueError(
            f"[{caller}] expected label_mode 'int', 'categorical', 'binary' or None, got "
            f"{label_mode!r}."
        )
    if class_names is not None and (labels != "inferred" or label_mode is None):
        raise ValueError(f"[{caller}] expected class_names with labels='inferred' only.")
    if label_mode is None or labels is None:
        files = Files(_walk(root, endings, follow_links), None, None)
    elif isinstance(labels, str) and labels == "inferred":
        files = _files_of_classes(caller, root, class_names, endings, follow_links)
    elif isinstance(labels, (list, tuple, np.ndarray)):
        paths = _walk(root, endings, follow_links)
        if len(labels) != len(paths):
            raise ValueError(
                f"[{caller}] expected a label for each of {len(paths)} files in {root}, got "
                f"{len(labels)}."
            )
        names = [str(label) for label in sorted(set(labels))]
        files = Files(paths, np.asarray(labels, "int32"), names)
    else:
        raise ValueError(f"[{caller}] expected labels 'inferred', None or a list, got {labels!r}.")
    if not files.paths:
        raise ValueError(
            f"[{caller}] expected files that end in {', '.join(endings)} in {root}, got none."
        )
    if label_mode == "binary" and files.class_names is not None and len(files.class_names) != 2:
        raise ValueError(
            f"[{caller}] expected two classes with label_mode 'binary', got {files.class_names}."
        )
    return files


def split_files(
    caller: str,
    files: Files,
    shuffle: bool,
    seed: int | None,
    validation_split: float | None,
    subset: str | None,
    verbose: bool,
) -> tuple[list[Files], int]:
    """The parts of the files that `subset` asks for, shuffled, and the seed of all shuffling."""
    if subset not in (None, "training", "validation", "both"):
        raise ValueError(
            f"[{caller}] expected subset 'training', 'validation' or 'both', got {subset!r}."
        )
    if (validation_split is None) != (subset is None):
        raise ValueError(f"[{caller}] expected validation_split and subset, or neither.")
    if validation_split is not None and not 0 < validation_split < 1:
        raise ValueError(
            f"[{caller}] expected validation_split between 0 and 1, got {validation_split}."
        )
    if validation_split is not None and shuffle and seed is None:
        raise ValueError(
            f"[{caller}] expected a seed with shuffle and validation_split, so that the two parts "
            "do not overlap, got None."
        )
    if seed is None:
        seed = random.randint((), 0, 2**31, dtype="int64").item()
    if shuffle:
        order = np.random.default_rng(seed).permutation(len(files.paths))
        labels = None if files.labels is None else files.labels[order]
        files = Files([files.paths[i] for i in order], labels, files.class_names)
    if verbose:
        classes = "" if files.labels is None else f" belonging to {len(files.class_names)} classes"
        print(f"Found {len(files.paths)} files{classes}.", file=sys.stderr)
    if validation_split is None:
        return [files], seed
    cut = len(files.paths) - int(validation_split * len(files.paths))
    if not 0 < cut < len(files.paths):
        raise ValueError(
            f"[{caller}] expected files on both sides of validation_split, got {validation_split} of "
            f"{len(files.paths)} files."
        )
    parts = {"training": files.part(slice(cut)), "validation": files.part(slice(cut, None))}
    return list(parts.values()) if subset == "both" else [parts[subset]], seed


def labelled(
    files: Files, label_mode: str | None, shuffle: bool, seed: int, buffer: int
) -> Dataset:
    """Paths, or pairs of a path and a label as the model wants it."""
    paths = np.array(files.paths, dtype=object)
    if files.labels is None:
        data = Dataset.from_arrays(paths)
    else:
        labels = files.labels
        if label_mode == "binary":
            labels = labels.astype("float32")[:, None]
        elif label_mode == "categorical":
            labels = np.eye(len(files.class_names), dtype="float32")[labels]
        data = Dataset.from_arrays((paths, labels))
    return data.shuffle(buffer, seed) if shuffle else data


def _files_of_classes(
    caller: str, root: str, class_names: Any, endings: tuple[str, ...], follow_links: bool
) -> Files:
    folders = sorted(entry.name for entry in os.scandir(root) if entry.is_dir())
    folders = [name for name in folders if not name.startswith(".")]
    names = list(folders if class_names is None else class_names)
    unknown = [name for name in names if name not in folders]
    if unknown:
        raise ValueError(
            f"[{caller}] expected class_names among the folders {folders} of {root}, got {unknown}."
        )
    of_classes = [_walk(os.path.join(root, name), endings, follow_links) for name in names]
    labels = np.repeat(np.arange(len(names), dtype="int32"), [len(paths) for paths in of_classes])
    return Files([path for paths in of_classes for path in paths], labels, names)


def _walk(folder: str, endings: tuple[str, ...], follow_links: bool) -> list[str]:
    return [
        os.path.join(root, name)
        for root, _, names in sorted(os.walk(folder, followlinks=follow_links))
        for name in sorted(names)
        if name.lower().endswith(endings)
    ]
