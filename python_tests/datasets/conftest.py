from __future__ import annotations

import struct

import numpy as np
import pytest


@pytest.fixture
def idx_bytes():
    """Returns a function that gives an array of bytes as the content of an IDX file."""

    def encode(array: np.ndarray) -> bytes:
        header = struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
        return header + array.tobytes()

    return encode
