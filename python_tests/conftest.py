"""Makes the tests use the installed pydl.

`python -m pytest` puts the checkout on sys.path, where the folder pydl has no compiled extension
unless it was built in place; then it must not hide the installed package.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parent.parent
BUILT_IN_PLACE = any((CHECKOUT / "pydl").glob("_core*.so"))

if not BUILT_IN_PLACE:
    sys.path[:] = [entry for entry in sys.path if Path(entry).resolve() != CHECKOUT]


@pytest.fixture(scope="session", autouse=True)
def _away_from_the_checkout(tmp_path_factory):
    """Programs that tests start look in the current folder first; they need the installed one."""
    if not BUILT_IN_PLACE:
        os.chdir(tmp_path_factory.mktemp("away"))
