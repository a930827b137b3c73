"""Reads the data in a pickle without running anything in it.

CIFAR and the word sequences of IMDB and Reuters are distributed as pickles, which may hold calls of
any function. Here every name in a pickle becomes an inert stand-in that only keeps what it is given;
names other than the few that NumPy's arrays need are refused.
"""

from __future__ import annotations

import io
import pickle
import zipfile
from typing import Any

import numpy as np

__all__ = ["load_inert_pickle", "load_inert_npz"]


class _Array:
    """Stands for an array: keeps its shape, dtype and content until they are read as data."""

    def __setstate__(self, state: Any) -> None:
        _, self.shape, self.dtype, self.fortran, self.content = state

    def read(self) -> np.ndarray:
        if self.dtype.code.startswith("O"):
            array = np.empty(self.shape, dtype=object)
            flat = [_read(item) for item in self.content]
            if len(flat) != array.size:
                raise ValueError(f"expected {array.size} items, got {len(flat)}")
            for i, item in enumerate(flat):
                array.flat[i] = item
            return array
        content = self.content
        if isinstance(content, str):  # pickles of Python 2 read as latin-1
            content = content.encode("latin-1")
        array = np.frombuffer(content, np.dtype(self.dtype.order + self.dtype.code))
        return array.reshape(self.shape, order="F" if self.fortran else "C")


class _DType:
    """Stands for a dtype: keeps its code, such as "u1"."""

    order = "="

    def __init__(self, code: str) -> None:
        self.code = code

    def __setstate__(self, state: Any) -> None:
        self.order = state[1] if state[1] in ("<", ">") else "="


def _encode(text: str, encoding: str = "latin-1") -> bytes:
    return text.encode("latin-1")


_STAND_INS = {
    ("numpy", "ndarray"): "ndarray",
    ("numpy", "dtype"): lambda code, *flags: _DType(str(code)),
    ("_codecs", "encode"): _encode,
}
for _module in ("numpy.core.multiarray", "numpy._core.multiarray"):
    _STAND_INS[_module, "_reconstruct"] = lambda *arguments: _Array()


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        try:
            return _STAND_INS[module, name]
        except KeyError:
            raise ValueError(f"expected data only, got the name {module}.{name}") from None


def _read(value: Any) -> Any:
    if isinstance(value, _Array):
        return value.read()
    if isinstance(value, dict):
        return {_name(key): _read(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_read(item) for item in value]
    return value


def _name(key: Any) -> Any:
    return key.decode("utf-8") if isinstance(key, bytes) else key


def load_inert_pickle(file: Any, source: str) -> Any:
    """The numbers, strings, lists, dicts and arrays in a pickle.

    Args:
        file: Opened for reading bytes.
        source: Its name, for messages.

    Raises:
        ValueError: the file is damaged, or holds anything but data.

    Example:
        >>> file = io.BytesIO(pickle.dumps({b"data": np.arange(3, dtype="uint8")}))
        >>> load_inert_pickle(file, "example")
        {'data': array([0, 1, 2], dtype=uint8)}
        >>> load_inert_pickle(io.BytesIO(pickle.dumps(print)), "example")
        Traceback (most recent call last):
        ...
        ValueError: [datasets] cannot read example: expected data only, got the name builtins.print
    """
    try:
        return _read(_Unpickler(file, encoding="latin-1").load())
    except Exception as error:  # damaged pickles fail in every possible way
        raise ValueError(f"[datasets] cannot read {source}: {error}") from error


def load_inert_npz(path: Any) -> dict[str, np.ndarray]:
    """The arrays of an `.npz` file, arrays of objects among them, by name.

    Raises:
        ValueError: the file is damaged, or holds anything but data.
    """
    arrays = {}
    try:
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                file = io.BytesIO(archive.read(name))
                version = np.lib.format.read_magic(file)
                read_header = (
                    np.lib.format.read_array_header_1_0
                    if version == (1, 0)
                    else np.lib.format.read_array_header_2_0
                )
                _, _, dtype = read_header(file)
                if dtype.hasobject:
                    arrays[name.removesuffix(".npy")] = load_inert_pickle(file, str(path))
                else:
                    file.seek(0)
                    arrays[name.removesuffix(".npy")] = np.load(file, allow_pickle=False)
    except (OSError, zipfile.BadZipFile) as error:
        raise ValueError(f"[datasets] cannot read {path}: {error}") from error
    return arrays
