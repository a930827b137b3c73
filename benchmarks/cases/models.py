"""Whole networks: residual networks and a transformer encoder, predicting and learning."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy

from benchmarks.case import Case, floats
from benchmarks.exported import inference

# --- residual networks ----------------------------------------------------------------------------


def _resnet50(keras: Any) -> Any:
    layers = keras.layers
    x = inputs = keras.Input((224, 224, 3))
    x = layers.MaxPooling2D(3, 2, padding="same")(_unit(layers, x, 64, 7, 2))
    for stage, count in enumerate((3, 4, 6, 3)):
        width = 64 << stage
        for i in range(count):
            strides = 2 if stage and not i else 1
            y = _unit(layers, x, width, 1)
            y = _unit(layers, y, width, 3, strides)
            x = _joined(layers, x, _unit(layers, y, 4 * width, 1, relu=False), strides)
    return keras.Model(inputs, layers.Dense(1000)(layers.GlobalAveragePooling2D()(x)))


def _resnet18(keras: Any) -> Any:
    layers = keras.layers
    x = inputs = keras.Input((32, 32, 3))
    x = _unit(layers, x, 64, 3)
    for stage in range(4):
        width = 64 << stage
        for i in range(2):
            strides = 2 if stage and not i else 1
            y = _unit(layers, x, width, 3, strides)
            x = _joined(layers, x, _unit(layers, y, width, 3, relu=False), strides)
    return keras.Model(inputs, layers.Dense(10)(layers.GlobalAveragePooling2D()(x)))


def _unit(layers: Any, x: Any, filters: int, size: int, strides: int = 1, relu: bool = True) -> Any:
    x = layers.Conv2D(filters, size, strides, padding="same", use_bias=False)(x)
    x = layers.BatchNormalization()(x)
    return layers.ReLU()(x) if relu else x


def _joined(layers: Any, x: Any, y: Any, strides: int) -> Any:
    if strides > 1 or x.shape[-1] != y.shape[-1]:
        x = _unit(layers, x, y.shape[-1], 1, strides, relu=False)
    return layers.ReLU()(layers.Add()([x, y]))


def _torch_resnet(torch: Any, counts: tuple[int, ...], bottleneck: bool, classes: int) -> Any:
    nn = torch.nn

    def unit(inner, outer, size, strides=1):
        conv = nn.Conv2d(inner, outer, size, strides, size // 2, bias=False)
        return [conv, nn.BatchNorm2d(outer)]

    class Block(nn.Module):
        def __init__(self, inner, width, outer, strides):
            super().__init__()
            if bottleneck:
                first = [*unit(inner, width, 1), nn.ReLU(), *unit(width, width, 3, strides)]
                self.path = nn.Sequential(*first, nn.ReLU(), *unit(width, outer, 1))
            else:
                first = [*unit(inner, width, 3, strides), nn.ReLU()]
                self.path = nn.Sequential(*first, *unit(width, outer, 3))
            self.shortcut = nn.Identity()
            if strides > 1 or inner != outer:
                self.shortcut = nn.Sequential(*unit(inner, outer, 1, strides))

        def forward(self, x):
            return torch.relu(self.shortcut(x) + self.path(x))

    blocks, inner = [], 64
    for stage, count in enumerate(counts):
        width = 64 << stage
        for i in range(count):
            outer = 4 * width if bottleneck else width
            blocks.append(Block(inner, width, outer, 2 if stage and not i else 1))
            inner = outer
    start = [*unit(3, 64, 7, 2), nn.ReLU(), nn.MaxPool2d(3, 2, 1)]
    if not bottleneck:
        start = [*unit(3, 64, 3), nn.ReLU()]
    end = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inner, classes)]
    return nn.Sequential(*start, *blocks, *end)


def _torch_resnet18(torch: Any) -> Any:
    model = _torch_resnet(torch, (2, 2, 2, 2), False, 10)
    return model.to(memory_format=torch.channels_last)


# --- a transformer encoder of the size of MiniLM --------------------------------------------------

STEPS, SIZE, HEADS, BLOCKS, CLASSES = 128, 384, 12, 6, 10


def _encoder(keras: Any) -> Any:
    x = inputs = keras.Input((STEPS, SIZE))
    for _ in range(BLOCKS):
        x = keras.layers.TransformerEncoder(4 * SIZE, HEADS, activation="gelu")(x)
    x = keras.layers.GlobalAveragePooling1D()(x)
    return keras.Model(inputs, keras.layers.Dense(CLASSES)(x))


def _torch_encoder(torch: Any) -> Any:
    nn = torch.nn

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.heads, self.joined = nn.Linear(SIZE, 3 * SIZE), nn.Linear(SIZE, SIZE)
            self.inner, self.outer = nn.Linear(SIZE, 4 * SIZE), nn.Linear(4 * SIZE, SIZE)
            self.norms = nn.ModuleList([nn.LayerNorm(SIZE), nn.LayerNorm(SIZE)])

        def forward(self, x):
            heads = self.heads(x).view(x.shape[0], STEPS, 3, HEADS, SIZE // HEADS)
            query, key, value = heads.permute(2, 0, 3, 1, 4).unbind(0)
            y = nn.functional.scaled_dot_product_attention(query, key, value)
            x = self.norms[0](x + self.joined(y.transpose(1, 2).reshape(x.shape)))
            return self.norms[1](x + self.outer(nn.functional.gelu(self.inner(x))))

    class Encoder(nn.Module):
        def __init__(self):
            super().__init__()
            self.blocks = nn.Sequential(*(Block() for _ in range(BLOCKS)))
            self.head = nn.Linear(SIZE, CLASSES)

        def forward(self, x):
            return self.head(self.blocks(x).mean(1))

    return Encoder()


def _encoder_flops(batch: int) -> float:
    return 2 * batch * STEPS * BLOCKS * (12 * SIZE**2 + 2 * STEPS * SIZE)


# --- what is timed --------------------------------------------------------------------------------


def _call(build: Callable) -> Callable:
    def prepare(pydl, x):
        model = build(pydl)
        return pydl.no_grad()(lambda: model(x, training=False))

    return prepare


def _step(build: Callable) -> Callable:
    def prepare(keras, x, y):
        model = build(keras)
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.SGD(0.01, momentum=0.9), loss, jit_compile=True)
        return lambda: model.fit(x, y, batch_size=len(x) // 2, verbose=0, shuffle=False)

    return prepare


def _torch_step(build: Callable, compiled: bool = False) -> Callable:
    def prepare(torch, x, y):
        model = torch.compile(build(torch)) if compiled else build(torch)
        optimizer = torch.optim.SGD(model.parameters(), 0.01, momentum=0.9, fused=True)
        if x.ndim == 4:
            x = x.permute(0, 3, 1, 2)

        def run():
            for images, labels in zip(x.chunk(2), y.chunk(2)):
                optimizer.zero_grad()
                torch.nn.functional.cross_entropy(model(images), labels).backward()
                optimizer.step()

        return run

    return prepare


def _labelled(*shape: int) -> Callable:
    return lambda random: (
        random.standard_normal(shape, numpy.float32),
        random.integers(0, 10, shape[0]),
    )


def _encoder_inference(batch: int) -> Case:
    return Case(
        "models",
        f"transformer encoder 6 x 384, 128 tokens, batch {batch}",
        floats((batch, STEPS, SIZE)),
        prepare={"pydl": _call(_encoder), **inference(_torch_encoder)},
        rotate=False,
        flops=_encoder_flops(batch),
    )


CASES = [
    Case(
        "models",
        "ResNet-50 224x224, batch 1",
        lambda random: (random.random((1, 224, 224, 3), numpy.float32),),
        prepare={
            "pydl": _call(_resnet50),
            **inference(lambda torch: _torch_resnet(torch, (3, 4, 6, 3), True, 1000)),
        },
        rotate=False,
        flops=2 * 4.09e9,
    ),
    Case(
        "models",
        "ResNet-18 32x32 training step, batch 32",
        _labelled(64, 32, 32, 3),
        prepare={
            "pydl": _step(_resnet18),
            "torch:nhwc": _torch_step(_torch_resnet18),
            "torch:compiled": _torch_step(_torch_resnet18, compiled=True),
        },
        rotate=False,
        flops=3 * 2 * 32 * 0.556e9,
        calls=2,
    ),
    _encoder_inference(1),
    _encoder_inference(16),
    Case(
        "models",
        "transformer encoder 6 x 384, 128 tokens, training step, batch 8",
        _labelled(16, STEPS, SIZE),
        prepare={
            "pydl": _step(_encoder),
            "torch": _torch_step(_torch_encoder),
            "torch:compiled": _torch_step(_torch_encoder, compiled=True),
        },
        rotate=False,
        flops=3 * _encoder_flops(8),
        calls=2,
    ),
]
