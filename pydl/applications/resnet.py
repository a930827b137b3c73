"""ResNet: blocks of three convolutions whose result is added to what went in."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from pydl.applications.architecture import Architecture, image_model, variant
from pydl.applications.blocks import chain
from pydl.applications.imagenet_utils import decode_predictions, preprocessor
from pydl.applications.published import pair
from pydl.layers import (
    Activation,
    Add,
    BatchNormalization,
    Conv2D,
    KerasTensor,
    Layer,
    MaxPooling2D,
    ZeroPadding2D,
)

__all__ = ["ResNet101", "ResNet152", "ResNet50", "decode_predictions", "preprocess_input"]

FILTERS = (64, 128, 256, 512)


def norm(name: str) -> Layer:
    """The batch normalization of all residual networks."""
    return BatchNormalization(epsilon=1.001e-5, name=name)


def stem(image: KerasTensor, normalized: bool) -> KerasTensor:
    """Shrinks images to a quarter of their sides."""
    x = chain(image, ZeroPadding2D(3, name="conv1_pad"), Conv2D(64, 7, 2, name="conv1_conv"))
    if normalized:
        x = chain(x, norm("conv1_bn"), Activation("relu", name="conv1_relu"))
    return chain(x, ZeroPadding2D(1, name="pool1_pad"), MaxPooling2D(3, 2, name="pool1_pool"))


def weight_files(name: str, checksums: tuple[str, str]) -> Any:
    """Where the weights of a residual network are."""
    return pair(f"resnet/{name}_weights_tf_dim_ordering_tf_kernels", checksums)


def _features(image: KerasTensor, depths: Sequence[int]) -> KerasTensor:
    x = stem(image, normalized=True)
    for stage, (depth, filters) in enumerate(zip(depths, FILTERS), 2):
        for block in range(1, depth + 1):
            stride = 2 if block == 1 and stage > 2 else 1
            x = _block(x, filters, stride, block == 1, f"conv{stage}_block{block}")
    return x


def _block(x: KerasTensor, filters: int, stride: int, widens: bool, name: str) -> KerasTensor:
    shortcut = x
    if widens:
        shortcut = chain(
            x, Conv2D(4 * filters, 1, stride, name=f"{name}_0_conv"), norm(f"{name}_0_bn")
        )
    x = chain(
        x,
        Conv2D(filters, 1, stride, name=f"{name}_1_conv"),
        norm(f"{name}_1_bn"),
        Activation("relu", name=f"{name}_1_relu"),
        Conv2D(filters, 3, padding="same", name=f"{name}_2_conv"),
        norm(f"{name}_2_bn"),
        Activation("relu", name=f"{name}_2_relu"),
        Conv2D(4 * filters, 1, name=f"{name}_3_conv"),
        norm(f"{name}_3_bn"),
    )
    return Activation("relu", name=f"{name}_out")(Add(name=f"{name}_add")([shortcut, x]))


def _resnet(name: str, depths: Sequence[int], *checksums: str) -> Any:
    files = weight_files(name.lower(), checksums)
    architecture = Architecture(name.lower(), partial(_features, depths=depths), files)
    return variant(image_model, architecture, name, "He, Zhang, Ren and Sun, 2015")


preprocess_input = preprocessor("caffe")
ResNet50 = _resnet(
    "ResNet50",
    (3, 4, 6, 3),
    "2cb95161c43110f7111970584f804107",
    "4d473c1dd8becc155b73f8504c6f6626",
)
ResNet101 = _resnet(
    "ResNet101",
    (3, 4, 23, 3),
    "f1aeb4b969a6efcfb50fad2f0c20cfc5",
    "88cf7a10940856eca736dc7b7e228a21",
)
ResNet152 = _resnet(
    "ResNet152",
    (3, 8, 36, 3),
    "100835be76be38e30d865e96f2aaae62",
    "ee4c566cf9a93f14d82f913c2dc6dd0c",
)
