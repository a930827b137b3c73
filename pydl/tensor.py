"""Making tensors from other arrays, and the methods that `Tensor` has besides its operators."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from pydl import _core, autograd, ops
from pydl._core import Tensor
from pydl.typing import ArrayLike, DTypeLike

__all__ = ["Tensor", "from_dlpack", "from_numpy", "tensor"]


def tensor(
    data: ArrayLike,
    dtype: DTypeLike | None = None,
    requires_grad: bool = False,
    device: str | None = None,
) -> Tensor:
    """Makes a tensor with a copy of `data`.

    Args:
        data: Numbers, nested lists, a numpy array or scalar, a pandas Series or DataFrame, a
            Tensor. Python floats become float32 and Python ints int32 (int64 where they must);
            arrays keep their dtype.
        dtype: The element type; None keeps that of `data`.
        requires_grad: Whether backward shall compute a gradient for it.
        device: Such as "gpu:0"; None takes that of a tensor, else that of `pydl.device`.

    Returns:
        A new tensor outside any graph.

    Raises:
        DTypeError: If `data` holds something else than numbers.
        DeviceError: If there is no such device.

    Example:
        >>> pydl.tensor([[1, 2], [3, 4]], dtype="float32")
        tensor([[1., 2.],
                [3., 4.]])
    """
    result = _core.tensor(data, dtype, device)
    if requires_grad:
        result.requires_grad = True
    return result


def from_numpy(array: np.ndarray) -> Tensor:
    """Makes a tensor on the memory of a numpy array: writing to one changes the other.

    Raises:
        DTypeError: If `array` is no numpy array, or of a dtype that pydl lacks.

    Example:
        >>> a = np.zeros(2, "float32")
        >>> t = pydl.from_numpy(a)
        >>> a[0] = 5
        >>> t
        tensor([5., 0.])
    """
    if not isinstance(array, np.ndarray):
        raise _core.DTypeError(f"[from_numpy] expected a numpy array, got {type(array).__name__}")
    return _core.from_numpy(array)


def from_dlpack(x: Any) -> Tensor:
    """Makes a tensor on the memory of any object with ``__dlpack__`` (torch, JAX, CuPy, ...).

    Raises:
        DTypeError: If `x` has no ``__dlpack__`` or holds a dtype that pydl lacks.
        DeviceError: If its memory is not on a device that pydl can use.
    """
    return _core.from_dlpack(x)


def _method(function: Callable) -> Callable:
    setattr(Tensor, function.__name__, function)
    return function


@_method
def numpy(self: Tensor) -> np.ndarray:
    """The elements as a numpy array on the same memory.

    bfloat16 comes as a float32 copy, and a tensor on a GPU as a copy on the CPU.
    """
    return _core.numpy(self)


@_method
def __array__(self: Tensor, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
    array = _core.numpy(self)
    if copy is False and (self.dtype == "bfloat16" or dtype not in (None, array.dtype)):
        raise ValueError(
            f"[__array__] expected dtype {self.dtype} and one that numpy has with copy=False, "
            f"got {self.dtype} as {dtype or array.dtype}"
        )
    if dtype is not None and array.dtype != dtype:
        return array.astype(dtype)
    return array.copy() if copy else array


Tensor.__array_priority__ = 1000.0  # so that `array + tensor` is a tensor


@_method
def to(self: Tensor, device: str) -> Tensor:
    """The elements on another device; the tensor itself when it is there already.

    Args:
        device: "cpu", "gpu" or "gpu:" and an index.

    Returns:
        A tensor whose gradient comes back to this one's device.

    Raises:
        DeviceError: If there is no such device.

    Example:
        >>> x = pydl.tensor([1.0, 2.0])
        >>> x.to("cpu") is x
        True
    """
    return self if self.device == device else _core.to(self, device)


@_method
def detach(self: Tensor) -> Tensor:
    """The same memory, outside the graph."""
    return _core.detach(self)


@_method
def backward(
    self: Tensor,
    gradient: ArrayLike | None = None,
    retain_graph: bool = False,
    create_graph: bool = False,
) -> None:
    """Adds this tensor's gradient to the ``.grad`` of the leaves; see `pydl.autograd.backward`."""
    if gradient is not None and not isinstance(gradient, Tensor):
        gradient = tensor(gradient)
    autograd.backward(self, gradient, retain_graph, create_graph)


@_method
def item(self: Tensor) -> float | int | bool:
    """The only element, as a Python number.

    Raises:
        ShapeError: If there are several elements or none.
    """
    return _core.item(self)


@_method
def tolist(self: Tensor) -> Any:
    """The elements as nested Python lists."""
    return _core.numpy(self).tolist()


@_method
def astype(self: Tensor, dtype: DTypeLike) -> Tensor:
    """The elements converted to another dtype; the tensor itself when it has it already."""
    return ops.cast(self, dtype)


@_method
def copy(self: Tensor) -> Tensor:
    """A dense copy, recorded as an op."""
    return _core.copy(self)


@_method
def contiguous(self: Tensor) -> Tensor:
    """The tensor itself when it is dense, else a dense copy."""
    return _core.contiguous(self)


@_method
def reshape(self: Tensor, *shape: Any) -> Tensor:
    """The same elements in another shape; see `pydl.ops.reshape`."""
    return ops.reshape(self, shape[0] if len(shape) == 1 else shape)


@_method
def transpose(self: Tensor, *axes: Any) -> Tensor:
    """The axes in another order, reversed where none are given; see `pydl.ops.transpose`."""
    return ops.transpose(self, (axes[0] if len(axes) == 1 else axes) if axes else None)


@_method
def __repr__(self: Tensor) -> str:
    array = _core.numpy(self)
    body = np.array2string(array, separator=", ", prefix="tensor(")
    notes = "" if self.dtype in ("float32", "int32", "bool") else f", dtype={self.dtype}"
    notes += "" if self.device == "cpu" else f", device={self.device}"
    if self.size == 0 and self.shape != (0,):
        notes = f", shape={self.shape}" + notes
    if self.requires_grad:
        notes += ", requires_grad=True"
    return f"tensor({body}{notes})"


@_method
def __float__(self: Tensor) -> float:
    return float(item(self))


@_method
def __int__(self: Tensor) -> int:
    return int(item(self))


@_method
def __bool__(self: Tensor) -> bool:
    return bool(item(self))


@_method
def __index__(self: Tensor) -> int:
    if not self.dtype.startswith(("int", "uint")) or self.ndim != 0:
        raise TypeError(
            f"[index] expected an integer tensor of no axes, got {self.dtype} of shape {self.shape}"
        )
    return int(item(self))


@_method
def __format__(self: Tensor, spec: str) -> str:
    return format(item(self), spec) if spec and self.size == 1 else format(repr(self), spec)


@_method
def __copy__(self: Tensor) -> Tensor:
    return _core.copy(self.detach())


@_method
def __deepcopy__(self: Tensor, memo: dict) -> Tensor:
    duplicate = _core.copy(self.detach())
    duplicate.requires_grad = self.requires_grad
    return duplicate


def _unpickled(array: np.ndarray, dtype: str, requires_grad: bool) -> Tensor:
    return tensor(array, dtype, requires_grad)


@_method
def __reduce__(self: Tensor) -> tuple:
    return _unpickled, (_core.numpy(self).copy(), self.dtype, self.requires_grad)


_DL_CPU, _DL_CUDA = 1, 2  # as DLPack numbers devices


@_method
def __dlpack__(
    self: Tensor,
    stream: Any = None,
    max_version: tuple[int, int] | None = None,
    dl_device: tuple[int, int] | None = None,
    copy: bool | None = None,
) -> Any:
    """A DLPack capsule on the same memory; on a GPU, ready for the consumer's stream."""
    if self.requires_grad:
        raise BufferError("[__dlpack__] expected a tensor outside any graph. Hint: detach() it first")
    if dl_device is not None and tuple(dl_device) != self.__dlpack_device__():
        if tuple(dl_device) != (_DL_CPU, 0) or copy is False:
            raise BufferError(f"[__dlpack__] expected device {self.device}, got {tuple(dl_device)}")
        return _core.to_dlpack(_core.to(self, "cpu"))
    result = _core.copy(self) if copy else self
    if self.device != "cpu" and stream != -1:  # -1: the consumer takes care of the order
        _core.gpu_order_streams(result, 1 if stream is None else stream)
    return _core.to_dlpack(result)


@_method
def __dlpack_device__(self: Tensor) -> tuple[int, int]:
    if self.device == "cpu":
        return (_DL_CPU, 0)
    return (_DL_CUDA, int(self.device.removeprefix("gpu:")))


def _cuda_array_interface(self: Tensor) -> dict[str, Any]:
    """The same memory of a GPU for CuPy, Numba and others."""
    if self.requires_grad:
        raise AttributeError(
            "[__cuda_array_interface__] expected a tensor outside any graph. Hint: detach() it first"
        )
    return _core.cuda_array_interface(self)


Tensor.__cuda_array_interface__ = property(_cuda_array_interface)


Tensor.T = property(
    lambda self: ops.permute(self, tuple(reversed(range(self.ndim)))), doc="The axes reversed."
)


@_method
def __pos__(self: Tensor) -> Tensor:
    return self


# Ops of one tensor first are methods too, with the same arguments.
for _name in (
    "all", "any", "argmax", "argmin", "clip", "cumprod", "cumsum", "dot", "max", "mean", "min",
    "permute", "prod", "ravel", "repeat", "round", "squeeze", "std", "sum", "swapaxes", "take", "var",
):  # fmt: skip
    setattr(Tensor, _name, getattr(ops, _name))
Tensor.flatten = ops.ravel
