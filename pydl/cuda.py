"""NVIDIA GPUs: which there are, their memory, streams and events.

Everything here can be called on a machine without a GPU; what needs one raises a `DeviceError` there
that says what is missing and the command that helps. docs/cuda.md is the guide.
"""

from __future__ import annotations

from types import TracebackType
from typing import Any

from pydl import _core
from pydl._call_errors import explain_arguments
from pydl._core import Tensor
from pydl.capture import CapturedStep, capture

__all__ = [
    "CapturedStep",
    "Event",
    "Stream",
    "capture",
    "current_stream",
    "device_count",
    "empty_cache",
    "from_cuda_array",
    "get_device_name",
    "get_device_properties",
    "is_available",
    "is_launch_blocking",
    "memory_stats",
    "missing_kernels",
    "reset_peak_memory",
    "set_launch_blocking",
    "set_memory_limit",
    "stream",
    "synchronize",
    "why_unavailable",
]


def is_available() -> bool:
    """Whether there is a GPU that this build of pydl can use.

    Example:
        >>> name = "gpu:0" if pydl.cuda.is_available() else "cpu"
    """
    return _core.gpu_count() > 0


def why_unavailable() -> str | None:
    """What is missing for a GPU to be used, and the command that helps; None where there is one.

    Example:
        >>> pydl.cuda.is_available() or isinstance(pydl.cuda.why_unavailable(), str)
        True
    """
    return _core.why_no_gpu() or None


def device_count() -> int:
    """The number of GPUs that can be used: gpu:0, gpu:1, ...

    Example:
        >>> pydl.cuda.device_count() >= 0
        True
    """
    return _core.gpu_count()


@explain_arguments
def get_device_name(device: int = 0) -> str:
    """The name of a GPU, such as 'NVIDIA H100 80GB HBM3'.

    Raises:
        DeviceError: If there is no such GPU.
    """
    return _core.gpu_facts(device)["name"]


@explain_arguments
def get_device_properties(device: int = 0) -> dict[str, Any]:
    """What a GPU is like.

    Args:
        device: Its index.

    Returns:
        ``name``, ``architecture`` (such as ``(9, 0)``), ``multiprocessors``, ``clock_khz``,
        ``memory_clock_khz``, ``total_bytes``, ``free_bytes``, ``l2_bytes``, and ``emulated``, which
        is True where tests run the kernels on the CPU.

    Raises:
        DeviceError: If there is no such GPU.
    """
    return _core.gpu_facts(device)


def missing_kernels() -> list[str]:
    """The kernels that the GPU backend lacks; an op that needs one raises a `DeviceError`."""
    return _core.gpu_missing_kernels()


@explain_arguments
def synchronize(device: int = 0) -> None:
    """Waits for all work of a GPU, and raises the errors that its kernels found meanwhile.

    Ops on a GPU return before their result is there. Reading values (``numpy()``, ``item()``,
    printing) waits by itself.

    Raises:
        IndexError: If a kernel met an index out of range; the message names the op.
        DeviceError: If there is no such GPU, or a kernel failed.
    """
    _core.gpu_synchronize(device)


def is_launch_blocking() -> bool:
    """Whether ops on GPUs wait for their kernels; see `set_launch_blocking`.

    Example:
        >>> pydl.cuda.is_launch_blocking()
        False
    """
    return _core.launch_blocking()


@explain_arguments
def set_launch_blocking(blocking: bool) -> None:
    """Makes each op on a GPU wait for its kernels, so that an error shows in the op that made it.

    Slow, for debugging; ``CUDA_LAUNCH_BLOCKING=1`` does the same from the start.

    Args:
        blocking: Whether to wait.
    """
    _core.set_launch_blocking(blocking)


@explain_arguments
def memory_stats(device: int = 0) -> dict[str, int]:
    """How much memory of a GPU pydl uses, in bytes.

    Returns:
        ``allocated_bytes`` (in use now), ``peak_bytes`` (the most so far), ``cached_bytes`` (freed,
        kept for reuse), ``limit_bytes`` (0: none), ``allocation_count`` and
        ``system_allocation_count`` (those that the cache could not serve).
    """
    return _core.gpu_memory_stats(device)


@explain_arguments
def reset_peak_memory(device: int = 0) -> None:
    """Sets ``peak_bytes`` of `memory_stats` to what is in use now."""
    _core.gpu_reset_peak_memory(device)


@explain_arguments
def empty_cache(device: int = 0) -> None:
    """Gives freed memory back to the GPU, for other programs."""
    _core.gpu_empty_cache(device)


@explain_arguments
def set_memory_limit(bytes: int, device: int = 0) -> None:
    """Limits the memory of a GPU that tensors and the cache take together.

    Args:
        bytes: The limit; 0 means none.
        device: The GPU's index.
    """
    _core.gpu_set_memory_limit(device, bytes)


def from_cuda_array(x: Any) -> Tensor:
    """Makes a tensor on the memory of an array with ``__cuda_array_interface__`` (CuPy, Numba, ...).

    The current stream waits for the work that the array says is on its way.

    Raises:
        DTypeError: If `x` is no such array or holds a dtype that pydl lacks.
        DeviceError: If its memory is not on a GPU that pydl can use.

    Example:
        >>> try:
        ...     pydl.cuda.from_cuda_array([1.0])
        ... except TypeError as error:
        ...     print(error)
        [from_cuda_array] expected an object with __cuda_array_interface__, got list
    """
    return _core.from_cuda_array(x)


class Stream:
    """A queue of work: what is in one stream runs in order, different streams run side by side.

    A tensor that was made on one stream may be used on another once that has waited for the first
    (`wait_stream`), and must not be dropped before the other is done with it, unless it is dropped
    inside the other's ``with pydl.cuda.stream(...)`` block.

    Args:
        device: The GPU's index.
    """

    @explain_arguments
    def __init__(self, device: int = 0) -> None:
        self.device = device
        self._stream: _core.GpuStream | None = _core.GpuStream(device)
        self.handle: int = self._stream.handle

    @classmethod
    def _of_handle(cls, device: int, handle: int) -> Stream:
        made = cls.__new__(cls)
        made.device, made._stream, made.handle = device, None, handle
        return made

    def synchronize(self) -> None:
        """Waits for the work on this stream, and raises the errors that kernels found."""
        _core.gpu_synchronize_stream(self.device, self.handle)

    def record_event(self, event: Event | None = None) -> Event:
        """Marks this place in the stream; a new event unless one is given."""
        event = Event(self.device) if event is None else event
        event.record(self)
        return event

    def wait_event(self, event: Event) -> None:
        """Makes later work on this stream wait for what came before `event`."""
        event._event.make_wait(self.handle)

    def wait_stream(self, other: Stream) -> None:
        """Makes later work on this stream wait for all work so far on another."""
        self.wait_event(other.record_event())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Stream) and (self.device, self.handle) == (other.device, other.handle)

    def __hash__(self) -> int:
        return hash((self.device, self.handle))

    def __repr__(self) -> str:
        return f"Stream(device={self.device}, handle={self.handle:#x})"


class Event:
    """A mark in a stream, to wait for and to measure time with.

    Args:
        device: The GPU's index.
    """

    @explain_arguments
    def __init__(self, device: int = 0) -> None:
        self.device = device
        self._event = _core.GpuEvent(device)

    def record(self, stream: Stream | None = None) -> None:
        """Puts the mark at the end of `stream`, of the current one where it is None."""
        self._event.record(_core.gpu_stream(self.device) if stream is None else stream.handle)

    def query(self) -> bool:
        """Whether all work before the mark is done."""
        return self._event.done()

    def synchronize(self) -> None:
        """Waits for the work before the mark."""
        self._event.synchronize()

    def elapsed_time(self, later: Event) -> float:
        """The milliseconds from this mark to a later one; both must be reached."""
        return self._event.elapsed_ms(later._event)


@explain_arguments
def current_stream(device: int = 0) -> Stream:
    """The stream that this thread's work on a GPU goes to."""
    return Stream._of_handle(device, _core.gpu_stream(device))


class stream:
    """Sends this thread's work on a GPU to another stream inside a ``with`` block.

    Args:
        stream: The stream; None changes nothing.
    """

    def __init__(self, stream: Stream | None) -> None:
        self.stream = stream
        self._before: list[int] = []

    def __enter__(self) -> Stream | None:
        if self.stream is not None:
            self._before.append(_core.gpu_stream(self.stream.device))
            _core.set_gpu_stream(self.stream.device, self.stream.handle)
        return self.stream

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self.stream is not None:
            _core.set_gpu_stream(self.stream.device, self._before.pop())
