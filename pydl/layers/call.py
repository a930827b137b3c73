"""What happens when a layer is called: conversion, `build`, checks, `call`, masks, losses."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

from pydl import tree
from pydl._call_errors import raise_explained, show
from pydl._core import Tensor
from pydl.layers.autocast import are_plain, cast_inputs, tensor_from_numbers, with_cast_weights
from pydl.layers.context import context, new_call_id
from pydl.layers.input_spec import check_inputs
from pydl.layers.keras_tensor import is_symbolic
from pydl.layers.masking import MaskedTensor, get_mask, with_mask
from pydl.layers.node import Node
from pydl.layers.remat import remat
from pydl.naming import name_scope

__all__ = ["CallProtocol", "scoped_build"]

_INPUTS = (Tensor, bool, int, float, str, list, tuple, dict)  # besides all that has a shape


class CallProtocol:
    """The part of a layer that runs `call` and all that belongs around it."""

    _seen: tuple | None = None  # shape and dtype of inputs that passed every check
    _is_leaf = False
    _was_called = False
    _last_call_id = 0

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if "build" in cls.__dict__:
            cls.build = scoped_build(cls.build)
        if "call" in cls.__dict__:
            parameters = dict(list(inspect.signature(cls.call).parameters.items())[1:])
            cls._call_arguments = list(parameters)
            cls._mask_arguments = [name for name in parameters if name.endswith("_mask")]
            cls._takes_mask = "mask" in parameters
            cls._takes_training = "training" in parameters
            if cls._takes_training:
                default = parameters["training"].default
                cls._training_default = None if default is inspect.Parameter.empty else default

    def __call__(self, *args, **kwargs):
        """Apply the layer to tensors, arrays or symbolic tensors."""
        try:
            if len(args) == 1 and type(args[0]) is Tensor:
                x = args[0]
                # Inputs like those of the call before need no checks: the path of training loops.
                if (x.shape, x.dtype) == self._seen:
                    if not kwargs and (self._is_leaf or context.training is not None):
                        if self._takes_training and context.training is not None:
                            return self.call(x, training=context.training)
                        return self.call(x)
                    if not kwargs or kwargs.keys() == {"training"}:
                        return self._outer_call(x, kwargs.get("training"))
            return self._full_call(args, kwargs)
        except (ValueError, TypeError, IndexError) as error:
            self._add_name(error)
            raise
        except (AttributeError, KeyError) as error:  # a structure where a tensor should be
            structured = isinstance(self._first_argument(args, kwargs), (list, tuple, dict, str))
            if structured and type(self).__module__.startswith("pydl.layers."):
                raise_explained(error, self.call, args, kwargs, self.name)
            raise

    def _full_call(self, args: tuple, kwargs: dict) -> Any:
        if "_name" not in self.__dict__:
            raise RuntimeError(
                f"[{type(self).__name__}] expected the constructor to call super().__init__()."
            )
        given, given_kwargs = args, kwargs
        dtype = self.compute_dtype if self.autocast else None
        plain = are_plain(args, dtype) and are_plain(kwargs.values(), dtype)
        if not plain:
            if is_symbolic(args) or is_symbolic(kwargs):
                return self._symbolic_call(args, kwargs)
            args = (tensor_from_numbers(args[0]), *args[1:]) if args else args
            args, kwargs = cast_inputs((args, kwargs), dtype)
        if args and not isinstance(args[0], _INPUTS) and not hasattr(args[0], "shape"):
            raise TypeError(f"[{self.name}] expected a tensor or an array, got {show(args[0])}.")
        self._prepare(args, kwargs)
        training = self._resolve_training(args, kwargs)
        masks = None if plain else self._fill_masks(args, kwargs)
        outer = context.training, context.call_id
        if context.training is None:
            context.call_id = vars(self)["_last_call_id"] = new_call_id()
        context.training = bool(training)
        try:
            outputs = self._first_run(args, kwargs)
            outputs = self._attach_masks(args, kwargs, masks, outputs)
            if self._activity_regularizer is not None:
                for output in tree.flatten(outputs):
                    samples = output.shape[0] if output.ndim else 1
                    self.add_loss(self._activity_regularizer(output) / max(samples, 1))
        finally:
            context.training, context.call_id = outer
        if len(given) == 1 and given[0] is args[0] and not given_kwargs.keys() - {"training"}:
            self._remember(args[0], outputs)
        return outputs

    def _outer_call(self, x: Tensor, training: bool | None) -> Any:
        """Run `call` on inputs that need no checks, as the call that inner layers ask about."""
        outer = context.training, context.call_id
        training = outer[0] if training is None else training
        if training is None and self._takes_training:
            training = self._training_default
        if outer[0] is None:
            context.call_id = vars(self)["_last_call_id"] = new_call_id()
        context.training = bool(training)
        try:
            return self.call(x, training=training) if self._takes_training else self.call(x)
        finally:
            context.training, context.call_id = outer

    def _symbolic_call(self, args: tuple, kwargs: dict) -> Any:
        self._prepare(args, kwargs)
        kwargs = {k: v for k, v in kwargs.items() if k != "training" or self._takes_training}
        with name_scope(self.name):
            outputs = self.compute_output_spec(*args, **kwargs)
        Node(self, args, kwargs, outputs)
        return outputs

    def _prepare(self, args: tuple, kwargs: dict) -> None:
        """Build the layer if it is not, and check the inputs."""
        if self.input_spec is not None and (args or kwargs):
            check_inputs(self.input_spec, self._first_argument(args, kwargs), self.name)
        if self.built:
            return
        if _is_default(type(self).build):  # the call itself builds the layers inside
            shapes = shape_of(self._first_argument(args, kwargs))
            self._build_shapes = {"input_shape": map_shapes(_any_batch, shapes)}
            self.built = True
        else:
            self.build(**self._shapes(args, kwargs, self.build))
            if self.input_spec is not None:
                check_inputs(self.input_spec, self._first_argument(args, kwargs), self.name)

    def _call_with_weights(self, *args, **kwargs) -> Any:
        layer = self if self.compute_dtype == self.variable_dtype else with_cast_weights(self)
        return layer.call(*args, **kwargs)

    def _computed(self, args: tuple, kwargs: dict) -> Any:
        if self._remat is not None and self._remat.applies_to(self, args, kwargs):
            return remat(self._call_with_weights)(*args, **kwargs)
        return self._call_with_weights(*args, **kwargs)

    def _first_run(self, args: tuple, kwargs: dict) -> Any:
        if self._was_called:
            return self._computed(args, kwargs)
        with name_scope(self.name):  # inner layers are built now
            outputs = self._computed(args, kwargs)
        self._was_called = True
        return outputs

    def _resolve_training(self, args: tuple, kwargs: dict) -> bool | None:
        """Take `training` from the arguments or the call around; leave it in kwargs for `call`."""
        training = kwargs.pop("training", None)
        if not self._takes_training:
            return context.training if training is None else training
        position = self._call_arguments.index("training")
        if position < len(args):
            return args[position]
        if training is None:
            training = context.training
        if training is None:
            return self._training_default
        kwargs["training"] = training
        return training

    def _first_argument(self, args: tuple, kwargs: dict) -> Any:
        if args:
            return args[0]
        return kwargs.get(self._call_arguments[0]) if self._call_arguments else None

    def _fill_masks(self, args: tuple, kwargs: dict) -> Any:
        """Give `call` the masks that came with the tensors; return that of the first argument."""
        masks = get_mask(self._first_argument(args, kwargs))
        if self._takes_mask and kwargs.get("mask") is None and masks is not None:
            kwargs["mask"] = masks
        values = dict(zip(self._call_arguments, args)) | kwargs if self._mask_arguments else {}
        for name in self._mask_arguments:
            if values.get(name) is None:
                mask = get_mask(values.get(name.removesuffix("_mask")))
                if mask is not None:
                    kwargs[name] = mask
        return masks

    def _attach_masks(self, args: tuple, kwargs: dict, masks: Any, outputs: Any) -> Any:
        if not self.supports_masking or isinstance(outputs, MaskedTensor):
            return outputs
        if masks is None and _is_default(type(self).compute_mask):
            return outputs
        mask = self.compute_mask(self._first_argument(args, kwargs), masks)
        if isinstance(mask, (list, tuple)) and isinstance(outputs, (list, tuple)):
            return type(outputs)(map(with_mask, outputs, mask))
        return with_mask(outputs, mask)

    def _remember(self, x: Any, outputs: Any) -> None:
        if type(x) is not Tensor or isinstance(outputs, MaskedTensor) or self._remat is not None:
            return
        seen = (x.shape, x.dtype)
        if seen == self._seen:
            return
        if self._activity_regularizer is None and self.compute_dtype == self.variable_dtype:
            self._is_leaf = not self._contents()[1] and not self._losses
            vars(self)["_seen"] = seen

    def _shapes(self, args: tuple, kwargs: dict, function: Callable) -> dict[str, Any]:
        """Return the shapes of the inputs by the names that `function` gives its parameters."""
        names = [n for n in inspect.signature(function).parameters if n != "self"]
        if len(names) == 1:
            return {names[0]: shape_of(self._first_argument(args, kwargs))}
        values = dict(zip(self._call_arguments, args)) | kwargs
        found = {name: values.get(name.removesuffix("_shape")) for name in names}
        return {name: shape_of(value) for name, value in found.items() if value is not None}

    def _add_name(self, error: Exception) -> None:
        """Put the layer's name before the message, once for the innermost layer."""
        if getattr(error, "layer", None) is None:
            error.layer = self.__dict__.get("_name", type(self).__name__)
            message = str(error.args[0]) if error.args else ""
            if not message.startswith(f"[{error.layer}]"):
                error.args = (f"[{error.layer}] {message}", *error.args[1:])


def scoped_build(build: Callable) -> Callable:
    """Wrap `build` so that it names its variables after the layer and marks the layer built."""

    @functools.wraps(build)
    def wrapper(self, *args, **kwargs):
        if self.__dict__.get("_building"):
            return build(self, *args, **kwargs)
        bound = inspect.signature(build).bind(self, *args, **kwargs)
        self._building = True
        known = len(self._weights)
        try:
            with name_scope(self.name):
                build(self, *args, **kwargs)
        except BaseException:
            del self._weights[known:]  # another attempt makes them anew
            raise
        finally:
            del self._building
        self.built = True
        self._build_shapes = {name: bound.arguments[name] for name in list(bound.arguments)[1:]}

    return wrapper


def is_shape(value: Any) -> bool:
    """Return whether `value` is a tuple or list of sizes."""
    return isinstance(value, (list, tuple)) and all(n is None or isinstance(n, int) for n in value)


def map_shapes(function: Callable, structure: Any) -> Any:
    """Return a structure of shapes with `function(shape)` in place of every shape but None."""
    if structure is None:
        return None
    if is_shape(structure):
        return function(tuple(structure))
    if isinstance(structure, dict):
        return {key: map_shapes(function, item) for key, item in structure.items()}
    return type(structure)(map_shapes(function, item) for item in structure)


def shape_of(value: Any) -> Any:
    """Return the shapes of a structure of tensors."""
    return tree.map_structure(lambda leaf: getattr(leaf, "shape", None), value)


def _any_batch(shape: tuple) -> tuple:
    return (None, *shape[1:]) if shape else shape


def default(method: Callable) -> Callable:
    """Mark a method of the base class, which a layer may define itself."""
    method.is_default = True
    return method


def _is_default(method: Callable) -> bool:
    return getattr(method, "is_default", False)
