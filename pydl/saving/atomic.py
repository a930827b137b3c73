"""Writing a file so that at every moment either the old or the new one is there, whole."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from typing import Any, BinaryIO

__all__ = ["write_atomically"]


def write_atomically(path: Any, write: Callable[[BinaryIO], None]) -> None:
    """Write a file beside `path`, make sure it is on the disk, and move it there.

    If anything fails, such as a full disk, the old file stays and the new one is removed.

    Args:
        path: Where the file goes.
        write: Writes the content to the open file that it is given.

    Raises:
        OSError: what the operating system reports.

    Example:
        >>> import os, tempfile
        >>> from pydl.saving.atomic import write_atomically
        >>> path = os.path.join(tempfile.mkdtemp(), "file")
        >>> write_atomically(path, lambda file: file.write(b"content"))
        >>> open(path, "rb").read()
        b'content'
    """
    path = os.path.realpath(os.fspath(path))  # a link keeps pointing at the file
    folder, name = os.path.split(path)
    if not os.path.isdir(folder):
        raise FileNotFoundError(f"[save] expected the folder {folder} to exist.")
    temporary = os.path.join(folder, f".{name}.{secrets.token_hex(6)}.tmp")
    try:
        descriptor = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL | _BINARY, 0o666)
        with os.fdopen(descriptor, "w+b") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException as error:
        if os.path.exists(temporary):
            os.remove(temporary)
        if type(error) is OSError:
            raise OSError(
                error.errno,
                f"[save] expected to write all of {path}, got {error.strerror}. "
                "What was there before is still there",
            ) from error
        raise
    _sync_folder(folder)


_BINARY = getattr(os, "O_BINARY", 0)


def _sync_folder(folder: str) -> None:
    if not hasattr(os, "O_DIRECTORY"):
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
