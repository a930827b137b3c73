"""Model files: one zip with the structure in JSON and the numbers in safetensors.

`model.json` holds the version of the format, the descriptions of the model and of how it was
compiled, and the states of random streams; `weights.safetensors` the weights, and
`optimizer.safetensors` the state of the optimizer.
"""

from __future__ import annotations

import contextlib
import json
import os
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any

from pydl._call_errors import show
from pydl.saving import safetensors
from pydl.saving.atomic import write_atomically
from pydl.saving.keras_h5 import is_hdf5, load_h5_weights
from pydl.saving.serialize import deserialize_keras_object, serialize_keras_object
from pydl.saving.weight_names import assign_weights, named_generators, named_weights

__all__ = ["load_model", "load_weights", "model_from_json", "save_model", "save_weights"]

_FORMAT, _VERSION = "pydl model", 1
_MODEL, _WEIGHTS, _OPTIMIZER = "model.json", "weights.safetensors", "optimizer.safetensors"


def save_model(model: Any, filepath: Any, overwrite: bool = True) -> None:
    """Save a model, its weights and the state of its optimizer in one file.

    The file is written beside its place and moved there when it is whole, so that a full disk or
    a crash leaves the file that was there before.

    Args:
        model: A built model.
        filepath: A path that ends in `.pydl` or `.keras`.
        overwrite: Whether an existing file may be replaced.

    Raises:
        ValueError: another ending, or a model that is not built.
        FileExistsError: the file exists and `overwrite` is False.
        TypeError: a part of the model that cannot be described, such as a lambda.

    Example:
        >>> import os, pydl, tempfile
        >>> path = os.path.join(tempfile.mkdtemp(), "model.pydl")
        >>> model = pydl.Sequential([pydl.Input((2,)), pydl.layers.Dense(1)])
        >>> model.save(path)
        >>> pydl.models.load_model(path).count_params()
        3
    """
    path = _check_path("save", filepath, (".pydl", ".keras"), overwrite)
    if not model.built:
        raise ValueError(
            f"[{model.name}] save expected a built model. Hint: call it on data first."
        )
    description = {"format": _FORMAT, "version": _VERSION, "pydl_version": _pydl_version()}
    description["model"] = serialize_keras_object(model)
    description["build"] = model.get_build_config()
    description["random"] = {name: g.state for name, g in named_generators(model).items()}
    optimizer = getattr(model, "optimizer", None)
    if getattr(model, "compiled", False):
        description["compile"] = model.get_compile_config()
    text = json.dumps(description, indent=1)

    def write(file) -> None:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
            archive.writestr(_MODEL, text)
            _write_tensors(archive, _WEIGHTS, named_weights(model))
            if optimizer is not None and optimizer.built:
                state = {str(i): v for i, v in enumerate(optimizer.variables)}
                _write_tensors(archive, _OPTIMIZER, state)

    write_atomically(path, write)


def load_model(
    filepath: Any, custom_objects: dict[str, Any] | None = None, compile: bool = True
) -> Any:
    """Return the model that `save_model` saved, ready to go on training.

    Args:
        filepath: The path of the file.
        custom_objects: Classes and functions by name that the model uses and that are not
            registered with `register_keras_serializable`.
        compile: Whether to compile it as it was, with the state of the optimizer.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is cut off, damaged, of another format or version, or lacks weights.
    """
    path = _as_path("load_model", filepath)
    with _open_archive(path) as archive:
        description = _read_description(archive, path)
        model = _make(description, path, custom_objects)
        assign_weights(model, _read_tensors(archive, _WEIGHTS, path), path)
        if compile and description.get("compile") is not None:
            _restore_compile(model, description["compile"], archive, path, custom_objects)
    return model


def save_weights(model: Any, filepath: Any, overwrite: bool = True) -> None:
    """Save the weights of a model as a safetensors file.

    Args:
        model: A built model.
        filepath: A path that ends in `.safetensors`.
        overwrite: Whether an existing file may be replaced.

    Raises:
        ValueError: another ending, or a model that is not built.
        FileExistsError: the file exists and `overwrite` is False.
    """
    path = _check_path("save_weights", filepath, (".safetensors",), overwrite)
    if not model.built:
        raise ValueError(f"[{model.name}] save_weights expected a built model.")
    parts = safetensors.dump(named_weights(model), {"format": "pydl"})
    write_atomically(path, lambda file: file.writelines(parts))


def load_weights(
    model: Any, filepath: Any, skip_mismatch: bool = False, by_name: bool = False
) -> None:
    """Set the weights of a model from a file of `save_weights` or `save_model`, or of Keras.

    Args:
        model: A built model of the same structure.
        filepath: The path of the file; of Keras's files those that end in `.h5`.
        skip_mismatch: Whether to leave weights without a match as they are.
        by_name: Whether weights go to the layers of the same names, and other layers stay as they
            are; for files of Keras 2.

    Raises:
        ImportError: the file is one of Keras, and h5py is not installed.
        FileNotFoundError: there is no such file.
        ValueError: the file is damaged, or its weights do not match; nothing is changed then.
    """
    path = _as_path("load_weights", filepath)
    if not model.built:
        raise ValueError(
            f"[{model.name}] load_weights expected a built model. "
            "Hint: call it on data, or build(input_shape), before."
        )
    if not os.path.exists(path):
        raise FileNotFoundError(f"[load_weights] expected a file at {path}, found none.")
    if is_hdf5(path):
        load_h5_weights(model, path, skip_mismatch, by_name)
        return
    if by_name:
        raise ValueError(f"[load_weights] expected a file of Keras 2 for by_name=True, got {path}.")
    if zipfile.is_zipfile(path):
        with _open_archive(path) as archive:
            _read_description(archive, path)
            values = _read_tensors(archive, _WEIGHTS, path)
    else:
        with open(path, "rb") as file:
            values = _parse(file.read(), path)
    assign_weights(model, values, path, skip_mismatch)


def model_from_json(json_string: str, custom_objects: dict[str, Any] | None = None) -> Any:
    """Return a model of the structure that `model.to_json()` described, with new weights.

    Args:
        json_string: The description.
        custom_objects: Classes and functions by name.

    Example:
        >>> import pydl
        >>> model = pydl.Sequential([pydl.Input((2,)), pydl.layers.Dense(1)])
        >>> pydl.models.model_from_json(model.to_json()).output_shape
        (None, 1)
    """
    return deserialize_keras_object(json.loads(json_string), custom_objects)


def _make(description: dict[str, Any], path: str, custom_objects: Any) -> Any:
    """Return the model of a description, with new weights and the random streams it had."""
    with _told("make", path):
        model = deserialize_keras_object(description["model"], custom_objects)
        if not model.built and description["build"]:
            model.build_from_config(description["build"])
        for name, generator in named_generators(model).items():
            generator.state = tuple(description["random"][name])
    return model


@contextlib.contextmanager
def _told(verb: str, path: str) -> Iterator[None]:
    """Within it, errors that come from a description which makes no sense say so."""
    try:
        yield
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        if isinstance(error, ValueError) and str(error).startswith("["):
            raise
        raise ValueError(
            f"[load_model] cannot {verb} the model that {path} describes: {error!r}."
        ) from error


def _restore_compile(
    model: Any, config: Any, archive: zipfile.ZipFile, path: str, custom_objects: Any
) -> None:
    from pydl.saving.registry import custom_object_scope

    with _told("compile", path), custom_object_scope(custom_objects):
        model.compile_from_config(config)
    if _OPTIMIZER not in archive.namelist():
        return
    state = _read_tensors(archive, _OPTIMIZER, path)
    variables = model.optimizer.variables
    shapes = [v.shape for v in variables]
    found = [state[str(i)].shape if str(i) in state else None for i in range(len(state))]
    if shapes != found:
        raise ValueError(
            f"[load_model] expected optimizer state of shapes {shapes} in {path}, got {found}."
        )
    for i, variable in enumerate(variables):
        variable.assign(state[str(i)])


def _as_path(caller: str, filepath: Any) -> str:
    if not isinstance(filepath, (str, os.PathLike)):
        raise TypeError(f"[{caller}] expected the path of a file, got {show(filepath)}.")
    return os.fspath(filepath)


def _check_path(caller: str, filepath: Any, endings: tuple[str, ...], overwrite: bool) -> str:
    path = _as_path(caller, filepath)
    if not path.endswith(endings):
        raise ValueError(
            f"[{caller}] expected a path that ends in {' or '.join(endings)}, got {path!r}."
        )
    if not overwrite and os.path.exists(path):
        raise FileExistsError(f"[{caller}] expected no file at {path}. Hint: overwrite=True.")
    return path


def _open_archive(path: str) -> zipfile.ZipFile:
    if not os.path.exists(path):
        raise FileNotFoundError(f"[load_model] expected a model file at {path}, found none.")
    try:
        return zipfile.ZipFile(path)
    except (zipfile.BadZipFile, NotImplementedError, OSError, EOFError) as error:
        raise ValueError(
            f"[load_model] expected a pydl model file at {path}, got one that is cut off or in "
            "another format."
        ) from error


def _read_description(archive: zipfile.ZipFile, path: str) -> dict[str, Any]:
    names = archive.namelist()
    if _MODEL not in names:
        kind = "a file saved by Keras" if "model.weights.h5" in names else "another zip file"
        raise ValueError(f"[load_model] expected a pydl model file at {path}, got {kind}.")
    try:
        description = json.loads(_read(archive, _MODEL, path))
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise ValueError(f"[load_model] expected {_MODEL} in {path} to be JSON.") from error
    if not isinstance(description, dict) or description.get("format") != _FORMAT:
        raise ValueError(f"[load_model] expected the description of a pydl model in {path}.")
    if description.get("version") != _VERSION:
        raise ValueError(
            f"[load_model] expected version {_VERSION} of the model format in {path}, "
            f"got {description.get('version')}, written by pydl {description.get('pydl_version')}. "
            "Hint: load it with that version."
        )
    return description


def _read_tensors(archive: zipfile.ZipFile, name: str, path: str) -> dict[str, Any]:
    if name not in archive.namelist():
        raise ValueError(f"[load_model] expected {name} in {path}, found none.")
    return _parse(_read(archive, name, path), f"{path}/{name}")


def _read(archive: zipfile.ZipFile, name: str, path: str) -> bytes:
    try:
        return archive.read(name)
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        OSError,
        NotImplementedError,
        RuntimeError,
    ) as error:
        raise ValueError(f"[load_model] expected {name} in {path} to be whole: {error}.") from error


def _parse(data: bytes, path: str) -> dict[str, Any]:
    try:
        return safetensors.parse(data)[0]
    except ValueError as error:
        raise ValueError(f"[load_model] cannot read {path}. {error}") from error


def _write_tensors(archive: zipfile.ZipFile, name: str, tensors: dict[str, Any]) -> None:
    with archive.open(name, "w", force_zip64=True) as entry:
        for part in safetensors.dump(tensors, {"format": "pydl"}):
            entry.write(part)


def _pydl_version() -> str:
    import pydl

    return pydl.__version__
