"""Arithmetic, comparisons and choices, element by element, with broadcasting.

Two tensors are brought to one shape as in NumPy, and to one dtype: bool < uint8, int8 < int32 < int64
< float16, bfloat16 < float32 < float64. A Python number takes the dtype of the tensor beside it.
"""

from __future__ import annotations

from pydl import _core
from pydl._core import Tensor
from pydl.ops.symbolic import direct
from pydl.typing import ArrayLike, DTypeLike

__all__ = [
    "add",
    "cast",
    "divide",
    "equal",
    "floor_divide",
    "greater",
    "greater_equal",
    "less",
    "less_equal",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "maximum",
    "minimum",
    "mod",
    "multiply",
    "not_equal",
    "power",
    "subtract",
    "true_divide",
    "where",
]


@direct(_core.add)
def add(x1: ArrayLike, x2: ArrayLike) -> Tensor:
    """``x1 + x2``, elementwise.

    Args:
        x1: Any shape.
        x2: A shape that broadcasts with that of `x1`.

    Returns:
        The broadcast shape, in the dtype that both promote to. Integers wrap around; for two bools
        it is their logical or.

    Raises:
        ShapeError: If the shapes do not broadcast.

    Example:
        >>> pydl.ops.add([1.0, 2.0], 10)
        tensor([11., 12.])
    """
    return _core.add(x1, x2)


@direct(_core.subtract)
def subtract(x1: ArrayLike, x2: ArrayLike) -> Tensor:
    """``x1 - x2``, elementwise; arguments as `add`, but not for bools.

    Example:
        >>> pydl.ops.subtract([5, 7], [1, 2])
        tensor([4, 5])
    """
    return _core.subtract(x1, x2)


@direct(_core.multiply)
def multiply(x1: ArrayLike, x2: ArrayLike) -> Tensor:
    """``x1 * x2``, elementwise; arguments as `add`. For two bools it is their logical and.

    Example:
        >>> pydl.ops.multiply([[1.0, 2.0], [3.0, 4.0]], [10.0, 100.0])
        tensor([[ 10., 200.],
                [ 30., 400.]])
    """
    return _core.multiply(x1, x2)


@direct(_core.divide)
def divide(x1: ArrayLike, x2: ArrayLike) -> Tensor:
    """``x1 / x2``, elementwise; arguments as `add`.

    Returns:
        The broadcast shape, floating: integers are divided as float32. Division by zero gives an
        infinity or NaN.

    Example:
        >>> pydl.ops.divide([1, 2], 4)
        tensor([0.25, 0.5 ])
    """
    return _core.divide(x1, x2)


@direct(_core.divide)
def true_divide(x1: ArrayLike, x2: ArrayLike) -> Tensor:
    """The same as `divide`."""
    return _core.divide(x1, x2)


@direct(_core.floor_divide)
def floor_divide(x1: ArrayLike, x2: ArrayLike) -> Tensor:
    """``floor(x1 / x2)``, elementwise; arguments as `add`.

    Returns:
        The broadcast shape in the common dtype. An integer divided by zero is 0.

    Example:
        >>> pydl.ops.floor_divide([7, -7], 2)
        tensor([ 3, -4])
    """
    return _core.floor_divide(x1, x2)


@direct(_core.mod)
def mod(x1: ArrayLike, x2: ArrayLike) -> Tensor:
    """The remainder of `floor_divide`, which has the sign of `x2`; arguments as `add`.

    Returns:
        The broadcast shape in the common dtype. An integer's remainder by zero is 0.

    Example:
        >>> pydl.ops.mod([7, -7], 3)
        tensor([1, 2])
    """
    return _core.mod(x1, x2)


@direct(_core.power)
def power(x1: ArrayLike, x2: ArrayLike) -> Tensor:
    """``x1 ** x2``, elementwise; arguments as `add`.

    Returns:
        The broadcast shape in the common dtype. A negative floating base with a fractional exponent
        gives NaN. Integers wrap around; in a tensor of integer exponents, negative ones give the
        integral part of the fraction.

    Raises:
        ValueError: If the base is of integers and the exponent a negative Python int.

    Example:
        >>> pydl.ops.power([2.0, 3.0], 3)
        tensor([ 8., 27.])
    """
    return _core.power(x1, x2)


@direct(_core.maximum)
def maximum(x1: ArrayLike, x2: ArrayLike) -> Tensor:
    """The larger of `x1` and `x2`, elementwise; arguments as `add`.

    A NaN in either is the result. Where both are equal, each gets half of the gradient.

    Example:
        >>> pydl.ops.maximum([1.0, 5.0], 3.0)
        tensor([3., 5.])
    """
    return _core.maximum(x1, x2)


@direct(_core.minimum)
def minimum(x1: ArrayLike, x2: ArrayLike) -> Tensor:
    """The smaller of `x1` and `x2`, elementwise; as `maximum` otherwise.

    Example:
        >>> pydl.ops.minimum([1.0, 5.0], 3.0)
        tensor([1., 3.])
    """
    return _core.minimum(x1, x2)


@direct(_core.equal)
def equal(x1: ArrayLike, x2: ArrayLike) -> Tensor:
    """``x1 == x2``, elementwise, as bools; arguments as `add`.

    Example:
        >>> pydl.ops.equal([1, 2], 2)
        tensor([False,  True])
    """
    return _core.equal(x1, x2)


@direct(_core.not_equal)
def not_equal(x1: ArrayLike, x2: ArrayLike) -> Tensor:
    """``x1 != x2``, elementwise, as bools; arguments as `add`."""
    return _core.not_equal(x1, x2)


@direct(_core.less)
def less(x1: ArrayLike, x2: ArrayLike) -> Tensor:
    """``x1 < x2``, elementwise, as bools; arguments as `add`."""
    return _core.less(x1, x2)


@direct(_core.less_equal)
def less_equal(x1: ArrayLike, x2: ArrayLike) -> Tensor:
    """``x1 <= x2``, elementwise, as bools; arguments as `add`."""
    return _core.less_equal(x1, x2)


@direct(_core.greater)
def greater(x1: ArrayLike, x2: ArrayLike) -> Tensor:
    """``x1 > x2``, elementwise, as bools; arguments as `add`."""
    return _core.greater(x1, x2)


@direct(_core.greater_equal)
def greater_equal(x1: ArrayLike, x2: ArrayLike) -> Tensor:
    """``x1 >= x2``, elementwise, as bools; arguments as `add`."""
    return _core.greater_equal(x1, x2)


@direct(_core.logical_and)
def logical_and(x1: ArrayLike, x2: ArrayLike) -> Tensor:
    """Whether `x1` and `x2` are both true (not zero), elementwise; arguments as `add`.

    Example:
        >>> pydl.ops.logical_and([True, True], [True, False])
        tensor([ True, False])
    """
    return _core.logical_and(x1, x2)


@direct(_core.logical_or)
def logical_or(x1: ArrayLike, x2: ArrayLike) -> Tensor:
    """Whether `x1` or `x2` is true (not zero), elementwise; arguments as `add`."""
    return _core.logical_or(x1, x2)


@direct(_core.logical_xor)
def logical_xor(x1: ArrayLike, x2: ArrayLike) -> Tensor:
    """Whether exactly one of `x1` and `x2` is true (not zero), elementwise; arguments as `add`."""
    return _core.logical_xor(x1, x2)


def logical_not(x: ArrayLike) -> Tensor:
    """Whether `x` is false (zero), elementwise.

    Example:
        >>> pydl.ops.logical_not([0.0, 2.0])
        tensor([ True, False])
    """
    return _core.logical_not(x)


def where(condition: ArrayLike, x1: ArrayLike, x2: ArrayLike) -> Tensor:
    """`x1` where the condition holds, else `x2`.

    Args:
        condition: Bools, or numbers of which zero is false.
        x1: A shape that broadcasts with the others.
        x2: A shape that broadcasts with the others.

    Returns:
        The shape of all three broadcast together, in the dtype that `x1` and `x2` promote to.

    Raises:
        ShapeError: If the shapes do not broadcast.

    Example:
        >>> pydl.ops.where([True, False], [1.0, 2.0], 0.0)
        tensor([1., 0.])
    """
    return _core.where(condition, x1, x2)


def cast(x: ArrayLike, dtype: DTypeLike) -> Tensor:
    """The elements converted to another dtype; the tensor itself when it has it already.

    Floats become integers by dropping the fraction; those out of range become the nearest integer
    of the dtype, and NaN becomes 0. Integers that do not fit a smaller integer dtype wrap around.

    Args:
        x: Any tensor.
        dtype: The dtype wanted, such as ``"float16"``.

    Returns:
        The shape of `x`.

    Example:
        >>> pydl.ops.cast([1.7, -1.7, 1e9], "int8")
        tensor([  1,  -1, 127], dtype=int8)
    """
    return _core.cast(x, dtype)
