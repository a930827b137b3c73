"""MobileNetV2: residual blocks that are wide inside and narrow between."""

from __future__ import annotations

from functools import partial
from typing import Any

from pydl.applications.architecture import Architecture, described, image_model, unnamed_pool
from pydl.applications.blocks import chain, divisible, strided_padding
from pydl.applications.imagenet_utils import decode_predictions, preprocessor
from pydl.applications.mobilenet import check_width, pretrained_size, side_of
from pydl.applications.published import pair
from pydl.layers import (
    Add,
    BatchNormalization,
    Conv2D,
    Dense,
    DepthwiseConv2D,
    GlobalAveragePooling2D,
    KerasTensor,
    ReLU,
    ZeroPadding2D,
)
from pydl.models import Model

__all__ = ["MobileNetV2", "decode_predictions", "preprocess_input"]

_STAGES = (  # blocks, filters and the stride of the first block
    (1, 16, 1), (2, 24, 2), (3, 32, 2), (4, 64, 2), (3, 96, 1), (3, 160, 2), (1, 320, 1),
)  # fmt: skip
_EXPANSION = 6
_SIZES = (96, 128, 160, 192, 224)  # that there are weights for
_WIDTHS = (0.35, 0.5, 0.75, 1.0, 1.3, 1.4)  # likewise

preprocess_input = preprocessor("tf")


@described(
    "MobileNetV2",
    "Sandler et al., 2018",
    alpha="How wide the network is: every number of filters is multiplied by it.",
)
def MobileNetV2(
    input_shape: tuple[int | None, int | None, int] | None = None,
    alpha: float = 1.0,
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: KerasTensor | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str | None = None,
) -> Model:
    if weights == "imagenet":
        check_width("MobileNetV2", alpha, _WIDTHS)
    shape = input_shape if input_tensor is None else input_tensor.shape[1:]
    size = pretrained_size(shape, _SIZES)
    stem = f"mobilenet_v2/mobilenet_v2_weights_tf_dim_ordering_tf_kernels_{float(alpha)}_{size}"
    architecture = Architecture(
        name=f"mobilenetv2_{alpha:0.2f}_{side_of(shape, size, include_top, weights)}",
        features=partial(_features, alpha=alpha),
        files=pair(stem, endings=(".h5", "_no_top.h5")),
        size=size,
        top=_top,
        pool=unnamed_pool,
    )
    return image_model(
        architecture, include_top, weights, input_tensor, input_shape, pooling, classes,
        classifier_activation, name,
    )  # fmt: skip


def _features(image: KerasTensor, alpha: float) -> KerasTensor:
    first = Conv2D(divisible(32 * alpha), 3, 2, padding="same", use_bias=False, name="Conv1")
    x = chain(image, first, _norm("bn_Conv1"), ReLU(6.0, name="Conv1_relu"))
    number = 0
    for blocks, filters, first_stride in _STAGES:
        for i in range(blocks):
            x = _block(x, divisible(int(filters * alpha)), 1 if i else first_stride, number)
            number += 1
    last = Conv2D(divisible(1280 * max(1.0, alpha)), 1, use_bias=False, name="Conv_1")
    return chain(x, last, _norm("Conv_1_bn"), ReLU(6.0, name="out_relu"))


def _block(x: KerasTensor, filters: int, stride: int, number: int) -> KerasTensor:
    before, channels = x, x.shape[-1]
    name = f"block_{number}" if number else "expanded_conv"
    if number:
        x = chain(
            x,
            Conv2D(_EXPANSION * channels, 1, padding="same", use_bias=False, name=f"{name}_expand"),
            _norm(f"{name}_expand_BN"),
            ReLU(6.0, name=f"{name}_expand_relu"),
        )
    if stride == 2:
        x = ZeroPadding2D(strided_padding(x, 3), name=f"{name}_pad")(x)
    padding = "same" if stride == 1 else "valid"
    x = chain(
        x,
        DepthwiseConv2D(3, stride, padding, use_bias=False, name=f"{name}_depthwise"),
        _norm(f"{name}_depthwise_BN"),
        ReLU(6.0, name=f"{name}_depthwise_relu"),
        Conv2D(filters, 1, padding="same", use_bias=False, name=f"{name}_project"),
        _norm(f"{name}_project_BN"),
    )
    return Add(name=f"{name}_add")([before, x]) if stride == 1 and channels == filters else x


def _norm(name: str) -> BatchNormalization:
    return BatchNormalization(momentum=0.999, name=name)


def _top(x: KerasTensor, classes: int, activation: Any) -> KerasTensor:
    scores = Dense(classes, activation=activation, name="predictions")
    return chain(x, GlobalAveragePooling2D(), scores)
