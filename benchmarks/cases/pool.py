"""Pooling, channels last for pydl."""

from __future__ import annotations

from benchmarks.case import Case, Onnx, floats


def _torch_nhwc(x):
    return (x.permute(0, 3, 1, 2),)


def _torch_nchw(x):
    return (x.permute(0, 3, 1, 2).contiguous(),)


_ADAPT = {
    "torch:nchw": _torch_nchw,
    "torch:nhwc": _torch_nhwc,
    "onnxruntime": lambda x: (x.transpose(0, 3, 1, 2).copy(),),
}


def _pool(
    kind: str, batch: int, size: int, channels: int, window: int, stride: int, gradient: bool
) -> Case:
    pad = window // 2 if window % 2 else 0
    out = (size + 2 * pad - window) // stride + 1

    def pydl_pool(pydl, x):
        pool = pydl.ops.max_pool if kind == "max" else pydl.ops.average_pool
        return pool(x, window, strides=stride, padding=[(pad, pad)] * 2)

    def torch_pool(torch, x):
        if kind == "max":
            return torch.nn.functional.max_pool2d(x, window, stride, pad)
        return torch.nn.functional.avg_pool2d(x, window, stride, pad, count_include_pad=False)

    def jax_pool(jax, x):
        def reduced(x, start, combine):
            return jax.lax.reduce_window(
                x, start, combine, (1, window, window, 1), (1, stride, stride, 1),
                [(0, 0), (pad, pad), (pad, pad), (0, 0)],
            )  # fmt: skip

        if kind == "max":
            return reduced(x, -jax.numpy.inf, jax.lax.max)
        counts = reduced(jax.numpy.ones((1, size, size, 1), x.dtype), 0.0, jax.lax.add)
        return reduced(x, 0.0, jax.lax.add) / counts

    run = {"pydl": pydl_pool, "torch:nchw": torch_pool, "torch:nhwc": torch_pool, "jax": jax_pool}
    if not gradient:
        run["onnxruntime"] = Onnx(
            "MaxPool" if kind == "max" else "AveragePool",
            {"kernel_shape": [window] * 2, "strides": [stride] * 2, "pads": [pad] * 4},
        )
    moved = batch * channels * (size**2 + out**2)
    return Case(
        "pool",
        f"{kind} {window}x{window} s{stride} {batch}x{size}x{size}x{channels}"
        + (" fwd+bwd" if gradient else ""),
        floats((batch, size, size, channels)),
        run,
        gradient=(0,) if gradient else (),
        adapt=_ADAPT,
        bytes=4 * moved * (2 if gradient else 1),
    )


def _global_average(batch: int, size: int, channels: int, gradient: bool) -> Case:
    run = {
        "pydl": lambda pydl, x: pydl.ops.global_average_pool(x),
        "torch:nchw": lambda torch, x: torch.nn.functional.adaptive_avg_pool2d(x, 1),
        "torch:nhwc": lambda torch, x: torch.nn.functional.adaptive_avg_pool2d(x, 1),
        "torch:mean": lambda torch, x: x.mean(dim=(1, 2)),
        "jax": lambda jax, x: x.mean(axis=(1, 2)),
    }
    if not gradient:
        run["numpy"] = lambda np, x: x.mean(axis=(1, 2))
        run["onnxruntime"] = Onnx("GlobalAveragePool")
    return Case(
        "pool",
        f"global average {batch}x{size}x{size}x{channels}" + (" fwd+bwd" if gradient else ""),
        floats((batch, size, size, channels)),
        run,
        gradient=(0,) if gradient else (),
        adapt=_ADAPT,
        bytes=4 * batch * size**2 * channels * (2 if gradient else 1),
    )


CASES = [
    *(_pool("max", *shape, gradient) for shape in ((1, 112, 64, 3, 2), (16, 112, 64, 3, 2))
      for gradient in (False, True)),
    *(_pool(kind, 128, 24, 64, 2, 2, gradient) for kind in ("max", "average")
      for gradient in (False, True)),
    *(_pool("average", 16, 28, 256, *window, gradient) for window in ((2, 2), (3, 1))
      for gradient in (False, True)),
    *(_global_average(*shape, gradient) for shape in ((16, 56, 256), (16, 7, 2048))
      for gradient in (False, True)),
]  # fmt: skip
