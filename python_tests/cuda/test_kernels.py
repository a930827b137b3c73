"""Every kernel of the table has a version for GPUs."""

from __future__ import annotations

from pydl import cuda


def test_no_kernel_is_missing():
    assert cuda.missing_kernels() == []
