"""The type stubs name what the extension module has."""

from __future__ import annotations

import ast
from pathlib import Path

from pydl import _core

STUB = Path(__file__).resolve().parent.parent / "pydl" / "_core.pyi"


def test_stub_is_up_to_date():
    body = ast.parse(STUB.read_text()).body
    written = {n.name for n in body if isinstance(n, (ast.FunctionDef, ast.ClassDef))}
    found = {name for name in dir(_core) if not name.startswith("_")}
    assert written == found, "run: python csrc/bindings/make_stubs.py"
