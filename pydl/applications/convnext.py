"""ConvNeXt: a convolutional network with the blocks, norms and activations of transformers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

from pydl.applications.architecture import Architecture, image_model, unnamed_pool, variant
from pydl.applications.blocks import chain
from pydl.applications.imagenet_utils import decode_predictions, preprocessor
from pydl.applications.published import pair
from pydl.layers import (
    Activation,
    Conv2D,
    Dense,
    GlobalAveragePooling2D,
    KerasTensor,
    Layer,
    LayerNormalization,
    Normalization,
)
from pydl.models import Model, Sequential

__all__ = [f"ConvNeXt{size}" for size in ("Base", "Large", "Small", "Tiny", "XLarge")]
__all__ += ["decode_predictions", "preprocess_input"]

_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet, on a scale to 1


class LayerScale(Layer):
    """Multiplies every channel by a learned factor, at first the same for all.

    Args:
        init_values: The first value of the factors.
        projection_dim: The number of channels.

    Example:
        >>> LayerScale(0.5, 2)(pydl.tensor([[2.0, 4.0]])).tolist()
        [[1.0, 2.0]]

    Source: Touvron et al., 2021.
    """

    def __init__(self, init_values: float, projection_dim: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.init_values = init_values
        self.projection_dim = projection_dim

    def build(self, input_shape):
        self.gamma = self.add_weight((self.projection_dim,), self.init_values, name="gamma")

    def call(self, inputs):
        return inputs * self.gamma


class _Size(NamedTuple):
    name: str
    depths: Sequence[int]
    widths: Sequence[int]
    checksums: tuple[str, str]
    size: int = 224


def _convnext(
    size: _Size,
    include_top: bool = True,
    include_preprocessing: bool = True,
    weights: Any = "imagenet",
    input_tensor: KerasTensor | None = None,
    input_shape: tuple[int | None, int | None, int] | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str | None = None,
) -> Model:
    prefix = name or size.name
    architecture = Architecture(
        name=size.name,
        features=partial(_features, size=size, preprocesses=include_preprocessing, prefix=prefix),
        files=pair(f"convnext/{size.name}", size.checksums),
        top=partial(_top, prefix=prefix),
        pool=_pool,
    )
    return image_model(
        architecture, include_top, weights, input_tensor, input_shape, pooling, classes,
        classifier_activation, name,
    )  # fmt: skip


def _features(x: KerasTensor, size: _Size, preprocesses: bool, prefix: str) -> KerasTensor:
    if preprocesses and x.shape[-1] == 3:
        mean = [255 * value for value in _MEAN]
        variance = [(255 * value) ** 2 for value in _DEVIATION]
        x = Normalization(-1, mean, variance, name=f"{prefix}_prestem_normalization")(x)
    for stage, (depth, width) in enumerate(zip(size.depths, size.widths)):
        x = _shrink(width, stage, prefix)(x)
        for block in range(depth):
            x = _block(x, width, f"{prefix}_stage_{stage}_block_{block}")
    return x


def _shrink(width: int, stage: int, prefix: str) -> Sequential:
    """The stem, which makes patches of images, or what halves the sides before a stage."""
    if stage == 0:
        convolution = Conv2D(width, 4, 4, name=f"{prefix}_stem_conv")
        return Sequential([convolution, _norm(f"{prefix}_stem_layernorm")], name=f"{prefix}_stem")
    name = f"{prefix}_downsampling"
    norm = _norm(f"{name}_layernorm_{stage - 1}")
    convolution = Conv2D(width, 2, 2, name=f"{name}_conv_{stage - 1}")
    return Sequential([norm, convolution], name=f"{name}_block_{stage - 1}")


def _block(x: KerasTensor, width: int, name: str) -> KerasTensor:
    return x + chain(
        x,
        Conv2D(width, 7, padding="same", groups=width, name=f"{name}_depthwise_conv"),
        _norm(f"{name}_layernorm"),
        Dense(4 * width, name=f"{name}_pointwise_conv_1"),
        Activation("gelu", name=f"{name}_gelu"),
        Dense(width, name=f"{name}_pointwise_conv_2"),
        LayerScale(1e-6, width, name=f"{name}_layer_scale"),
        Activation("linear", name=f"{name}_identity"),
    )


def _norm(name: str | None = None) -> LayerNormalization:
    return LayerNormalization(epsilon=1e-6, name=name)


def _top(x: KerasTensor, classes: int, activation: Any, prefix: str) -> KerasTensor:
    return chain(
        x,
        GlobalAveragePooling2D(name=f"{prefix}_head_gap"),
        _norm(f"{prefix}_head_layernorm"),
        Dense(classes, activation=activation, name=f"{prefix}_head_dense"),
    )


def _pool(x: KerasTensor, pooling: str | None) -> KerasTensor:
    return _norm()(unnamed_pool(x, pooling))


def _sized(name: str, last: int, width: int, *checksums: str) -> Callable[..., Model]:
    widths = tuple(width * 2**stage for stage in range(4))
    return variant(
        _convnext,
        _Size(f"convnext_{name.lower()}", (3, 3, last, 3), widths, checksums),
        f"ConvNeXt{name}",
        "Liu et al., 2022",
        include_preprocessing="Whether the model scales pixels from 0 to 255 itself.",
    )


preprocess_input = preprocessor(None)
ConvNeXtTiny = _sized(
    "Tiny",
    9,
    96,
    "8ae6e78ce2933352b1ef4008e6dd2f17bc40771563877d156bc6426c7cf503ff",
    "d547c096cabd03329d7be5562c5e14798aa39ed24b474157cef5e85ab9e49ef1",
)
ConvNeXtSmall = _sized(
    "Small",
    27,
    96,
    "ce1277d8f1ee5a0ef0e171469089c18f5233860ceaf9b168049cb9263fd7483c",
    "6fc8009faa2f00c1c1dfce59feea9b0745eb260a7dd11bee65c8e20843da6eab",
)
ConvNeXtBase = _sized(
    "Base",
    27,
    128,
    "52cbb006d3dadd03f6e095a8ca1aca47aecdd75acb4bc74bce1f5c695d0086e6",
    "40a20c5548a5e9202f69735ecc06c990e6b7c9d2de39f0361e27baeb24cb7c45",
)
ConvNeXtLarge = _sized(
    "Large",
    27,
    192,
    "070c5ed9ed289581e477741d3b34beffa920db8cf590899d6d2c67fba2a198a6",
    "96f02b6f0753d4f543261bc9d09bed650f24dd6bc02ddde3066135b63d23a1cd",
)
ConvNeXtXLarge = _sized(
    "XLarge",
    27,
    256,
    "c1f5ccab661354fc3a79a10fa99af82f0fbf10ec65cb894a3ae0815f17a889ee",
    "de3f8a54174130e0cecdc71583354753d557fcf1f4487331558e2a16ba0cfe05",
)
