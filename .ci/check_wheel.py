"""Checks what a wheel holds and how big it is. Usage: check_wheel.py FILE.whl"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

LIMIT = 15e6  # bytes
REQUIRED = (
    r"pydl/__init__\.py",
    r"pydl/py\.typed",
    r"pydl/_core\.pyi",
    r"pydl/_core\.[\w.-]+\.so",
    r"pydl/libpydl\.so",
    r"pydl/include/pydl/abi\.h",
    r"pydl/include/pydl/cuda/launch\.h",
    r"pydl/include/pydl/kernel_table\.h",
    r"pydl-[\w.]+\.dist-info/licenses/LICENSE",
)


def problems(wheel: Path) -> list[str]:
    """Returns what is wrong with a wheel, a line a problem."""
    found = []
    if wheel.stat().st_size > LIMIT:
        found.append(f"{wheel.stat().st_size / 1e6:.1f} MB, more than {LIMIT / 1e6:.0f}")
    with zipfile.ZipFile(wheel) as archive, tempfile.TemporaryDirectory() as folder:
        names = archive.namelist()
        for pattern in REQUIRED:
            if sum(bool(re.fullmatch(pattern, name)) for name in names) != 1:
                found.append(f"expected one file like {pattern}")
        for name in names:
            if not re.match(r"pydl(-[\w.]+\.dist-info)?/", name) or "__pycache__" in name:
                found.append(f"unexpected {name}")
            if name.endswith(".so") and _has_debug_symbols(archive.extract(name, folder)):
                found.append(f"{name} is not stripped")
        metadata = archive.read(next(n for n in names if n.endswith("METADATA"))).decode()
    required = [
        line for line in metadata.splitlines()
        if line.startswith("Requires-Dist:") and "extra ==" not in line
    ]  # fmt: skip
    if len(required) != 1 or "numpy" not in required[0]:
        found.append(f"expected numpy as the only dependency, got {required}")
    return found


def _has_debug_symbols(library: str) -> bool:
    sections = subprocess.run(
        ["readelf", "-SW", library], check=True, capture_output=True, text=True
    ).stdout
    return ".symtab" in sections or ".debug_info" in sections


if __name__ == "__main__":
    path = Path(sys.argv[1])
    wrong = problems(path)
    print("\n".join(wrong) or f"{path.name}: {path.stat().st_size / 1e6:.1f} MB")
    sys.exit(bool(wrong))
