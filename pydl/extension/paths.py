"""Where the installed headers and CMake files are."""

from __future__ import annotations

from pathlib import Path

__all__ = ["cmake_folder", "include_folder"]

_PACKAGE = Path(__file__).resolve().parent.parent


def _folder(installed: Path, in_checkout: Path, what: str) -> Path:
    for folder in (installed, in_checkout):
        if folder.is_dir():
            return folder
    raise FileNotFoundError(
        f"[extension] expected {what} in {installed}, got nothing there. Hint: install pydl again"
    )


def include_folder() -> Path:
    """Return the folder to compile with: it holds ``pydl/extension.h``.

    Example:
        >>> (pydl.extension.include_folder() / "pydl" / "extension.h").exists()
        True
    """
    return _folder(_PACKAGE / "include", _PACKAGE.parent / "csrc" / "include", "pydl's headers")


def cmake_folder() -> Path:
    """Return the folder of ``pydlConfig.cmake``, for ``find_package(pydl)``.

    Example:
        >>> (pydl.extension.cmake_folder() / "pydlConfig.cmake").exists()
        True
    """
    return _folder(_PACKAGE / "cmake", _PACKAGE.parent / "csrc" / "extension", "pydl's CMake files")
