"""The examples in docstrings run and show what they say."""

import doctest
import importlib
from pathlib import Path

import numpy as np
import pytest

import pydl
from pydl import naming

ROOT = Path(pydl.__file__).parent
FILES = sorted(path.relative_to(ROOT.parent) for path in ROOT.rglob("*.py"))
MODULES = [".".join(path.with_suffix("").parts).removesuffix(".__init__") for path in FILES]
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@pytest.mark.parametrize("name", MODULES)
def test_examples(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    module = importlib.import_module(name)
    finder = doctest.DocTestFinder(exclude_empty=True)
    runner = doctest.DocTestRunner(optionflags=FLAGS)
    report = []
    for example in finder.find(module, name, globs={**vars(module), "np": np, "pydl": pydl}):
        naming.clear_names()
        runner.run(example, out=report.append)
    assert runner.summarize(verbose=False).failed == 0, "".join(report)
