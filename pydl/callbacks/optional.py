"""Importing packages that pydl does not depend on."""

from __future__ import annotations

import importlib
from typing import Any


def need(module: str, package: str, what: str) -> Any:
    """The imported module.

    Args:
        module: what to import, such as `"matplotlib.pyplot"`.
        package: what to install, such as `"matplotlib"`.
        what: who needs it, for the message.

    Raises:
        ImportError: it is not installed; the message names the package.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ImportError(
            f"[{what}] expected the package {package!r}, which is not installed ({error}). "
            f"Install it with: pip install {package}"
        ) from error
