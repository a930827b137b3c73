"""Measures pydl beside its peers and against the limits of the machine. See README.md."""

from __future__ import annotations

import sys
from pathlib import Path

_CHECKOUT = Path(__file__).resolve().parent.parent

# Run from a checkout, `python -m benchmarks.report` finds the folder pydl first. Without a compiled
# extension in it, it must not hide the installed package.
if not any((_CHECKOUT / "pydl").glob("_core*.so")):
    sys.path[:] = [entry for entry in sys.path if Path(entry).resolve() != _CHECKOUT]
    sys.path.append(str(_CHECKOUT))
