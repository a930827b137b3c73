"""Layers and small models, called as a user calls them."""

from __future__ import annotations

from benchmarks.case import Case, floats


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
    return lambda: model(x, training=False)


def _torch_layer(make):
    def prepare(torch, x):
        layer = make(torch.nn).eval()
        return torch.inference_mode()(lambda: layer(x))

    return prepare


def _pydl_predict(pydl, x):
    layers = pydl.layers
    model = pydl.Sequential(
        [pydl.Input((784,)), layers.Dense(128, activation="relu"), layers.Dense(10)]
    )
    return lambda: model.predict_on_batch(x)


def _torch_predict(torch, x):
    nn = torch.nn
    model = nn.Sequential(nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10)).eval()
    return torch.inference_mode()(lambda: model(x).numpy())


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
    Case(
        "layers",
        "MLP 784-128-10 predict_on_batch, batch 1",
        floats((1, 784)),
        prepare={"pydl": _pydl_predict, "torch": _torch_predict},
        flops=2 * (784 * 128 + 1280),
        bytes=4 * (784 * 128 + 1280),
    ),
]
