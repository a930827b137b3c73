"""Tests of GPUs as such: they need --device cuda or --device cuda-emulated."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--device") != "cpu":
        return
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.skip(reason="needs --device cuda or --device cuda-emulated"))


@pytest.fixture
def emulated(request: pytest.FixtureRequest) -> None:
    """For tests of what only the emulator can be told to do."""
    if request.config.getoption("--device") != "cuda-emulated":
        pytest.skip("needs --device cuda-emulated")


@pytest.fixture
def run_python() -> Callable[..., str]:
    """Runs a program in a process of its own, where other variables are set; gives what it printed."""

    def run(program: str, **environment: str) -> str:
        result = subprocess.run(
            [sys.executable, "-c", program], env={**os.environ, **environment},
            capture_output=True, text=True, timeout=120,
        )  # fmt: skip
        assert result.returncode == 0, result.stderr
        return result.stdout

    return run
