"""Data sets of pictures and texts from folders."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np

from pydl import ops
from pydl.data.dataset import Dataset
from pydl.data.workers import AUTOTUNE
from pydl.ops import image as image_ops
from pydl.utils.directories import DirectoryDataset, Files, find_files, labelled, split_files
from pydl.utils.images import img_to_array, load_img

__all__ = ["image_dataset_from_directory", "text_dataset_from_directory"]

_PICTURES = (".bmp", ".gif", ".jpeg", ".jpg", ".png")


def image_dataset_from_directory(
    directory: Any,
    labels: Any = "inferred",
    label_mode: str | None = "int",
    class_names: Sequence[str] | None = None,
    color_mode: str = "rgb",
    batch_size: int | None = 32,
    image_size: tuple[int, int] = (256, 256),
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    interpolation: str = "bilinear",
    follow_links: bool = False,
    crop_to_aspect_ratio: bool = False,
    pad_to_aspect_ratio: bool = False,
    data_format: str | None = None,
    verbose: bool = True,
    on_error: str = "raise",
) -> Any:
    """A data set of the pictures in a folder, with the names of its folders as classes.

    Pictures are read and resized by threads, ahead of the training. Needs Pillow.

    Args:
        directory: The folder; with inferred labels it has a folder for each class.
        labels: "inferred", None for no labels, or a list of integers, one for each file in
            alphabetical order.
        label_mode: "int", "categorical" (one-hot), "binary" (float32 0 or 1), or None.
        class_names: The folders wanted, in the order of the labels; None for all.
        color_mode: "rgb", "rgba" or "grayscale".
        batch_size: Pictures a batch; None for single ones.
        image_size: `(height, width)`, or one number for both.
        shuffle: Whether to shuffle, anew in every epoch.
        seed: Of the shuffle; None takes one from the global stream.
        validation_split: The share of the files kept for validation.
        subset: "training", "validation" or "both", with `validation_split`.
        interpolation: "bilinear", "nearest", "bicubic", "lanczos3" or "lanczos5".
        follow_links: Whether to go into linked folders.
        crop_to_aspect_ratio: Whether to cut the middle out instead of stretching.
        pad_to_aspect_ratio: Whether to pad instead of stretching.
        data_format: "channels_last", also for None, or "channels_first".
        verbose: Whether to say how many files there are.
        on_error: What becomes of damaged pictures: "raise" an error that names the file, or "skip".

    Returns:
        A Dataset of float32 pictures from 0 to 255, or of pairs of them and labels, with attributes
        `class_names` and `file_paths`; two of them for subset "both".

    Raises:
        FileNotFoundError: there is no such folder.
        ValueError: no pictures, arguments that do not go together, or, on iteration, a damaged
            picture.

    Example:
        >>> from pathlib import Path
        >>> from pydl.utils import save_img
        >>> for name in ("cats", "dogs"):
        ...     Path("pets", name).mkdir(parents=True)
        ...     save_img(f"pets/{name}/1.png", np.zeros((8, 8, 3)))
        >>> data = image_dataset_from_directory("pets", image_size=(4, 4), verbose=False)
        >>> x, y = next(iter(data))
        >>> x.shape, sorted(y.tolist()), data.class_names
        ((2, 4, 4, 3), [0, 1], ['cats', 'dogs'])
    """
    caller = "image_dataset_from_directory"
    if on_error not in ("raise", "skip"):
        raise ValueError(f"[{caller}] expected on_error 'raise' or 'skip', got {on_error!r}.")
    size = (image_size, image_size) if isinstance(image_size, int) else tuple(image_size)
    read = partial(
        _read_picture, color_mode=color_mode, size=size, interpolation=interpolation,
        crop_to_aspect_ratio=crop_to_aspect_ratio, pad_to_aspect_ratio=pad_to_aspect_ratio,
        data_format=data_format,
    )  # fmt: skip
    files = find_files(caller, directory, labels, label_mode, class_names, _PICTURES, follow_links)
    parts, seed = split_files(caller, files, shuffle, seed, validation_split, subset, verbose)
    buffer = 1024 if batch_size is None else 8 * batch_size
    made = [
        _make(part, label_mode, shuffle, seed, buffer, batch_size, read, on_error == "skip")
        for part in parts
    ]
    return made if subset == "both" else made[0]


def text_dataset_from_directory(
    directory: Any,
    labels: Any = "inferred",
    label_mode: str | None = "int",
    class_names: Sequence[str] | None = None,
    batch_size: int | None = 32,
    max_length: int | None = None,
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    follow_links: bool = False,
    verbose: bool = True,
) -> Any:
    """A data set of the `.txt` files in a folder, with the names of its folders as classes.

    Args:
        directory: The folder; with inferred labels it has a folder for each class.
        labels: "inferred", None for no labels, or a list of integers, one for each file in
            alphabetical order.
        label_mode: "int", "categorical" (one-hot), "binary" (float32 0 or 1), or None.
        class_names: The folders wanted, in the order of the labels; None for all.
        batch_size: Texts a batch; None for single ones.
        max_length: Characters kept of a text; None for all.
        shuffle: Whether to shuffle, anew in every epoch.
        seed: Of the shuffle; None takes one from the global stream.
        validation_split: The share of the files kept for validation.
        subset: "training", "validation" or "both", with `validation_split`.
        follow_links: Whether to go into linked folders.
        verbose: Whether to say how many files there are.

    Returns:
        A Dataset of strings (object arrays), or of pairs of them and labels, with attributes
        `class_names` and `file_paths`; two of them for subset "both".

    Raises:
        FileNotFoundError: there is no such folder.
        ValueError: no files, arguments that do not go together, or, on iteration, a file that is no
            UTF-8 text.

    Example:
        >>> from pathlib import Path
        >>> for name in ("bad", "good"):
        ...     Path("reviews", name).mkdir(parents=True)
        ...     _ = Path("reviews", name, "1.txt").write_text(f"a {name} film")
        >>> data = text_dataset_from_directory("reviews", shuffle=False, verbose=False)
        >>> x, y = next(iter(data))
        >>> x.tolist(), y.tolist()
        (['a bad film', 'a good film'], [0, 1])
    """
    caller = "text_dataset_from_directory"
    read = partial(_read_text, max_length=max_length)
    files = find_files(caller, directory, labels, label_mode, class_names, (".txt",), follow_links)
    parts, seed = split_files(caller, files, shuffle, seed, validation_split, subset, verbose)
    buffer = 1024 if batch_size is None else 8 * batch_size
    made = [_make(part, label_mode, shuffle, seed, buffer, batch_size, read, False) for part in parts]
    return made if subset == "both" else made[0]


def _make(
    files: Files, label_mode: Any, shuffle: bool, seed: int, buffer: int, batch_size: int | None,
    read: Callable[[str], Any], skip: bool,
) -> DirectoryDataset:  # fmt: skip
    def load(path: Any, *label: Any) -> Any:
        try:
            content = read(str(path))
        except (OSError, ValueError):
            if skip:
                return None
            raise
        return (content, *label) if label else content

    data = labelled(files, label_mode, shuffle, seed, buffer).map(load, AUTOTUNE)
    if skip:
        data = _present(data)
    if batch_size is not None:
        data = data.batch(batch_size)
    data = data.prefetch(2)
    result = DirectoryDataset(data._start, data._cardinality)
    result.class_names, result.file_paths = files.class_names, files.paths
    return result


def _present(data: Dataset) -> Dataset:
    """The elements that could be read."""

    def start() -> Iterator[Any]:
        return (element for element in data if element is not None)

    return Dataset(start, None)


def _read_picture(
    path: str, color_mode: str, size: tuple[int, int], interpolation: str,
    data_format: str | None, **how: bool,
) -> np.ndarray:  # fmt: skip
    pixels = ops.cast(img_to_array(load_img(path, color_mode)), "float32")
    resized = image_ops.resize(pixels, size, interpolation, **how).numpy()
    return resized.transpose(2, 0, 1) if data_format == "channels_first" else resized


def _read_text(path: str, max_length: int | None) -> np.ndarray:
    with open(path, encoding="utf-8") as file:
        try:
            text = file.read() if max_length is None else file.read(max_length)
        except UnicodeDecodeError as error:
            raise ValueError(f"expected UTF-8 text, got other bytes in {path}: {error}") from error
    return np.array(text, dtype=object)
