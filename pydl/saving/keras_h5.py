"""Weights in HDF5 files of Keras: those of Keras 1 and 2, and the `.weights.h5` of Keras 3."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pydl.layers.layer import Layer
from pydl.saving.weight_names import child_layers
from pydl.variable import Variable

__all__ = ["is_hdf5", "load_h5_weights"]

_SIGNATURE = b"\x89HDF\r\n\x1a\n"


def is_hdf5(path: str) -> bool:
    """Whether a file begins as HDF5 files do."""
    with open(path, "rb") as file:
        return file.read(len(_SIGNATURE)) == _SIGNATURE


def load_h5_weights(model: Layer, path: str, skip_mismatch: bool, by_name: bool) -> None:
    """Set the weights of a model from an HDF5 file of Keras.

    Files of Keras 1 and 2, and whole models saved as `.h5`, list layers in order: weights go to
    the layers that have any in the same order, or by the names of the layers. Files of Keras 3
    have the path that leads to each layer.

    Args:
        model: A built model of the same structure.
        path: The path of the file.
        skip_mismatch: Whether to leave weights without a match as they are.
        by_name: Whether weights go to the layers of the same name, and other layers stay as they
            are; for files that list layers.

    Raises:
        ImportError: h5py is not installed.
        ValueError: the file is damaged or its weights do not match; nothing is changed then.
    """
    try:
        import h5py
    except ImportError as error:
        raise ImportError(
            f"[load_weights] expected the package h5py, which reads {path}. Hint: pip install h5py."
        ) from error
    try:
        with h5py.File(path, "r") as file:
            pairs = _listed(model, _weights_of(file), by_name, path, skip_mismatch)
            if pairs is None:
                if by_name:
                    raise _error(path, "a list of layers for by_name=True, which it does not have")
                pairs = list(_nested(model, file, path, skip_mismatch))
            values = [(where, variable, np.asarray(data)) for where, variable, data in pairs]
    except (OSError, KeyError, RuntimeError) as error:
        raise _error(path, f"weights that can be read, but: {error}") from error
    fitting = [item for item in values if item[2].shape == item[1].shape]
    if len(fitting) < len(values) and not skip_mismatch:
        where, variable, value = next(v for v in values if v[2].shape != v[1].shape)
        raise _error(path, f"shape {variable.shape} for {where}, got {value.shape}")
    for _, variable, value in fitting:
        variable.assign(value.astype(variable.dtype) if value.dtype != variable.dtype else value)


def _error(path: str, message: str) -> ValueError:
    return ValueError(f"[load_weights] expected {path} to have {message}.")


def _weights_of(file: Any) -> Any:
    """Return the group of weights, which in the file of a whole model is one of several."""
    return file["model_weights"] if "model_weights" in file else file


def _names(group: Any, attribute: str) -> list[str] | None:
    """Return a list of names; a long one is in pieces that are numbered."""
    pieces = [group.attrs[attribute]] if attribute in group.attrs else []
    while f"{attribute}{len(pieces)}" in group.attrs:
        pieces.append(group.attrs[f"{attribute}{len(pieces)}"])
    if not pieces:
        return None
    return [n.decode() if isinstance(n, bytes) else str(n) for piece in pieces for n in piece]


def _listed(
    model: Any, group: Any, by_name: bool, path: str, skip_mismatch: bool
) -> list[tuple[str, Variable, Any]] | None:
    """Return what belongs together in a file that lists layers; None if it is none."""
    names = _names(group, "layer_names")
    if names is None:
        return None
    saved = {name: _names(group[name], "weight_names") or [] for name in names}
    if by_name:
        layers = {layer.name: layer for layer in model.layers}
        matches = [(name, layers[name]) for name in names if name in layers]
    else:
        filled = [name for name in names if saved[name]]
        owners = [layer for layer in model.layers if layer.weights]
        if len(filled) != len(owners):
            raise _error(path, f"{len(owners)} layers with weights, got {len(filled)}")
        matches = list(zip(filled, owners))
    pairs = []
    for name, layer in matches:
        # Files list trainable weights first, also where Keras since has another order.
        variables = layer.trainable_weights + layer.non_trainable_weights
        if len(variables) == len(saved[name]):
            datasets = [group[name][weight] for weight in saved[name]]
            pairs += [(f"{layer.name!r}", v, data) for v, data in zip(variables, datasets)]
        elif not skip_mismatch:
            found = len(saved[name])
            raise _error(path, f"{len(variables)} weights for {layer.name!r}, got {found}")
    return pairs


def _nested(
    layer: Layer, group: Any, path: str, skip_mismatch: bool, seen: set[int] | None = None
) -> Iterator[tuple[str, Variable, Any]]:
    """Yield what belongs together in a file of Keras 3: a group for a layer, in it those inside."""
    seen = set() if seen is None else seen
    seen.add(id(layer))
    own = list({id(variable): variable for variable in layer._contents()[0]}.values())
    variables = [v for v in own if v.trainable] + [v for v in own if not v.trainable]
    saved = group["vars"] if "vars" in group else {}
    if len(saved) == len(variables):
        for i, variable in enumerate(variables):
            yield f"{layer.name!r}", variable, saved[str(i)]
    elif not skip_mismatch:
        raise _error(path, f"{len(variables)} weights for {layer.name!r}, got {len(saved)}")
    for name, inner in child_layers(layer):
        if id(inner) in seen or not inner.weights:
            continue
        inside = next((group[n] for n in (f"layers/{name}", name) if n in group), None)
        if inside is not None:
            yield from _nested(inner, inside, path, skip_mismatch, seen)
        elif not skip_mismatch:
            raise _error(path, f"a group {name!r} in {group.name!r} for {inner.name!r}")
