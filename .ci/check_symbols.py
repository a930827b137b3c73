"""Checks that kernel objects define nothing that the linker could share between instruction sets.

An inline function from a shared header, compiled with AVX-512 and emitted as a weak symbol, may
become the one copy that the whole library uses, and then crash on a CPU without AVX-512. So a
kernel object may define global symbols only in the namespace of its instruction set, and weak or
unique ones nowhere. Usage: check_symbols.py BUILD_FOLDER
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path


def problems(build: Path) -> list[str]:
    """Returns a line for each symbol that a kernel object must not define."""
    objects = sorted(build.glob("CMakeFiles/kernels_*.dir/**/*.o"))
    if not objects:
        return [f"no kernel objects in {build}"]
    found = []
    for path in objects:
        isa = re.search(r"kernels_(\w+)\.dir", str(path)).group(1)
        listing = subprocess.run(
            ["nm", "--defined-only", "--demangle", str(path)],
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for line in listing.splitlines():
            kind, name = line[17:18], line[19:]
            if kind in "VvWu" or (kind.isupper() and f"pydl::cpu::{isa}::" not in name):
                found.append(f"{isa}/{path.name}: {kind} {name}")
    return found


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    wrong = problems(folder)
    count = len(list(folder.glob("CMakeFiles/kernels_*.dir/**/*.o")))
    print("\n".join(wrong) or f"{count} kernel objects keep to their namespaces")
    sys.exit(bool(wrong))
