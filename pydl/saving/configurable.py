"""Objects whose configuration is the arguments they were constructed with."""

from __future__ import annotations

import inspect
from typing import Any

from pydl._call_errors import explain_method
from pydl.saving.serialize import deserialize_keras_object, serialize_keras_object

__all__ = ["Configurable"]


class _Arguments:
    """An object and not a tuple, so that a layer does not take its arguments for its contents."""

    def __init__(self, args: tuple, kwargs: dict[str, Any]):
        self.args = args
        self.kwargs = kwargs


class Configurable:
    """Gives a class `get_config` and `from_config` for nothing: it remembers its arguments.

    Example:
        >>> from pydl.saving.configurable import Configurable
        >>> class Scale(Configurable):
        ...     def __init__(self, factor, offset=0):
        ...         self.factor, self.offset = factor, offset
        >>> Scale(2).get_config()
        {'factor': 2, 'offset': 0}
        >>> Scale.from_config({"factor": 3}).factor
        3
    """

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        explain_method(cls, "__init__")

    def __new__(cls, *args, **kwargs):
        self = super().__new__(cls)
        self._arguments = _Arguments(args, kwargs)
        return self

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor as values that JSON can hold."""
        return {k: self._describe(k, v) for k, v in self._constructor_arguments().items()}

    @classmethod
    def from_config(cls, config: dict[str, Any]):
        """Construct an object from what `get_config` returned."""
        return cls(**{name: deserialize_keras_object(value) for name, value in config.items()})

    def _describe(self, name: str, value: Any) -> Any:
        try:
            return serialize_keras_object(value)
        except TypeError as error:
            if not type(self).get_config.__module__.startswith("pydl."):
                return value  # for the get_config of the class itself to replace
            raise TypeError(f"[{type(self).__name__}] cannot describe {name}: {error}") from error

    def _constructor_arguments(self) -> dict[str, Any]:
        given = self._arguments
        bound = inspect.signature(type(self).__init__).bind(self, *given.args, **given.kwargs)
        bound.apply_defaults()
        arguments = {}
        for name, parameter in list(bound.signature.parameters.items())[1:]:
            if parameter.kind is parameter.VAR_KEYWORD:
                arguments.update(bound.arguments[name])
            elif parameter.kind is not parameter.VAR_POSITIONAL:
                arguments[name] = bound.arguments[name]
            elif bound.arguments[name]:
                raise NotImplementedError(
                    f"[{type(self).__name__}] expected a get_config method, because the "
                    f"constructor takes *{name}."
                )
        return arguments
