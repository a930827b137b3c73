"""Backends that do not fit this pydl are refused, with both versions or sizes in the message."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import pydl

COMPILER = shutil.which("g++") or shutil.which("clang++")

SOURCE = """
#include <string.h>
#include "pydl/backend.h"
#include "pydl/kernel_table.h"

static int32_t no_devices() { return 0; }
static const char* why() { return "it is a backend for tests"; }

extern "C" __attribute__((visibility("default"))) const PydlBackend* pydl_backend(void) {
  static PydlKernelTable table;
  static PydlBackend backend;
  memset(&table, 0, sizeof(table));
  memset(&backend, 0, sizeof(backend));
  table.abi_version = PYDL_ABI_VERSION;
  table.struct_size = TABLE_SIZE;
  backend.abi_version = VERSION;
  backend.struct_size = BACKEND_SIZE;
  backend.name = "test";
  backend.kernels = &table;
  backend.device_count = no_devices;
  backend.why_unavailable = why;
  return &backend;
}
"""

pytestmark = pytest.mark.skipif(COMPILER is None, reason="needs a C++ compiler")


def answer(tmp_path: Path, version: str = "PYDL_ABI_VERSION", size: str = "sizeof(PydlBackend)",
           table: str = "sizeof(PydlKernelTable)") -> str:  # fmt: skip
    """What pydl says about a backend of this version and these sizes."""
    (tmp_path / "backend.cpp").write_text(SOURCE)
    library = tmp_path / "backend.so"
    headers = Path(pydl.__file__).parent / "include"
    subprocess.run(
        [COMPILER, "-std=c++17", "-shared", "-fPIC", f"-I{headers}", f"-DVERSION={version}",
         f"-DBACKEND_SIZE={size}", f"-DTABLE_SIZE={table}", "backend.cpp", "-o", library],
        cwd=tmp_path, check=True,
    )  # fmt: skip
    program = "import pydl; print(pydl.cuda.why_unavailable())"
    environment = {**os.environ, "PYDL_CUDA_LIBRARY": str(library)}
    result = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    return result.stdout


def test_a_backend_that_fits_is_asked(tmp_path):
    assert answer(tmp_path) == "it is a backend for tests\n"


def test_another_version(tmp_path):
    said = answer(tmp_path, version="99")
    assert "it has ABI version 99 and this pydl has 1. Hint: build it with the headers" in said


def test_a_backend_with_fewer_functions(tmp_path):
    assert "its PydlBackend has 64 bytes and this pydl needs " in answer(tmp_path, size="64")


def test_another_kernel_table(tmp_path):
    assert "its kernel table has version 1 and 128 bytes, and this pydl has" in answer(tmp_path, table="128")


def test_a_backend_of_later_headers_is_taken(tmp_path):
    assert "for tests" in answer(tmp_path, size="sizeof(PydlBackend) + 64")
