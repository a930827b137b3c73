"""Steps captured as CUDA graphs: their work is recorded once, and launched as one thing ever after."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from typing import Any

from pydl import _core, tree
from pydl._core import Tensor

__all__ = ["CapturedStep", "capture", "note_optimizer"]

_WARM_UP = 2  # calls that run as usual, in which weights, state and memory come into being


class _Local(threading.local):
    recording: _Recording | None = None


_local = _Local()


class _Recording:
    """One function for arguments of certain shapes: first run, then recorded, then launched."""

    def __init__(self, function: Callable, device: int) -> None:
        self._function = function
        self._graph = _core.Graph(device)
        self._device = device
        self._calls = 0
        self._inputs: list[Tensor] = []
        self._outputs: Any = None
        self.optimizer: Any = None
        self.phase = 0
        self._first: tuple[int, float] = (0, 0.0)

    def __call__(self, args: tuple) -> Any:
        self._calls += 1
        if self._calls <= _WARM_UP:
            return self._run(args)
        if self._calls == _WARM_UP + 1:
            self._capture(args)
            self._graph.launch(*self._first)
            return self._outputs
        for static, given in zip(self._inputs, _tensors(args)):
            _core.assign_(static, given.detach())
        numbers = (0, 0.0) if self.optimizer is None else self.optimizer.take_number()
        self._graph.launch(*numbers)
        return self._outputs

    def _run(self, args: tuple) -> Any:
        """Runs the function on the graph's stream, which so gets the memory that it needs."""
        before, stream = _core.gpu_stream(self._device), self._graph.stream
        _core.order_gpu_streams(self._device, before, stream)
        _core.set_gpu_stream(self._device, stream)
        try:
            return self._function(*args)
        finally:
            _core.set_gpu_stream(self._device, before)
            _core.order_gpu_streams(self._device, stream, before)

    def _capture(self, args: tuple) -> None:
        static = tree.map_structure(lambda x: x.detach().copy() if isinstance(x, Tensor) else x, args)
        self._inputs = _tensors(static)
        self._graph.begin()
        _local.recording = self
        try:
            outputs = self._function(*static)
            self._graph.end()
        except BaseException:
            self._calls -= 1
            self._graph.abandon()
            raise
        finally:
            _local.recording = None
        self._outputs = tree.map_structure(lambda x: x.detach() if isinstance(x, Tensor) else x, outputs)

    def take_optimizer(self, optimizer: Any) -> None:
        if self.optimizer is not None:
            raise _core.DeviceError(
                "[capture] expected one step of one optimizer, got two. Hint: capture each by itself"
            )
        self.optimizer, self._first = optimizer, optimizer.number()
        self.phase = optimizer.phase()


class CapturedStep:
    """What `capture` returns: the function, replayed."""

    def __init__(self, function: Callable) -> None:
        functools.update_wrapper(self, function)
        self._function = function
        self._recordings: dict[Any, _Recording] = {}
        self._optimizer: Any = None  # whose phases are recorded apart, once it is known

    def __call__(self, *args: Any) -> Any:
        """Calls the function, or launches what it did for arguments of these shapes."""
        shapes = tuple(_signature(leaf) for leaf in tree.flatten(args))
        key = (shapes, 0 if self._optimizer is None else self._optimizer.phase())
        recording = self._recordings.get(key)
        if recording is None:
            recording = self._recordings[key] = _Recording(self._function, _device_of(args))
        result = recording(args)
        if self._optimizer is None and recording.optimizer is not None:
            self._optimizer = recording.optimizer
            self._recordings = {(shapes, recording.phase): recording}
        return result


def capture(function: Callable) -> CapturedStep:
    """Makes a function that replays the work of `function` on a GPU as a CUDA graph.

    The first two calls run as usual; the third records every kernel that the function launches, and
    from then on a call only launches the recording: no Python, no time between kernels. Arguments of
    another shape or dtype, or another number or string, are recorded anew.

    The function must do the same work each time. Its tensors are those of the recording: what it
    returns is overwritten by the next call. Python code in it runs in the first three calls only.
    Random numbers go on from call to call, and optimizers count their steps and follow their learning
    rate. It may not read values (``item()``, ``numpy()``, ``if`` on a tensor), copy data from the CPU,
    or make an array whose size depends on values: a `DeviceError` says which call did.

    Args:
        function: takes and returns tensors on one GPU, in nested lists, tuples and dicts.

    Returns:
        A function of the same arguments.

    Raises:
        DeviceError: When it is called on a machine without a GPU, or the function cannot be captured.

    Example:
        >>> step = pydl.cuda.capture(lambda x: pydl.ops.tanh(x) * 2)
        >>> if pydl.cuda.is_available():
        ...     y = step(pydl.tensor([1.0, 2.0], device="gpu"))
    """
    return CapturedStep(function)


def note_optimizer(optimizer: Any) -> None:
    """Tells the recording under way, if any, about an optimizer whose step it holds."""
    if _local.recording is not None:
        _local.recording.take_optimizer(optimizer)


def _tensors(args: Any) -> list[Tensor]:
    return [leaf for leaf in tree.flatten(args) if isinstance(leaf, Tensor)]


def _signature(leaf: Any) -> Any:
    if isinstance(leaf, Tensor):
        return leaf.shape, leaf.dtype, leaf.device
    return leaf


def _device_of(args: Any) -> int:
    """The index of the only GPU that the arguments are on; of the default one without any."""
    devices = {tensor.device for tensor in _tensors(args)} or {_core.default_device()}
    name = devices.pop()
    if devices or name == "cpu":
        raise _core.DeviceError(
            f"[capture] expected arguments on one GPU, got some on {', '.join(sorted({name, *devices}))}"
        )
    return int(name.removeprefix("gpu:"))
