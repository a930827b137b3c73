"""Building and loading extensions: what can go wrong, and two processes at once."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import pydl

pytestmark = pytest.mark.skipif(shutil.which("g++") is None, reason="needs g++")

TWICE = """
static void twice(pydl::Tensor x, pydl::Tensor y) {
  for (int64_t i = 0; i < x.count(); ++i) y.data<float>()[i] = 2 * x.data<float>()[i];
}
PYDL_REGISTER_OP(twice).signature("(x: Tensor) -> y").kernel<twice>(PYDL_CPU, PYDL_FLOAT32);
"""


@pytest.fixture
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("PYDL_CACHE_DIR", str(tmp_path))
    yield tmp_path / "extensions"
    for extension in pydl.extension.loaded().values():
        if extension.path.startswith(str(tmp_path)):
            extension.unload()


def test_the_compilers_message(own_cache):
    with pytest.raises(pydl.extension.CompileError, match="broken:2:.*error") as caught:
        pydl.extension.load_inline("broken", "\nint main( {}")
    assert "-std=c++17" in str(caught.value)


def test_cache(own_cache, capfd):
    pydl.extension.load_inline("cached", TWICE, verbose=True).unload()
    assert "-shared" in capfd.readouterr().out
    again = pydl.extension.load_inline("cached", TWICE, verbose=True)
    assert capfd.readouterr().out == ""
    assert again.twice([3.0]).tolist() == [6]


def test_no_compiler(own_cache, monkeypatch):
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(
        pydl.extension.CompileError, match="expected a C\\+\\+ compiler, got none: .*no-such"
    ):
        pydl.extension.load_inline("none", TWICE)


def fake_compiler(folder, version):
    script = folder / "fake-g++"
    script.write_text(f"#!/bin/sh\necho {version}\n")
    script.chmod(0o755)
    return str(script)


def test_old_compiler(own_cache, monkeypatch, tmp_path):
    monkeypatch.setenv("CXX", fake_compiler(tmp_path, "5"))
    with pytest.raises(pydl.extension.CompileError, match="of version 9 or newer, got 5"):
        pydl.extension.load_inline("old", TWICE)
    monkeypatch.setenv("CXX", fake_compiler(tmp_path, "hello"))
    with pytest.raises(pydl.extension.CompileError, match="to be a C\\+\\+ compiler.*hello"):
        pydl.extension.load_inline("old", TWICE)


def test_unwritable_cache(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("PYDL_CACHE_DIR", str(tmp_path / "file"))
    with pytest.raises(OSError, match="expected to be able to write to .*PYDL_CACHE_DIR"):
        pydl.extension.load_inline("unwritable", TWICE)


def test_two_processes_at_once(own_cache, tmp_path):
    script = tmp_path / "program.py"
    script.write_text(
        f"import pydl\nboth = pydl.extension.load_inline('both', {TWICE!r}, verbose=True)\n"
        "print(both.twice([1.0]).tolist())"
    )
    env = {**os.environ, "PYTHONPATH": str(Path(pydl.__file__).parent.parent)}
    running = [
        subprocess.Popen([sys.executable, script], env=env, stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    outputs = [process.communicate()[0] for process in running]
    assert all(output.splitlines()[-1] == "[2.0]" for output in outputs)
    assert sum("-shared" in output for output in outputs) == 1


def test_missing_source():
    with pytest.raises(FileNotFoundError, match="expected a source file, got nothing.cpp"):
        pydl.extension.load("missing", ["nothing.cpp"])
    with pytest.raises(ValueError, match="at least one source"):
        pydl.extension.load("missing", [])
    with pytest.raises(ValueError, match="C\\+\\+ or CUDA source, got neither"):
        pydl.extension.load_inline("missing")


def test_other_name(own_cache):
    with pytest.raises(ValueError, match='PYDL_EXTENSION\\("one"\\), got "other"'):
        pydl.extension.load_inline("one", 'PYDL_EXTENSION("other")\n' + TWICE)
    assert not hasattr(pydl.ops, "other")


def test_duplicate_names(own_cache):
    first = pydl.extension.load_inline("double_name", TWICE)
    with pytest.raises(
        ValueError, match="expected a namespace that is free, but 'double_name' is taken"
    ):
        pydl.extension.load_inline("double_name", TWICE + "\n")
    assert first.twice([1.0]).tolist() == [2]
    with pytest.raises(ValueError, match="pydl.ops.matmul exists"):
        pydl.extension.load_inline("matmul", TWICE)
    assert callable(pydl.ops.matmul)
    with pytest.raises(ValueError, match="'same.twice' is registered twice"):
        pydl.extension.load_inline(
            "same",
            TWICE
            + TWICE.split("}")[-1].replace(
                "PYDL_REGISTER_OP(twice)",
                'static auto& again = (*new pydl::OpRegistration("twice"))',
            ),
        )


def raw_library(folder, text):
    source = folder / "raw.c"
    source.write_text(text)
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", folder / "raw.so", source], check=True)
    return folder / "raw.so"


def test_wrong_abi_version(tmp_path):
    library = raw_library(tmp_path, "unsigned pydl_extension_abi(void) { return 999; }")
    with pytest.raises(ValueError, match="ABI version 1, but .*raw.so was built for version 999"):
        pydl.extension.load_library(library)


def test_missing_symbol(tmp_path):
    library = raw_library(tmp_path, "int nothing;")
    with pytest.raises(
        ValueError, match="expected .*raw.so to have the function pydl_extension_abi"
    ):
        pydl.extension.load_library(library)


def test_undefined_symbol(own_cache):
    with pytest.raises(ValueError, match="undefined symbol: .*not_defined_anywhere"):
        pydl.extension.load_inline(
            "undefined",
            "void not_defined_anywhere();\n"
            + TWICE.replace("for (", "if (!x) not_defined_anywhere();\n  for ("),
        )


def test_no_library(tmp_path):
    (tmp_path / "text.so").write_text("hello")
    for name in ("text.so", "absent.so"):
        with pytest.raises(ValueError, match="expected a shared library at"):
            pydl.extension.load_library(tmp_path / name)


@pytest.mark.parametrize(
    "signature, message",
    [
        ("x", r"expected '\(' at column 0"),
        ("(x: Tensor)", "expected '->' at column 11"),
        ("(x: Tensor) -> ", "expected a name"),
        ("(x: Tensors) -> y", "column 10"),
        ("(x: complex) -> y", "expected a type"),
        ("(x: Tensor, x: Tensor) -> y", "'x' twice"),
        ("(x: Tensor, n: int = a) -> y", "expected an integer"),
        ("(x: Tensor, n: int = 1, m: int) -> y", "expected a default for 'm'"),
        ("(x: Tensor = None) -> y", "no default for a tensor"),
        ("(n: int) -> y", "expected a function for the shapes"),
    ],
)
def test_bad_signatures(own_cache, signature, message):
    name = "signature"
    source = TWICE.replace("(x: Tensor) -> y", signature)
    with pytest.raises(ValueError, match=message):
        pydl.extension.load_inline(name, source)


def test_gradient_that_is_no_op(own_cache):
    with pytest.raises(ValueError, match="expected its gradient 'absent' to be an op"):
        pydl.extension.load_inline("lost", TWICE.replace(".kernel<", '.gradient("absent").kernel<'))


def test_model_without_its_extension(own_cache, tmp_path):
    extension = pydl.extension.load_inline("passing", TWICE)
    inputs = pydl.Input((2,))
    pydl.Model(inputs, pydl.ops.passing.twice(inputs)).save(tmp_path / "model.pydl")
    extension.unload()
    with pytest.raises(
        ValueError, match="'passing.twice'. Hint: first load the extension 'passing'"
    ):
        pydl.models.load_model(tmp_path / "model.pydl")


def older_headers(folder):
    """The headers before PydlContext and PydlGemmArgs got their last members."""
    shutil.copytree(pydl.extension.include_folder(), folder)
    for header, last in (
        (
            "abi.h",
            "void (*random)(const struct PydlContext* context, int64_t words, uint64_t* seed, "
            "uint64_t* offset);",
        ),
        ("kernels/gemm.h", "int64_t c_batch_strides[PYDL_MAX_RANK];"),
    ):
        text = (folder / "pydl" / header).read_text()
        assert last in text
        (folder / "pydl" / header).write_text(text.replace(last, ""))
    view = folder / "pydl" / "extension_view.h"
    text = view.read_text().replace(
        "c_->random(c_, words, &state.seed, &state.offset);", "(void)words;"
    )
    view.write_text(text)
    return folder


def test_built_before_structs_grew(own_cache, tmp_path, monkeypatch):
    headers = older_headers(tmp_path / "older")
    monkeypatch.setattr("pydl.extension.build.include_folder", lambda: headers)
    source = (
        TWICE
        + """
    static PydlStatus f(const PydlContext* c, const PydlGemmArgs* g) {
      static_cast<float*>(g->c)[0] = 7;
      return c->num_threads > 0 ? PYDL_OK : PYDL_ERROR_VALUE;
    }
    static bool is_small(const PydlGemmArgs& g) { return g.m == 1 && g.n == 1 && g.k == 1; }
    PYDL_OVERRIDE_KERNEL(gemm, f).dtype(PYDL_FLOAT32).when<is_small>();
    """
    )
    older = pydl.extension.load_inline("older", source)
    assert older.twice([4.0]).tolist() == [8]
    assert pydl.ops.matmul([[2.0]], [[3.0]]).tolist() == [[7]]


def test_in_use_at_exit(own_cache, tmp_path):
    script = tmp_path / "program.py"
    script.write_text(
        f"""
import pydl
held = pydl.extension.load_inline("held", {TWICE!r})
x = pydl.tensor([1.0]); x.requires_grad = True
pydl.extension.gradient("held.twice")(lambda dy: dy * 2)
y = held.twice(x)          # a graph with a Python gradient, alive at exit
z = held.twice(x); held.unload(); z.backward(); print(x.grad.tolist(), held.twice([5.0]).tolist())
"""
    )
    env = {**os.environ, "PYTHONPATH": str(Path(pydl.__file__).parent.parent)}
    result = subprocess.run([sys.executable, script], env=env, capture_output=True, text=True)
    assert (result.returncode, result.stdout) == (0, "[2.0] [10.0]\n"), result.stderr


@pytest.mark.skipif(
    shutil.which("nvcc") is not None or os.path.exists("/usr/local/cuda/bin/nvcc"),
    reason="has nvcc",
)
def test_cuda_without_nvcc(own_cache):
    with pytest.raises(pydl.extension.CompileError, match="expected nvcc for the .cu sources"):
        pydl.extension.load_inline("gpu", cuda=TWICE)
