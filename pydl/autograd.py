"""Gradients: of tensors through ``backward()``, of functions through `grad`."""

from __future__ import annotations

import contextlib
import functools
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from pydl import _core
from pydl._call_errors import show
from pydl._core import Tensor

__all__ = [
    "Function",
    "backward",
    "enable_grad",
    "grad",
    "is_grad_enabled",
    "no_grad",
    "value_and_grad",
]


class _GradMode:
    """A context manager and decorator that switches recording."""

    _enabled: bool

    def __init__(self) -> None:
        self._previous: list[bool] = []  # one for each `with` that this object is in

    def __enter__(self) -> None:
        self._previous.append(_core.is_grad_enabled())
        _core.set_grad_enabled(self._enabled)

    def __exit__(self, *_: Any) -> None:
        _core.set_grad_enabled(self._previous.pop())

    def __call__(self, function: Callable) -> Callable:
        @functools.wraps(function)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            with type(self)():
                return function(*args, **kwargs)

        return wrapped


class no_grad(_GradMode):
    """Within it, ops are not recorded. A context manager and a decorator.

    Example:
        >>> x = pydl.tensor(2.0, requires_grad=True)
        >>> with pydl.no_grad():
        ...     y = x * x
        >>> y.requires_grad
        False
    """

    _enabled = False


class enable_grad(_GradMode):
    """Within it, ops are recorded again, inside a `no_grad` too."""

    _enabled = True


def is_grad_enabled() -> bool:
    """Whether ops on tensors that require a gradient are recorded now."""
    return _core.is_grad_enabled()


def _listed(value: Tensor | Sequence[Tensor] | None) -> list[Tensor]:
    if isinstance(value, Tensor):
        return [value]
    if value is None:
        return []
    listed = list(value) if isinstance(value, (list, tuple)) else [value]
    for item in listed:
        if not isinstance(item, Tensor):
            raise _core.DTypeError(f"[autograd] expected tensors, got {show(item)}")
    return listed


def backward(
    tensors: Tensor | Sequence[Tensor],
    grad_tensors: Tensor | Sequence[Tensor] | None = None,
    retain_graph: bool = False,
    create_graph: bool = False,
) -> None:
    """Adds the gradient of `tensors` to the ``.grad`` of every leaf that they depend on.

    Args:
        tensors: What to differentiate; one element each, unless `grad_tensors` is given.
        grad_tensors: The gradient with respect to each of `tensors`, of their shapes.
        retain_graph: Whether to keep what ops saved, so that backward can run again.
        create_graph: Whether to record the gradient itself, for gradients of gradients.

    Raises:
        AutogradError: If nothing requires a gradient, if backward ran through this graph already,
            or if a saved tensor was changed in place since.
        ShapeError: If an output has several elements and no gradient is given.
    """
    _core.backward(_listed(tensors), _listed(grad_tensors), retain_graph, create_graph)


def _with_gradient(args: tuple, positions: Sequence[int], create_graph: bool) -> list[Any]:
    """The arguments, those at `positions` as tensors that require a gradient."""
    prepared = list(args)
    for position in positions:
        if not -len(args) <= position < len(args):
            raise IndexError(
                f"[grad] expected argnums to be positions among {len(args)} arguments, "
                f"got {position}"
            )
        value = _core.as_tensor(args[position])
        if create_graph and value.requires_grad:
            prepared[position] = value
        else:
            prepared[position] = value.detach()
            prepared[position].requires_grad = True
    return prepared


class _Differentiated(threading.local):
    """How many functions are being differentiated in this thread, one inside the other."""

    depth = 0

    @contextlib.contextmanager
    def one_more(self) -> Iterator[None]:
        self.depth += 1
        try:
            yield
        finally:
            self.depth -= 1


_differentiated = _Differentiated()


def value_and_grad(
    f: Callable[..., Any], argnums: int | Sequence[int] = 0, has_aux: bool = False
) -> Callable[..., tuple[Any, Any]]:
    """A function that returns ``f(*args)`` and its gradient with respect to some arguments.

    Args:
        f: A function of tensors that returns a tensor of one element, or with `has_aux` a pair of
            it and anything.
        argnums: The position of the argument to differentiate by, or several.
        has_aux: Whether `f` returns a pair.

    Returns:
        A function ``(*args, **kwargs) -> (value, gradient)``; the gradient is a tuple when
        `argnums` is a sequence. It can be differentiated again: by arguments that require a
        gradient, and inside another function that is being differentiated.

    Raises:
        AutogradError: If an argument plays no part in the value.

    Example:
        >>> value, slope = pydl.value_and_grad(lambda x: x * x)(3.0)
        >>> value, slope
        (tensor(9.), tensor(6.))
    """
    positions = [argnums] if not isinstance(argnums, (list, tuple)) else list(argnums)
    if not callable(f) or not all(isinstance(position, int) for position in positions):
        raise TypeError(
            "[grad] expected a function and the position of an argument or a list of them, "
            f"got {show(f)} and argnums={show(argnums)}"
        )

    @functools.wraps(f)
    def differentiated(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
        outer = _core.is_grad_enabled()
        recorded = any(isinstance(a, Tensor) and a.requires_grad for a in args)
        nested = outer and (recorded or _differentiated.depth > 0)
        with enable_grad(), _differentiated.one_more():
            prepared = _with_gradient(args, positions, nested)
            result = f(*prepared, **kwargs)
            value = result[0] if has_aux else result
            grads = grad(value, [prepared[i] for i in positions], create_graph=nested)
        if not nested:
            value = value.detach()
        gradient = grads[0] if isinstance(argnums, int) else tuple(grads)
        return ((value, result[1]) if has_aux else value), gradient

    return differentiated


def grad(
    f: Any,
    argnums: Any = 0,
    grad_outputs: Tensor | Sequence[Tensor] | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    allow_unused: bool = False,
    *,
    has_aux: bool = False,
) -> Any:
    """The gradient of a function, or of tensors.

    ``grad(f, argnums=0, has_aux=False)`` returns the function that computes the gradient of `f`, as
    `value_and_grad` without the value. ``grad(outputs, inputs, grad_outputs=None,
    retain_graph=None, create_graph=False, allow_unused=False)`` returns the list of the gradients
    of recorded tensors with respect to `inputs`, and leaves every ``.grad`` alone.

    Example:
        >>> pydl.grad(lambda x: x * x * x)(2.0)
        tensor(12.)
        >>> x = pydl.tensor(2.0, requires_grad=True)
        >>> pydl.grad(x * x, x)
        [tensor(4.)]
    """
    if not callable(f):
        retain = create_graph if retain_graph is None else retain_graph
        outputs, inputs, seeds = _listed(f), _listed(argnums), _listed(grad_outputs)
        return _core.grad(outputs, inputs, seeds, retain, create_graph, allow_unused)
    both = value_and_grad(f, argnums, has_aux=has_aux)

    @functools.wraps(f)
    def gradient(*args: Any, **kwargs: Any) -> Any:
        value, result = both(*args, **kwargs)
        return (result, value[1]) if has_aux else result

    return gradient


class Function:
    """An op with a gradient of your own, written in Python.

    Subclass it with two static methods and call ``apply``. ``forward(ctx, *args)`` computes without
    recording; ``backward(ctx, *grads)`` gets a gradient for each output and returns one for each
    tensor argument of forward (None where there is none). What `ctx` is given as attributes in
    forward is there in backward; ``ctx.save(*tensors)`` and ``ctx.saved`` keep tensors.

    Example:
        >>> class Cube(pydl.autograd.Function):
        ...     @staticmethod
        ...     def forward(ctx, x):
        ...         ctx.save(x)
        ...         return x * x * x
        ...     @staticmethod
        ...     def backward(ctx, grad):
        ...         (x,) = ctx.saved
        ...         return grad * 3.0 * x * x
        >>> x = pydl.tensor(2.0, requires_grad=True)
        >>> Cube.apply(x).backward()
        >>> x.grad
        tensor(12.)
    """

    saved: tuple[Tensor, ...] = ()

    def save(self, *tensors: Tensor) -> None:
        """Keeps tensors for backward."""
        self.saved = tensors
        self._versions = tuple(t.version for t in tensors)

    @staticmethod
    def forward(ctx: Function, *args: Any) -> Any:
        """Computes the outputs: a tensor or a tuple of tensors."""
        raise NotImplementedError("[autograd.Function] expected a static method forward(ctx, *args)")

    @staticmethod
    def backward(ctx: Function, *grads: Tensor) -> Any:
        """Computes the gradients of the tensor arguments."""
        raise NotImplementedError("[autograd.Function] expected a static method backward(ctx, *grads)")

    @classmethod
    def apply(cls, *args: Any) -> Any:
        """Runs forward and records backward."""
        ctx = cls()
        with no_grad():
            result = cls.forward(ctx, *args)
        many = isinstance(result, (tuple, list))
        inputs = [a for a in args if isinstance(a, Tensor)]
        # A handle of its own for each output: forward may return one of its inputs.
        outputs = [r.detach() for r in result] if many else [result.detach()]

        def run_backward(*grads: Tensor) -> Any:
            for tensor, version in zip(ctx.saved, getattr(ctx, "_versions", ())):
                if tensor.version != version:
                    raise _core.AutogradError(
                        f"[{cls.__name__}] expected saved tensors as forward saw them, but one of "
                        f"shape {tensor.shape} was changed in place since. Hint: write to a copy()"
                    )
            return cls.backward(ctx, *grads)

        _core.record_function(outputs, inputs, run_backward)
        return tuple(outputs) if many else outputs[0]
