"""Where the files of a data set come from: folders, installed packages, the network."""

from __future__ import annotations

import hashlib
import importlib.util
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydl.datasets.download import download_file
from pydl.datasets.idx import read_bytes, read_idx
from pydl.datasets.splitting import Split

_TEST_LABELS = "t10k-labels-idx1-ubyte"


@dataclass(frozen=True)
class IdxDataset:
    """A data set of images and labels that comes as four IDX files.

    Args:
        name: its folder in the cache.
        folders: what its folder inside `PYDL_DATA_DIR` may be called.
        urls: addresses that end in "/" and offer each file with ".gz" added.
        sha256: checksum of each uncompressed file, by file name.
        system_folder: where a package of the operating system puts the files.
    """

    name: str
    folders: tuple[str, ...]
    urls: tuple[str, ...]
    sha256: Mapping[str, str]
    system_folder: Path | None = None

    def load_local(self) -> Split | None:
        """Loads the set from the first folder that has it; None where none does."""
        for folder in self._local_folders():
            files = {name: _find(folder, name) for name in self.sha256}
            missing = [name for name, path in files.items() if path is None]
            if len(missing) == len(files) or self._is_another_set(folder, files[_TEST_LABELS]):
                continue
            if not missing:
                return _read(files)
            if folder != self.cache_folder:  # an unfinished download is taken up again
                raise FileNotFoundError(
                    f"[datasets.{self.name}] expected {len(files)} files in {folder}, got "
                    f"{len(files) - len(missing)}. Missing: {', '.join(missing)} (or with .gz)."
                )
        return None

    def download(self, advice: str) -> Split:
        """Downloads what the cache lacks and loads the set from there.

        Args:
            advice: one more way to get the data, for the error message.
        """
        try:
            for name, checksum in self.sha256.items():
                if _find(self.cache_folder, name) is None:
                    download_file(self.urls, f"{name}.gz", self.cache_folder, checksum)
        except OSError as error:
            raise FileNotFoundError(
                f"[datasets.{self.name}] expected the files {', '.join(self.sha256)} (plain or "
                f"with .gz) in {self._preferred_folder()}, got none, and the download failed: "
                f"{error}. Put the files there, or set PYDL_DATA_DIR to their folder. {advice}".rstrip()
            ) from error
        return _read({name: _find(self.cache_folder, name) for name in self.sha256})

    @property
    def cache_folder(self) -> Path:
        root = os.environ.get("PYDL_CACHE_DIR") or Path.home() / ".cache" / "pydl"
        return Path(root) / "datasets" / self.name

    def _preferred_folder(self) -> Path:
        root = os.environ.get("PYDL_DATA_DIR")
        return Path(root) / self.folders[0] if root else self.cache_folder

    def _local_folders(self) -> Iterator[Path]:
        if root := os.environ.get("PYDL_DATA_DIR"):
            yield from (Path(root) / folder for folder in self.folders)
            yield Path(root)
        yield self.cache_folder
        if self.system_folder:
            yield self.system_folder

    def _is_another_set(self, folder: Path, test_labels: Path | None) -> bool:
        # MNIST and Fashion-MNIST use the same file names, so a folder that is not named for one of
        # them may hold either.
        if folder != Path(os.environ.get("PYDL_DATA_DIR", "")) or test_labels is None:
            return False
        checksum = hashlib.sha256(read_bytes(test_labels)).hexdigest()
        return checksum in _KNOWN_TEST_LABELS - {self.sha256[_TEST_LABELS]}


# Checksums of the test labels of MNIST and Fashion-MNIST.
_KNOWN_TEST_LABELS = frozenset(
    {
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    }
)


def package_file(package: str, path: str) -> Path | None:
    """Returns a data file of an installed package without importing it; None where it is absent."""
    spec = importlib.util.find_spec(package)
    for location in (spec.submodule_search_locations or ()) if spec else ():
        if (file := Path(location) / path).is_file():
            return file
    return None


def _find(folder: Path, name: str) -> Path | None:
    dotted = name.replace("-idx", ".idx")  # how some archives spell train-images.idx3-ubyte
    for candidate in (name, f"{name}.gz", dotted, f"{dotted}.gz"):
        if (folder / candidate).is_file():
            return folder / candidate
    return None


def _read(files: Mapping[str, Path]) -> Split:
    parts = {}
    for part in ("train", "t10k"):
        images_path = files[f"{part}-images-idx3-ubyte"]
        labels_path = files[f"{part}-labels-idx1-ubyte"]
        images, labels = read_idx(images_path), read_idx(labels_path)
        if images.ndim != 3 or images.shape[1:] != (28, 28):
            raise ValueError(
                f"[datasets] expected images of shape (count, 28, 28), got {images.shape} in "
                f"{images_path}."
            )
        if labels.shape != images.shape[:1]:
            raise ValueError(
                f"[datasets] expected one label for each of the {len(images)} images in "
                f"{images_path}, got shape {labels.shape} in {labels_path}."
            )
        if labels.size and labels.max() > 9:
            raise ValueError(
                f"[datasets] expected labels from 0 to 9, got {labels.max()} in {labels_path}."
            )
        parts[part] = (images, labels)
    return parts["train"], parts["t10k"]
