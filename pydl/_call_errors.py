"""Errors about arguments, told in terms of the function that the user called."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

__all__ = ["ARGUMENT_ERRORS", "explain_arguments", "raise_explained", "show"]

_CLASSES = {
    TypeError: TypeError,
    AttributeError: TypeError,
    ValueError: ValueError,
    OverflowError: ValueError,
    IndexError: IndexError,
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


def raise_explained(error: Exception, function: Callable, args: tuple, kwargs: dict) -> None:
    """Raise an error that says what `function` takes and what it got, unless `error` is clear.

    Clear are the errors of pydl, which begin with a name in brackets, and those of Python about a
    call that does not match the signature.
    """
    message = str(error)
    if message.startswith("[") or error.__traceback__.tb_next is None:
        return
    kind = next(_CLASSES[base] for base in type(error).__mro__ if base in _CLASSES)
    got = [show(value) for value in args]
    got += [f"{name}={show(value)}" for name, value in kwargs.items()]
    explained = kind(
        f"[{function.__name__}] expected ({_parameters(function)}), got ({', '.join(got)})"
    )
    # The binding's own text is a page about C++ types.
    raise explained from (None if "incompatible function arguments" in message else error)


def show(value: Any) -> str:
    """Return a few words for any value: its shape and dtype, its text if short, or its class."""
    shape, dtype = getattr(value, "shape", None), getattr(value, "dtype", None)
    if shape is not None and dtype is not None:
        return f"{dtype} {type(value).__name__} of shape {shape}"
    if value is None or isinstance(value, (bool, int, float, complex, str, list, tuple, dict)):
        text = repr(value)
        return text if len(text) <= 40 else f"{text[:37]}..."
    return type(value).__name__


def _parameters(function: Callable) -> str:
    shown = []
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.annotation is not parameter.empty:
            name += f": {parameter.annotation}"
        if parameter.default is not parameter.empty:
            name += f" = {parameter.default!r}"
        shown.append(name)
    return ", ".join(shown)
