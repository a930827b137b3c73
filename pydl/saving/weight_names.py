"""The names of weights in files.

They follow the structure of the model and not the names that layers got by counting, so that a
model made again in the same process, or with other models around, finds its weights.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from pydl.layers.layer import Layer
from pydl.naming import to_snake_case
from pydl.random import SeedGenerator
from pydl.variable import Variable

__all__ = ["assign_weights", "child_layers", "named_generators", "named_weights"]


def named_weights(layer: Layer) -> dict[str, Variable]:
    """Return all weights of a layer or model by name.

    A weight that several layers share has the first name that leads to it.

    Example:
        >>> import pydl
        >>> from pydl.saving.weight_names import named_weights
        >>> model = pydl.Sequential([pydl.Input((2,)), pydl.layers.Dense(1), pydl.layers.Dense(1)])
        >>> list(named_weights(model))
        ['dense/kernel', 'dense/bias', 'dense_1/kernel', 'dense_1/bias']
    """
    found: dict[str, Variable] = {}
    known: set[int] = set()
    for prefix, inner in _named_layers(layer):
        counts: Counter = Counter()
        for variable in inner._contents()[0]:
            if id(variable) not in known:
                known.add(id(variable))
                found[f"{prefix}{_numbered(variable.name, counts)}"] = variable
    return found


def named_generators(layer: Layer) -> dict[str, SeedGenerator]:
    """Return the random streams of a layer or model by name."""
    return {
        f"{prefix}{name}": value
        for prefix, inner in _named_layers(layer)
        for name, value in vars(inner).items()
        if isinstance(value, SeedGenerator)
    }


def assign_weights(
    layer: Layer, values: dict[str, Any], source: str, skip_mismatch: bool = False
) -> None:
    """Set the weights of a layer or model from tensors by name.

    Args:
        layer: A built layer.
        values: Tensors by the names of `named_weights`.
        source: Where they come from, for error messages.
        skip_mismatch: Whether to leave weights without a tensor of their shape as they are.

    Raises:
        ValueError: missing or extra names, or another shape; no weight is changed then.
    """
    weights = named_weights(layer)
    missing = [name for name in weights if name not in values]
    extra = [name for name in values if name not in weights]
    wrong = [
        f"{name}: {weights[name].shape} here, {values[name].shape} in the file"
        for name in weights
        if name in values and values[name].shape != weights[name].shape
    ]
    if (missing or extra or wrong) and not skip_mismatch:
        problems = [
            f"{what}: {', '.join(names[:8])}{' ...' if len(names) > 8 else ''}."
            for what, names in (
                ("Not in the file", missing), ("Only in the file", extra), ("Other shape", wrong)
            )
            if names
        ]  # fmt: skip
        raise ValueError(
            f"[load_weights] expected {source} to hold the {len(weights)} weights of "
            f"{layer.name!r}. {' '.join(problems)} Hint: load into a model of the same structure, "
            "built for the same input shape, or pass skip_mismatch=True."
        )
    for name, variable in weights.items():
        if name in values and values[name].shape == variable.shape:
            variable.assign(values[name])


def _named_layers(layer: Layer) -> list[tuple[str, Layer]]:
    """Return the layer and all inside it, each with the prefix of the names of what it holds."""
    found, seen = [], set()

    def visit(prefix: str, layer: Layer) -> None:
        if id(layer) not in seen:
            seen.add(id(layer))
            found.append((prefix, layer))
            for name, inner in child_layers(layer):
                visit(f"{prefix}{name}/", inner)

    visit("", layer)
    return found


def child_layers(layer: Layer) -> Iterator[tuple[str, Layer]]:
    """Yield the layers directly inside a layer, each with its name in files."""
    graph_layers = layer.layers if getattr(layer, "_graph", None) is not None else []
    counts: Counter = Counter()
    for inner in graph_layers:
        yield _numbered(to_snake_case(type(inner).__name__), counts), inner
    for name, value in list(vars(layer).items()):
        if name != "_chain":
            yield from _leaves(name.strip("_"), value)


def _leaves(name: str, value: Any) -> Iterator[tuple[str, Layer]]:
    if isinstance(value, Layer):
        yield name, value
    elif isinstance(value, (list, tuple)):
        for i, item in enumerate(value):
            yield from _leaves(f"{name}/{i}", item)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _leaves(f"{name}/{key}", item)


def _numbered(name: str, counts: Counter) -> str:
    count = counts[name]
    counts[name] += 1
    return f"{name}_{count}" if count else name
