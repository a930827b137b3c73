"""EfficientNet: one network of narrow residual blocks, scaled in width, depth and image size."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from pydl.applications.architecture import Architecture, image_model, variant
from pydl.applications.blocks import chain, divisible, strided_padding
from pydl.applications.imagenet_utils import decode_predictions, preprocessor
from pydl.applications.published import pair
from pydl.initializers import VarianceScaling
from pydl.layers import (
    Activation,
    BatchNormalization,
    Conv2D,
    Dense,
    DepthwiseConv2D,
    Dropout,
    GlobalAveragePooling2D,
    KerasTensor,
    Layer,
    Normalization,
    Rescaling,
    Reshape,
    ZeroPadding2D,
    add,
    multiply,
)
from pydl.models import Model

__all__ = [f"EfficientNetB{i}" for i in range(8)] + ["decode_predictions", "preprocess_input"]

_STAGES = (  # kernel size, blocks, filters, expansion and the stride of the first block
    (3, 1, 16, 1, 1), (3, 2, 24, 6, 2), (5, 2, 40, 6, 2), (3, 3, 80, 6, 2),
    (5, 3, 112, 6, 1), (5, 4, 192, 6, 2), (3, 1, 320, 6, 1),
)  # fmt: skip
_SQUEEZE = 0.25
_DROP = 0.2  # of the last residual block; that of others grows from 0
_DEVIATIONS = (0.229, 0.224, 0.225)  # of ImageNet's channels, which the published weights are for
_HOST = "https://storage.googleapis.com/keras-applications/"


class Norm(NamedTuple):
    """How a network normalizes and activates."""

    momentum: float = 0.99
    activation: str = "swish"

    def __call__(self, name: str, activation: str | None = None) -> tuple[Layer, ...]:
        """Layers: the normalization, and an activation under its own name if it has one."""
        norm = BatchNormalization(momentum=self.momentum, name=name)
        if activation is None:
            return (norm,)
        return norm, Activation(self.activation, name=activation)


def convolution(filters: int, size: int, name: str, stride: int = 1, **options: Any) -> Conv2D:
    """A convolution with the initial values and the padding of these networks."""
    options = {"padding": "same", "use_bias": False, **options}
    return Conv2D(filters, size, stride, kernel_initializer=_initial(), name=name, **options)


def depthwise(size: int, stride: int, padding: str, name: str) -> DepthwiseConv2D:
    """A convolution of every channel alone, likewise."""
    return DepthwiseConv2D(
        size, stride, padding, use_bias=False, depthwise_initializer=_initial(), name=name
    )


def _initial() -> VarianceScaling:
    return VarianceScaling(2.0, "fan_out", "truncated_normal")


def squeeze_excite(x: KerasTensor, filters: int, name: str) -> KerasTensor:
    """Multiplies every channel by a share that depends on the means of all channels."""
    channels = x.shape[-1]
    shares = chain(
        x,
        GlobalAveragePooling2D(name=f"{name}se_squeeze"),
        Reshape((1, 1, channels), name=f"{name}se_reshape"),
        convolution(filters, 1, f"{name}se_reduce", use_bias=True, activation="swish"),
        convolution(channels, 1, f"{name}se_expand", use_bias=True, activation="sigmoid"),
    )
    return multiply([x, shares], name=f"{name}se_excite")


def residual(x: KerasTensor, before: KerasTensor, drop: float, name: str) -> KerasTensor:
    """Adds what a block made to what went in, while training not always."""
    if drop:
        x = Dropout(drop, noise_shape=(None, 1, 1, 1), name=f"{name}drop")(x)
    return add([x, before], name=f"{name}add")


def classifier(dropout: float) -> Callable[[KerasTensor, int, Any], KerasTensor]:
    """The top of these networks."""

    def top(x: KerasTensor, classes: int, activation: Any) -> KerasTensor:
        initial = VarianceScaling(1 / 3, "fan_out", "uniform")
        return chain(
            x,
            GlobalAveragePooling2D(name="avg_pool"),
            Dropout(dropout, name="top_dropout"),
            Dense(classes, activation, kernel_initializer=initial, name="predictions"),
        )

    return top


class _Scale(NamedTuple):
    name: str
    width: float
    depth: float
    size: int
    dropout: float
    checksums: tuple[str, str]


def _efficientnet(
    scale: _Scale,
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: KerasTensor | None = None,
    input_shape: tuple[int | None, int | None, int] | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str | None = None,
) -> Model:
    architecture = Architecture(
        name=scale.name,
        features=partial(_features, scale=scale, rescaled=weights == "imagenet"),
        files=pair(scale.name, scale.checksums, host=_HOST),
        size=scale.size,
        top=classifier(scale.dropout),
    )
    return image_model(
        architecture, include_top, weights, input_tensor, input_shape, pooling, classes,
        classifier_activation, name,
    )  # fmt: skip


def _features(image: KerasTensor, scale: _Scale, rescaled: bool) -> KerasTensor:
    def width(filters: int) -> int:
        return divisible(filters * scale.width)

    norm = Norm()
    x = chain(image, Rescaling(1 / 255), Normalization(axis=3))
    if rescaled:
        x = Rescaling([1 / math.sqrt(deviation) for deviation in _DEVIATIONS])(x)
    x = chain(
        x,
        ZeroPadding2D(strided_padding(x, 3), name="stem_conv_pad"),
        convolution(width(32), 3, "stem_conv", 2, padding="valid"),
        *norm("stem_bn", "stem_activation"),
    )
    depths = [math.ceil(blocks * scale.depth) for _, blocks, *_ in _STAGES]
    number = 0
    for stage, (kernel, _, filters, expansion, stride) in enumerate(_STAGES, 1):
        for i in range(depths[stage - 1]):
            drop = _DROP * number / sum(depths)
            name = f"block{stage}{chr(ord('a') + i)}_"
            x = _block(x, width(filters), kernel, 1 if i else stride, expansion, drop, name)
            number += 1
    return chain(x, convolution(width(1280), 1, "top_conv"), *norm("top_bn", "top_activation"))


def _block(
    x: KerasTensor, filters: int, kernel: int, stride: int, expansion: int, drop: float, name: str
) -> KerasTensor:
    before, channels, norm = x, x.shape[-1], Norm()
    if expansion > 1:
        expand = convolution(channels * expansion, 1, f"{name}expand_conv")
        x = chain(x, expand, *norm(f"{name}expand_bn", f"{name}expand_activation"))
    if stride == 2:
        x = ZeroPadding2D(strided_padding(x, kernel), name=f"{name}dwconv_pad")(x)
    padding = "valid" if stride == 2 else "same"
    x = chain(
        x,
        depthwise(kernel, stride, padding, f"{name}dwconv"),
        *norm(f"{name}bn", f"{name}activation"),
    )
    x = squeeze_excite(x, max(1, int(channels * _SQUEEZE)), name)
    x = chain(x, convolution(filters, 1, f"{name}project_conv"), *norm(f"{name}project_bn"))
    return residual(x, before, drop, name) if stride == 1 and channels == filters else x


def _scaled(
    i: int, width: float, depth: float, size: int, dropout: float, *checksums: str
) -> Callable[..., Model]:
    scale = _Scale(f"efficientnetb{i}", width, depth, size, dropout, checksums)
    return variant(_efficientnet, scale, f"EfficientNetB{i}", "Tan and Le, 2019")


preprocess_input = preprocessor(None)
EfficientNetB0 = _scaled(
    0, 1.0, 1.0, 224, 0.2, "902e53a9f72be733fc0bcb005b3ebbac", "50bc09e76180e00e4465e1a485ddc09d"
)
EfficientNetB1 = _scaled(
    1, 1.0, 1.1, 240, 0.2, "1d254153d4ab51201f1646940f018540", "74c4e6b3e1f6a1eea24c589628592432"
)
EfficientNetB2 = _scaled(
    2, 1.1, 1.2, 260, 0.3, "b15cce36ff4dcbd00b6dd88e7857a6ad", "111f8e2ac8aa800a7a99e3239f7bfb39"
)
EfficientNetB3 = _scaled(
    3, 1.2, 1.4, 300, 0.3, "ffd1fdc53d0ce67064dc6a9c7960ede0", "af6d107764bb5b1abb91932881670226"
)
EfficientNetB4 = _scaled(
    4, 1.4, 1.8, 380, 0.4, "18c95ad55216b8f92d7e70b3a046e2fc", "ebc24e6d6c33eaebbd558eafbeedf1ba"
)
EfficientNetB5 = _scaled(
    5, 1.6, 2.2, 456, 0.4, "ace28f2a6363774853a83a0b21b9421a", "38879255a25d3c92d5e44e04ae6cec6f"
)
EfficientNetB6 = _scaled(
    6, 1.8, 2.6, 528, 0.5, "165f6e37dce68623721b423839de8be5", "9ecce42647a20130c1f39a5d4cb75743"
)
EfficientNetB7 = _scaled(
    7, 2.0, 3.1, 600, 0.5, "8c03f828fec3ef71311cd463b6759d99", "cbcfe4450ddf6f3ad90b1b398090fe4a"
)
