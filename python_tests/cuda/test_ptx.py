"""The wrappers of PTX instructions: a GPU gives what the emulator does, which all other tests rely on."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

import pydl

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


# Wrappers by the architectures that differ in them; how many of them a program prints.
PROGRAMS = {"ptx_conformance.cu": (("75", "80"), 14), "ptx_conformance_hopper.cu": (("90a",), 42)}


@pytest.fixture(scope="module")
def emulated_programs(tmp_path_factory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("ptx")
    emulator = SOURCES / "tests" / "cuda_emulator"
    ends = [emulator / "shared_begin.cpp", emulator / "shared_end.cpp"]
    others = [path for path in sorted(emulator.glob("*.cpp")) if path not in ends]
    include = [f"-I{emulator / 'include'}", f"-I{SOURCES / 'tests'}", *INCLUDE]
    command = ["g++", "-std=c++20", "-O1", "-DPYDL_CUDA_EMULATED", "-Wno-psabi", *include]
    for path in others:
        run([*command, "-c", path, "-o", folder / f"{path.stem}.o"])
    objects = [folder / f"{path.stem}.o" for path in others]
    for name in PROGRAMS:
        kernels = [ends[0], "-x", "c++", SOURCES / "tests" / name, "-x", "none", ends[1]]
        run([*command, *kernels, *objects, "-o", folder / Path(name).stem, "-lpthread"])
    return {name: folder / Path(name).stem for name in PROGRAMS}


@pytest.mark.parametrize("name", PROGRAMS)
def test_every_order_gives_the_same(emulated_programs, name: str):
    dumps = {
        run([emulated_programs[name]], PYDL_EMULATED_ORDER=order, PYDL_EMULATED_PROTECT="0")
        for order in ("forward", "reverse", "shuffled")
    }
    assert len(dumps) == 1
    (dump,) = dumps
    assert len(dump.splitlines()) == PROGRAMS[name][1]


def test_shuffles_replace_tensor_cores(emulated_programs):
    dump = run([emulated_programs["ptx_conformance.cu"]])
    lines = {name: values for name, *values in map(str.split, dump.splitlines())}
    for name in ("multiply_bfloat16", "multiply_tf32"):
        assert lines[f"{name}_with_shuffles"] == lines[name]


def mixed(i: np.ndarray) -> np.ndarray:
    """The numbers that the programs fill operands with."""
    i = i.astype("uint32") * np.uint32(0x9E3779B9)
    i = (i ^ i >> 15) * np.uint32(0x85EBCA6B)
    return i ^ i >> 13


def test_multiply_int8_as_numpy(emulated_programs):
    """The layout of the fragments, as the manual of PTX gives it."""
    dump = run([emulated_programs["ptx_conformance.cu"]])
    (line,) = (line for line in dump.splitlines() if line.startswith("multiply_int8 "))
    got = np.array([int(word, 16) for word in line.split()[2:]], "uint32").reshape(32, 4)
    lanes = np.arange(32)[:, None]
    a = mixed(lanes * 4 + np.arange(4)).view("int8").reshape(8, 4, 2, 2, 4)  # g, t, depth half, row half, byte
    b = mixed(1000 + lanes * 2 + np.arange(2)).view("int8").reshape(8, 4, 2, 4)  # g, t, depth half, byte
    d = mixed(5000 + lanes * 4 + np.arange(4)).reshape(8, 4, 2, 2)  # g, t, row half, column of two
    a = a.transpose(3, 0, 2, 1, 4).reshape(16, 32).astype("int64")
    b = b.transpose(2, 1, 3, 0).reshape(32, 8).astype("int64")
    product = (a @ b).astype("uint32").reshape(2, 8, 4, 2).transpose(1, 2, 0, 3)
    np.testing.assert_array_equal(got, (d + product).reshape(32, 4))


def test_half_to_float_as_numpy(emulated_programs):
    """One line of the dump against a reference of someone else."""
    line = run([emulated_programs["ptx_conformance.cu"]]).splitlines()[0].split()
    with np.errstate(invalid="ignore"):
        values = np.arange(1 << 16, dtype="uint16").view("float16").astype("float32")
    values[np.isnan(values)] = np.uint32(0x7FC00000).view("float32")
    hashed = 14695981039346656037
    for bits in values.view("uint32").tolist():
        hashed = (hashed ^ bits) * 1099511628211 % 2**64
    assert line == ["half_to_float", f"{hashed:016x}"]


@pytest.mark.skipif(NVCC is None, reason="needs nvcc")
@pytest.mark.parametrize("name", PROGRAMS)
def test_a_gpu_gives_the_same(emulated_programs, name: str, request, tmp_path):
    """Where there is no GPU, that the program compiles for one."""
    architectures, _ = PROGRAMS[name]
    command = [NVCC, "-std=c++17", "-Werror=all-warnings", *INCLUDE]
    code = [f"-gencode=arch=compute_{a},code=[sm_{a},compute_{a}]" for a in architectures]
    run([*command, *code, SOURCES / "tests" / name, "-o", tmp_path / "program"])
    if request.config.getoption("--device") != "cuda":
        pytest.skip("needs --device cuda")
    if architectures == ("90a",) and pydl.cuda.get_device_properties()["architecture"] != (9, 0):
        pytest.skip("needs compute capability 9.0")
    assert run([tmp_path / "program"]).splitlines() == run([emulated_programs[name]]).splitlines()
