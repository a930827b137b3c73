"""Files from the network, kept in the cache."""

from __future__ import annotations

import hashlib
import os
import tarfile
import zipfile
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from pydl.datasets.download import download_checked

__all__ = ["get_file"]


def get_file(
    fname: str | None = None,
    origin: str | None = None,
    untar: bool = False,
    md5_hash: str | None = None,
    file_hash: str | None = None,
    cache_subdir: str = "datasets",
    hash_algorithm: str = "auto",
    extract: bool = False,
    archive_format: str = "auto",
    cache_dir: Any = None,
    force_download: bool = False,
) -> str:
    """Downloads a file, unless the cache has it, and unpacks it if asked to.

    Args:
        fname: Its name in the cache; None for that at the end of the address.
        origin: The address.
        untar: The same as `extract`, for programs written for older versions of Keras.
        md5_hash: The same as `file_hash`.
        file_hash: The checksum that the file must have; None checks nothing.
        cache_subdir: The folder in the cache, or a path of its own.
        hash_algorithm: "md5", "sha256", or "auto" to go by the length of `file_hash`.
        extract: Whether to unpack a tar or zip archive, into a folder beside it.
        archive_format: "auto", "tar" or "zip".
        cache_dir: The cache; None for `PYDL_CACHE_DIR` or `~/.cache/pydl`.
        force_download: Whether to download it although it is there.

    Returns:
        The path of the file, or of the folder that it was unpacked in.

    Raises:
        ValueError: no address, or an archive that is none or whose files would go elsewhere.
        OSError: the download failed, or has another checksum.

    Example:
        >>> import pathlib
        >>> _ = pathlib.Path("words.txt").write_text("hello")
        >>> address = pathlib.Path("words.txt").resolve().as_uri()
        >>> path = get_file(origin=address, cache_dir="cache")
        >>> pathlib.Path(path).read_text()
        'hello'
    """
    if not origin:
        raise ValueError("[get_file] expected origin, the address of the file, got none.")
    name = fname or unquote(Path(urlsplit(origin).path).name)
    if not name:
        raise ValueError(f"[get_file] expected fname, because {origin} ends in no name.")
    target = cache_path(name, cache_subdir, cache_dir)
    checksum = file_hash or md5_hash

    def check(path: Any) -> None:
        if checksum:
            found = _digest(path, "md5" if md5_hash and not file_hash else hash_algorithm, checksum)
            if found != checksum.lower():
                raise OSError(f"[get_file] expected checksum {checksum} of {name}, got {found}.")

    if force_download or not _is_right(target, check):
        download_checked(origin, target, check)
    return str(_unpacked(target, archive_format)) if extract or untar else str(target)


def cache_path(name: str, cache_subdir: str, cache_dir: Any = None) -> Path:
    """Returns where a file is, or would be, in the cache; arguments as for `get_file`."""
    root = cache_dir or os.environ.get("PYDL_CACHE_DIR") or Path.home() / ".cache" / "pydl"
    return Path(root).expanduser() / cache_subdir / name


def _is_right(path: Path, check: Any) -> bool:
    if not path.is_file():
        return False
    try:
        check(path)
    except OSError:
        return False
    return True


def _digest(path: Any, algorithm: str, checksum: str) -> str:
    if algorithm == "auto":
        algorithm = "md5" if len(checksum) == 32 else "sha256"
    digest = hashlib.new(algorithm)
    with open(path, "rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def _unpacked(archive: Path, kind: str) -> Path:
    """The folder that an archive is unpacked in; nothing is written outside of it."""
    folder = archive.with_name(f"{archive.name.split('.')[0]}_extracted")
    if kind in ("auto", "tar") and tarfile.is_tarfile(archive):
        with tarfile.open(archive) as file:
            file.extraction_filter = getattr(tarfile, "data_filter", None)  # newer than Python 3.10.11
            members = file.getmembers()
            _check_names(archive, [member.name for member in members])
            if not all(member.isfile() or member.isdir() for member in members):
                raise ValueError(f"[get_file] expected files and folders only in {archive}.")
            file.extractall(folder)
    elif kind in ("auto", "zip") and zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as file:
            _check_names(archive, file.namelist())
            file.extractall(folder)
    else:
        raise ValueError(f"[get_file] expected a tar or zip archive, got {archive}.")
    return folder


def _check_names(archive: Path, names: list[str]) -> None:
    for name in names:
        path = Path(name)
        if path.is_absolute() or ".." in path.parts:
            raise ValueError(f"[get_file] expected names inside of {archive}, got {name}.")
