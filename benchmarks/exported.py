"""Inference of a torch module in torch itself, ONNX Runtime and OpenVINO, which take ONNX files."""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.libraries import load, onnx_session


def inference(build: Callable[[Any], Any]) -> dict[str, Callable[..., Callable[[], Any]]]:
    """Returns the entries of `Case.prepare` that time a network of one input.

    Args:
        build: makes the torch module, given torch. Images come to it as (batch, channels, height,
            width).
    """

    def in_torch(torch: Any, x: Any) -> Callable[[], Any]:
        module = build(torch).eval()
        if x.ndim == 4:
            module, x = module.to(memory_format=torch.channels_last), x.permute(0, 3, 1, 2)
        return torch.inference_mode()(lambda: module(x))

    def in_onnxruntime(onnxruntime: Any, x: np.ndarray) -> Callable[[], Any]:
        x = _channels_first(x)
        return onnx_session(_onnx(build, x), {"x": x})

    def in_openvino(openvino: Any, x: np.ndarray) -> Callable[[], Any]:
        x = _channels_first(x)
        options = {
            "INFERENCE_NUM_THREADS": len(os.sched_getaffinity(0)),
            "INFERENCE_PRECISION_HINT": "f32",
            "PERFORMANCE_HINT": "LATENCY",
        }
        core = openvino.Core()
        request = core.compile_model(core.read_model(_onnx(build, x)), "CPU", options)
        request = request.create_infer_request()
        return lambda: request.infer([x], share_inputs=True, share_outputs=True)

    return {"torch": in_torch, "onnxruntime": in_onnxruntime, "openvino": in_openvino}


def _channels_first(x: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(x.transpose(0, 3, 1, 2)) if x.ndim == 4 else x


def _onnx(build: Callable[[Any], Any], x: np.ndarray) -> bytes:
    torch = load("torch")
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            build(torch).eval(), (torch.from_numpy(x),), file,
            input_names=["x"], output_names=["y"], opset_version=18, dynamo=False,
        )  # fmt: skip
    return file.getvalue()
