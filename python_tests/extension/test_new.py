"""The extension that `python -m pydl.extension new` writes."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import pydl
from pydl.extension.__main__ import main


def test_writes_a_project(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["new", "myop"]) == 0
    assert "cd myop" in capsys.readouterr().out
    files = {str(p.relative_to("myop")) for p in Path("myop").rglob("*") if p.is_file()}
    assert files == {
        "CMakeLists.txt", "README.md", "pyproject.toml", "benchmarks/bench_myop.py",
        "src/myop/__init__.py", "src/myop.cpp", "src/myop.cu", "tests/test_myop.py",
    }  # fmt: skip
    code = [
        p for p in Path("myop").rglob("*") if p.suffix in (".cpp", ".cu", ".py", ".txt", ".toml")
    ]
    lines = [line for p in code for line in p.read_text().splitlines() if line.strip()]
    assert len(lines) < 200
    assert not any("@NAME@" in line for line in lines)


def test_its_tests_pass(tmp_path):
    """Built by load(); .ci/run builds it with CMake and pip as its README says."""
    main(["new", "myop", "--folder", str(tmp_path)])
    (tmp_path / "src" / "myop" / "__init__.py").write_text(
        "import pydl\n"
        f"myop = pydl.extension.load('myop', [{str(tmp_path / 'src' / 'myop.cpp')!r}]).myop\n"
    )
    path = f"{tmp_path / 'src'}:{Path(pydl.__file__).parent.parent}"
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": path, "PYDL_CACHE_DIR": str(tmp_path / "cache")},
    )
    assert result.returncode == 0, result.stdout


needs_nvcc = pytest.mark.skipif(
    not shutil.which("nvcc") and not os.path.exists("/usr/local/cuda/bin/nvcc"), reason="needs nvcc"
)


@needs_nvcc
def test_its_cuda_source_compiles(tmp_path, monkeypatch):
    monkeypatch.setenv("PYDL_CACHE_DIR", str(tmp_path / "cache"))
    main(["new", "both", "--folder", str(tmp_path / "both")])
    sources = [tmp_path / "both" / "src" / name for name in ("both.cpp", "both.cu")]
    extension = pydl.extension.load("both", sources)
    assert extension.both([1.0, -2.0, 3.0], 0.5).tolist() == [0.5, 0.0, 4.5]
    extension.unload()


@needs_nvcc
def test_the_guides_cuda_example_compiles(tmp_path, monkeypatch):
    """For a GPU; python_tests/cuda/test_extension.py runs it on the emulator."""
    monkeypatch.setenv("PYDL_CACHE_DIR", str(tmp_path))
    guide = Path(__file__).resolve().parents[2] / "docs" / "extending.md"
    (block,) = re.findall(r"^```cuda\n(.*?)^```", guide.read_text(), re.S | re.M)
    op = 'PYDL_REGISTER_OP(row_sums).signature("(x: Tensor) -> y");'
    pydl.extension.load_inline("guide", cpp=op, cuda=block).unload()


def test_refuses(tmp_path, capsys):
    assert main(["new", "2bad"]) == 1
    assert "expected a name of letters, digits and _, got '2bad'" in capsys.readouterr().err
    (tmp_path / "full").write_text("")
    assert main(["new", "good", "--folder", str(tmp_path)]) == 1
    assert "expected an empty or new folder" in capsys.readouterr().err


def test_folders(capsys):
    assert main(["cmake"]) == 0 and main(["include"]) == 0
    cmake, include = capsys.readouterr().out.split()
    assert (Path(cmake) / "pydlConfig.cmake").exists() and (
        Path(include) / "pydl" / "extension.h"
    ).exists()
    with pytest.raises(SystemExit):
        main(["unknown"])
