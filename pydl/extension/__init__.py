"""Ops and kernels of your own, in C++ and CUDA. `docs/extending.md` is the guide."""

from pydl.extension.library import Extension, gradient, load_library, loaded
from pydl.extension.build import CompileError, cache_folder
from pydl.extension.sources import load, load_inline
from pydl.extension.paths import cmake_folder, include_folder

__all__ = [
    "CompileError",
    "Extension",
    "cache_folder",
    "cmake_folder",
    "gradient",
    "include_folder",
    "load",
    "load_inline",
    "load_library",
    "loaded",
]
