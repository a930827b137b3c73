"""How ops that have no kernel are computed: by NumPy, with a gradient made of other ops.

For functions that no training loop spends its time in. Numbers of 16 bits are computed in float32.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from pydl import _core
from pydl._core import AutogradError, Tensor
from pydl.autograd import Function
from pydl.typing import ArrayLike

__all__ = ["array", "computed", "floating", "on_host", "promoted", "refuse_gradient", "wrapped"]

_FLOATS = ("float16", "bfloat16", "float32", "float64")


def array(x: ArrayLike) -> np.ndarray:
    """The elements as a NumPy array; shares memory where it can. 16-bit floats come as float32."""
    tensor = _core.as_tensor(x)
    if tensor.dtype in ("float16", "bfloat16"):
        tensor = _core.cast(tensor, "float32")
    return _core.numpy(_core.detach(tensor))


def wrapped(result: Any, dtype: str | None = None) -> Tensor:
    """A tensor of a NumPy result, in another dtype if one is given."""
    tensor = _core.tensor(np.ascontiguousarray(result).reshape(np.shape(result)))
    return tensor if dtype in (None, tensor.dtype) else _core.cast(tensor, dtype)


def floating(x: ArrayLike) -> Tensor:
    """`x` as a tensor; integers and bools as float32."""
    tensor = _core.as_tensor(x)
    return tensor if tensor.dtype in _FLOATS else _core.cast(tensor, "float32")


def promoted(*values: ArrayLike, broadcast: bool = True) -> list[Tensor]:
    """Tensors in the dtype that all promote to, and in one shape unless told otherwise.

    A Python number takes the dtype of the tensors beside it.
    """
    tensors = [_core.as_tensor(v) for v in values]
    strong = [t for t, v in zip(tensors, values) if not isinstance(v, (int, float))] or tensors
    empty = [_core.empty((0,), t.dtype) for t in strong]
    dtype = _core.concatenate(empty, 0).dtype
    if dtype not in _FLOATS and any(isinstance(v, float) for v in values):
        dtype = "float32"
    tensors = [t if t.dtype == dtype else _core.cast(t, dtype) for t in tensors]
    if not broadcast or len({t.shape for t in tensors}) == 1:
        return tensors
    total = tensors[0]
    for tensor in tensors[1:]:  # an op that broadcasts also tells which shapes do not fit
        total = _core.equal(_core.empty(total.shape, dtype), _core.empty(tensor.shape, dtype))
    return [_core.broadcast_to(t, total.shape) for t in tensors]


def refuse_gradient(op: str, *tensors: ArrayLike) -> None:
    """Raise an error if one of the tensors is recorded: `op` has no gradient."""
    recorded = any(isinstance(t, Tensor) and t.requires_grad for t in tensors)
    if recorded and _core.is_grad_enabled():
        raise AutogradError(
            f"[{op}] expected tensors that require no gradient, since it has none. "
            "Hint: pass x.detach(), or call it inside pydl.no_grad()"
        )


def computed(function: Callable, *tensors: Tensor, dtype: str | None = None) -> Tensor:
    """What a NumPy function makes of tensors, in `dtype` or that of the first; not recorded."""
    return wrapped(function(*map(array, tensors)), dtype or tensors[0].dtype)


class _OnHost(Function):
    @staticmethod
    def forward(ctx, function, derivatives, *tensors):
        ctx.save(*tensors)
        ctx.derivatives = derivatives
        arrays = [array(t) for t in tensors]
        # In float64, since NumPy's vector code for float32 is off by some units in the last place.
        wide = [a.astype("float64") if a.dtype == "float32" else a for a in arrays]
        return wrapped(function(*wide), tensors[0].dtype)

    @staticmethod
    def backward(ctx, grad):
        return tuple(_core.multiply(grad, d(*ctx.saved)) for d in ctx.derivatives)


def on_host(function: Callable, derivatives: list[Callable], *tensors: Tensor) -> Tensor:
    """An elementwise NumPy function of tensors of one shape and floating dtype.

    Args:
        function: Takes and returns arrays.
        derivatives: For each tensor, a function of all tensors that returns the partial derivative.
        *tensors: The arguments.
    """
    return _OnHost.apply(function, derivatives, *tensors)
