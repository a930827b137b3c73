"""Weights of layers and state of optimizers: tensors with a name that can be assigned to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pydl import _core
from pydl._core import Tensor
from pydl.errors import ShapeError
from pydl.naming import auto_name, current_path
from pydl.replay import about_to_change

__all__ = ["Variable"]


class Variable(Tensor):
    """A tensor with a name whose values change in place: a weight, or a piece of state.

    Every op takes a variable where it takes a tensor. A trainable variable has
    `requires_grad=True`, so that `backward()` fills its `grad`.

    Args:
        initializer: The first values: an array, a tensor, a number, or a function
            `f(shape, dtype)` such as an initializer from `pydl.initializers` (or its name).
        shape: The shape; needed with a function, otherwise that of the values.
        dtype: The type of the elements; `None` keeps that of the values, or takes "float32".
        trainable: Whether gradients are computed for this variable.
        autocast: Whether layers with a mixed dtype policy compute with a copy of lower precision.
        name: The last part of `path`; made from the class when left out.

    Raises:
        ValueError: a name with a slash, or a function without `shape`.
        ShapeError: values whose shape is not `shape`.

    Example:
        >>> import pydl
        >>> v = pydl.Variable([1.0, 2.0], name="scale")
        >>> v.assign_add([1.0, 1.0]).tolist()
        [2.0, 3.0]
        >>> v.trainable, v.grad
        (True, None)
    """

    def __new__(
        cls,
        initializer: Any,
        shape: Sequence[int] | None = None,
        dtype: str | None = None,
        trainable: bool = True,
        autocast: bool = True,
        name: str | None = None,
    ):
        return Tensor.__new__(cls, _first_value(initializer, shape, dtype))

    def __init__(
        self, initializer, shape=None, dtype=None, trainable=True, autocast=True, name=None
    ):
        name = auto_name(type(self).__name__) if name is None else name
        if not isinstance(name, str) or "/" in name:
            raise ValueError(f"[Variable] expected a name without a slash, got {name!r}.")
        path = current_path()
        self._name = name
        self._path = f"{path}/{name}" if path else name
        self._trainable = bool(trainable)
        self.declared_trainable = self._trainable  # survives freezing and thawing a layer
        self.autocast = bool(autocast)
        self.regularizer = None
        self.constraint = None
        if self._trainable and _is_floating(self):
            self.requires_grad = True

    @property
    def name(self) -> str:
        """The variable's own name, such as `kernel`."""
        return self._name

    @property
    def path(self) -> str:
        """The names of the layers around it and its own, such as `sequential/dense/kernel`."""
        return self._path

    @property
    def trainable(self) -> bool:
        """Whether gradients are computed for this variable; setting it sets `requires_grad`."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = bool(value)
        self.requires_grad = self._trainable and _is_floating(self)

    @property
    def value(self) -> Tensor:
        """The variable itself: it is a tensor already."""
        return self

    def assign(self, value: Any) -> Variable:
        """Overwrite the values in place; no gradient is recorded.

        Args:
            value: An array or tensor of exactly this shape; cast to this dtype.

        Returns:
            The variable.

        Raises:
            ShapeError: `value` has another shape.
        """
        source = _as_tensor(value, self.dtype, self.device)
        if source.shape != self.shape:
            raise ShapeError(
                f"[Variable.assign] expected a value of shape {self.shape} for {self._path!r}, "
                f"got {source.shape}. Hint: the shape of a variable never changes."
            )
        about_to_change(self)
        _core.assign_(self.detach(), source)
        return self

    def assign_add(self, value: Any) -> Variable:
        """Add `value` in place; see `assign`."""
        about_to_change(self)
        _core.add_(self, value)
        return self

    def assign_sub(self, value: Any) -> Variable:
        """Subtract `value` in place; see `assign`."""
        return self.assign(self.detach() - value)

    def __repr__(self) -> str:
        return (
            f"<Variable path={self._path}, shape={self.shape}, dtype={self.dtype}, "
            f"value={self.numpy()}>"
        )

    def __reduce__(self):
        return _rebuild, (self.numpy().copy(), self.dtype, vars(self).copy())

    def __deepcopy__(self, memo: dict) -> Variable:
        function, arguments = self.__reduce__()
        duplicate = memo.setdefault(id(self), function(*arguments))
        if duplicate.device != self.device:
            _core.move_(duplicate, self.device)
        return duplicate


def _rebuild(values, dtype: str, attributes: dict) -> Variable:
    variable = Variable(values, dtype=dtype, trainable=attributes["_trainable"])
    vars(variable).update(attributes)
    return variable


def _is_floating(tensor: Tensor) -> bool:
    return "float" in tensor.dtype


def _as_tensor(value: Any, dtype: str, device: str) -> Tensor:
    if not isinstance(value, Tensor):
        return _core.tensor(value, dtype, device)
    value = value.detach() if value.device == device else value.detach().to(device)
    return value if value.dtype == dtype else value.astype(dtype)


def _first_value(initializer: Any, shape: Sequence[int] | None, dtype: str | None) -> Tensor:
    if isinstance(initializer, str):
        from pydl import initializers

        initializer = initializers.get(initializer)
    if callable(initializer) and not isinstance(initializer, Tensor):
        return _run_initializer(initializer, shape, dtype or "float32")
    if isinstance(initializer, Tensor):
        value = initializer.detach().copy()
        value = value if dtype in (None, value.dtype) else value.astype(dtype)
    else:
        value = _core.tensor(initializer, dtype)
    if shape is not None and value.shape != tuple(shape):
        raise ShapeError(f"[Variable] expected values of shape {tuple(shape)}, got {value.shape}.")
    return value


def _run_initializer(function: Callable, shape: Sequence[int] | None, dtype: str) -> Tensor:
    if not isinstance(shape, (list, tuple)) or any(size is None for size in shape):
        raise ValueError(
            f"[Variable] expected a shape without unknown sizes for {function}, got {shape}. "
            "Hint: pass shape=(...) beside an initializer."
        )
    value = function(tuple(shape), dtype=dtype)
    if not isinstance(value, Tensor):
        value = _core.tensor(value, dtype)
    if value.shape != tuple(shape):
        raise ShapeError(
            f"[Variable] expected shape {tuple(shape)} from the initializer, got {value.shape}."
        )
    return value
