"""Xception: residual blocks of separable convolutions."""

from __future__ import annotations

from pydl.applications.architecture import Architecture, image_model, unnamed_pool, variant
from pydl.applications.blocks import chain
from pydl.applications.imagenet_utils import decode_predictions, preprocessor
from pydl.applications.published import pair
from pydl.layers import (
    Activation,
    BatchNormalization,
    Conv2D,
    KerasTensor,
    MaxPooling2D,
    SeparableConv2D,
    add,
)

__all__ = ["Xception", "decode_predictions", "preprocess_input"]


def _features(image: KerasTensor) -> KerasTensor:
    x = _stem(image, 32, 2, "block1_conv1")
    x = _stem(x, 64, 1, "block1_conv2")
    for block, filters in enumerate((128, 256, 728), 2):
        x = _shrinking(x, filters, filters, block)
    for block in range(5, 13):
        y = x
        for i in range(1, 4):
            y = _relu_separable(y, 728, block, i)
        x = add([y, x])
    x = _shrinking(x, 728, 1024, 13)
    for i, filters in enumerate((1536, 2048), 1):
        x = _separable(x, filters, 14, i)
        x = Activation("relu", name=f"block14_sepconv{i}_act")(x)
    return x


def _stem(x: KerasTensor, filters: int, stride: int, name: str) -> KerasTensor:
    return chain(
        x,
        Conv2D(filters, 3, stride, use_bias=False, name=name),
        BatchNormalization(name=f"{name}_bn"),
        Activation("relu", name=f"{name}_act"),
    )


def _separable(x: KerasTensor, filters: int, block: int, i: int) -> KerasTensor:
    name = f"block{block}_sepconv{i}"
    return chain(
        x,
        SeparableConv2D(filters, 3, padding="same", use_bias=False, name=name),
        BatchNormalization(name=f"{name}_bn"),
    )


def _relu_separable(x: KerasTensor, filters: int, block: int, i: int) -> KerasTensor:
    x = Activation("relu", name=f"block{block}_sepconv{i}_act")(x)
    return _separable(x, filters, block, i)


def _shrinking(x: KerasTensor, first: int, second: int, block: int) -> KerasTensor:
    """A block that halves the sides; that behind the stem has its first activation there."""
    convolution = Conv2D(second, 1, 2, padding="same", use_bias=False)
    shortcut = chain(x, convolution, BatchNormalization())
    x = (_separable if block == 2 else _relu_separable)(x, first, block, 1)
    x = _relu_separable(x, second, block, 2)
    x = MaxPooling2D(3, 2, padding="same", name=f"block{block}_pool")(x)
    return add([x, shortcut])


_ARCHITECTURE = Architecture(
    name="xception",
    features=_features,
    files=pair(
        "xception/xception_weights_tf_dim_ordering_tf_kernels",
        ("0a58e3b7378bc2990ea3b43d5981f1f6", "b0042744bf5b25fce3cb969f33bebb97"),
    ),
    size=299,
    smallest=71,
    pool=unnamed_pool,
)

preprocess_input = preprocessor("tf")
Xception = variant(image_model, _ARCHITECTURE, "Xception", "Chollet, 2016", smallest=71)
