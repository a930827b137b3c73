"""Ops and kernels of extensions on a GPU: which are chosen, and what they get.

The kernels here are host code, which the emulator's device memory bears when it is told to.
"""

from __future__ import annotations

import shutil

import pytest

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
