"""Products of matrices and tensors."""

from __future__ import annotations

from collections.abc import Sequence

from pydl import _core
from pydl._core import ShapeError, Tensor
from pydl.ops.host import promoted
from pydl.typing import ArrayLike

__all__ = ["cross", "dot", "inner", "kron", "linear", "matmul", "outer", "quantized_linear", "tensordot", "vdot"]


def matmul(x1: ArrayLike, x2: ArrayLike) -> Tensor:
    """Matrix product of two tensors, as ``numpy.matmul``.

    Leading axes are batches and broadcast; a 1-D operand counts as one row or one column.
    Transposed operands are used in place, without a copy.

    Args:
        x1: Shape ``(..., m, k)`` or ``(k,)``.
        x2: Shape ``(..., k, n)`` or ``(k,)``.

    Returns:
        Shape ``(..., m, n)``; a 1-D operand leaves its axis out. float16 and bfloat16 are summed in
        float32; integers wrap around.

    Raises:
        ShapeError: If the inner extents differ or the batches do not broadcast.

    Example:
        >>> pydl.ops.matmul([[1.0, 2.0]], [[3.0], [4.0]])
        tensor([[11.]])
    """
    return _core.matmul(x1, x2)


def linear(
    x: ArrayLike,
    kernel: ArrayLike,
    bias: ArrayLike | None = None,
    activation: str | None = None,
    axes: int = 1,
) -> Tensor:
    """``activation(x @ kernel + bias)`` in one kernel: a fully connected layer.

    Args:
        x: A floating tensor of shape ``(..., in)``, or with as many last axes as `axes` says.
        kernel: Shape ``(in, out)``, each of which may be several axes.
        bias: Shape ``(out,)``, or None.
        activation: "relu", "relu6", "sigmoid", "tanh", "silu", "gelu", "gelu_tanh", or None.
        axes: How many of the last axes of `x` are summed over, which the kernel begins with.

    Returns:
        Shape ``(..., out)``, in the dtype that all three promote to.

    Raises:
        ShapeError: If the shapes do not fit together.
        DTypeError: If neither `x` nor `kernel` is floating.
        ValueError: If the activation is another one; apply it to the result instead.

    Example:
        >>> pydl.ops.linear([[1.0, -2.0]], [[1.0, 3.0], [2.0, 1.0]], [0.5, 0.5], activation="relu")
        tensor([[0. , 1.5]])
    """
    return _core.linear(x, kernel, bias, activation, axes)


def quantized_linear(
    x: ArrayLike,
    kernel: ArrayLike,
    kernel_scale: ArrayLike,
    bias: ArrayLike | None = None,
    activation: str | None = None,
    x_scale: ArrayLike | None = None,
) -> Tensor:
    """``activation(x @ kernel / (x_scale * kernel_scale) + bias)`` of int8 numbers, in one kernel.

    The products are summed exactly, in int32. Scales are what numbers were multiplied by, as
    `pydl.quantizers.abs_max_quantize` returns them. A floating `x` is quantized on the way, each row so
    that its largest magnitude becomes 127. No gradients flow back.

    Args:
        x: Shape ``(..., in)``, int8, float32, float16 or bfloat16.
        kernel: Shape ``(in, out)``, int8.
        kernel_scale: The scale of each column of `kernel`, shape ``(out,)`` or ``(1, out)``, or one of all.
        bias: Shape ``(out,)``, or None.
        activation: One of those of `linear`, or None.
        x_scale: The scale of each row of an int8 `x`, shape ``(..., 1)``, or one of all.

    Returns:
        Shape ``(..., out)``, in the dtype of a floating `x`, or float32.

    Raises:
        ShapeError: If the shapes do not fit together.
        DTypeError: If `kernel` is not int8, or `x` of another dtype.
        ValueError: If `x_scale` is missing, or given for a floating `x`; or another activation.

    Example:
        >>> kernel, scale = pydl.quantizers.abs_max_quantize([[1.0, -2.0], [0.5, 4.0]], axis=0)
        >>> pydl.ops.quantized_linear([[2.0, 1.0]], kernel, scale).numpy().round(1)
        array([[2.5, 0. ]], dtype=float32)
    """
    return _core.quantized_linear(x, kernel, kernel_scale, bias, activation, x_scale)


def dot(x1: ArrayLike, x2: ArrayLike) -> Tensor:
    """Dot product of two tensors, as ``numpy.dot``.

    Of vectors the inner product, of matrices the matrix product, with a number the scaled tensor;
    otherwise the sum over the last axis of `x1` and the second-to-last of `x2`.

    Args:
        x1: Shape ``(..., k)`` or ``()``.
        x2: Shape ``(..., k, n)``, ``(k,)`` or ``()``.

    Returns:
        The axes of `x1` but its last, then those of `x2` but the summed one.

    Raises:
        ShapeError: If the summed extents differ.

    Example:
        >>> pydl.ops.dot([1.0, 2.0], [3.0, 4.0])
        tensor(11.)
    """
    return _core.dot(x1, x2)


def outer(x1: ArrayLike, x2: ArrayLike) -> Tensor:
    """Every product of an element of `x1` with one of `x2`, both flattened.

    Args:
        x1: Any shape, with `m` elements.
        x2: Any shape, with `n` elements.

    Returns:
        Shape ``(m, n)``.

    Example:
        >>> pydl.ops.outer([1.0, 2.0], [3.0, 4.0])
        tensor([[3., 4.],
                [6., 8.]])
    """
    return _core.outer(x1, x2)


def tensordot(
    x1: ArrayLike, x2: ArrayLike, axes: int | tuple[int | Sequence[int], int | Sequence[int]] = 2
) -> Tensor:
    """Sum of products over pairs of axes, as ``numpy.tensordot``.

    Args:
        x1: Any shape.
        x2: Any shape.
        axes: How many of the last axes of `x1` are summed with as many of the first of `x2`; or the
            axes of `x1` and those of `x2`.

    Returns:
        The axes of `x1` that are left, then those of `x2`.

    Raises:
        ShapeError: If the extents of a pair of axes differ.
        ValueError: If an axis is outside its tensor's rank or given twice.

    Example:
        >>> pydl.ops.tensordot([[1.0, 2.0]], [[3.0, 4.0]], axes=(1, 1))
        tensor([[11.]])
    """
    x1_axes, x2_axes = (range(-axes, 0), range(axes)) if isinstance(axes, int) else axes
    return _core.tensordot(x1, x2, x1_axes, x2_axes)


def inner(x1: ArrayLike, x2: ArrayLike) -> Tensor:
    """Sums of products over the last axes of both, as ``numpy.inner``.

    Example:
        >>> pydl.ops.inner([1.0, 2.0], [3.0, 4.0])
        tensor(11.)
    """
    a, b = _core.as_tensor(x1), _core.as_tensor(x2)
    if a.ndim == 0 or b.ndim == 0:
        return _core.multiply(a, b)
    return _core.tensordot(a, b, (-1,), (-1,))


def vdot(x1: ArrayLike, x2: ArrayLike) -> Tensor:
    """The inner product of two tensors, flattened.

    Example:
        >>> pydl.ops.vdot([[1.0, 2.0]], [[3.0, 4.0]])
        tensor(11.)
    """
    return _core.dot(_core.reshape(x1, -1), _core.reshape(x2, -1))


def kron(x1: ArrayLike, x2: ArrayLike) -> Tensor:
    """The Kronecker product: every element of `x1` times the whole of `x2`.

    Example:
        >>> pydl.ops.kron([1, 10], [1, 2, 3])
        tensor([ 1,  2,  3, 10, 20, 30])
    """
    a, b = promoted(x1, x2, broadcast=False)
    rank = max(a.ndim, b.ndim)
    a_shape, b_shape = (1,) * (rank - a.ndim) + a.shape, (1,) * (rank - b.ndim) + b.shape
    a = _core.reshape(a, [size for s in a_shape for size in (s, 1)])
    b = _core.reshape(b, [size for s in b_shape for size in (1, s)])
    return _core.reshape(_core.multiply(a, b), [m * n for m, n in zip(a_shape, b_shape)])


def cross(
    x1: ArrayLike,
    x2: ArrayLike,
    axisa: int = -1,
    axisb: int = -1,
    axisc: int = -1,
    axis: int | None = None,
) -> Tensor:
    """The cross product of vectors of 3 (or 2, in the plane) elements.

    Args:
        x1: Vectors along `axisa`.
        x2: Vectors along `axisb`; the other axes broadcast.
        axisa: An axis of `x1`.
        axisb: An axis of `x2`.
        axisc: The axis of the result; there is none for two vectors of 2 elements.
        axis: If given, in place of all three.

    Raises:
        ShapeError: If the vectors have another length.

    Example:
        >>> pydl.ops.cross([1.0, 0.0, 0.0], [0.0, 1.0, 0.0])
        tensor([0., 0., 1.])
    """
    if axis is not None:
        axisa = axisb = axisc = axis
    a, b = promoted(x1, x2, broadcast=False)
    if a.shape[axisa] not in (2, 3) or b.shape[axisb] not in (2, 3):
        raise ShapeError(f"[cross] expected vectors of 2 or 3, got shapes {a.shape} and {b.shape}")
    a, b = _core.unstack(a, axisa), _core.unstack(b, axisb)
    z = a[0] * b[1] - a[1] * b[0]
    if len(a) == len(b) == 2:
        return z
    a, b = (v if len(v) == 3 else [*v, _core.multiply(v[0], 0)] for v in (a, b))
    return _core.stack([a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], z], axisc)
