"""InceptionV3: branches of convolutions of several sizes, joined after every block."""

from __future__ import annotations

from typing import Any

from pydl.applications.architecture import Architecture, image_model, unnamed_pool, variant
from pydl.applications.blocks import chain
from pydl.applications.imagenet_utils import decode_predictions, preprocessor
from pydl.applications.published import pair
from pydl.layers import (
    Activation,
    AveragePooling2D,
    BatchNormalization,
    Conv2D,
    KerasTensor,
    MaxPooling2D,
    concatenate,
)

__all__ = ["InceptionV3", "decode_predictions", "preprocess_input"]


def branch(x: KerasTensor, *steps: tuple[int, Any]) -> KerasTensor:
    """Convolves with given numbers of filters and sizes of kernels."""
    for filters, size in steps:
        x = convolve(x, filters, size)
    return x


def convolve(
    x: KerasTensor,
    filters: int,
    size: Any,
    stride: int = 1,
    padding: str = "same",
    name: str | None = None,
) -> KerasTensor:
    """Convolves, normalizes and activates."""
    return chain(
        x,
        Conv2D(filters, size, stride, padding=padding, use_bias=False, name=name),
        BatchNormalization(scale=False, name=name and f"{name}_bn"),
        Activation("relu", name=name and f"{name}_ac"),
    )


def shrink(x: KerasTensor, filters: int) -> KerasTensor:
    """Convolves without padding in steps of 2."""
    return convolve(x, filters, 3, 2, "valid")


def stem(image: KerasTensor) -> KerasTensor:
    """Shrinks images to an eighth of their sides."""
    x = convolve(shrink(image, 32), 32, 3, padding="valid")
    x = MaxPooling2D(3, 2)(convolve(x, 64, 3))
    x = convolve(convolve(x, 80, 1, padding="valid"), 192, 3, padding="valid")
    return MaxPooling2D(3, 2)(x)


def pooled(x: KerasTensor, filters: int) -> KerasTensor:
    """Convolves the means of neighbours."""
    return convolve(AveragePooling2D(3, 1, padding="same")(x), filters, 1)


def _features(image: KerasTensor) -> KerasTensor:
    x = stem(image)
    for i, filters in enumerate((32, 64, 64)):
        branches = [
            branch(x, (64, 1)),
            branch(x, (48, 1), (64, 5)),
            branch(x, (64, 1), (96, 3), (96, 3)),
            pooled(x, filters),
        ]
        x = concatenate(branches, name=f"mixed{i}")
    branches = [shrink(x, 384), shrink(branch(x, (64, 1), (96, 3)), 96), MaxPooling2D(3, 2)(x)]
    x = concatenate(branches, name="mixed3")
    for i, filters in enumerate((128, 160, 160, 192), 4):
        wide, tall = (filters, (1, 7)), (filters, (7, 1))
        branches = [
            branch(x, (192, 1)),
            branch(x, (filters, 1), wide, (192, (7, 1))),
            branch(x, (filters, 1), tall, wide, tall, (192, (1, 7))),
            pooled(x, 192),
        ]
        x = concatenate(branches, name=f"mixed{i}")
    branches = [
        shrink(branch(x, (192, 1)), 320),
        shrink(branch(x, (192, 1), (192, (1, 7)), (192, (7, 1))), 192),
        MaxPooling2D(3, 2)(x),
    ]
    x = concatenate(branches, name="mixed8")
    for i in range(2):
        branches = [
            branch(x, (320, 1)),
            _fork(branch(x, (384, 1)), f"mixed9_{i}"),
            _fork(branch(x, (448, 1), (384, 3)), None),
            pooled(x, 192),
        ]
        x = concatenate(branches, name=f"mixed{9 + i}")
    return x


def _fork(x: KerasTensor, name: str | None) -> KerasTensor:
    return concatenate([branch(x, (384, (1, 3))), branch(x, (384, (3, 1)))], name=name)


_ARCHITECTURE = Architecture(
    name="inception_v3",
    features=_features,
    files=pair(
        "inception_v3/inception_v3_weights_tf_dim_ordering_tf_kernels",
        ("9a0d58056eeedaa3f26cb7ebd46da564", "bcbd6486424b2319ff4ef7d526e38f63"),
    ),
    size=299,
    smallest=75,
    pool=unnamed_pool,
)

preprocess_input = preprocessor("tf")
InceptionV3 = variant(
    image_model, _ARCHITECTURE, "InceptionV3", "Szegedy et al., 2015", smallest=75
)
