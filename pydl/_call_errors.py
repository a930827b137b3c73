"""Errors about arguments, told in terms of the function that the user called."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

__all__ = ["ARGUMENT_ERRORS", "explain_arguments", "explain_method", "raise_explained", "show"]

_CLASSES = {
    TypeError: TypeError,
    AttributeError: TypeError,
    KeyError: TypeError,
    ValueError: ValueError,
    OverflowError: ValueError,
    IndexError: IndexError,
    ZeroDivisionError: ValueError,
    MemoryError: MemoryError,
}
ARGUMENT_ERRORS = tuple(_CLASSES)


def explain_arguments(function: Callable) -> Callable:
    """Return `function` with errors that come from below it, unexplained, told in its terms."""

    @functools.wraps(function)
    def checked(*args, **kwargs):
        try:
            return function(*args, **kwargs)
        except ARGUMENT_ERRORS as error:
            raise_explained(error, function, args, kwargs)
            raise

    return checked


def explain_method(cls: type, name: str) -> None:
    """Do as `explain_arguments` for a method that `cls` itself defines, if `cls` is one of pydl's.

    The errors of other people's classes are theirs.
    """
    method = cls.__dict__.get(name)
    if method is None or not cls.__module__.startswith("pydl."):
        return

    @functools.wraps(method)
    def checked(self, *args, **kwargs):
        try:
            return method(self, *args, **kwargs)
        except ARGUMENT_ERRORS as error:
            raise_explained(error, method, args, kwargs, type(self).__name__)
            raise

    setattr(cls, name, checked)


def raise_explained(
    error: Exception, function: Callable, args: tuple, kwargs: dict, name: str | None = None
) -> None:
    """Raise an error that says what `function` takes and what it got, unless `error` is clear.

    Clear are the errors of pydl, which begin with a name in brackets, and those of Python about a
    call that does not match the signature.
    """
    message = str(error)
    if message.startswith("[") or error.__traceback__.tb_next is None:
        return
    kind = next(_CLASSES[base] for base in type(error).__mro__ if base in _CLASSES)
    got = [show(value) for value in args]
    got += [f"{key}={show(value)}" for key, value in kwargs.items()]
    explained = kind(
        f"[{name or function.__name__}] expected ({_parameters(function)}), got ({', '.join(got)})"
    )
    # The binding's own text is a page about C++ types.
    raise explained from (None if "incompatible function arguments" in message else error)


def show(value: Any) -> str:
    """Return a few words for any value: its shape and dtype, its text if short, or its class."""
    shape, dtype = getattr(value, "shape", None), getattr(value, "dtype", None)
    if shape is not None and dtype is not None:
        return f"{dtype} {type(value).__name__} of shape {shape}"
    if isinstance(value, (list, tuple)):
        shown = [show(item) for item in value[:3]] + ["..."] * (len(value) > 3)
        return f"[{', '.join(shown)}]" if isinstance(value, list) else f"({', '.join(shown)})"
    if value is None or isinstance(value, (bool, int, float, complex, str)):
        text = repr(value)
        return text if len(text) <= 40 else f"{text[:37]}..."
    return type(value).__name__


def _parameters(function: Callable) -> str:
    shown = []
    for name, parameter in inspect.signature(function).parameters.items():
        if name == "self" or parameter.kind is parameter.VAR_KEYWORD:
            continue
        if parameter.annotation is not parameter.empty:
            name += f": {parameter.annotation}"
        if parameter.default is not parameter.empty:
            name += f" = {parameter.default!r}"
        shown.append(name)
    return ", ".join(shown)
