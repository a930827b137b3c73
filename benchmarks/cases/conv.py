"""Convolutions, channels last for pydl, each library in the layouts it offers."""

from __future__ import annotations

from benchmarks.case import Case, Onnx, floats

# Label, size, channels in, channels out, kernel, stride
LAYERS = [
    ("3->64 7x7 s2 224", 224, 3, 64, 7, 2),
    ("64->64 3x3 56", 56, 64, 64, 3, 1),
    ("64->256 1x1 56", 56, 64, 256, 1, 1),
    ("128->128 3x3 28", 28, 128, 128, 3, 1),
    ("256->256 3x3 14", 14, 256, 256, 3, 1),
    ("512->512 3x3 7", 7, 512, 512, 3, 1),
]
STRIDED = [
    ("128->128 3x3 s2 56", 56, 128, 128, 3, 2),
    ("256->512 1x1 s2 56", 56, 256, 512, 1, 2),
]
GROUPED = ("128->128 3x3 32 groups 56", 56, 128, 128, 3, 1)
DEPTHWISE = [
    ("depthwise 96 3x3 56", 56, 96, 96, 3, 1),
    ("depthwise 96 3x3 s2 56", 56, 96, 96, 3, 2),
]


def _torch_nchw(x, w):
    return x.permute(0, 3, 1, 2).contiguous(), w.permute(3, 2, 0, 1).contiguous()


def _torch_nhwc(x, w):
    import torch

    return x.permute(0, 3, 1, 2), w.permute(3, 2, 0, 1).contiguous(
        memory_format=torch.channels_last
    )


def _onnx_nchw(x, w):
    return x.transpose(0, 3, 1, 2).copy(), w.transpose(3, 2, 0, 1).copy()


def _conv(
    label: str,
    batch: int,
    size: int,
    channels: int,
    filters: int,
    kernel: int,
    stride: int,
    *,
    padding: str = "same",
    groups: int = 1,
    gradient: bool = False,
) -> Case:
    pad = kernel // 2 if padding == "same" else 0
    pads = [(pad, pad)] * 2
    depthwise = groups == channels > 1
    out = (size + 2 * pad - kernel) // stride + 1
    per_group = channels // groups
    weights = (kernel, kernel, *((channels, 1) if depthwise else (per_group, filters)))

    def pydl_conv(pydl, x, w):
        if depthwise:
            return pydl.ops.depthwise_conv(x, w, strides=stride, padding=pads)
        return pydl.ops.conv(x, w, strides=stride, padding=pads, groups=groups)

    def torch_conv(torch, x, w):
        return torch.conv2d(x, w, None, stride, pad, 1, groups)

    def jax_conv(jax, x, w):
        w = w.swapaxes(2, 3) if depthwise else w
        return jax.lax.conv_general_dilated(
            x, w, (stride, stride), pads,
            dimension_numbers=("NHWC", "HWIO", "NHWC"), feature_group_count=groups,
        )  # fmt: skip

    def swap_depthwise(adapt):
        # (h, w, channels, 1) holds one filter a channel: (channels, 1, h, w) for the others.
        return lambda x, w: adapt(x, w.swapaxes(2, 3)) if depthwise else adapt(x, w)

    run = {"pydl": pydl_conv, "torch:nchw": torch_conv, "torch:nhwc": torch_conv, "jax": jax_conv}
    if not gradient:
        attributes = {"strides": [stride] * 2, "pads": [pad] * 4, "group": groups}
        run["onnxruntime"] = Onnx("Conv", attributes, constants=(1,))
    times = 3 if gradient else 1
    return Case(
        "conv",
        f"{label}, batch {batch}" + (" fwd+bwd" if gradient else ""),
        floats((batch, size, size, channels), weights),
        run,
        gradient=(0, 1) if gradient else (),
        adapt={
            "torch:nchw": swap_depthwise(_torch_nchw),
            "torch:nhwc": swap_depthwise(_torch_nhwc),
            "onnxruntime": swap_depthwise(_onnx_nchw),
        },
        flops=times * 2 * batch * out**2 * filters * per_group * kernel**2,
        bytes=times * 4 * batch * (size**2 * channels + out**2 * filters),
    )


CASES = [
    *(_conv(layer[0], batch, *layer[1:]) for layer in LAYERS + STRIDED for batch in (1, 16)),
    *(
        _conv(layer[0], batch, *layer[1:], gradient=True)
        for layer in LAYERS + STRIDED
        for batch in (1, 16)
    ),
    *(
        _conv(layer[0], batch, *layer[1:], groups=groups, gradient=gradient)
        for layer, groups in ((GROUPED, 32), *((layer, 96) for layer in DEPTHWISE))
        for batch in (1, 16)
        for gradient in (False, True)
    ),
    *(
        _conv(f"{a}->{b} 3x3 {size}", 128, size, a, b, 3, 1, padding="valid", gradient=gradient)
        for a, b, size in ((1, 32, 28), (32, 64, 26))
        for gradient in (False, True)
    ),
]
