"""Matrices as products of simpler ones: eigenvalues, QR, singular values, LU.

Matrices are the last two axes; the axes before them are batches.
"""

from __future__ import annotations

import numpy as np

from pydl import _core
from pydl._core import Tensor
from pydl.autograd import Function
from pydl.ops.host import array, floating, promoted, refuse_gradient, wrapped
from pydl.ops.matrix import lapack, matrices, solve, transposed
from pydl.typing import ArrayLike

__all__ = ["eigh", "lstsq", "lu_factor", "matrix_rank", "pinv", "qr", "svd"]


class _Eigh(Function):
    @staticmethod
    def forward(ctx, x):
        values, vectors = lapack("eigh", np.linalg.eigh, array(x))
        results = wrapped(values, x.dtype), wrapped(vectors, x.dtype)
        ctx.save(*(r.detach() for r in results))
        return results

    @staticmethod
    def backward(ctx, of_values, of_vectors):
        values, vectors = ctx.saved
        gaps = _core.expand_dims(values, -2) - _core.expand_dims(values, -1)
        same = _core.equal(gaps, 0)
        factors = _core.where(same, 0, 1 / _core.where(same, 1, gaps))
        inner = factors * _core.matmul(transposed(vectors), of_vectors)
        identity = _core.eye(values.shape[-1], values.shape[-1], 0, values.dtype)
        inner = inner + identity * _core.expand_dims(of_values, -2)
        full = _core.matmul(_core.matmul(vectors, inner), transposed(vectors))
        return 0.5 * (full + transposed(full))


def eigh(x: ArrayLike) -> tuple[Tensor, Tensor]:
    """Eigenvalues and eigenvectors of symmetric matrices.

    Args:
        x: Symmetric matrices; the lower triangle is read.

    Returns:
        The values in ascending order, and the vectors as columns, of which each has length 1 and
        either sign.

    Example:
        >>> values, vectors = pydl.ops.eigh([[2.0, 0.0], [0.0, 1.0]])
        >>> values
        tensor([1., 2.])
    """
    return _Eigh.apply(matrices("eigh", x))


class _QR(Function):
    @staticmethod
    def forward(ctx, x):
        results = [wrapped(part, x.dtype) for part in np.linalg.qr(array(x), "reduced")]
        ctx.save(*(r.detach() for r in results))
        return tuple(results)

    @staticmethod
    def backward(ctx, of_q, of_r):
        q, r = ctx.saved
        inner = _core.matmul(r, transposed(of_r)) - _core.matmul(transposed(of_q), q)
        below = _core.tril(inner, -1)
        inner = _core.tril(inner, 0) + transposed(below)
        total = of_q + _core.matmul(q, inner)
        return transposed(solve(r, transposed(total)))


def qr(x: ArrayLike, mode: str = "reduced") -> tuple[Tensor, Tensor]:
    """Matrices as products of one with orthonormal columns and an upper triangular one.

    Args:
        x: Matrices ``(..., m, n)``.
        mode: "reduced": ``(..., m, k)`` and ``(..., k, n)``, where k is the smaller of m and n;
            "complete": ``(..., m, m)`` and ``(..., m, n)``.

    Returns:
        ``(q, r)``.

    Raises:
        ValueError: If `mode` is another.
        AutogradError: If a gradient is wanted of wide matrices or in mode "complete".

    Example:
        >>> q, r = pydl.ops.qr([[3.0, 1.0], [4.0, 2.0]])
        >>> pydl.ops.allclose(q @ r, [[3.0, 1.0], [4.0, 2.0]])
        tensor(True)
    """
    if mode not in ("reduced", "complete"):
        raise ValueError(f"[qr] expected mode 'reduced' or 'complete', got {mode!r}")
    x = matrices("qr", x, square=False)
    if mode == "reduced" and x.shape[-2] >= x.shape[-1]:
        return _QR.apply(x)
    refuse_gradient("qr", x)
    return tuple(wrapped(part, x.dtype) for part in np.linalg.qr(array(x), mode))


class _SVD(Function):
    @staticmethod
    def forward(ctx, x):
        results = lapack("svd", np.linalg.svd, array(x), False)
        results = tuple(wrapped(part, x.dtype) for part in results)
        ctx.save(*(r.detach() for r in results))
        return results

    @staticmethod
    def backward(ctx, of_u, of_s, of_vh):
        u, s, vh = ctx.saved
        v, of_v = transposed(vh), transposed(of_vh)
        row, column = _core.expand_dims(s, -2), _core.expand_dims(s, -1)
        gaps = _core.square(row) - _core.square(column)
        same = _core.equal(gaps, 0)
        factors = _core.where(same, 0, 1 / _core.where(same, 1, gaps))
        identity = _core.eye(s.shape[-1], s.shape[-1], 0, s.dtype)
        left, right = _core.matmul(transposed(u), of_u), _core.matmul(vh, of_v)
        inner = (left - transposed(left)) * factors * row + column * (
            (right - transposed(right)) * factors
        )
        inner = inner + identity * _core.expand_dims(of_s, -2)
        outside_u = (of_u - _core.matmul(u, left)) / row
        outside_v = (of_v - _core.matmul(v, right)) / row
        result = _core.matmul(_core.matmul(u, inner), vh) + _core.matmul(outside_u, vh)
        return result + _core.matmul(u, transposed(outside_v))


def svd(
    x: ArrayLike, full_matrices: bool = True, compute_uv: bool = True
) -> Tensor | tuple[Tensor, Tensor, Tensor]:
    """Matrices as ``u @ diag(s) @ vh``, with orthonormal columns of u and rows of vh.

    Args:
        x: Matrices ``(..., m, n)``.
        full_matrices: Whether u and vh are square, with vectors that `s` has no value for.
        compute_uv: Whether to return u and vh too.

    Returns:
        ``(u, s, vh)``, or `s`: the singular values, the largest first.

    Raises:
        AutogradError: If a gradient is wanted with full matrices that are not square.

    Example:
        >>> pydl.ops.svd([[3.0, 0.0], [0.0, 2.0]], compute_uv=False)
        tensor([3., 2.])
    """
    x = matrices("svd", x, square=False)
    if not compute_uv:
        return _SVD.apply(x)[1]
    if not full_matrices or x.shape[-1] == x.shape[-2]:
        return _SVD.apply(x)
    refuse_gradient("svd", x)
    return tuple(wrapped(p, x.dtype) for p in lapack("svd", np.linalg.svd, array(x), True))


def pinv(x: ArrayLike, rcond: float | None = None) -> Tensor:
    """The pseudo-inverse of Moore and Penrose.

    Args:
        x: Matrices.
        rcond: Singular values below this share of the largest count as 0; None is a few times the
            dtype's precision.

    Example:
        >>> pydl.ops.pinv([[2.0], [0.0]])
        tensor([[0.5, 0. ]])
    """
    x = matrices("pinv", x, square=False)
    u, s, vh = svd(x, full_matrices=False)
    if rcond is None:
        rcond = 10 * max(x.shape[-2:]) * float(np.finfo(array(x).dtype).eps)
    kept = _core.greater(s, rcond * _core.max(s, -1, True))
    inverse = _core.where(kept, 1 / _core.where(kept, s, 1), 0)
    return _core.matmul(transposed(vh) * _core.expand_dims(inverse, -2), transposed(u))


def lstsq(a: ArrayLike, b: ArrayLike, rcond: float | None = None) -> Tensor:
    """The `x` that brings ``a @ x`` as near to `b` as can be, in the sense of squares.

    Args:
        a: A matrix ``(m, n)``.
        b: A vector ``(m,)`` or a matrix ``(m, k)``.
        rcond: As in `pinv`.

    Example:
        >>> pydl.ops.lstsq([[1.0], [1.0]], [1.0, 3.0]).numpy().round(4).tolist()
        [2.0]
    """
    a, b = promoted(a, b, broadcast=False)
    return _core.matmul(pinv(a, rcond), floating(b))


def lu_factor(x: ArrayLike) -> tuple[Tensor, Tensor]:
    """Square matrices as products of a lower and an upper triangular one, with rows exchanged.

    Args:
        x: Square matrices.

    Returns:
        Both triangles in one matrix (the lower one's diagonal is 1), and for every row the int32 number
        of the row that it was exchanged with, one after the other.

    Raises:
        AutogradError: If a gradient is wanted; it has none.

    Example:
        >>> pydl.ops.lu_factor([[4.0, 2.0], [2.0, 3.0]])[0]
        tensor([[4. , 2. ],
                [0.5, 2. ]])
    """
    x = matrices("lu_factor", x)
    refuse_gradient("lu_factor", x)
    lu = array(x).copy()
    n = lu.shape[-1]
    flat = lu.reshape(-1, n, n)
    pivots = np.zeros((len(flat), n), "int32")
    for matrix, exchanged in zip(flat, pivots):
        for i in range(n):
            j = exchanged[i] = i + int(np.abs(matrix[i:, i]).argmax())
            matrix[[i, j]] = matrix[[j, i]]
            if matrix[i, i] != 0:
                matrix[i + 1 :, i] /= matrix[i, i]
                matrix[i + 1 :, i + 1 :] -= np.outer(matrix[i + 1 :, i], matrix[i, i + 1 :])
    return wrapped(flat.reshape(lu.shape), x.dtype), wrapped(pivots.reshape(lu.shape[:-1]))


def matrix_rank(x: ArrayLike, tol: float | None = None) -> Tensor:
    """How many rows of matrices are linearly independent, int32.

    Args:
        x: Matrices.
        tol: Singular values up to it count as 0; None is the largest times the precision.

    Example:
        >>> pydl.ops.matrix_rank([[1.0, 2.0], [2.0, 4.0]])
        tensor(1)
    """
    x = matrices("matrix_rank", x, square=False)
    return wrapped(lapack("matrix_rank", np.linalg.matrix_rank, array(x), tol), "int32")
