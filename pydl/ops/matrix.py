"""Linear algebra: inverses, determinants, systems of equations.

Matrices are the last two axes; the axes before them are batches. LAPACK computes them, through NumPy,
in float64 for float64 and in float32 otherwise.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from pydl import _core
from pydl._core import ShapeError, Tensor
from pydl.autograd import Function
from pydl.ops.host import array, floating, promoted, wrapped
from pydl.ops.shape import swapaxes
from pydl.typing import ArrayLike

__all__ = [
    "cholesky",
    "cholesky_inverse",
    "det",
    "inv",
    "logdet",
    "slogdet",
    "solve",
    "solve_triangular",
]


def matrices(op: str, x: ArrayLike, square: bool = True) -> Tensor:
    x = floating(x)
    if x.ndim < 2 or (square and x.shape[-1] != x.shape[-2]):
        raise ShapeError(f"[{op}] expected {'square ' * square}matrices, got shape {x.shape}")
    return x


def lapack(op: str, function: Callable, *arguments: Any) -> Any:
    # Iterations of LAPACK may never end on these.
    if op in ("eigh", "svd", "matrix_rank") and not np.isfinite(arguments[0]).all():
        raise ValueError(f"[{op}] expected finite numbers, got NaN or infinity")
    try:
        return function(*arguments)
    except np.linalg.LinAlgError as error:
        hint = {"cholesky": "positive definite", "inv": "invertible", "solve": "invertible"}
        raise ValueError(f"[{op}] expected {hint.get(op, 'regular')} matrices: {error}") from error


def transposed(x: Tensor) -> Tensor:
    return swapaxes(x, -1, -2)


class _Inverse(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save(x)
        return wrapped(lapack("inv", np.linalg.inv, array(x)), x.dtype)

    @staticmethod
    def backward(ctx, grad):
        inverse = transposed(inv(ctx.saved[0]))
        return -_core.matmul(_core.matmul(inverse, grad), inverse)


def inv(x: ArrayLike) -> Tensor:
    """The inverse of square matrices.

    Raises:
        ValueError: If a matrix has none.
        ShapeError: If they are not square.

    Example:
        >>> pydl.ops.inv([[2.0, 0.0], [0.0, 4.0]])
        tensor([[0.5 , 0.  ],
                [0.  , 0.25]])
    """
    return _Inverse.apply(matrices("inv", x))


class _LogDeterminant(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save(x)
        sign, logarithm = np.linalg.slogdet(array(x))
        return wrapped(sign, x.dtype), wrapped(logarithm, x.dtype)

    @staticmethod
    def backward(ctx, _, grad):
        grad = _core.expand_dims(grad, (-2, -1))
        return _core.multiply(grad, transposed(inv(ctx.saved[0])))


def slogdet(x: ArrayLike) -> tuple[Tensor, Tensor]:
    """The sign of the determinant of square matrices, and the logarithm of its absolute value.

    Example:
        >>> pydl.ops.slogdet([[-1.0, 0.0], [0.0, 1.0]])
        (tensor(-1.), tensor(0.))
    """
    return _LogDeterminant.apply(matrices("slogdet", x))


class _Determinant(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save(x)
        return wrapped(np.linalg.det(array(x)), x.dtype)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved
        scale = _core.expand_dims(_core.multiply(grad, det(x)), (-2, -1))
        return _core.multiply(scale, transposed(inv(x)))


def det(x: ArrayLike) -> Tensor:
    """The determinant of square matrices. Its gradient needs them to be invertible.

    Example:
        >>> pydl.ops.det([[2.0, 1.0], [0.0, 3.0]])
        tensor(6.)
    """
    return _Determinant.apply(matrices("det", x))


def logdet(x: ArrayLike) -> Tensor:
    """The logarithm of the determinant of symmetric, positive definite matrices.

    Example:
        >>> pydl.ops.logdet([[1.0, 0.0], [0.0, 1.0]])
        tensor(0.)
    """
    return 2 * _core.sum(_core.log(_core.diagonal(cholesky(x), 0, -2, -1)), -1, False)


class _Cholesky(Function):
    @staticmethod
    def forward(ctx, x):
        factor = wrapped(lapack("cholesky", np.linalg.cholesky, array(x)), x.dtype)
        ctx.save(x)
        return factor

    @staticmethod
    def backward(ctx, grad):
        factor = cholesky(ctx.saved[0])
        inverse = inv(factor)
        inner = _core.tril(_core.matmul(transposed(factor), grad), 0)
        inner = inner - 0.5 * _core.tril(_core.triu(inner, 0), 0)
        full = _core.matmul(_core.matmul(transposed(inverse), inner), inverse)
        return 0.5 * (full + transposed(full))


def cholesky(x: ArrayLike, upper: bool = False) -> Tensor:
    """The triangular matrices L with ``x = L @ L.T``.

    Args:
        x: Symmetric, positive definite matrices.
        upper: Whether to return ``L.T``.

    Raises:
        ValueError: If a matrix is not positive definite.
        ShapeError: If they are not square.

    Example:
        >>> pydl.ops.cholesky([[4.0, 0.0], [0.0, 9.0]])
        tensor([[2., 0.],
                [0., 3.]])
    """
    factor = _Cholesky.apply(matrices("cholesky", x))
    return transposed(factor) if upper else factor


def cholesky_inverse(x: ArrayLike, upper: bool = False) -> Tensor:
    """The inverse of the matrices that have the Cholesky factors `x`.

    Args:
        x: Triangular matrices, as `cholesky` returns them.
        upper: Whether they are upper ones.

    Example:
        >>> pydl.ops.cholesky_inverse([[2.0, 0.0], [0.0, 1.0]])
        tensor([[0.25, 0.  ],
                [0.  , 1.  ]])
    """
    inverse = inv(matrices("cholesky_inverse", x))
    other = transposed(inverse)
    return _core.matmul(inverse, other) if upper else _core.matmul(other, inverse)


class _Solve(Function):
    @staticmethod
    def forward(ctx, a, b):
        ctx.save(a, b)
        return wrapped(lapack("solve", np.linalg.solve, array(a), array(b)), a.dtype)

    @staticmethod
    def backward(ctx, grad):
        a, b = ctx.saved
        of_b = _Solve.apply(transposed(a), grad)
        return -_core.matmul(of_b, transposed(_Solve.apply(a, b))), of_b


def solve(a: ArrayLike, b: ArrayLike) -> Tensor:
    """The `x` with ``a @ x = b``.

    Args:
        a: Square matrices ``(..., n, n)``.
        b: Matrices ``(..., n, k)`` or vectors ``(..., n)``.

    Returns:
        The shape of `b`.

    Raises:
        ValueError: If a matrix is singular.
        ShapeError: If the shapes do not fit.

    Example:
        >>> pydl.ops.solve([[2.0, 0.0], [0.0, 4.0]], [2.0, 2.0])
        tensor([1. , 0.5])
    """
    a, b = promoted(a, b, broadcast=False)
    a, b = matrices("solve", a), floating(b)
    vectors = b.ndim == a.ndim - 1
    columns = _core.expand_dims(b, -1) if vectors else b
    if columns.shape[:-1] != a.shape[:-1]:
        raise ShapeError(
            f"[solve] expected right sides (..., {a.shape[-1]}, k) or (..., {a.shape[-1]}) with the "
            f"batches of shape {a.shape}, got shape {b.shape}"
        )
    result = _Solve.apply(a, columns)
    return _core.squeeze(result, -1) if vectors else result


def solve_triangular(a: ArrayLike, b: ArrayLike, lower: bool = False) -> Tensor:
    """As `solve` for triangular matrices; what is on the other side of the diagonal is not read.

    Args:
        a: Square matrices.
        b: Matrices or vectors.
        lower: Whether to read the lower triangle.

    Example:
        >>> pydl.ops.solve_triangular([[1.0, 0.0], [1.0, 2.0]], [1.0, 3.0], lower=True)
        tensor([1., 1.])
    """
    a = matrices("solve_triangular", a)
    return solve((_core.tril if lower else _core.triu)(a, 0), b)
