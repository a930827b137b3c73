"""Makes the tests use the installed pydl.

`python -m pytest` puts the checkout on sys.path, where the folder pydl has no compiled extension
unless it was built in place; then it must not hide the installed package.
"""

from __future__ import annotations

import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent

if not any((CHECKOUT / "pydl").glob("_core*.so")):
    sys.path[:] = [entry for entry in sys.path if Path(entry).resolve() != CHECKOUT]
