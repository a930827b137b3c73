"""What all image models share: their arguments, their input and top, and how weights are loaded."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydl import activations
from pydl.applications.published import Published, fetch
from pydl.layers import Dense, GlobalAveragePooling2D, GlobalMaxPooling2D, Input, KerasTensor
from pydl.layers.input_layer import InputLayer
from pydl.layers.node import node_of
from pydl.models import Model

__all__ = ["Architecture", "described", "image_model", "variant"]

_IMAGENET_CLASSES = 1000
_POOLS = {"avg": GlobalAveragePooling2D, "max": GlobalMaxPooling2D}


def dense_top(x: KerasTensor, classes: int, activation: Any) -> KerasTensor:
    """Classifies the mean of every feature with one dense layer."""
    x = GlobalAveragePooling2D(name="avg_pool")(x)
    return Dense(classes, activation=activation, name="predictions")(x)


def unnamed_pool(x: KerasTensor, pooling: str | None) -> KerasTensor:
    """Pools all places of features, in a layer named by counting."""
    return x if pooling is None else _POOLS[pooling]()(x)


def named_pool(x: KerasTensor, pooling: str | None) -> KerasTensor:
    """Pools all places of features, in a layer named after what it does."""
    return x if pooling is None else _POOLS[pooling](name=f"{pooling}_pool")(x)


@dataclass(frozen=True)
class Architecture:
    """A model: its parts, its sizes, and where its weights are.

    Args:
        name: The name of models where the user gives none.
        features: Makes the features of images.
        files: Published weights with and without the top.
        size: Height and width of the images where the user gives none.
        smallest: The least height and width.
        top: Makes scores of features, given the number of classes and the activation.
        pool: Pools features, given the argument `pooling`; for models without their top.
        needs_size: Whether the top needs to know the size of the images.
    """

    name: str
    features: Callable[[KerasTensor], KerasTensor]
    files: tuple[Published, Published]
    size: int = 224
    smallest: int = 32
    top: Callable[[KerasTensor, int, Any], KerasTensor] = dense_top
    pool: Callable[[KerasTensor, str | None], KerasTensor] = named_pool
    needs_size: bool = True


def image_model(
    architecture: Architecture,
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: KerasTensor | None = None,
    input_shape: tuple[int | None, int | None, int] | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str | None = None,
) -> Model:
    """Makes a model of an architecture; the arguments are those that `variant` describes.

    Example:
        >>> import pydl
        >>> model = pydl.applications.MobileNetV2(
        ...     weights=None, alpha=0.35, input_shape=(32, 32, 3), classes=4
        ... )
        >>> model.output_shape
        (None, 4)
    """
    caller = name or architecture.name
    _check_arguments(caller, include_top, weights, pooling, classes, classifier_activation)
    if input_tensor is None:
        shape = _checked_shape(caller, architecture, include_top, weights, input_shape)
        image = inputs = Input(shape)
    else:
        image, inputs = input_tensor, source_of(caller, input_tensor)
    x = architecture.features(image)
    if include_top:
        x = architecture.top(x, classes, classifier_activation)
    else:
        x = architecture.pool(x, pooling)
    model = Model(inputs, x, name=caller)
    if weights == "imagenet":
        weights = fetch(caller, "the weights", architecture.files[0 if include_top else 1])
    if weights is not None:
        model.load_weights(weights)
    return model


def _check_arguments(
    caller: str, include_top: bool, weights: Any, pooling: Any, classes: int, activation: Any
) -> None:
    if weights not in (None, "imagenet") and not os.path.exists(weights):
        raise ValueError(
            f"[{caller}] expected weights to be None, 'imagenet' or the path of a file, got "
            f"{weights!r}, where there is none."
        )
    if weights == "imagenet" and include_top and classes != _IMAGENET_CLASSES:
        raise ValueError(
            f"[{caller}] expected the {_IMAGENET_CLASSES} classes of ImageNet for its weights, got "
            f"classes={classes}. Hint: include_top=False and a Dense layer of your own behind it."
        )
    if pooling is not None and pooling not in _POOLS:
        raise ValueError(
            f"[{caller}] expected pooling to be None, 'avg' or 'max', got {pooling!r}."
        )
    plain = (activations.get("softmax"), activations.get("linear"), None)
    if include_top and weights is not None and activations.get(activation) not in plain:
        raise ValueError(
            f"[{caller}] expected classifier_activation to be 'softmax' or None, as the weights "
            f"were trained, got {activation!r}."
        )


def _checked_shape(
    caller: str, architecture: Architecture, include_top: bool, weights: Any, shape: Any
) -> tuple[int | None, int | None, int]:
    """Returns the shape of an image: the one that was asked for, or the usual one."""
    size, needs_size = architecture.size, include_top and architecture.needs_size
    usual = (size, size, 3)
    if shape is None:
        return usual if needs_size else (None, None, 3)
    shape = tuple(shape)
    if len(shape) != 3:
        raise ValueError(
            f"[{caller}] expected input_shape to be (height, width, channels), got {shape}."
        )
    if weights == "imagenet" and (shape[2] != 3 or (needs_size and shape != usual)):
        wanted = usual if needs_size else "3 channels"
        raise ValueError(
            f"[{caller}] expected input_shape {wanted} for the weights of ImageNet, got {shape}. "
            "Hint: include_top=False takes other sizes, weights=None takes everything."
        )
    least = architecture.smallest
    if any(side is not None and side < least for side in shape[:2]):
        raise ValueError(f"[{caller}] expected images of at least {least} x {least}, got {shape}.")
    if needs_size and None in shape:
        raise ValueError(
            f"[{caller}] expected a known size of images, got {shape}. Hint: include_top=False."
        )
    return shape


def source_of(caller: str, tensor: Any) -> Any:
    """Returns the inputs of the model that a symbolic tensor comes from."""
    if not isinstance(tensor, KerasTensor):
        raise ValueError(
            f"[{caller}] expected input_tensor to be symbolic, such as the result of pydl.Input, "
            f"got {type(tensor).__name__}."
        )
    found, nodes, seen = [], [node_of(tensor)], set()
    while nodes:
        node = nodes.pop()
        if id(node) not in seen:
            seen.add(id(node))
            nodes += node.parents
            if isinstance(node.layer, InputLayer):
                found.append(node.outputs)
    return found[0] if len(found) == 1 else found


_DESCRIPTION = """Makes {name}.

    Args:
        include_top: Whether the model ends in scores of classes, not in features.
        weights: "imagenet" for weights trained on ImageNet, which are downloaded once; None for
            random ones; or the path of a file that `load_weights` takes.
        input_tensor: A symbolic tensor to start from, instead of a new input.
        input_shape: The shape of an image, `(height, width, channels)`; at least
            {smallest} x {smallest}, and {size} x {size} where there is none and the top needs it.
        pooling: What to make of features without the top: "avg" and "max" pool all places.
        classes: How many classes the top has.
        classifier_activation: The activation of the scores; None for none.
        name: The name of the model.{more}

    Returns:
        A `Model`.

    Raises:
        ValueError: An argument makes no sense, or does not fit the weights.
        OSError: The weights could not be downloaded; the message says where to put the file.

    Source: {source}.
    """


def described(
    name: str, source: str, size: int = 224, smallest: int = 32, **more: str
) -> Callable[[Callable[..., Model]], Callable[..., Model]]:
    """Returns a decorator that describes a function with the arguments of all image models.

    Args:
        name: The name of the function.
        source: The paper.
        size: The usual height and width of images.
        smallest: The least height and width.
        more: What the arguments mean that only this function has.
    """
    lines = "".join(f"\n        {argument}: {meaning}" for argument, meaning in more.items())

    def describe(function: Callable[..., Model]) -> Callable[..., Model]:
        function.__doc__ = _DESCRIPTION.format(
            name=name, source=source, size=size, smallest=smallest, more=lines
        )
        return function

    return describe


def variant(
    family: Callable[..., Model],
    architecture: Any,
    name: str,
    source: str,
    smallest: int = 32,
    **more: str,
) -> Callable[..., Model]:
    """Returns a function that makes one model of a family, with the arguments of the family.

    Args:
        family: A function of an architecture, such as `image_model`.
        architecture: Its first argument; has a `name`, the default of the model's, and a `size`.
        name: The name of the function.
        source: The paper.
        smallest: The least height and width of images, for the description.
        more: What the arguments mean that only this family has.
    """

    def build(*args: Any, **kwargs: Any) -> Model:
        return family(architecture, *args, **kwargs)

    _, *parameters = inspect.signature(family).parameters.values()
    build.__signature__ = inspect.Signature(
        [p.replace(default=architecture.name) if p.name == "name" else p for p in parameters],
        return_annotation=Model,
    )
    build.__name__ = build.__qualname__ = name
    build.__module__ = "pydl.applications"
    return described(name, source, architecture.size, smallest, **more)(build)
