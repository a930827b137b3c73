"""Every public op has a row in an `OpTests` table, and its row says which calls it refuses.

Ops without a kernel of their own, which NumPy computes or which are made of other ops, have one in the
table that compares them with Keras.
"""

import importlib.util
import inspect
import sys
from pathlib import Path

import pytest

import pydl
from pydl.testing import OpTests

HERE = Path(__file__).parent
MADE_OF_OTHERS = HERE / "conformance" / "test_ops.py"
FILES = [*sorted((HERE / "ops").glob("test_*.py")), HERE / "test_random.py"]

# What has no row, and why.
WITHOUT = {
    "random.beta": "test_random.py compares its distribution with SciPy's",
    "random.binomial": "test_random.py compares its distribution with SciPy's",
    "random.gamma": "test_random.py compares its distribution with SciPy's",
    "quantized_linear": "test_quantized_linear.py compares it with exact integers",
    "empty": "its values are whatever was in memory",
    "random.global_generator": "returns a stream, no tensor",
    "random.set_random_seed": "changes the global stream",
}


def loaded(path):
    name = f"rows_{path.stem}"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, path)
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


@pytest.fixture(scope="module")
def rows():
    """The rows by the name of their op; "batch_norm-training" is a row of batch_norm.

    The rows that need a library which is not installed are under the name "".
    """
    found = {}
    for path in FILES:
        try:
            module = loaded(path)
        except pytest.skip.Exception as skipped:
            found[""] = str(skipped)
            continue
        for value in vars(module).values():
            if inspect.isclass(value) and issubclass(value, OpTests):
                for spec in value.specs:
                    found.setdefault(spec.name.split("-")[0].split(" ")[0], []).append(spec)
    return found


def functions():
    yield from pydl.ops.__all__
    for name in pydl.random.__all__:
        if inspect.isfunction(getattr(pydl.random, name)):
            yield f"random.{name}"


@pytest.mark.parametrize("name", list(functions()))
def test_has_a_row(name, rows):
    mine = rows.get(name.removeprefix("random."), [])
    if not mine and name in loaded(MADE_OF_OTHERS).TESTED:
        return
    if name in WITHOUT:
        assert not mine, f"{name} has a row now: take it out of WITHOUT"
        return
    if not mine and "" in rows:
        pytest.skip(f"its row may be among those that were skipped: {rows['']}")
    assert mine, f"no OpSpec for {name}. Hint: add one to its family's file in {HERE / 'ops'}"
    assert any(spec.errors for spec in mine), f"no row of {name} says which calls it refuses"
    assert {"float32", "float64"} <= {dtype for spec in mine for dtype in spec.dtypes} or not any(
        spec.gradient for spec in mine
    ), f"no row of {name} tries both float32 and float64"
