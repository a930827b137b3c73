"""The extension that `python -m pydl.extension new` writes."""

from __future__ import annotations

import keyword
from pathlib import Path

__all__ = ["new_extension"]

_TEMPLATE = Path(__file__).resolve().parent / "template"


def new_extension(name: str, folder: Path | None = None) -> Path:
    """Write a working extension: kernels, gradient, test, benchmark, build files, README.

    Args:
        name: Of the op, of its namespace and of the Python package.
        folder: Where to put it; None takes the name, in the current folder.

    Returns:
        The folder.

    Raises:
        ValueError: The name cannot be used.
        FileExistsError: The folder exists and is not empty.
    """
    if not name.isidentifier() or keyword.iskeyword(name) or not name.isascii() or name == "pydl":
        raise ValueError(f"[extension] expected a name of letters, digits and _, got {name!r}")
    folder = Path(name) if folder is None else folder
    if folder.exists() and any(folder.iterdir()):
        raise FileExistsError(f"[extension] expected an empty or new folder, got {folder}")
    for source in sorted(_TEMPLATE.rglob("*.in")):
        relative = str(source.relative_to(_TEMPLATE)).replace("NAME", name)[: -len(".in")]
        target = folder / relative
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(source.read_text().replace("@NAME@", name))
    return folder
