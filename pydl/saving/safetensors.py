"""The safetensors format: named arrays in one file, nothing in which can be executed.

A file is the length of a header as 8 bytes, the header as JSON, and the bytes of the arrays. The
header says for every name the dtype, the shape, and from where to where its bytes reach. Nothing
in a file is trusted: sizes and positions are checked before anything is read by them.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from pydl._core import Tensor, tensor

__all__ = ["dump", "parse"]

_MAX_HEADER = 100_000_000
_NUMPY = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4",
    "I8": "<i1", "U8": "<u1", "BOOL": "|b1",
}  # fmt: skip
_CODES = {
    "float64": "F64", "float32": "F32", "float16": "F16", "bfloat16": "BF16", "int64": "I64",
    "int32": "I32", "int8": "I8", "uint8": "U8", "bool": "BOOL",
}  # fmt: skip
_SIZES = {**{code: np.dtype(name).itemsize for code, name in _NUMPY.items()}, "BF16": 2}


def dump(tensors: dict[str, Any], metadata: dict[str, str] | None = None) -> Iterable[bytes]:
    """Yield the parts of a safetensors file.

    Args:
        tensors: Tensors by name.
        metadata: Strings by name, kept in the header.

    Raises:
        TypeError: a dtype that the format does not have.

    Example:
        >>> import pydl
        >>> from pydl.saving import safetensors
        >>> data = b"".join(safetensors.dump({"w": pydl.tensor([1.0, 2.0])}))
        >>> safetensors.parse(data)[0]["w"].tolist()
        [1.0, 2.0]
    """
    header: dict[str, Any] = {"__metadata__": metadata} if metadata else {}
    position = 0
    # The largest elements first, so that all arrays are aligned.
    order = sorted(tensors, key=lambda name: (-_SIZES[_code(name, tensors[name])], name))
    for name in order:
        code = _code(name, tensors[name])
        size = math.prod(tensors[name].shape) * _SIZES[code]
        shape = list(tensors[name].shape)
        header[name] = {"dtype": code, "shape": shape, "data_offsets": [position, position + size]}
        position += size
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    yield len(text).to_bytes(8, "little")
    yield text
    for name in order:
        yield _to_bytes(tensors[name])


def parse(data: bytes) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Return the tensors and the metadata of a safetensors file.

    Args:
        data: The whole file.

    Returns:
        Tensors by name, and strings by name.

    Raises:
        ValueError: the bytes are cut off or are not in this format.
    """
    header, body = _split(data)
    metadata = header.pop("__metadata__", {})
    if not isinstance(metadata, dict):
        raise ValueError("[safetensors] expected metadata to be an object.")
    tensors, ends = {}, []
    for name, entry in header.items():
        dtype, shape, begin, end = _entry(name, entry)
        if not 0 <= begin <= end <= len(body) or end - begin != math.prod(shape) * _SIZES[dtype]:
            raise ValueError(
                f"[safetensors] expected the bytes of {name!r} inside the {len(body)} bytes of "
                f"data and as many as shape {shape} needs, got {begin} to {end}."
            )
        tensors[name] = _from_bytes(body[begin:end], dtype, shape)
        ends.append((begin, end))
    ends.sort()
    if [begin for begin, _ in ends] != [0, *(end for _, end in ends)][: len(ends)]:
        raise ValueError("[safetensors] expected arrays side by side, got gaps or overlaps.")
    if len(body) != (ends[-1][1] if ends else 0):
        raise ValueError("[safetensors] expected the file to end after the last array.")
    return tensors, metadata


def _split(data: bytes) -> tuple[dict[str, Any], memoryview]:
    size = int.from_bytes(data[:8], "little")
    if len(data) < 8 or size > min(_MAX_HEADER, len(data) - 8):
        raise ValueError(
            f"[safetensors] expected a header of {size} bytes, got a file of {len(data)}. "
            "Hint: the file is cut off, or in another format."
        )
    try:
        header = json.loads(data[8 : 8 + size].decode())
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise ValueError("[safetensors] expected a header in JSON, got something else.") from error
    if not isinstance(header, dict):
        raise ValueError("[safetensors] expected the header to be an object.")
    return header, memoryview(data)[8 + size :]


def _entry(name: str, entry: Any) -> tuple[str, tuple[int, ...], int, int]:
    try:
        dtype, shape, (begin, end) = entry["dtype"], entry["shape"], entry["data_offsets"]
        numbers = [*shape, begin, end]
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"[safetensors] expected dtype, shape and offsets for {name!r}."
        ) from error
    if any(not isinstance(n, int) or isinstance(n, bool) or n < 0 for n in numbers):
        raise ValueError(f"[safetensors] expected numbers from 0 for {name!r}, got {numbers}.")
    if not isinstance(dtype, str) or dtype not in _SIZES:
        raise ValueError(f"[safetensors] expected one of {', '.join(_SIZES)}, got {dtype!r}.")
    return dtype, tuple(shape), begin, end


def _code(name: str, value: Any) -> str:
    code = _CODES.get(str(value.dtype))
    if code is None:
        raise TypeError(
            f"[safetensors] expected a dtype that can be saved, got {value.dtype} for {name!r}."
        )
    return code


def _to_bytes(value: Any) -> bytes:
    if str(value.dtype) == "bfloat16":
        # A bfloat16 number is the upper half of the float32 number of the same value.
        wide = value.detach().astype("float32").numpy()
        return (wide.view("<u4") >> 16).astype("<u2").tobytes()
    array = value.detach().numpy() if isinstance(value, Tensor) else value
    return np.ascontiguousarray(array, array.dtype.newbyteorder("<")).tobytes()


def _from_bytes(data: memoryview, dtype: str, shape: tuple[int, ...]) -> Tensor:
    if dtype == "BF16":
        wide = (np.frombuffer(data, "<u2").astype("<u4") << 16).view("<f4")
        return tensor(wide.reshape(shape), "bfloat16")
    if dtype == "BOOL" and np.frombuffer(data, "u1").max(initial=0) > 1:
        raise ValueError("[safetensors] expected bytes 0 and 1 for bool.")
    return tensor(np.frombuffer(data, _NUMPY[dtype]).reshape(shape))
