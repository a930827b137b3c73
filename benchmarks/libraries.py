"""The libraries that are measured, each behind the same three functions."""

from __future__ import annotations

import functools
import importlib
import os
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.case import Arrays, Case, Onnx

PEERS = ("numpy", "torch", "onnxruntime", "openvino", "jax", "keras", "tensorflow", "cupy")
NAMES = ("pydl", *PEERS)


@functools.cache
def load(name: str) -> Any | None:
    """Imports a library; None when it is not installed."""
    if name == "keras":
        os.environ.setdefault("KERAS_BACKEND", "jax")  # its fastest on CPUs
    try:
        module = importlib.import_module(name)
        if name == "onnxruntime":
            importlib.import_module("onnx")
    except ImportError:
        return None
    if name == "cupy" and not module.cuda.is_available():
        return None
    return module


def versions(names: list[str]) -> dict[str, str]:
    """Returns the version of each of these libraries."""
    return {name: load(name).__version__.split("-")[0] for name in names}


def prepare(case: Case, variant: str, arrays: Arrays) -> Callable[[], Any]:
    """Returns the function without arguments that is timed: `case` in a library, on `arrays`.

    Args:
        case: the benchmark.
        variant: a key of `case.run` or `case.prepare`.
        arrays: NumPy inputs.
    """
    name = variant.split(":")[0]
    module = load(name)
    own = tuple(array.copy() for array in arrays)  # or it would find them in cache, read by another
    inputs = _CONVERT[name](module, own)
    if adapt := case.adapt.get(variant) or case.adapt.get(name):
        inputs = adapt(*inputs)
    if variant in case.prepare:
        return case.prepare[variant](module, *inputs)
    function = case.run[variant]
    if isinstance(function, Onnx):
        return _onnx_session(function, inputs)
    if case.gradient:
        return gradient(name, module, function, inputs, case.gradient)
    return forward(name, module, function, inputs)


def forward(name: str, module: Any, function: Callable, inputs: Arrays) -> Callable[[], Any]:
    """Returns the call of `function` in a library, in the way that suits it best."""
    return _FORWARD.get(name, _plain_forward)(module, function, inputs)


def gradient(
    name: str, module: Any, function: Callable, inputs: Arrays, wrt: tuple[int, ...]
) -> Callable[[], Any]:
    """Returns the call that computes the gradients of `function` to the inputs `wrt`."""
    return _GRADIENT[name](module, function, inputs, wrt)


def _seed(shape: tuple[int, ...]) -> np.ndarray:
    """The gradient of a result: random, as that of ones is zero for softmax and the like.

    Of a single number, a loss, it is 1, which training begins with.
    """
    if not shape:
        return np.ones(shape, np.float32)
    return np.random.default_rng(1).standard_normal(shape, np.float32)


# --- pydl ---------------------------------------------------------------------------------------


def _pydl_convert(pydl: Any, arrays: Arrays) -> Arrays:
    return tuple(a if a.dtype.kind == "U" else pydl.tensor(a) for a in arrays)


def _pydl_forward(pydl: Any, function: Callable, inputs: Arrays) -> Callable[[], Any]:
    return lambda: function(pydl, *inputs)


def _pydl_gradient(pydl: Any, function: Callable, inputs: Arrays, wrt: tuple[int, ...]) -> Callable:
    leaves = [inputs[i] for i in wrt]
    for leaf in leaves:
        leaf.requires_grad = True
    y = function(pydl, *inputs).detach()
    seed = pydl.tensor(_seed(y.shape)).astype(y.dtype)
    return lambda: pydl.autograd.grad(function(pydl, *inputs), leaves, grad_outputs=seed)


# --- torch --------------------------------------------------------------------------------------


def _torch_convert(torch: Any, arrays: Arrays) -> Arrays:
    return tuple(torch.from_numpy(a) for a in arrays)


def _torch_forward(torch: Any, function: Callable, inputs: Arrays) -> Callable[[], Any]:
    return torch.inference_mode()(lambda: function(torch, *inputs))


def _torch_gradient(
    torch: Any, function: Callable, inputs: Arrays, wrt: tuple[int, ...]
) -> Callable:
    leaves = [inputs[i].requires_grad_() for i in wrt]
    y = function(torch, *inputs).detach()
    seed = torch.empty_like(y).copy_(torch.from_numpy(_seed(y.shape)))  # in the layout of y
    return lambda: torch.autograd.grad(function(torch, *inputs), leaves, seed)


# --- JAX ----------------------------------------------------------------------------------------


def _jax_convert(jax: Any, arrays: Arrays) -> Arrays:
    return tuple(jax.numpy.asarray(a) for a in arrays)


def _jax_forward(jax: Any, function: Callable, inputs: Arrays) -> Callable[[], Any]:
    compiled = jax.jit(functools.partial(function, jax))
    return lambda: jax.block_until_ready(compiled(*inputs))


def _jax_gradient(jax: Any, function: Callable, inputs: Arrays, wrt: tuple[int, ...]) -> Callable:
    # An argument: XLA would fold a constant into the gradient.
    y = function(jax, *inputs)
    seed = jax.numpy.asarray(_seed(y.shape), y.dtype)

    @jax.jit
    def gradients(seed: Any, *values: Any) -> Any:
        def of_leaves(*leaves: Any) -> Any:
            merged = list(values)
            for i, leaf in zip(wrt, leaves):
                merged[i] = leaf
            return function(jax, *merged)

        # The output too: XLA leaves out what nobody sees.
        output, pull_back = jax.vjp(of_leaves, *(values[i] for i in wrt))
        return output, pull_back(seed)

    return lambda: jax.block_until_ready(gradients(seed, *inputs))


# --- ONNX Runtime -------------------------------------------------------------------------------


def _onnx_session(node: Onnx, arrays: Arrays) -> Callable[[], Any]:
    from onnx import helper, numpy_helper

    names = [f"x{i}" for i in range(len(arrays))]
    variable = [i for i in range(len(arrays)) if i not in node.constants]
    graph = helper.make_graph(
        [helper.make_node(node.operator, names, ["y"], **node.attributes)],
        "case",
        [
            helper.make_tensor_value_info(
                names[i], helper.np_dtype_to_tensor_dtype(arrays[i].dtype), arrays[i].shape
            )
            for i in variable
        ],
        [helper.make_empty_tensor_value_info("y")],
        [numpy_helper.from_array(arrays[i], names[i]) for i in node.constants],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
    return onnx_session(model.SerializeToString(), {names[i]: arrays[i] for i in variable})


def onnx_session(model: bytes, feed: dict[str, Any]) -> Callable[[], Any]:
    """Returns the call of a model, whose output is named "y", on NumPy arrays by name."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = len(os.sched_getaffinity(0))
    options.log_severity_level = 3
    # Or its threads would spin for 20 ms, through the next library's turn; it is no slower so.
    options.add_session_config_entry("session.force_spinning_stop", "1")
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    values = {name: onnxruntime.OrtValue.ortvalue_from_numpy(a) for name, a in feed.items()}
    return lambda: session.run_with_ort_values(["y"], values)


# --- TensorFlow, for the layers of Keras that need it -------------------------------------------


def _tensorflow_convert(tensorflow: Any, arrays: Arrays) -> Arrays:
    return tuple(tensorflow.constant(a) for a in arrays)


def _plain_convert(module: Any, arrays: Arrays) -> Arrays:
    return arrays


def _plain_forward(module: Any, function: Callable, inputs: Arrays) -> Callable[[], Any]:
    return lambda: function(module, *inputs)


_CONVERT: dict[str, Callable] = {
    "pydl": _pydl_convert,
    "numpy": _plain_convert,
    "torch": _torch_convert,
    "onnxruntime": _plain_convert,
    "openvino": _plain_convert,
    "keras": _plain_convert,
    "jax": _jax_convert,
    "tensorflow": _tensorflow_convert,
}
_FORWARD: dict[str, Callable] = {
    "pydl": _pydl_forward,
    "torch": _torch_forward,
    "jax": _jax_forward,
}
_GRADIENT: dict[str, Callable] = {
    "pydl": _pydl_gradient,
    "torch": _torch_gradient,
    "jax": _jax_gradient,
}
