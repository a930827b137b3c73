"""EfficientNetV2: EfficientNet with whole convolutions in its first blocks, faster to train."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

from pydl.applications.architecture import Architecture, image_model, variant
from pydl.applications.blocks import chain, divisible
from pydl.applications.efficientnet import (
    Norm,
    classifier,
    convolution,
    depthwise,
    residual,
    squeeze_excite,
)
from pydl.applications.imagenet_utils import decode_predictions, preprocessor
from pydl.applications.published import pair
from pydl.layers import KerasTensor, Normalization, Rescaling
from pydl.models import Model

__all__ = [f"EfficientNetV2{size}" for size in ("B0", "B1", "B2", "B3", "L", "M", "S")]
__all__ += ["decode_predictions", "preprocess_input"]

_SQUEEZE = 0.25  # in the blocks that are not fused
_DROP = 0.2  # of the last residual block; that of others grows from 0
_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet's channels
_NORM = Norm(momentum=0.9)


class _Stage(NamedTuple):
    fused: bool  # whether one whole convolution does what else two do
    depth: int
    filters: int
    expansion: int
    stride: int


class _Scale(NamedTuple):
    name: str
    stem: int  # filters of the first convolution
    stages: Sequence[_Stage]
    checksums: tuple[str, str]
    size: int
    width: float = 1.0
    depth: float = 1.0
    normalizes: bool = False  # whether images get mean 0, not just a range from -1 to 1


def _efficientnet(
    scale: _Scale,
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: KerasTensor | None = None,
    input_shape: tuple[int | None, int | None, int] | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    include_preprocessing: bool = True,
    name: str | None = None,
) -> Model:
    architecture = Architecture(
        name=scale.name,
        features=partial(_features, scale=scale, preprocesses=include_preprocessing),
        files=pair(f"efficientnet_v2/{scale.name}", scale.checksums),
        size=scale.size,
        top=classifier(0.2),
    )
    return image_model(
        architecture, include_top, weights, input_tensor, input_shape, pooling, classes,
        classifier_activation, name,
    )  # fmt: skip


def _features(x: KerasTensor, scale: _Scale, preprocesses: bool) -> KerasTensor:
    def width(filters: int) -> int:
        return divisible(filters * scale.width, tolerant=False)

    if preprocesses and scale.normalizes and x.shape[-1] == 3:
        variance = [deviation**2 for deviation in _DEVIATION]
        x = chain(x, Rescaling(1 / 255), Normalization(3, list(_MEAN), variance))
    elif preprocesses:
        x = Rescaling(1 / 128, -1)(x)
    first = convolution(width(scale.stem), 3, "stem_conv", 2)
    x = chain(x, first, *_NORM("stem_bn", "stem_activation"))
    number, depth = 0, sum(stage.depth for stage in scale.stages)
    for i, stage in enumerate(scale.stages, 1):
        for j in range(math.ceil(stage.depth * scale.depth)):
            block = stage._replace(filters=width(stage.filters), stride=1 if j else stage.stride)
            x = _block(x, block, _DROP * number / depth, f"block{i}{chr(ord('a') + j)}_")
            number += 1
    return chain(x, convolution(width(1280), 1, "top_conv"), *_NORM("top_bn", "top_activation"))


def _block(x: KerasTensor, block: _Stage, drop: float, name: str) -> KerasTensor:
    before, channels = x, x.shape[-1]
    wide = channels * block.expansion
    # The one convolution that is not over the channels alone is the first of a fused block.
    kernel, stride = (3, block.stride) if block.fused else (1, 1)
    if block.expansion > 1:
        expand = convolution(wide, kernel, f"{name}expand_conv", stride)
        x = chain(x, expand, *_NORM(f"{name}expand_bn", f"{name}expand_activation"))
        kernel, stride = 1, 1
    if not block.fused:
        spread = depthwise(3, block.stride, "same", f"{name}dwconv2")
        x = chain(x, spread, *_NORM(f"{name}bn", f"{name}activation"))
        x = squeeze_excite(x, max(1, int(channels * _SQUEEZE)), name)
    activation = f"{name}project_activation" if block.fused and block.expansion == 1 else None
    project = convolution(block.filters, kernel, f"{name}project_conv", stride)
    x = chain(x, project, *_NORM(f"{name}project_bn", activation))
    if block.stride == 1 and channels == block.filters:
        x = residual(x, before, drop, name)
    return x


def _scaled(
    code: str, stem: int, stages: Any, *checksums: str, **options: Any
) -> Callable[..., Model]:
    name = f"efficientnetv2-{code.lower()}"
    return variant(
        _efficientnet,
        _Scale(name, stem, tuple(_Stage(*stage) for stage in stages), checksums, **options),
        f"EfficientNetV2{code}",
        "Tan and Le, 2021",
        include_preprocessing="Whether the model scales pixels from 0 to 255 itself.",
    )


_B = (
    (True, 1, 16, 1, 1), (True, 2, 32, 4, 2), (True, 2, 48, 4, 2),
    (False, 3, 96, 4, 2), (False, 5, 112, 6, 1), (False, 8, 192, 6, 2),
)  # fmt: skip
_S = (
    (True, 2, 24, 1, 1), (True, 4, 48, 4, 2), (True, 4, 64, 4, 2),
    (False, 6, 128, 4, 2), (False, 9, 160, 6, 1), (False, 15, 256, 6, 2),
)  # fmt: skip
_M = (
    (True, 3, 24, 1, 1), (True, 5, 48, 4, 2), (True, 5, 80, 4, 2),
    (False, 7, 160, 4, 2), (False, 14, 176, 6, 1), (False, 18, 304, 6, 2), (False, 5, 512, 6, 1),
)  # fmt: skip
_L = (
    (True, 4, 32, 1, 1), (True, 7, 64, 4, 2), (True, 7, 96, 4, 2),
    (False, 10, 192, 4, 2), (False, 19, 224, 6, 1), (False, 25, 384, 6, 2), (False, 7, 640, 6, 1),
)  # fmt: skip

preprocess_input = preprocessor(None)
EfficientNetV2B0 = _scaled(
    "B0", 32, _B, "21ecbf6da12460d5c40bb2f29ceb2188", "893217f2bb855e2983157299931e43ff",
    size=224, normalizes=True,
)  # fmt: skip
EfficientNetV2B1 = _scaled(
    "B1", 32, _B, "069f0534ff22adf035c89e2d9547a9dc", "0e80663031ca32d657f9caa404b6ec37",
    size=240, depth=1.1, normalizes=True,
)  # fmt: skip
EfficientNetV2B2 = _scaled(
    "B2", 32, _B, "424e49f28180edbde1e94797771950a7", "1dfe2e7a5d45b6632553a8961ea609eb",
    size=260, width=1.1, depth=1.2, normalizes=True,
)  # fmt: skip
EfficientNetV2B3 = _scaled(
    "B3", 32, _B, "1f1fc43bd98a6e4fd8fdfd551e02c7a0", "f6abf7b5849ac99a89b50dd3fd532856",
    size=300, width=1.2, depth=1.4, normalizes=True,
)  # fmt: skip
EfficientNetV2S = _scaled(
    "S", 24, _S, "e1d88a8495beba45748fedd0cecbe016", "af0682fb74e8c54910f2d4393339c070", size=384
)
EfficientNetV2M = _scaled(
    "M", 24, _M, "a3bf6aa3276309f4fc6a34aa114c95cd", "1b8dc055df72dde80d614482840fe342", size=480
)
EfficientNetV2L = _scaled(
    "L", 32, _L, "27e6d408b53c7ebc868fefa357689935", "b0b66b5c863aef5b46e8608fe1711615", size=480
)
