"""DenseNet: every convolution sees the results of all before it in its block."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from pydl.applications.architecture import Architecture, image_model, variant
from pydl.applications.blocks import chain
from pydl.applications.imagenet_utils import decode_predictions, preprocessor
from pydl.applications.published import pair
from pydl.applications.resnet import norm
from pydl.layers import (
    Activation,
    AveragePooling2D,
    Concatenate,
    Conv2D,
    KerasTensor,
    Layer,
    MaxPooling2D,
    ZeroPadding2D,
)

__all__ = ["DenseNet121", "DenseNet169", "DenseNet201", "decode_predictions", "preprocess_input"]

_GROWTH = 32  # channels that every convolution adds


def _features(image: KerasTensor, depths: Sequence[int]) -> KerasTensor:
    x = chain(
        image,
        ZeroPadding2D(3),
        _convolution(64, 7, "conv1_conv", strides=2),
        *_norm_relu("conv1"),
        ZeroPadding2D(1),
        MaxPooling2D(3, 2, name="pool1"),
    )
    for stage, depth in enumerate(depths, 2):
        if stage > 2:
            x = _transition(x, f"pool{stage - 1}")
        for block in range(1, depth + 1):
            x = _block(x, f"conv{stage}_block{block}")
    return chain(x, norm("bn"), Activation("relu", name="relu"))


def _block(x: KerasTensor, name: str) -> KerasTensor:
    grown = chain(
        x,
        *_norm_relu(f"{name}_0"),
        _convolution(4 * _GROWTH, 1, f"{name}_1_conv"),
        *_norm_relu(f"{name}_1"),
        _convolution(_GROWTH, 3, f"{name}_2_conv", padding="same"),
    )
    return Concatenate(name=f"{name}_concat")([x, grown])


def _transition(x: KerasTensor, name: str) -> KerasTensor:
    """Halves the channels and the sides."""
    return chain(
        x,
        *_norm_relu(name),
        _convolution(x.shape[-1] // 2, 1, f"{name}_conv"),
        AveragePooling2D(2, name=f"{name}_pool"),
    )


def _convolution(filters: int, size: int, name: str, **options: Any) -> Layer:
    return Conv2D(filters, size, use_bias=False, name=name, **options)


def _norm_relu(name: str) -> tuple[Layer, Layer]:
    return norm(f"{name}_bn"), Activation("relu", name=f"{name}_relu")


def _densenet(layers: int, depths: Sequence[int], *checksums: str) -> Any:
    name = f"DenseNet{layers}"
    stem = f"densenet/{name.lower()}_weights_tf_dim_ordering_tf_kernels"
    architecture = Architecture(
        name.lower(), partial(_features, depths=depths), pair(stem, checksums)
    )
    return variant(image_model, architecture, name, "Huang et al., 2016")


preprocess_input = preprocessor("torch")
DenseNet121 = _densenet(
    121,
    (6, 12, 24, 16),
    "9d60b8095a5708f2dcce2bca79d332c7",
    "30ee3e1110167f948a6b9946edeeb738",
)
DenseNet169 = _densenet(
    169,
    (6, 12, 32, 32),
    "d699b8f76981ab1b30698df4c175e90b",
    "b8c4d4c20dd625c148057b9ff1c1176b",
)
DenseNet201 = _densenet(
    201,
    (6, 12, 48, 32),
    "1ceb130c1ea1b78c3bf6114dbdfd8807",
    "c13680b51ded0fb44dff2d8f86ac8bb1",
)
