"""Softmax and normalisations."""

from __future__ import annotations

from benchmarks.case import Case, Onnx, floats


def _softmax(rows: int, columns: int, gradient: bool) -> Case:
    run = {
        "pydl": lambda pydl, x: pydl.ops.softmax(x, axis=-1),
        "torch": lambda torch, x: torch.softmax(x, dim=-1),
        "jax": lambda jax, x: jax.nn.softmax(x, axis=-1),
    }
    if not gradient:
        run["onnxruntime"] = Onnx("Softmax", {"axis": -1})
    return Case(
        "softmax",
        f"softmax {rows}x{columns}" + (" fwd+bwd" if gradient else ""),
        floats((rows, columns)),
        run,
        gradient=(0,) if gradient else (),
        bytes=(20 if gradient else 8) * rows * columns,
    )


def _log_softmax(gradient: bool) -> Case:
    run = {
        "pydl": lambda pydl, x: pydl.ops.log_softmax(x, axis=-1),
        "torch": lambda torch, x: torch.log_softmax(x, dim=-1),
        "jax": lambda jax, x: jax.nn.log_softmax(x, axis=-1),
    }
    if not gradient:
        run["onnxruntime"] = Onnx("LogSoftmax", {"axis": -1})
    return Case(
        "softmax",
        "log softmax 4096x1024" + (" fwd+bwd" if gradient else ""),
        floats((4096, 1024)),
        run,
        gradient=(0,) if gradient else (),
        bytes=(20 if gradient else 8) * 4096 * 1024,
    )


def _group_norm(gradient: bool) -> Case:
    shape, groups = (16, 56, 56, 64), 8

    def torch_norm(torch, x, gamma, beta):
        return torch.nn.functional.group_norm(x, groups, gamma, beta, 1e-3)

    def jax_norm(jax, x, gamma, beta):
        parts = x.reshape(*shape[:-1], groups, shape[-1] // groups)
        centered = parts - parts.mean((1, 2, 4), keepdims=True)
        variance = (centered * centered).mean((1, 2, 4), keepdims=True)
        return (centered * jax.lax.rsqrt(variance + 1e-3)).reshape(shape) * gamma + beta

    return Case(
        "norm",
        "group norm 16x56x56x64" + (" fwd+bwd" if gradient else ""),
        floats(shape, 64, 64),
        {
            "pydl": lambda pydl, x, g, b: pydl.ops.group_norm(x, groups, g, b),
            "torch:nchw": torch_norm,
            "torch:nhwc": torch_norm,
            "jax": jax_norm,
        },
        gradient=(0, 1, 2) if gradient else (),
        adapt={
            "torch:nchw": lambda x, *rest: (x.permute(0, 3, 1, 2).contiguous(), *rest),
            "torch:nhwc": lambda x, *rest: (x.permute(0, 3, 1, 2), *rest),
        },
        bytes=(32 if gradient else 12) * 16 * 56 * 56 * 64,
    )


def _layer_norm(gradient: bool) -> Case:
    run = {
        "pydl": lambda pydl, x, g, b: pydl.ops.layer_norm(x, g, b, epsilon=1e-5),
        "torch": lambda torch, x, g, b: torch.layer_norm(x, (768,), g, b, 1e-5),
        "jax": _jax_layer_norm,
    }
    if not gradient:
        run["onnxruntime"] = Onnx("LayerNormalization", {"axis": -1, "epsilon": 1e-5})
    return Case(
        "norm",
        "layer norm 4096x768" + (" fwd+bwd" if gradient else ""),
        floats((4096, 768), (768,), (768,)),
        run,
        gradient=(0, 1, 2) if gradient else (),
        bytes=(20 if gradient else 8) * 4096 * 768,
    )


def _jax_layer_norm(jax, x, gamma, beta):
    centered = x - x.mean(-1, keepdims=True)
    variance = (centered * centered).mean(-1, keepdims=True)
    return centered * jax.lax.rsqrt(variance + 1e-5) * gamma + beta


def _rms_norm(gradient: bool) -> Case:
    return Case(
        "norm",
        "rms norm 4096x768" + (" fwd+bwd" if gradient else ""),
        floats((4096, 768), (768,)),
        {
            "pydl": lambda pydl, x, g: pydl.ops.rms_norm(x, g, epsilon=1e-5),
            "torch": lambda torch, x, g: torch.nn.functional.rms_norm(x, (768,), g, 1e-5),
            "jax": lambda jax, x, g: (
                x * jax.lax.rsqrt((x * x).mean(-1, keepdims=True) + 1e-5) * g
            ),
        },
        gradient=(0, 1) if gradient else (),
        bytes=(20 if gradient else 8) * 4096 * 768,
    )


def _batch_norm(gradient: bool) -> Case:
    shape = (16, 56, 56, 64)
    count = 16 * 56 * 56 * 64

    def torch_norm(torch, x, gamma, beta, mean, variance):
        return torch.nn.functional.batch_norm(x, mean, variance, gamma, beta, True, 0.01, 1e-3)

    return Case(
        "norm",
        "batch norm training 16x56x56x64" + (" fwd+bwd" if gradient else ""),
        lambda random: (*floats(shape, 64, 64)(random), *(abs(a) for a in floats(64, 64)(random))),
        {
            "pydl": lambda pydl, x, g, b, mean, variance: pydl.ops.batch_norm(
                x, g, b, mean, variance, training=True
            ),
            "torch:nchw": torch_norm,
            "torch:nhwc": torch_norm,
        },
        gradient=(0, 1, 2) if gradient else (),
        adapt={
            "torch:nchw": lambda x, *rest: (x.permute(0, 3, 1, 2).contiguous(), *rest),
            "torch:nhwc": lambda x, *rest: (x.permute(0, 3, 1, 2), *rest),
        },
        bytes=(32 if gradient else 12) * count,
    )


CASES = [
    *(
        _softmax(rows, columns, gradient)
        for gradient in (False, True)
        for rows, columns in ((128, 10), (4096, 1024), (8, 50257))
    ),
    *(
        make(gradient)
        for make in (_log_softmax, _layer_norm, _rms_norm, _group_norm, _batch_norm)
        for gradient in (False, True)
    ),
]
