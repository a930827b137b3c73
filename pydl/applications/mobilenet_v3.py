"""MobileNetV3: the blocks of MobileNetV2, some of which weigh their channels, found by search."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

from pydl.applications.architecture import Architecture, image_model, variant
from pydl.applications.blocks import chain, divisible, strided_padding
from pydl.applications.imagenet_utils import decode_predictions, preprocessor
from pydl.applications.mobilenet import check_width
from pydl.applications.published import pair
from pydl.layers import (
    Activation,
    Add,
    BatchNormalization,
    Conv2D,
    DepthwiseConv2D,
    Dropout,
    Flatten,
    GlobalAveragePooling2D,
    KerasTensor,
    Layer,
    Multiply,
    ReLU,
    Rescaling,
    ZeroPadding2D,
)
from pydl.models import Model

__all__ = ["MobileNetV3Large", "MobileNetV3Small", "decode_predictions", "preprocess_input"]

_SQUEEZE = 0.25


class _Block(NamedTuple):
    expansion: float
    filters: int
    kernel: int = 3
    stride: int = 1
    squeezes: bool = False
    swish: bool = True  # whether the activation is hard swish, not ReLU


class _Size(NamedTuple):
    name: str
    blocks: Sequence[_Block]
    hidden: int  # features that scores are made of
    checksums: dict[str, tuple[str, str]]  # of the weights, by the name of the width
    size: int = 224


def _mobilenet(
    size: _Size,
    input_shape: tuple[int | None, int | None, int] | None = None,
    alpha: float = 1.0,
    minimalistic: bool = False,
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: KerasTensor | None = None,
    classes: int = 1000,
    pooling: str | None = None,
    dropout_rate: float = 0.2,
    classifier_activation: Any = "softmax",
    include_preprocessing: bool = True,
    name: str | None = None,
) -> Model:
    if weights == "imagenet":
        check_width(size.name, alpha, (1.0,) if minimalistic else (0.75, 1.0))
    kind = size.name.removeprefix("MobileNetV3").lower() + ("_minimalistic" if minimalistic else "")
    published = f"{kind}_224_{float(alpha)}_float"
    network = _Network(size, alpha, minimalistic, include_preprocessing, dropout_rate)
    architecture = Architecture(
        name=size.name,
        features=network.features,
        files=pair(
            f"mobilenet_v3/weights_mobilenet_v3_{published}",
            size.checksums.get(published, (None, None)),
            (".h5", "_no_top_v2.h5"),
        ),
        top=network.top,
        needs_size=False,
    )
    return image_model(
        architecture, include_top, weights, input_tensor, input_shape, pooling, classes,
        classifier_activation, name,
    )  # fmt: skip


class _Network(NamedTuple):
    size: _Size
    alpha: float
    minimalistic: bool
    preprocesses: bool
    dropout: float

    def activation(self, swish: bool = True) -> Layer:
        return Activation("hard_swish") if swish and not self.minimalistic else ReLU()

    def features(self, x: KerasTensor) -> KerasTensor:
        if self.preprocesses:
            x = Rescaling(1 / 127.5, -1.0)(x)
        first = Conv2D(16, 3, 2, padding="same", use_bias=False, name="conv")
        x = chain(x, first, _norm("conv_bn"), self.activation())
        for number, block in enumerate(self.size.blocks):
            x = self._block(x, block, number)
        last = Conv2D(divisible(x.shape[-1] * 6), 1, padding="same", use_bias=False, name="conv_1")
        return chain(x, last, _norm("conv_1_bn"), self.activation())

    def _block(self, x: KerasTensor, block: _Block, number: int) -> KerasTensor:
        before, channels = x, x.shape[-1]
        filters, wide = divisible(block.filters * self.alpha), divisible(channels * block.expansion)
        kernel = 3 if self.minimalistic else block.kernel
        name = f"expanded_conv_{number}" if number else "expanded_conv"
        if number:
            expand = Conv2D(wide, 1, padding="same", use_bias=False, name=f"{name}_expand")
            x = chain(x, expand, _norm(f"{name}_expand_bn"), self.activation(block.swish))
        if block.stride == 2:
            x = ZeroPadding2D(strided_padding(x, kernel), name=f"{name}_depthwise_pad")(x)
        padding = "same" if block.stride == 1 else "valid"
        spatial = DepthwiseConv2D(
            kernel, block.stride, padding, use_bias=False, name=f"{name}_depthwise"
        )
        x = chain(x, spatial, _norm(f"{name}_depthwise_bn"), self.activation(block.swish))
        if block.squeezes and not self.minimalistic:
            x = _squeeze_excite(x, wide, f"{name}_squeeze_excite")
        project = Conv2D(filters, 1, padding="same", use_bias=False, name=f"{name}_project")
        x = chain(x, project, _norm(f"{name}_project_bn"))
        if block.stride == 1 and channels == filters:
            x = Add(name=f"{name}_add")([before, x])
        return x

    def top(self, x: KerasTensor, classes: int, activation: Any) -> KerasTensor:
        hidden = divisible(self.size.hidden * self.alpha) if self.alpha > 1 else self.size.hidden
        x = chain(
            x,
            GlobalAveragePooling2D(keepdims=True),
            Conv2D(hidden, 1, padding="same", name="conv_2"),
            self.activation(),
        )
        if self.dropout:
            x = Dropout(self.dropout)(x)
        return chain(
            x,
            Conv2D(classes, 1, padding="same", name="logits"),
            Flatten(),
            Activation(activation, name="predictions"),
        )


def _norm(name: str) -> BatchNormalization:
    return BatchNormalization(momentum=0.999, name=name)


def _squeeze_excite(x: KerasTensor, filters: int, name: str) -> KerasTensor:
    shares = chain(
        x,
        GlobalAveragePooling2D(keepdims=True, name=f"{name}_avg_pool"),
        Conv2D(divisible(filters * _SQUEEZE), 1, padding="same", name=f"{name}_conv"),
        ReLU(name=f"{name}_relu"),
        Conv2D(filters, 1, padding="same", name=f"{name}_conv_1"),
    )
    shares = ReLU(6.0)(shares + 3.0) * (1 / 6)
    return Multiply(name=f"{name}_mul")([x, shares])


def _variant(size: _Size) -> Callable[..., Model]:
    return variant(
        _mobilenet,
        size,
        size.name,
        "Howard et al., 2019",
        alpha="How wide the network is: every number of filters is multiplied by it.",
        minimalistic="Whether to use only ReLU and kernels of 3 x 3, and never weigh channels.",
        dropout_rate="The share of features that is dropped before the scores.",
        include_preprocessing="Whether the model scales pixels from 0 to 255 itself.",
    )


preprocess_input = preprocessor(None)
_relu = partial(_Block, swish=False)
MobileNetV3Small = _variant(
    _Size(
        "MobileNetV3Small",
        (
            _relu(1, 16, stride=2, squeezes=True), _relu(72 / 16, 24, stride=2), _relu(88 / 24, 24),
            _Block(4, 40, 5, 2, True), _Block(6, 40, 5, 1, True), _Block(6, 40, 5, 1, True),
            _Block(3, 48, 5, 1, True), _Block(3, 48, 5, 1, True),
            _Block(6, 96, 5, 2, True), _Block(6, 96, 5, 1, True), _Block(6, 96, 5, 1, True),
        ),
        1024,
        {
            "small_224_0.75_float": (
                "cb65d4e5be93758266aa0a7f2c6708b7", "ebdb5cc8e0b497cd13a7c275d475c819",
            ),
            "small_224_1.0_float": (
                "8768d4c2e7dee89b9d02b2d03d65d862", "d3e8ec802a04aa4fc771ee12a9a9b836",
            ),
            "small_minimalistic_224_1.0_float": (
                "99cd97fb2fcdad2bf028eb838de69e37", "cde8136e733e811080d9fcd8a252f7e4",
            ),
        },
    )
)  # fmt: skip
MobileNetV3Large = _variant(
    _Size(
        "MobileNetV3Large",
        (
            _relu(1, 16), _relu(4, 24, stride=2), _relu(3, 24),
            _relu(3, 40, 5, 2, True), _relu(3, 40, 5, 1, True), _relu(3, 40, 5, 1, True),
            _Block(6, 80, stride=2), _Block(2.5, 80), _Block(2.3, 80), _Block(2.3, 80),
            _Block(6, 112, squeezes=True), _Block(6, 112, squeezes=True),
            _Block(6, 160, 5, 2, True), _Block(6, 160, 5, 1, True), _Block(6, 160, 5, 1, True),
        ),
        1280,
        {
            "large_224_0.75_float": (
                "765b44a33ad4005b3ac83185abf1d0eb", "40af19a13ebea4e2ee0c676887f69a2e",
            ),
            "large_224_1.0_float": (
                "59e551e166be033d707958cf9e29a6a7", "07fb09a5933dd0c8eaafa16978110389",
            ),
            "large_minimalistic_224_1.0_float": (
                "675e7b876c45c57e9e63e6d90a36599c", "ec5221f64a2f6d1ef965a614bdae7973",
            ),
        },
    )
)  # fmt: skip
