"""InceptionResNetV2: Inception blocks whose result is scaled and added to what went in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydl.applications.architecture import Architecture, image_model, unnamed_pool, variant
from pydl.applications.imagenet_utils import decode_predictions, preprocessor
from pydl.applications.inception_v3 import branch, convolve, pooled, shrink, stem
from pydl.applications.published import pair
from pydl.layers import Activation, Concatenate, Conv2D, KerasTensor, Layer, MaxPooling2D

__all__ = ["InceptionResNetV2", "decode_predictions", "preprocess_input"]


class CustomScaleLayer(Layer):
    """Adds a multiple of one tensor to another.

    Args:
        scale: The factor of the second tensor.

    Example:
        >>> CustomScaleLayer(0.5)([pydl.tensor([[1.0]]), pydl.tensor([[4.0]])]).tolist()
        [[3.0]]
    """

    def __init__(self, scale: float, **kwargs: Any):
        super().__init__(**kwargs)
        self.scale = scale

    def call(self, inputs):
        return inputs[0] + inputs[1] * self.scale


def _small(x: KerasTensor) -> list[KerasTensor]:
    return [
        branch(x, (32, 1)),
        branch(x, (32, 1), (32, 3)),
        branch(x, (32, 1), (48, 3), (64, 3)),
    ]


def _middle(x: KerasTensor) -> list[KerasTensor]:
    return [branch(x, (192, 1)), branch(x, (128, 1), (160, (1, 7)), (192, (7, 1)))]


def _large(x: KerasTensor) -> list[KerasTensor]:
    return [branch(x, (192, 1)), branch(x, (192, 1), (224, (1, 3)), (256, (3, 1)))]


def _features(image: KerasTensor) -> KerasTensor:
    x = stem(image)
    branches = [
        branch(x, (96, 1)),
        branch(x, (48, 1), (64, 5)),
        branch(x, (64, 1), (96, 3), (96, 3)),
        pooled(x, 64),
    ]
    x = Concatenate(name="mixed_5b")(branches)
    for i in range(1, 11):
        x = _block(x, _small, 0.17, f"block35_{i}")
    branches = [
        shrink(x, 384),
        shrink(branch(x, (256, 1), (256, 3)), 384),
        MaxPooling2D(3, 2)(x),
    ]
    x = Concatenate(name="mixed_6a")(branches)
    for i in range(1, 21):
        x = _block(x, _middle, 0.1, f"block17_{i}")
    branches = [
        shrink(branch(x, (256, 1)), 384),
        shrink(branch(x, (256, 1)), 288),
        shrink(branch(x, (256, 1), (288, 3)), 320),
        MaxPooling2D(3, 2)(x),
    ]
    x = Concatenate(name="mixed_7a")(branches)
    for i in range(1, 10):
        x = _block(x, _large, 0.2, f"block8_{i}")
    x = _block(x, _large, 1.0, "block8_10", activates=False)
    return convolve(x, 1536, 1, name="conv_7b")


def _block(
    x: KerasTensor,
    branches: Callable[[KerasTensor], list[KerasTensor]],
    scale: float,
    name: str,
    activates: bool = True,
) -> KerasTensor:
    mixed = Concatenate(name=f"{name}_mixed")(branches(x))
    up = Conv2D(x.shape[-1], 1, padding="same", name=f"{name}_conv")(mixed)
    x = CustomScaleLayer(scale)([x, up])
    return Activation("relu", name=f"{name}_ac")(x) if activates else x


_ARCHITECTURE = Architecture(
    name="inception_resnet_v2",
    features=_features,
    files=pair(
        "inception_resnet_v2/inception_resnet_v2_weights_tf_dim_ordering_tf_kernels",
        ("e693bd0210a403b3192acc6073ad2e96", "d19885ff4a710c122648d3b5c3b684e4"),
    ),
    size=299,
    smallest=75,
    pool=unnamed_pool,
)

preprocess_input = preprocessor("tf")
InceptionResNetV2 = variant(
    image_model, _ARCHITECTURE, "InceptionResNetV2", "Szegedy et al., 2016", smallest=75
)
