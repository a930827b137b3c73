"""Data sets that come as one file: found in folders, or downloaded and checked."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from pydl.datasets.download import download_checked

__all__ = ["FileDataset"]


@dataclass(frozen=True)
class FileDataset:
    """A data set in one file.

    Args:
        name: Its folder in the cache, and what its folder inside `PYDL_DATA_DIR` may be called.
        file: The name of the file.
        url: The address that ends in "/" and has the file.
        checksum: Of the file: SHA-256, or MD5 with 32 digits, in hexadecimal.
    """

    name: str
    file: str
    url: str
    checksum: str

    def path(self) -> Path:
        """Where the file is, after a download if need be.

        Looked for in this order: the folder that `PYDL_DATA_DIR` names (or its folder in it), the
        cache (`PYDL_CACHE_DIR`, by default `~/.cache/pydl`, there in `datasets/`), the network.

        Raises:
            FileNotFoundError: it is nowhere; the message says where to put it.
        """
        cache = Path(os.environ.get("PYDL_CACHE_DIR") or Path.home() / ".cache" / "pydl")
        cache = cache / "datasets" / self.name
        root = os.environ.get("PYDL_DATA_DIR")
        folders = [Path(root) / self.name, Path(root)] if root else []
        for folder in [*folders, cache]:
            if (folder / self.file).is_file():
                return folder / self.file
        try:
            return download_checked(self.url + self.file, cache / self.file, self._check)
        except OSError as error:
            raise FileNotFoundError(
                f"[datasets.{self.name}] expected {self.file} in {(folders or [cache])[0]}, got none, "
                f"and the download failed: {error}. Put the file there, or set PYDL_DATA_DIR to its "
                f"folder. It is at {self.url}{self.file}; no installed package carries it."
            ) from error

    def _check(self, path: str) -> None:
        digest = hashlib.md5() if len(self.checksum) == 32 else hashlib.sha256()
        with open(path, "rb") as file:
            while chunk := file.read(1 << 20):
                digest.update(chunk)
        if digest.hexdigest() != self.checksum:
            raise OSError(f"expected checksum {self.checksum}, got {digest.hexdigest()}")
