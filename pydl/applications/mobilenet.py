"""MobileNet: convolutions of every channel alone, each followed by one over the channels."""

from __future__ import annotations

from functools import partial
from typing import Any

from pydl.applications.architecture import Architecture, described, image_model, unnamed_pool
from pydl.applications.blocks import chain
from pydl.applications.imagenet_utils import decode_predictions, preprocessor
from pydl.applications.published import pair
from pydl.layers import (
    Activation,
    BatchNormalization,
    Conv2D,
    DepthwiseConv2D,
    Dropout,
    GlobalAveragePooling2D,
    KerasTensor,
    Layer,
    ReLU,
    Reshape,
    ZeroPadding2D,
)
from pydl.models import Model

__all__ = ["MobileNet", "decode_predictions", "preprocess_input"]

_BLOCKS = (  # filters and stride
    (64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2),
    (512, 1), (512, 1), (512, 1), (512, 1), (512, 1), (1024, 2), (1024, 1),
)  # fmt: skip
_SIZES = (128, 160, 192, 224)  # that there are weights for
_WIDTHS = {0.25: "2_5", 0.5: "5_0", 0.75: "7_5", 1.0: "1_0"}  # likewise

preprocess_input = preprocessor("tf")


@described(
    "MobileNet",
    "Howard et al., 2017",
    alpha="How wide the network is: every number of filters is multiplied by it.",
    depth_multiplier="How many filters every channel has.",
    dropout="The share of features that is dropped before the top.",
)
def MobileNet(
    input_shape: tuple[int | None, int | None, int] | None = None,
    alpha: float = 1.0,
    depth_multiplier: int = 1,
    dropout: float = 0.001,
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: KerasTensor | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str | None = None,
) -> Model:
    if weights == "imagenet":
        check_width("MobileNet", alpha, _WIDTHS)
        if depth_multiplier != 1:
            raise ValueError(
                "[MobileNet] expected depth_multiplier=1 for the weights of ImageNet, got "
                f"{depth_multiplier}."
            )
    shape = input_shape if input_tensor is None else input_tensor.shape[1:]
    size = pretrained_size(shape, _SIZES)
    architecture = Architecture(
        name=f"mobilenet_{alpha:0.2f}_{side_of(shape, size, include_top, weights)}",
        features=partial(_features, alpha=alpha, multiplier=depth_multiplier),
        files=pair(
            f"mobilenet/mobilenet_{_WIDTHS.get(alpha)}_{size}_tf", endings=(".h5", "_no_top.h5")
        ),
        size=size,
        top=partial(_top, dropout=dropout),
        pool=unnamed_pool,
    )
    return image_model(
        architecture, include_top, weights, input_tensor, input_shape, pooling, classes,
        classifier_activation, name,
    )  # fmt: skip


def check_width(caller: str, alpha: float, widths: Any) -> None:
    """Refuses a width that there are no weights for."""
    if alpha not in widths:
        raise ValueError(
            f"[{caller}] expected alpha to be one of {sorted(widths)} for the weights of ImageNet, "
            f"got {alpha}."
        )


def pretrained_size(shape: Any, sizes: tuple[int, ...]) -> int:
    """Returns the size whose weights suit images of a shape: theirs if there are, else 224."""
    square = shape is not None and len(shape) == 3 and shape[0] == shape[1]
    return shape[0] if square and shape[0] in sizes else 224


def side_of(shape: Any, size: int, include_top: bool, weights: Any) -> int | None:
    """Returns the size that is part of the name of a model."""
    if weights == "imagenet" or (shape is None and include_top):
        return size
    return None if shape is None else shape[0]


def _features(image: KerasTensor, alpha: float, multiplier: int) -> KerasTensor:
    first = Conv2D(int(32 * alpha), 3, 2, padding="same", use_bias=False, name="conv1")
    x = chain(image, first, *_norm_relu("conv1"))
    for i, (filters, stride) in enumerate(_BLOCKS, 1):
        if stride == 2:
            x = ZeroPadding2D(((0, 1), (0, 1)), name=f"conv_pad_{i}")(x)
        padding = "same" if stride == 1 else "valid"
        name = f"conv_dw_{i}"
        x = chain(
            x,
            DepthwiseConv2D(3, stride, padding, multiplier, use_bias=False, name=name),
            *_norm_relu(name),
        )
        name = f"conv_pw_{i}"
        x = chain(
            x,
            Conv2D(int(filters * alpha), 1, padding="same", use_bias=False, name=name),
            *_norm_relu(name),
        )
    return x


def _norm_relu(name: str) -> tuple[Layer, Layer]:
    return BatchNormalization(name=f"{name}_bn"), ReLU(6.0, name=f"{name}_relu")


def _top(x: KerasTensor, classes: int, activation: Any, dropout: float) -> KerasTensor:
    return chain(
        x,
        GlobalAveragePooling2D(keepdims=True),
        Dropout(dropout, name="dropout"),
        Conv2D(classes, 1, padding="same", name="conv_preds"),
        Reshape((classes,), name="reshape_2"),
        Activation(activation, name="predictions"),
    )
