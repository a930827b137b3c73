"""Downloads that are checked, show their progress and never leave half a file."""

from __future__ import annotations

import gzip
import hashlib
import os
import sys
import tempfile
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import BinaryIO

_CHUNK = 1 << 16
_TIMEOUT = 30  # seconds without an answer


def download_file(urls: Sequence[str], name: str, folder: Path, sha256: str) -> Path:
    """Downloads a gzipped file from the first address that has it, and checks its content.

    The file appears under its name only when it is whole and its checksum is right.

    Args:
        urls: addresses that end in "/", tried in order; `name` is added to each.
        name: the file's name there and here.
        folder: where it goes; made if need be.
        sha256: checksum of the uncompressed content, in hexadecimal.

    Returns:
        The path of the file.

    Raises:
        OSError: no address gave a file with this checksum; the message lists what each answered.
    """
    folder.mkdir(parents=True, exist_ok=True)
    failures = []
    for url in urls:
        try:
            return _download_one(url + name, folder / name, sha256)
        except (OSError, EOFError, zlib.error) as error:  # URLError is an OSError
            failures.append(f"{url}{name}: {error}")
    raise OSError("; ".join(failures))


def _download_one(url: str, target: Path, sha256: str) -> Path:
    def check(path: str) -> None:
        found = _content_sha256(path)
        if found != sha256:
            raise OSError(f"expected content with SHA-256 {sha256}, got {found}")

    return download_checked(url, target, check)


def download_checked(url: str, target: Path, check: Callable[[str], None]) -> Path:
    """Downloads a file, which appears under its name only when it is whole and `check` is content.

    Args:
        url: where it is.
        target: where it goes; the folder is made if need be.
        check: is called with the path of the download, and raises OSError if it is not right.

    Raises:
        OSError: the download or the check failed.
    """
    from urllib.request import urlopen  # slow to import, and rarely needed

    target.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            with urlopen(url, timeout=_TIMEOUT) as response:
                total = int(response.headers.get("Content-Length") or 0)
                _copy(response, file, _progress(target.name, total))
            file.flush()
            os.fsync(file.fileno())
        check(temporary)
        os.replace(temporary, target)
    except BaseException:
        os.unlink(temporary)
        raise
    return target


def _copy(source: BinaryIO, target: BinaryIO, progress: Callable[[int], None]) -> None:
    done = 0
    while chunk := source.read(_CHUNK):
        target.write(chunk)
        done += len(chunk)
        progress(done)


def _progress(name: str, total: int) -> Callable[[int], None]:
    """Returns a function that shows on stderr how far a download is; quiet outside a terminal."""
    if not sys.stderr.isatty():
        print(f"downloading {name}", file=sys.stderr)
        return lambda done: None

    def show(done: int) -> None:
        share = f"{100 * done // total:3d}%" if total else "    "
        end = "\n" if done == total else ""
        print(f"\rdownloading {name} {share} {done / 1e6:.1f} MB", end=end, file=sys.stderr)

    return show


def _content_sha256(path: str) -> str:
    digest = hashlib.sha256()
    with gzip.open(path) as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
