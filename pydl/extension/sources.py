"""From source to loaded extension in one call."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

from pydl.extension.build import build, cache_folder
from pydl.extension.library import Extension, load_library

__all__ = ["load", "load_inline"]


def load(
    name: str,
    sources: Sequence[str | os.PathLike[str]],
    *,
    flags: Sequence[str] = (),
    cuda_flags: Sequence[str] = (),
    link_flags: Sequence[str] = (),
    native: bool = True,
    folder: str | os.PathLike[str] | None = None,
    verbose: bool = False,
) -> Extension:
    """Compile an extension with this machine's compiler and load it.

    What was compiled is kept and used again while sources, headers beside them, flags, compiler
    command and pydl stay the same. Several processes may call this at once: one compiles, the
    others wait for it.

    Args:
        name: The name that ``PYDL_EXTENSION("...")`` in the sources gives it.
        sources: C++ files, and CUDA files ending in ``.cu``, which need nvcc.
        flags: More flags for the C++ compiler.
        cuda_flags: More flags for nvcc.
        link_flags: More flags for the linker, such as ``-lm``.
        native: Whether to compile for exactly this machine's CPU.
        folder: Where to keep the result; None takes `cache_folder()`.
        verbose: Whether to print the commands.

    Returns:
        The extension.

    Raises:
        FileNotFoundError: A source does not exist.
        CompileError: There is no compiler, or it reports an error, which the message shows.
        ValueError: The library cannot be loaded, or names itself differently.

    Example:
        >>> pydl.extension.load("mine", ["missing.cpp"])
        Traceback (most recent call last):
        FileNotFoundError: [extension] expected a source file, got missing.cpp
    """
    paths = [Path(source) for source in sources]
    if not paths:
        raise ValueError("[extension] expected at least one source, got none")
    for path in paths:
        if not path.is_file():
            raise FileNotFoundError(f"[extension] expected a source file, got {path}")
    library = build(
        name,
        paths,
        flags=flags,
        cuda_flags=cuda_flags,
        link_flags=link_flags,
        native=native,
        folder=Path(folder) if folder is not None else None,
        verbose=verbose,
    )
    extension = load_library(library)
    if extension.name != name:
        extension.unload()
        raise ValueError(
            f'[extension] expected the sources to say PYDL_EXTENSION("{name}"), '
            f'got "{extension.name}"'
        )
    return extension


def load_inline(name: str, cpp: str = "", cuda: str = "", **options) -> Extension:
    """Compile an extension from text, as a notebook does, and load it.

    Args:
        name: The namespace of its ops.
        cpp: C++ source. ``#include <pydl/extension.h>`` and ``PYDL_EXTENSION`` are put before it
            when it does not have them.
        cuda: CUDA source, treated as a ``.cu`` file.
        **options: As for `load`.

    Returns:
        The extension.

    Raises:
        CompileError: As for `load`.
        ValueError: Both texts are empty; or as for `load`.

    Example:
        >>> mine = pydl.extension.load_inline("doubling", '''
        ... void twice(pydl::Tensor x, pydl::Tensor y) {
        ...   for (int64_t i = 0; i < x.count(); ++i) y.data<float>()[i] = 2 * x.data<float>()[i];
        ... }
        ... PYDL_REGISTER_OP(twice).signature("(x: Tensor) -> y")
        ...     .kernel<twice>(PYDL_CPU, PYDL_FLOAT32);
        ... ''')
        >>> mine.twice([1.0, 2.0])
        tensor([2., 4.])
        >>> mine.unload()
    """
    if not cpp and not cuda:
        raise ValueError("[extension] expected C++ or CUDA source, got neither")
    folder = Path(options.pop("folder", None) or cache_folder())
    texts = []
    if cpp or "PYDL_EXTENSION(" not in cuda:
        texts.append((".cpp", _with_header(name, cpp, declares="PYDL_EXTENSION(" not in cuda)))
    if cuda:
        texts.append((".cu", _with_header(name, cuda, declares=False)))
    sources = [_written(folder, name, suffix, text) for suffix, text in texts]
    return load(name, sources, folder=folder, **options)


def _with_header(name: str, source: str, declares: bool) -> str:
    lines = "#include <pydl/extension.h>\n"
    if declares and "PYDL_EXTENSION(" not in source:
        lines += f'PYDL_EXTENSION("{name}")\n'
    return f'{lines}#line 1 "{name}"\n{source}'


def _written(folder: Path, name: str, suffix: str, text: str) -> Path:
    """Put the text into a file named after its hash: two processes write the same thing."""
    own = folder / f"inline-{hashlib.sha256(text.encode()).hexdigest()[:16]}"
    own.mkdir(parents=True, exist_ok=True)
    path = own / f"{name}{suffix}"
    if not path.exists():
        temporary = own / f".{os.getpid()}{suffix}"
        temporary.write_text(text)
        os.replace(temporary, path)
    return path
