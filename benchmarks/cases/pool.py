"""Pooling, channels last for pydl."""

from __future__ import annotations

from benchmarks.case import Case, Onnx, floats


def _torch_nhwc(x):
    return (x.permute(0, 3, 1, 2),)


def _torch_nchw(x):
    return (x.permute(0, 3, 1, 2).contiguous(),)


def _max_pool(batch: int, size: int, channels: int, window: int, stride: int, gradient: bool):
    pad = window // 2 if window % 2 else 0
    out = (size + 2 * pad - window) // stride + 1

    def torch_pool(torch, x):
        return torch.nn.functional.max_pool2d(x, window, stride, pad)

    def jax_pool(jax, x):
        return jax.lax.reduce_window(
            x, -jax.numpy.inf, jax.lax.max, (1, window, window, 1), (1, stride, stride, 1),
            [(0, 0), (pad, pad), (pad, pad), (0, 0)],
        )  # fmt: skip

    run = {
        "pydl": lambda pydl, x: pydl.ops.max_pool(
            x, window, strides=stride, padding="same" if pad else "valid"
        ),
        "torch:nchw": torch_pool,
        "torch:nhwc": torch_pool,
        "jax": jax_pool,
    }
    if not gradient:
        run["onnxruntime"] = Onnx(
            "MaxPool",
            {"kernel_shape": [window] * 2, "strides": [stride] * 2, "pads": [pad] * 4},
        )
    moved = batch * channels * (size**2 + out**2)
    return Case(
        "pool",
        f"max {window}x{window} s{stride} {batch}x{size}x{size}x{channels}"
        + (" fwd+bwd" if gradient else ""),
        floats((batch, size, size, channels)),
        run,
        gradient=(0,) if gradient else (),
        adapt={
            "torch:nchw": _torch_nchw,
            "torch:nhwc": _torch_nhwc,
            "onnxruntime": lambda x: (x.transpose(0, 3, 1, 2).copy(),),
        },
        bytes=4 * moved * (2 if gradient else 1),
    )


CASES = [
    *(_max_pool(16, 112, 64, 3, 2, gradient) for gradient in (False, True)),
    *(_max_pool(128, 24, 64, 2, 2, gradient) for gradient in (False, True)),
    Case(
        "pool",
        "global average 16x56x56x256",
        floats((16, 56, 56, 256)),
        {
            "pydl": lambda pydl, x: pydl.ops.global_average_pool(x),
            "numpy": lambda np, x: x.mean(axis=(1, 2)),
            "torch": lambda torch, x: x.mean(dim=(1, 2)),
            "jax": lambda jax, x: x.mean(axis=(1, 2)),
        },
        bytes=4 * 16 * 56 * 56 * 256,
    ),
]
