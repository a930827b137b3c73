"""ResNet V2: residual blocks that normalize before their convolutions, not after them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from pydl.applications.architecture import Architecture, image_model, variant
from pydl.applications.blocks import chain
from pydl.applications.imagenet_utils import decode_predictions, preprocessor
from pydl.applications.resnet import FILTERS, norm, stem, weight_files
from pydl.layers import Activation, Add, Conv2D, KerasTensor, MaxPooling2D, ZeroPadding2D

__all__ = ["ResNet101V2", "ResNet152V2", "ResNet50V2", "decode_predictions", "preprocess_input"]


def _features(image: KerasTensor, depths: Sequence[int]) -> KerasTensor:
    x = stem(image, normalized=False)
    for stage, (depth, filters) in enumerate(zip(depths, FILTERS), 2):
        for block in range(1, depth + 1):
            stride = 2 if block == depth and stage < 5 else 1
            x = _block(x, filters, stride, block == 1, f"conv{stage}_block{block}")
    return chain(x, norm("post_bn"), Activation("relu", name="post_relu"))


def _block(x: KerasTensor, filters: int, stride: int, widens: bool, name: str) -> KerasTensor:
    before = chain(x, norm(f"{name}_preact_bn"), Activation("relu", name=f"{name}_preact_relu"))
    shortcut = x
    if widens:
        shortcut = Conv2D(4 * filters, 1, stride, name=f"{name}_0_conv")(before)
    elif stride > 1:
        shortcut = MaxPooling2D(1, stride)(x)
    x = chain(
        before,
        Conv2D(filters, 1, use_bias=False, name=f"{name}_1_conv"),
        norm(f"{name}_1_bn"),
        Activation("relu", name=f"{name}_1_relu"),
        ZeroPadding2D(1, name=f"{name}_2_pad"),
        Conv2D(filters, 3, stride, use_bias=False, name=f"{name}_2_conv"),
        norm(f"{name}_2_bn"),
        Activation("relu", name=f"{name}_2_relu"),
        Conv2D(4 * filters, 1, name=f"{name}_3_conv"),
    )
    return Add(name=f"{name}_out")([shortcut, x])


def _resnet(name: str, depths: Sequence[int], *checksums: str) -> Any:
    files = weight_files(name.lower(), checksums)
    architecture = Architecture(name.lower(), partial(_features, depths=depths), files)
    return variant(image_model, architecture, name, "He, Zhang, Ren and Sun, 2016")


preprocess_input = preprocessor("tf")
ResNet50V2 = _resnet(
    "ResNet50V2",
    (3, 4, 6, 3),
    "3ef43a0b657b3be2300d5770ece849e0",
    "fac2f116257151a9d068a22e544a4917",
)
ResNet101V2 = _resnet(
    "ResNet101V2",
    (3, 4, 23, 3),
    "6343647c601c52e1368623803854d971",
    "c0ed64b8031c3730f411d2eb4eea35b5",
)
ResNet152V2 = _resnet(
    "ResNet152V2",
    (3, 8, 36, 3),
    "a49b44d1979771252814e80f8ec446f9",
    "ed17cf2e0169df9d443503ef94b23b33",
)
