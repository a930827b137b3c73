"""VGG: blocks of 3 x 3 convolutions, each block ending in max pooling, and three dense layers."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from pydl.applications.architecture import Architecture, image_model, unnamed_pool, variant
from pydl.applications.blocks import chain
from pydl.applications.imagenet_utils import preprocessor
from pydl.applications.published import pair
from pydl.layers import Conv2D, Dense, Flatten, KerasTensor, MaxPooling2D

_FILTERS = (64, 128, 256, 512, 512)


def _features(image: KerasTensor, depths: Sequence[int]) -> KerasTensor:
    x = image
    for block, (depth, filters) in enumerate(zip(depths, _FILTERS), 1):
        for i in range(1, depth + 1):
            name = f"block{block}_conv{i}"
            x = Conv2D(filters, 3, padding="same", activation="relu", name=name)(x)
        x = MaxPooling2D(2, name=f"block{block}_pool")(x)
    return x


def _top(x: KerasTensor, classes: int, activation: Any) -> KerasTensor:
    return chain(
        x,
        Flatten(name="flatten"),
        Dense(4096, activation="relu", name="fc1"),
        Dense(4096, activation="relu", name="fc2"),
        Dense(classes, activation=activation, name="predictions"),
    )


def _vgg(name: str, depths: Sequence[int], checksums: tuple[str, str]) -> Any:
    architecture = Architecture(
        name=name.lower(),
        features=partial(_features, depths=depths),
        files=pair(f"{name.lower()}/{name.lower()}_weights_tf_dim_ordering_tf_kernels", checksums),
        top=_top,
        pool=unnamed_pool,
    )
    return variant(image_model, architecture, name, "Simonyan and Zisserman, 2014")


preprocess_input = preprocessor("caffe")
VGG16 = _vgg(
    "VGG16",
    (2, 2, 3, 3, 3),
    ("64373286793e3c8b2b4e3219cbf3544b", "6d6bbae143d832006294945121d1f1fc"),
)
VGG19 = _vgg(
    "VGG19",
    (2, 2, 4, 4, 4),
    ("cbe5617147190e668d6c5d5026f83318", "253f8cb515780f3b799900260a226db6"),
)
