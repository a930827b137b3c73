"""The order of arguments against that of Keras; their names and defaults are checked with the names."""

import inspect

import pytest

import pydl

pytestmark = pytest.mark.conformance

MODULES = {
    "layers", "optimizers", "losses", "metrics", "initializers", "regularizers", "constraints", "callbacks",
    "activations", "ops", "random", "utils",
}  # fmt: skip

# Where the order differs: Keras has another one in one of its layers of transposed convolution, and our
# fused ops take a bias behind the kernel.
OTHER_ORDER = {
    "layers.Conv3DTranspose", "layers.Convolution3DTranspose", "ops.conv", "ops.conv_transpose",
    "ops.depthwise_conv",
}  # fmt: skip


def positional(function):
    own = function.__init__ if inspect.isclass(function) else function
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.POSITIONAL_ONLY)
    return [n for n, p in inspect.signature(own).parameters.items() if p.kind in kinds and n != "self"]


def shared():
    keras = pytest.importorskip("keras", reason="compares with Keras, which is not installed")
    for module in sorted(MODULES):
        ours, theirs = getattr(pydl, module), getattr(keras, module)
        for name in ours.__all__:
            if name in ("get", "serialize", "deserialize") or not hasattr(theirs, name):
                continue
            if callable(getattr(theirs, name)):
                yield pytest.param(getattr(ours, name), getattr(theirs, name), id=f"{module}.{name}")


def pytest_generate_tests(metafunc):
    if "theirs" in metafunc.fixturenames:
        metafunc.parametrize("ours, theirs", list(shared()))


def test_order(ours, theirs, request):
    """Calls without keywords mean the same."""
    name = request.node.callspec.id
    mine, other = positional(ours), positional(theirs)
    if name in OTHER_ORDER:
        assert set(other) - {"inputs"} <= set(mine)
        return
    if mine and other and mine[0] not in other and other[0] not in mine:
        mine = [other[0], *mine[1:]]  # the first argument has another name
    kept = [n for n in other if n in mine]
    assert [n for n in mine if n in kept] == kept
    first_left_out = next((i for i, n in enumerate(other) if n not in mine), len(other))
    assert mine[:first_left_out] == other[:first_left_out]
