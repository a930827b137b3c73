"""Layers and small models, called as a user calls them."""

from __future__ import annotations

from benchmarks.case import Case, floats
from benchmarks.exported import inference


def _pydl_layer(make):
    def prepare(pydl, x):
        layer = make(pydl.layers)
        layer(x)
        return lambda: layer(x)

    return prepare


def _pydl_conv_block(pydl, x):
    layers = pydl.layers
    block = [
        layers.Conv2D(64, 3, padding="same", use_bias=False),
        layers.BatchNormalization(),
        layers.ReLU(),
    ]
    model = pydl.Sequential([pydl.Input(x.shape[1:]), *block])
    return pydl.no_grad()(lambda: model(x, training=False))


def _torch_layer(make):
    def prepare(torch, x):
        layer = make(torch.nn).eval()
        return torch.inference_mode()(lambda: layer(x))

    return prepare


def _pydl_mlp(pydl, x):
    layers = pydl.layers
    model = pydl.Sequential(
        [pydl.Input((784,)), layers.Dense(128, activation="relu"), layers.Dense(10)]
    )
    return pydl.no_grad()(lambda: model(x))


def _torch_mlp(torch):
    nn = torch.nn
    return nn.Sequential(nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10))


def _mlp(batch: int) -> Case:
    return Case(
        "layers",
        f"MLP 784-128-10 inference, batch {batch}",
        floats((batch, 784)),
        prepare={"pydl": _pydl_mlp, **inference(_torch_mlp)},
        rotate=False,
        flops=2 * batch * (784 * 128 + 1280),
        bytes=4 * (784 * 128 + 1280 + batch * 784),
    )


CASES = [
    Case(
        "layers",
        "Dense 784->512 relu, batch 128",
        floats((128, 784)),
        prepare={
            "pydl": _pydl_layer(lambda layers: layers.Dense(512, activation="relu")),
            "torch": _torch_layer(lambda nn: nn.Sequential(nn.Linear(784, 512), nn.ReLU())),
        },
        flops=2 * 128 * 784 * 512,
        bytes=4 * (128 * 784 + 784 * 512 + 128 * 512),
    ),
    Case(
        "layers",
        "Conv2D 64 3x3 + BatchNormalization + relu 16x56x56x64",
        floats((16, 56, 56, 64)),
        prepare={
            "pydl": _pydl_conv_block,
            "torch": _torch_layer(
                lambda nn: nn.Sequential(
                    nn.Conv2d(64, 64, 3, padding=1, bias=False), nn.BatchNorm2d(64), nn.ReLU()
                )
            ),
        },
        adapt={"torch": lambda x: (x.permute(0, 3, 1, 2),)},
        flops=2 * 16 * 56 * 56 * 9 * 64 * 64,
    ),
    *(_mlp(batch) for batch in (1, 8, 32, 128)),
]
