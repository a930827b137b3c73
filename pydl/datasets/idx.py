"""Reader for IDX files, the format in which MNIST and its relatives are distributed."""

from __future__ import annotations

import gzip
import math
import os
import zlib
from pathlib import Path

import numpy as np

_GZIP_MAGIC = b"\x1f\x8b"
_UINT8 = 0x08


def read_idx(path: str | os.PathLike[str]) -> np.ndarray:
    """Reads an IDX file of unsigned bytes, plain or gzipped.

    The file starts with two zero bytes, a type code and the rank, then one big-endian 32-bit size
    a dimension, then the values in C order.

    Args:
        path: the file; compression is recognised by content, not by name.

    Returns:
        A writable uint8 array of the shape that the file gives.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is damaged, cut short, too long, or no IDX file of bytes.

    Example:
        >>> import pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "labels-idx1-ubyte"
        >>> _ = path.write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 3, 7, 2, 1]))
        >>> read_idx(path)
        array([7, 2, 1], dtype=uint8)
    """
    data = read_bytes(path)
    if len(data) < 4 or data[:2] != b"\0\0":
        raise ValueError(
            f"[read_idx] expected an IDX file, which starts with two zero bytes, got "
            f"{data[:4].hex(' ') or 'nothing'} in {path}. Is it another format, or a web page?"
        )
    if data[2] != _UINT8:
        raise ValueError(
            f"[read_idx] expected values of type 0x08 (unsigned byte), got type 0x{data[2]:02x} "
            f"in {path}."
        )
    rank = data[3]
    start = 4 + 4 * rank
    if rank == 0 or len(data) < start:
        raise ValueError(
            f"[read_idx] expected {rank or 'one or more'} sizes of 4 bytes after the first four "
            f"bytes, got {len(data) - 4} bytes in {path}. The file is cut short or damaged."
        )
    shape = tuple(int(size) for size in np.frombuffer(data, ">u4", rank, offset=4))
    if len(data) - start != math.prod(shape):
        raise ValueError(
            f"[read_idx] expected {math.prod(shape)} values for shape {shape}, got "
            f"{len(data) - start} in {path}. The file is cut short or damaged: fetch it again."
        )
    return np.frombuffer(data, np.uint8, offset=start).reshape(shape).copy()


def read_bytes(path: str | os.PathLike[str]) -> bytes:
    """Returns the content of a plain or gzipped file; ValueError where the gzip data is damaged."""
    data = Path(path).read_bytes()
    if not data.startswith(_GZIP_MAGIC):
        return data
    try:
        return gzip.decompress(data)
    except (EOFError, OSError, zlib.error) as error:
        raise ValueError(
            f"[read_idx] expected a whole gzip file, got damaged data in {path}: {error}. "
            f"Fetch it again."
        ) from error
