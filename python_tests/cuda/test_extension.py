"""Ops and kernels of extensions on a GPU: which are chosen, and what they get.

Where that is the question, kernels are host code, which the emulator's device memory bears when it is
told to. Those in CUDA are compiled for the emulator, as pydl's own are.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

import pydl
from pydl.extension.__main__ import main

pytestmark = pytest.mark.skipif(shutil.which("g++") is None, reason="needs g++")

SOURCE = r"""
template <class T>
void scale(pydl::Tensor x, double factor, pydl::Tensor y) {
  for (int64_t i = 0; i < x.count(); ++i) y.data<T>()[i] = x.data<T>()[i] * T(factor);
}

template <class T>
void scale_backward(pydl::Tensor dy, double factor, pydl::Tensor dx) {
  for (int64_t i = 0; i < dy.count(); ++i) dx.data<T>()[i] = dy.data<T>()[i] * T(factor);
}

PYDL_REGISTER_OP(scale_backward)
    .signature("(dy: Tensor, factor: float) -> dx")
    .kernel<scale_backward<float>>(PYDL_GPU, PYDL_FLOAT32);
PYDL_REGISTER_OP(scale)
    .signature("(x: Tensor, factor: float = 2.0) -> y")
    .kernel<scale<float>>(PYDL_GPU, PYDL_FLOAT32)
    .gradient("scale_backward");

static PydlStatus ones(const PydlContext*, const PydlFillArgs* args) {
  for (int64_t i = 0; i < args->shape[0]; ++i) static_cast<float*>(args->out)[i] = 1;
  return PYDL_OK;
}
static bool is_row(const PydlFillArgs& args) { return args.rank == 1 && args.item_size == 4; }
PYDL_OVERRIDE_KERNEL(fill, ones).device(PYDL_GPU).priority(1).when<is_row>();
"""

LOAD = f"""
import pydl
mine = pydl.extension.load_inline("mine", r'''{SOURCE}''')
"""


def test_an_op_and_its_gradient(emulated, run_python, tmp_path):
    body = """
x = pydl.tensor([1.0, 2.0], device="gpu:0", requires_grad=True)
y = mine.scale(x, factor=3.0)
y.sum().backward()
print(y.device, y.tolist(), x.grad.device, x.grad.tolist())
for bad in (pydl.tensor([1.0]), x.astype("float64")):
    try:
        mine.scale(bad)
    except (pydl.errors.DeviceError, TypeError) as error:
        print(error)
"""
    text = run_python(LOAD + body, PYDL_EMULATED_PROTECT="0", PYDL_CACHE_DIR=str(tmp_path))
    results, device, dtype = text.splitlines()
    assert results == "gpu:0 [3.0, 6.0] gpu:0 [3.0, 3.0]"
    assert "expected a device that it has a kernel for, got cpu" in device and "gpu float32" in device
    assert "expected a dtype that it has a kernel for, got float64" in dtype


def test_a_kernel_that_replaces_one_of_the_backend(emulated, run_python, tmp_path):
    body = """
print(pydl.ops.zeros(3).tolist())
with pydl.device("gpu:0"):
    print(pydl.ops.zeros(3).tolist(), pydl.ops.zeros((2, 1), dtype="float64").tolist())
    mine.unload()
    print(pydl.ops.zeros(3).tolist())
"""
    text = run_python(LOAD + body, PYDL_EMULATED_PROTECT="0", PYDL_CACHE_DIR=str(tmp_path))
    zeros, ones = "[0.0, 0.0, 0.0]", "[1.0, 1.0, 1.0]"
    assert text.splitlines() == [zeros, f"{ones} [[0.0], [0.0]]", zeros]


# --- sources in CUDA -------------------------------------------------------------------------------

CHECKOUT = Path(__file__).resolve().parents[2]


def load_emulated(sources: list[Path]) -> pydl.extension.Extension:
    """Compiles an extension for the emulator and loads it."""
    backend = Path(os.environ["PYDL_CUDA_LIBRARY"])
    library = sources[0].with_suffix(".so")
    headers = [pydl.extension.include_folder(), CHECKOUT / "csrc/tests/cuda_emulator/include"]
    command = ["g++", "-std=c++20", "-O1", "-fPIC", "-shared", "-DPYDL_CUDA_EMULATED", "-Wno-psabi"]
    command += [f"-I{folder}" for folder in headers]
    command += ["-x", "c++", *map(str, sources), "-x", "none", str(backend)]
    command += [f"-Wl,-rpath,{backend.parent}", "-o", str(library)]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return pydl.extension.load_library(library)


def test_the_template(emulated, tmp_path):
    main(["new", "squares", "--folder", str(tmp_path)])
    extension = load_emulated([tmp_path / "src" / name for name in ("squares.cpp", "squares.cu")])
    values = np.random.default_rng(0).normal(size=(3, 700))
    for dtype in ("float32", "float64"):
        x = pydl.tensor(values, dtype=dtype, device="gpu:0", requires_grad=True)
        y = extension.squares(x, scale=0.5)
        y.sum().backward()
        assert y.device == x.device
        np.testing.assert_allclose(y.numpy(), 0.5 * np.maximum(values, 0) ** 2, rtol=1e-6)
        np.testing.assert_allclose(x.grad.numpy(), np.maximum(values, 0), rtol=1e-6)
    extension.unload()


ROW_SUMS = """
#include <pydl/extension.h>
PYDL_EXTENSION("guide")
void row_sums_shapes(pydl::Tensor x, pydl::Output y) { y.set(x.dtype(), {x.size(0)}); }
PYDL_REGISTER_OP(row_sums).signature("(x: Tensor) -> y").shapes<row_sums_shapes>();
"""


def test_the_example_of_the_guide(emulated, tmp_path):
    guide = (CHECKOUT / "docs" / "extending.md").read_text()
    (block,) = re.findall(r"^```cuda\n(.*?)^```", guide, re.S | re.M)
    (tmp_path / "guide.cpp").write_text(ROW_SUMS)
    (tmp_path / "kernels.cu").write_text(block)
    extension = load_emulated([tmp_path / "guide.cpp", tmp_path / "kernels.cu"])
    values = np.arange(2000, dtype="float32").reshape(4, 500) / 512
    for dtype, tolerance in (("float32", 1e-6), ("bfloat16", 2**-8)):
        x = pydl.tensor(values, device="gpu:0").astype(dtype)
        sums = extension.row_sums(x).astype("float32").numpy()
        np.testing.assert_allclose(sums, x.astype("float32").numpy().sum(1), rtol=tolerance)
    extension.unload()


def test_a_launch_that_fails(emulated, tmp_path):
    """The status that a kernel returns becomes an exception with CUDA's own words."""
    (tmp_path / "guide.cpp").write_text(ROW_SUMS)
    (tmp_path / "kernels.cu").write_text("""
#include <pydl/cuda.h>
#include <pydl/extension.h>
__global__ void nothing() {}
PydlStatus row_sums(const pydl::Context& context, pydl::Tensor, pydl::Tensor) {
  return pydl::cuda::launch(context.get(), dim3(1), dim3(2000), 0, nothing);
}
PYDL_REGISTER_KERNEL(row_sums, row_sums, PYDL_GPU, PYDL_ANY);
""")
    extension = load_emulated([tmp_path / "guide.cpp", tmp_path / "kernels.cu"])
    with pytest.raises(RuntimeError, match=r"\[guide.row_sums\] .*kernels.cu:6 to succeed, got cudaErrorInvalidConf"):
        extension.row_sums(pydl.tensor([[1.0]], device="gpu:0"))
    extension.unload()
