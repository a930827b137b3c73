"""Names, order and defaults of arguments against those of Keras, by introspection."""

import inspect

import pytest

import pydl

pytestmark = pytest.mark.conformance

MODULES = {
    "layers", "optimizers", "losses", "metrics", "initializers", "regularizers", "constraints", "callbacks",
    "activations",
}  # fmt: skip

# Arguments of Keras that pydl leaves out; docs/differences.md says why.
LEFT_OUT = {
    "lora_rank", "lora_alpha", "quantization_config", "gptq_unpacked_column_size",
    "renorm", "renorm_clipping", "renorm_momentum", "synchronized",
    "flash_attention", "sliding_window", "use_gate",
    "sparse", "ragged", "optional", "tensor", "input_tensor", "allow_last_axis_squeeze",
    "InputSpec.name",
}  # fmt: skip

# Where only the order differs: Keras has another one here than in its other transposed convolutions.
OTHER_ORDER = {"Conv3DTranspose", "Convolution3DTranspose"}


def named(function, inherited=False):
    """The parameters of a function or a constructor, with those that **kwargs passes on if asked."""
    constructors = [cls.__init__ for cls in function.__mro__[:-1] if "__init__" in vars(cls)] if (
        inspect.isclass(function)) else [function]  # fmt: skip
    found = {}
    for constructor in constructors:
        own = inspect.signature(constructor).parameters
        found = {**own, **found}
        if not inherited or not any(p.kind is p.VAR_KEYWORD for p in own.values()):
            break
    kept = ((n, p) for n, p in found.items() if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL))
    return {n: p for n, p in kept if n != "self"}


def positional(function):
    own = function.__init__ if inspect.isclass(function) else function
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.POSITIONAL_ONLY)
    return [n for n, p in inspect.signature(own).parameters.items() if p.kind in kinds and n != "self"]


def same_default(ours, theirs):
    def plain(value):
        if isinstance(value, (list, tuple)) and len(set(value)) == 1:
            return value[0]  # (1, 1) is 1
        return value

    return plain(ours) == plain(theirs) or (ours is None and isinstance(theirs, str))  # a name's default


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


def test_arguments(ours, theirs, request):
    name = request.node.callspec.id.split(".")[1]
    mine, other = named(ours, inherited=True), named(theirs)
    missing = [n for n in other if n not in mine and n not in LEFT_OUT and f"{name}.{n}" not in LEFT_OUT]
    assert not missing, f"{name} lacks {missing}"
    for argument, parameter in other.items():
        if argument in mine and argument != "name" and name != "Optimizer":
            default = mine[argument].default
            assert same_default(default, parameter.default), (
                f"{name}({argument}={default!r}), Keras: {parameter.default!r}"
            )


def test_order(ours, theirs, request):
    """Calls without keywords mean the same."""
    name = request.node.callspec.id.split(".")[1]
    mine, other = positional(ours), positional(theirs)
    if name in OTHER_ORDER:
        assert set(mine) == set(other)
        return
    kept = [n for n in other if n in mine]
    assert [n for n in mine if n in kept] == kept
    first_left_out = next((i for i, n in enumerate(other) if n not in mine), len(other))
    assert mine[:first_left_out] == other[:first_left_out]
