"""The wrappers of PTX instructions: a GPU gives what the emulator does, which all other tests rely on."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

SOURCES = Path(__file__).resolve().parents[2] / "csrc"
NVCC = shutil.which("nvcc") or shutil.which("/usr/local/cuda/bin/nvcc")
INCLUDE = [f"-I{SOURCES}", f"-I{SOURCES / 'include'}"]

pytestmark = pytest.mark.skipif(
    shutil.which("g++") is None or not SOURCES.is_dir(), reason="needs g++ and a checkout"
)


def run(command: list[str], **environment: str) -> str:
    result = subprocess.run(
        [str(word) for word in command], env={**os.environ, **environment}, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def emulated_program(tmp_path_factory) -> Path:
    emulator = SOURCES / "tests" / "cuda_emulator"
    ends = [emulator / "shared_begin.cpp", emulator / "shared_end.cpp"]
    others = [path for path in sorted(emulator.glob("*.cpp")) if path not in ends]
    program = tmp_path_factory.mktemp("ptx") / "emulated"
    include = [f"-I{emulator / 'include'}", f"-I{SOURCES / 'tests'}", *INCLUDE]
    command = ["g++", "-std=c++20", "-O1", "-DPYDL_CUDA_EMULATED", "-Wno-psabi", *include]
    kernels = [ends[0], "-x", "c++", SOURCES / "tests" / "ptx_conformance.cu", "-x", "none", ends[1]]
    run([*command, *kernels, *others, "-o", program, "-lpthread"])
    return program


def test_every_order_gives_the_same(emulated_program):
    dumps = {
        run([emulated_program], PYDL_EMULATED_ORDER=order, PYDL_EMULATED_PROTECT="0")
        for order in ("forward", "reverse", "shuffled")
    }
    assert len(dumps) == 1
    (dump,) = dumps
    assert len(dump.splitlines()) == 11


def test_half_to_float_as_numpy(emulated_program):
    """One line of the dump against a reference of someone else."""
    line = run([emulated_program]).splitlines()[0].split()
    with np.errstate(invalid="ignore"):
        values = np.arange(1 << 16, dtype="uint16").view("float16").astype("float32")
    values[np.isnan(values)] = np.uint32(0x7FC00000).view("float32")
    hashed = 14695981039346656037
    for bits in values.view("uint32").tolist():
        hashed = (hashed ^ bits) * 1099511628211 % 2**64
    assert line == ["half_to_float", f"{hashed:016x}"]


@pytest.mark.skipif(NVCC is None, reason="needs nvcc")
def test_a_gpu_gives_the_same(emulated_program, request, tmp_path):
    """Where there is no GPU, that the program compiles for one."""
    gpu = request.config.getoption("--device") == "cuda"
    command = [NVCC, "-std=c++17", f"-arch={'native' if gpu else 'sm_80'}", *INCLUDE]
    run([*command, SOURCES / "tests" / "ptx_conformance.cu", "-o", tmp_path / "program"])
    if not gpu:
        pytest.skip("needs --device cuda")
    assert run([tmp_path / "program"]).splitlines() == run([emulated_program]).splitlines()
