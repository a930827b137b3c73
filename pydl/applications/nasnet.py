"""NASNet: two cells of separable convolutions and pooling, found by search and stacked."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from pydl.applications.architecture import Architecture, image_model, unnamed_pool, variant
from pydl.applications.blocks import chain, strided_padding
from pydl.applications.imagenet_utils import decode_predictions, preprocessor
from pydl.applications.published import Published
from pydl.layers import (
    Activation,
    AveragePooling2D,
    BatchNormalization,
    Conv2D,
    Cropping2D,
    Dense,
    GlobalAveragePooling2D,
    KerasTensor,
    MaxPooling2D,
    SeparableConv2D,
    ZeroPadding2D,
    add,
    concatenate,
)
from pydl.models import Model

__all__ = ["NASNetLarge", "NASNetMobile", "decode_predictions", "preprocess_input"]

_HOST = "https://storage.googleapis.com/tensorflow/keras-applications/nasnet/"


class _Size(NamedTuple):
    name: str
    size: int
    filters: int  # of the first normal cells
    cells: int  # normal cells a stage
    stem: int  # filters of the first convolution
    skips: bool  # whether the cells after a reduction see what was before it
    files: tuple[Published, Published]


def _nasnet(
    size: _Size,
    input_shape: tuple[int, int, int] | None = None,
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: KerasTensor | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str | None = None,
) -> Model:
    shape = input_shape or (size.size, size.size, 3)
    sizes = shape if input_tensor is None else input_tensor.shape[1:]
    if None in sizes:
        raise ValueError(
            f"[{name or size.name}] expected a known size of images, got {sizes}: which layers "
            "there are depends on it."
        )
    architecture = Architecture(
        name=size.name,
        features=partial(_features, size=size),
        files=size.files,
        size=size.size,
        top=_top,
        pool=unnamed_pool,
    )
    return image_model(
        architecture, include_top, weights, input_tensor, shape, pooling, classes,
        classifier_activation, name,
    )  # fmt: skip


def _features(image: KerasTensor, size: _Size) -> KerasTensor:
    filters, cells = size.filters, size.cells
    first = Conv2D(
        size.stem, 3, 2, use_bias=False, kernel_initializer="he_normal", name="stem_conv1"
    )
    x, previous = chain(image, first, _norm("stem_bn1")), None
    x, previous = _reduction_cell(x, previous, filters // 4, "stem_1"), x
    x, previous = _reduction_cell(x, previous, filters // 2, "stem_2"), x
    for stage in range(3):
        if stage:
            name = f"reduce_{stage * cells}"
            before = x
            x = _reduction_cell(x, previous, filters * 2**stage, name)
            previous = previous if size.skips else before
        for cell in range(cells):
            number = stage * cells + min(stage, 1) + cell
            x, previous = _normal_cell(x, previous, filters * 2**stage, f"{number}"), x
    return Activation("relu")(x)


def _top(x: KerasTensor, classes: int, activation: Any) -> KerasTensor:
    scores = Dense(classes, activation=activation, name="predictions")
    return chain(x, GlobalAveragePooling2D(), scores)


def _normal_cell(x: KerasTensor, previous: KerasTensor, filters: int, name: str) -> KerasTensor:
    p = _adjusted(previous, x, filters, name)
    h = _projected(x, filters, f"normal_conv_1_{name}", f"normal_bn_1_{name}")

    def separable(source: KerasTensor, kernel: int, place: str) -> KerasTensor:
        return _separable(source, filters, kernel, 1, f"normal_{place}_{name}")

    def mean(source: KerasTensor, place: str) -> KerasTensor:
        return AveragePooling2D(3, 1, padding="same", name=f"normal_{place}_{name}")(source)

    def joined(number: int, *parts: KerasTensor) -> KerasTensor:
        return add(list(parts), name=f"normal_add_{number}_{name}")

    parts = [
        p,
        joined(1, separable(h, 5, "left1"), separable(p, 3, "right1")),
        joined(2, separable(p, 5, "left2"), separable(p, 3, "right2")),
        joined(3, mean(h, "left3"), p),
        joined(4, mean(p, "left4"), mean(p, "right4")),
        joined(5, separable(h, 3, "left5"), h),
    ]
    return concatenate(parts, name=f"normal_concat_{name}")


def _reduction_cell(
    x: KerasTensor, previous: KerasTensor | None, filters: int, name: str
) -> KerasTensor:
    p = _adjusted(previous, x, filters, name)
    h = _projected(x, filters, f"reduction_conv_1_{name}", f"reduction_bn_1_{name}")
    padded = ZeroPadding2D(strided_padding(h, 3), name=f"reduction_pad_1_{name}")(h)

    def separable(source: KerasTensor, kernel: int, stride: int, place: str) -> KerasTensor:
        return _separable(source, filters, kernel, stride, f"reduction_{place}_{name}")

    def largest(place: str) -> KerasTensor:
        return MaxPooling2D(3, 2, name=f"reduction_{place}_{name}")(padded)

    def joined(suffix: str, *parts: KerasTensor) -> KerasTensor:
        return add(list(parts), name=f"reduction_add{suffix}_{name}")

    first = joined("_1", separable(h, 5, 2, "left1"), separable(p, 7, 2, "right1"))
    second = joined("_2", largest("left2"), separable(p, 7, 2, "right2"))
    mean = AveragePooling2D(3, 2, name=f"reduction_left3_{name}")(padded)
    third = joined("3", mean, separable(p, 5, 2, "right3"))
    mean = AveragePooling2D(3, 1, padding="same", name=f"reduction_left4_{name}")(first)
    fourth = add([second, mean])
    fifth = joined("4", separable(first, 3, 1, "left4"), largest("right5"))
    return concatenate([second, third, fourth, fifth], name=f"reduction_concat_{name}")


def _adjusted(p: KerasTensor | None, x: KerasTensor, filters: int, name: str) -> KerasTensor:
    """What the cell before the last made, with the size and the channels of now."""
    if p is None:
        return x
    if p.shape[2] != x.shape[2]:
        p = Activation("relu", name=f"adjust_relu_1_{name}")(p)
        halves = [
            _half(p, filters // 2, 1, name),
            _half(chain(p, ZeroPadding2D(((0, 1), (0, 1))), Cropping2D(((1, 0), (1, 0)))),
                  filters // 2, 2, name),
        ]  # fmt: skip
        return _norm(f"adjust_bn_{name}")(concatenate(halves))
    if p.shape[-1] != filters:
        return _projected(p, filters, f"adjust_conv_projection_{name}", f"adjust_bn_{name}")
    return p


def _half(p: KerasTensor, filters: int, number: int, name: str) -> KerasTensor:
    """Half of the channels, made of every second pixel."""
    pick = AveragePooling2D(1, 2, name=f"adjust_avg_pool_{number}_{name}")
    return chain(p, pick, _pointwise(filters, f"adjust_conv_{number}_{name}"))


def _projected(x: KerasTensor, filters: int, name: str, norm_name: str) -> KerasTensor:
    return chain(x, Activation("relu"), _pointwise(filters, name), _norm(norm_name))


def _pointwise(filters: int, name: str) -> Conv2D:
    return Conv2D(
        filters, 1, padding="same", use_bias=False, kernel_initializer="he_normal", name=name
    )


def _separable(x: KerasTensor, filters: int, kernel: int, stride: int, name: str) -> KerasTensor:
    """Two separable convolutions, the first of which may shrink the sides."""
    x = Activation("relu")(x)
    if stride == 2:
        x = ZeroPadding2D(strided_padding(x, kernel), name=f"separable_conv_1_pad_{name}")(x)
    padding = "same" if stride == 1 else "valid"
    return chain(
        x,
        SeparableConv2D(
            filters, kernel, stride, padding, use_bias=False, name=f"separable_conv_1_{name}"
        ),
        _norm(f"separable_conv_1_bn_{name}"),
        Activation("relu"),
        SeparableConv2D(
            filters, kernel, padding="same", use_bias=False, name=f"separable_conv_2_{name}"
        ),
        _norm(f"separable_conv_2_bn_{name}"),
    )


def _norm(name: str) -> BatchNormalization:
    return BatchNormalization(momentum=0.9997, name=name)


def _sized(
    name: str, size: int, filters: int, cells: int, stem: int, skips: bool, *checksums: str
) -> Callable[..., Model]:
    kind = name.lower()
    with_top, without = checksums
    files = (
        Published(f"{_HOST}NASNet-{kind}.h5", with_top, f"nasnet_{kind}.h5"),
        Published(f"{_HOST}NASNet-{kind}-no-top.h5", without, f"nasnet_{kind}_no_top.h5"),
    )
    return variant(
        _nasnet,
        _Size(f"nasnet_{kind}", size, filters, cells, stem, skips, files),
        f"NASNet{name}",
        "Zoph, Vasudevan, Shlens and Le, 2017",
    )


preprocess_input = preprocessor("tf")
NASNetMobile = _sized(
    "Mobile", 224, 44, 4, 32, False,
    "020fb642bf7360b370c678b08e0adf61", "1ed92395b5b598bdda52abe5c0dbfd63",
)  # fmt: skip
NASNetLarge = _sized(
    "Large", 331, 168, 6, 96, True,
    "11577c9a518f0070763c2b964a382f17", "d81d89dc07e6e56530c4e77faddd61b5",
)  # fmt: skip
