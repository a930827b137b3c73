"""Files of ImageNet that are published on the network: weights of models, names of classes."""

from __future__ import annotations

from typing import NamedTuple

from pydl.utils.files import cache_path, get_file

__all__ = ["Published", "fetch", "pair"]

_FOLDER = "models"  # in the cache
_HOST = "https://storage.googleapis.com/tensorflow/keras-applications/"


class Published(NamedTuple):
    """Where a file is: its address, its checksum if one is known, and its name in the cache."""

    address: str
    checksum: str | None = None
    name: str | None = None


def pair(
    stem: str,
    checksums: tuple[str | None, str | None] = (None, None),
    endings: tuple[str, str] = (".h5", "_notop.h5"),
    host: str = _HOST,
) -> tuple[Published, Published]:
    """Returns the weights of a model with and without its top.

    Args:
        stem: The address, without what all have in common and without the ending.
        checksums: The checksums of both.
        endings: The ends of both addresses.
        host: What all addresses have in common.
    """
    with_top, without = (
        Published(f"{host}{stem}{ending}", checksum) for ending, checksum in zip(endings, checksums)
    )
    return with_top, without


def fetch(caller: str, what: str, file: Published) -> str:
    """Returns the path of a published file in the cache, downloading it the first time.

    Args:
        caller: Who needs it, for the error message.
        what: What it is, likewise.
        file: Where it is.

    Raises:
        OSError: The download failed; the message says from where, and where to put the file.
    """
    name = file.name or file.address.rpartition("/")[2]
    try:
        return get_file(name, file.address, cache_subdir=_FOLDER, file_hash=file.checksum)
    except OSError as error:
        raise OSError(
            f"[{caller}] expected to download {what} from {file.address}, but: {error}. Hint: get "
            f"the file on another machine and put it at {cache_path(name, _FOLDER)}."
        ) from error
