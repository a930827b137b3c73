"""Linear algebra: those of `pydl.ops` that `keras.ops.linalg` has."""

from __future__ import annotations

from typing import Any

from pydl import ops

__all__ = """
    cholesky cholesky_inverse det eigh inv jvp lstsq lu_factor matrix_rank norm pinv qr solve
    solve_triangular svd
""".split()


def __getattr__(name: str) -> Any:
    if name in __all__:
        return getattr(ops, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
