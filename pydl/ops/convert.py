"""Tensors from and to other things, and what is recorded of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from pydl import _core, autograd
from pydl._core import DTypeError, Tensor
from pydl.ops import host
from pydl.typing import ArrayLike, DTypeLike

__all__ = [
    "array",
    "convert_to_numpy",
    "convert_to_tensor",
    "custom_gradient",
    "dtype",
    "is_tensor",
    "jvp",
    "saturate_cast",
    "shape",
    "stop_gradient",
    "view",
]


def convert_to_tensor(
    x: Any, dtype: DTypeLike | None = None, sparse: bool | None = None, ragged: bool | None = None
) -> Tensor:
    """`x` as a tensor; a tensor of the dtype comes back as it is.

    Args:
        x: A number, nested lists, an array or a tensor.
        dtype: The dtype; None keeps that of `x`.
        sparse: None or False: pydl has no sparse tensors.
        ragged: None or False: pydl has no ragged tensors.

    Raises:
        ValueError: If a sparse or ragged tensor is wanted.

    Example:
        >>> pydl.ops.convert_to_tensor([1, 2], dtype="float32")
        tensor([1., 2.])
    """
    if sparse or ragged:
        raise ValueError(
            "[convert_to_tensor] expected neither sparse nor ragged: pydl has no such tensors"
        )
    x = x if isinstance(x, Tensor) else _core.as_tensor(x)
    return x if dtype in (None, x.dtype) else _core.cast(x, dtype)


def array(x: Any, dtype: DTypeLike | None = None) -> Tensor:
    """A tensor of its own from numbers, nested lists, an array or a tensor.

    Example:
        >>> pydl.ops.array([[1.0, 2.0]])
        tensor([[1., 2.]])
    """
    return _core.copy(convert_to_tensor(x, dtype))


def convert_to_numpy(x: ArrayLike) -> np.ndarray:
    """`x` as a NumPy array.

    Example:
        >>> pydl.ops.convert_to_numpy(pydl.tensor([1.0, 2.0]))
        array([1., 2.], dtype=float32)
    """
    return _core.numpy(_core.detach(_core.as_tensor(x)))


def is_tensor(x: Any) -> bool:
    """Whether `x` is a `Tensor`.

    Example:
        >>> pydl.ops.is_tensor([1.0]), pydl.ops.is_tensor(pydl.tensor([1.0]))
        (False, True)
    """
    return isinstance(x, Tensor)


def shape(x: ArrayLike) -> tuple[int, ...]:
    """The extents of `x`.

    Example:
        >>> pydl.ops.shape([[1, 2, 3]])
        (1, 3)
    """
    return x.shape if hasattr(x, "shape") else _core.as_tensor(x).shape


def dtype(x: ArrayLike) -> str:
    """The name of the dtype of `x`.

    Example:
        >>> pydl.ops.dtype(pydl.tensor([1.0]))
        'float32'
    """
    return str(x.dtype) if hasattr(x, "dtype") else _core.as_tensor(x).dtype


def stop_gradient(variable: ArrayLike) -> Tensor:
    """The same elements, from which no gradient flows back.

    Example:
        >>> x = pydl.tensor(3.0, requires_grad=True)
        >>> (x * pydl.ops.stop_gradient(x)).backward()
        >>> x.grad
        tensor(3.)
    """
    return _core.detach(_core.as_tensor(variable))


def saturate_cast(x: ArrayLike, dtype: DTypeLike) -> Tensor:
    """As `cast`, but integers out of the range of the dtype become the nearest in it.

    Example:
        >>> pydl.ops.saturate_cast([-10, 300], "uint8")
        tensor([  0, 255], dtype=uint8)
    """
    x, name = _core.as_tensor(x), _core.empty((0,), dtype).dtype
    if name == "bool" or x.dtype == "bool":
        return _core.cast(x, name)
    limits = (
        np.iinfo(name) if "int" in name else np.finfo("float32" if name == "bfloat16" else name)
    )
    low, high = limits.min, limits.max
    if "int" in x.dtype:
        own = np.iinfo(x.dtype)
        low, high = max(int(max(low, -(2.0**63))), own.min), min(int(min(high, 2**63 - 1)), own.max)
        return _core.cast(_core.maximum(_core.minimum(x, high), low), name)
    if x.dtype in ("float16", "bfloat16"):
        x = _core.cast(x, "float32")
    return _core.cast(_core.clip(x, float(low), float(high)), name)


def view(x: ArrayLike, dtype: DTypeLike | None = None) -> Tensor:
    """The same bytes read as another dtype.

    Args:
        x: A tensor; the last axis grows or shrinks as the sizes of the dtypes ask for.
        dtype: The dtype; None keeps it.

    Raises:
        DTypeError: For bfloat16 and bool, which NumPy cannot reinterpret.
        ValueError: If the last axis does not fit.

    Example:
        >>> pydl.ops.view(pydl.tensor([1.0]), "int32")
        tensor([1065353216])
    """
    x = _core.as_tensor(x)
    if dtype is None:
        return x
    host.refuse_gradient("view", x)
    name = _core.empty((0,), dtype).dtype
    if {"bfloat16", "bool"} & {x.dtype, name}:
        raise DTypeError(f"[view] expected no bfloat16 or bool, got {x.dtype} as {name}")
    return host.wrapped(np.ascontiguousarray(_core.numpy(x)).view(name))


def custom_gradient(f: Callable) -> Callable:
    """Make a function use its own gradient.

    Args:
        f: Returns its result and a function from the gradient of the result (as a positional argument
            and as ``upstream``, whichever it takes) to those of its tensor arguments.

    Returns:
        The function of the same arguments that returns the result only.

    Example:
        >>> @pydl.ops.custom_gradient
        ... def steep(x):
        ...     return x * x, lambda upstream: 100.0 * upstream
        >>> x = pydl.tensor(3.0, requires_grad=True)
        >>> steep(x).backward()
        >>> x.grad
        tensor(100.)
    """

    class Custom(autograd.Function):
        @staticmethod
        def forward(ctx, *args):
            result, ctx.gradient = f(*args)
            return result

        @staticmethod
        def backward(ctx, *grads):
            return ctx.gradient(*grads)

    def run(*args: Any) -> Any:
        return Custom.apply(*(_core.as_tensor(a) if isinstance(a, np.ndarray) else a for a in args))

    return run


def jvp(fun: Callable, primals: tuple, tangents: tuple, has_aux: bool = False) -> tuple[Any, ...]:
    """The value of a function and its derivative in a direction.

    Args:
        fun: A function of tensors that returns a tensor, or with `has_aux` a pair of it and anything.
        primals: The arguments.
        tangents: For each, the direction, in its shape.
        has_aux: Whether `fun` returns a pair.

    Returns:
        ``(value, derivative)``, with `has_aux` also what else the function returns.

    Raises:
        ValueError: If there are not as many tangents as primals.

    Example:
        >>> pydl.ops.jvp(lambda x: x * x, (3.0,), (1.0,))
        (tensor(9.), tensor(6.))
    """
    if len(primals) != len(tangents):
        raise ValueError(
            f"[jvp] expected a tangent for each primal, got {len(primals)} and {len(tangents)}"
        )
    with autograd.enable_grad():
        inputs = []
        for primal in primals:
            inputs.append(_core.detach(_core.as_tensor(primal)))
            inputs[-1].requires_grad = True
        result = fun(*inputs)
        value = result[0] if has_aux else result
        # The gradient is linear in what is passed back: its own gradient gives the derivative.
        weights = _core.full(value.shape, 0, value.dtype)
        weights.requires_grad = True
        back = autograd.grad(value, inputs, weights, create_graph=True, allow_unused=True)
        pairs = [(g, t) for g, t in zip(back, tangents) if g is not None]
        total = sum(_core.sum(_core.multiply(g, t), None, False) for g, t in pairs)
        (derivative,) = autograd.grad(total, [weights])
    value = value.detach()
    return (value, derivative, result[1]) if has_aux else (value, derivative)
