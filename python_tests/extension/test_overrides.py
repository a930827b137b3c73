"""Kernels of an extension that run instead of built-in ones."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import pydl

pytestmark = pytest.mark.skipif(shutil.which("g++") is None, reason="needs g++")
SOURCE = Path(__file__).parent / "sources" / "replace.cpp"


@pytest.fixture
def replace():
    extension = pydl.extension.load("replace", [SOURCE])
    yield extension
    extension.unload()


def product(rows=2, dtype="float32"):
    return pydl.ops.matmul(np.zeros((rows, 3), dtype), np.zeros((3, 4), dtype)).numpy()


def test_replaces_and_restores():
    assert (product() == 0).all()
    extension = pydl.extension.load("replace", [SOURCE])
    assert "gemm: plain_gemm" in extension.overrides
    assert (product() == 0.25).all()
    assert (product(dtype="float64") == 0).all()
    extension.unload()
    assert (product() == 0).all()


def test_in_a_dense_layer(replace):
    layer = pydl.layers.Dense(5)
    x = np.random.default_rng(0).normal(size=(6, 3)).astype("float32")
    kernel_of_layer = (layer(x), layer.get_weights()[0])[1]
    np.testing.assert_allclose(layer(x).numpy(), x @ kernel_of_layer, rtol=1e-5, atol=1e-6)
    assert (layer(np.zeros((2, 3), "float32")).numpy() == 0.25).all()


def test_priority_and_errors(replace):
    with pytest.raises(ValueError, match=r"\[matmul\] the replacement failed"):
        product(rows=7)


PROGRAM = """
import numpy as np
import pydl
extension = pydl.extension.load("replace", [{source!r}])
a, b = pydl.tensor(np.ones((2, 3), "float32")), pydl.tensor(np.ones((3, 4), "float32"))
pydl.config.set_verbose(2)
pydl.ops.matmul(a, b)
extension.unload()
pydl.ops.matmul(a, b)
"""


def test_trace(tmp_path):
    script = tmp_path / "program.py"
    script.write_text(PROGRAM.format(source=str(SOURCE)))
    path = str(Path(pydl.__file__).parent.parent)
    result = subprocess.run(
        [sys.executable, str(script)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
    )
    assert result.returncode == 0, result.stderr
    lines = result.stderr.splitlines()
    assert "not replace.foreign_gemm: it is for another device" in lines[0]
    assert "not replace.failing_gemm: it does not support these arguments" in lines[1]
    assert "matmul" in lines[2] and "gemm replace.plain_gemm" in lines[2]
    assert "gemm cpu/" in lines[3]


@pytest.mark.parametrize(
    "line, message",
    [
        (
            'PYDL_OVERRIDE_KERNEL(gemm, f).isa("mmx");',
            "expected the instruction set of .*f to be .*got 'mmx'",
        ),
        (
            'static auto& o = pydl::override_kernel("unknown", "f", &f);',
            "expected the name of a kernel",
        ),
    ],
)
def test_wrong_overrides(line, message):
    source = (
        "static PydlStatus f(const PydlContext*, const PydlGemmArgs*) { return PYDL_OK; }\n" + line
    )
    with pytest.raises(ValueError, match=message):
        pydl.extension.load_inline("wrong", source)
    assert "wrong" not in pydl.extension.loaded() and not hasattr(pydl.ops, "wrong")
    assert (product() == 0).all()
