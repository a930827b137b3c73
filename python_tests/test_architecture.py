"""Which part of the code may use which: includes in C++, imports in Python."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parent.parent

# Folder of csrc/ -> folders it may include from; "pydl" is csrc/include/pydl, the kernels' interface.
INCLUDES = {
    "include": {"pydl"},
    "core": {"core", "pydl"},
    "dispatch": {"dispatch", "core", "pydl"},
    "autograd": {"autograd", "core", "pydl"},
    "ops": {"ops", "autograd", "dispatch", "core", "pydl"},
    "extension": {"extension", "ops", "autograd", "dispatch", "core", "pydl"},
    "bindings": {"bindings", "extension", "ops", "autograd", "dispatch", "core", "pydl"},
    "cpu": {"cpu", "pydl"},
    "cuda": {"cuda", "pydl"},  # what of it extensions may use is in csrc/include/pydl/cuda
    "tests": {"tests", "ops", "autograd", "dispatch", "core", "cuda", "cuda_emulator", "emulator", "pydl"},
}

# Kernels may use these system headers only: nothing that could emit a function which the linker
# shares with code for another CPU.
KERNEL_SYSTEM_HEADERS = {
    "arm_neon.h", "float.h", "immintrin.h", "limits.h", "math.h", "stddef.h", "stdint.h", "stdio.h",
    "string.h", "type_traits",
}  # fmt: skip

# Parts of pydl/ from the bottom up. A part may import from its own level and those below. "a.b" is one
# file of a part whose other files have another level.
LEVELS = [
    {"_core"},
    {"_call_errors", "config", "device", "errors", "typing"},
    {"_convert", "autograd", "ops", "random", "replay", "tensor"},
    {"capture", "cuda", "naming", "saving", "tree"},
    {"activations", "constraints", "initializers", "quantizers", "regularizers", "variable"},
    {"layers", "losses", "metrics", "optimizers"},
    {"backend", "dtype_policies", "mixed_precision", "saving.keras_h5", "saving.weight_names"},
    {"callbacks", "data", "datasets", "generation", "models", "preprocessing", "saving.model_file", "utils", "visualization"},
    {"applications", "cli", "extension", "interop", "serving", "sklearn", "testing"},
]


def sources(folder: str) -> list[Path]:
    suffixes = (".h", ".cpp", ".cu", ".cuh")
    return sorted(p for p in (CHECKOUT / "csrc" / folder).rglob("*.*") if p.suffix in suffixes)


def includes(path: Path, form: str) -> list[str]:
    return re.findall(rf"^\s*#\s*include {form}", path.read_text(), re.MULTILINE)


def test_every_cpp_folder_is_known():
    folders = {p.name for p in (CHECKOUT / "csrc").iterdir() if p.is_dir()}
    assert folders <= set(INCLUDES)


@pytest.mark.parametrize("folder", [f for f in INCLUDES if (CHECKOUT / "csrc" / f).is_dir()])
def test_cpp_includes_follow_the_arrows(folder):
    wrong = [
        f"{path.relative_to(CHECKOUT)} includes {target}"
        for path in sources(folder)
        for target in includes(path, r'"([^"]+)"')
        if target.split("/")[0] not in INCLUDES[folder]
        and not (path.name == "simd.h" and target.startswith("cpu/simd/"))  # offers them outside
    ]
    assert not wrong, "\n".join(wrong)


def test_kernels_include_no_cpp_library():
    wrong = [
        f"{path.relative_to(CHECKOUT)} includes <{header}>"
        for folder in ("cpu", "include")
        for path in sources(folder)
        if not path.name.startswith("extension")  # not for kernels of this library
        for header in includes(path, "<([^>]+)>")
        if header not in KERNEL_SYSTEM_HEADERS and not ("cuda" in path.parts and header == "cuda_runtime.h")
    ]
    assert not wrong, "\n".join(wrong)


def test_only_bindings_know_python():
    wrong = [
        str(path.relative_to(CHECKOUT))
        for folder in INCLUDES
        if folder != "bindings"
        for path in sources(folder)
        if re.search(r"#\s*include [<\"](pybind11|Python\.h)", path.read_text())
    ]
    assert not wrong


def imported_modules(path: Path) -> Iterator[str]:
    """Gives the modules of pydl that a file imports, also inside functions.

    But not inside those of an `__init__.py`, which only pass on names when users ask for them.
    """
    tree = ast.parse(path.read_text())
    for node in tree.body if path.name == "__init__.py" else ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "pydl":
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (a.name for a in node.names if a.name.startswith("pydl."))


def level_of(module: str) -> int:
    """Returns the level of "pydl.layers.dense", that of its part unless its file has its own."""
    level = {part: i for i, parts in enumerate(LEVELS) for part in parts}
    part, *rest = module.split(".")[1:]
    name = f"{part}.{rest[0]}" if rest and f"{part}.{rest[0]}" in level else part
    assert name in level, f"pydl/{part} has no place in LEVELS of {__file__}"
    return level[name]


def test_python_imports_go_down():
    wrong = []
    for path in sorted((CHECKOUT / "pydl").rglob("*.py")):
        module = ".".join(path.relative_to(CHECKOUT).with_suffix("").parts)
        if module == "pydl.__init__":  # the top of the package gathers what users see
            continue
        wrong += [
            f"{path.relative_to(CHECKOUT)} imports {target}"
            for target in imported_modules(path)
            if level_of(target) > level_of(module)
        ]
    assert not wrong, "\n".join(wrong)


def test_only_numpy_is_imported_when_pydl_loads():
    """At the top of a module; optional packages are imported where they are used."""
    known = {"numpy", "pydl", *sys.stdlib_module_names}
    wrong = [
        f"{path.relative_to(CHECKOUT)} imports {name}"
        for path in sorted((CHECKOUT / "pydl").rglob("*.py"))
        if path.relative_to(CHECKOUT / "pydl").parts[0] not in ("sklearn.py", "testing")
        for name in top_level_imports(path)
        if name.split(".")[0] not in known
    ]
    assert not wrong, "\n".join(wrong)


def top_level_imports(path: Path) -> Iterator[str]:
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


# What a reader can hold in mind: about 400 lines a file and 60 a function, with a fifth to spare.
FILE_LINES, FUNCTION_LINES = 480, 72


def test_files_are_short():
    paths = [*sources("."), *(CHECKOUT / "pydl").rglob("*.py")]
    long = {str(p.relative_to(CHECKOUT)): len(p.read_text().splitlines()) for p in paths}
    assert not {path: lines for path, lines in long.items() if lines > FILE_LINES}


def test_functions_are_short():
    """Their docstrings do not count."""
    long = {}
    for path in sorted((CHECKOUT / "pydl").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef):
                docstring = ast.get_docstring(node, clean=False) or ""
                lines = node.end_lineno - node.lineno + 1 - len(docstring.splitlines())
                if lines > FUNCTION_LINES:
                    long[f"{path.relative_to(CHECKOUT)}: {node.name}"] = lines
    assert not long
