"""Where tensors live: on the CPU or on a GPU."""

from __future__ import annotations

from types import TracebackType

from pydl import _core

__all__ = ["device"]


class device:
    """The device that tensors are made on inside a ``with`` block, by this thread.

    Numbers, lists and numpy arrays that ops are given come to it too; tensors stay where they are.
    Layers make their weights on it, and a model computes where its weights are.

    Args:
        name: ``"cpu"``, ``"gpu"`` (the first one) or ``"gpu:1"``.

    Raises:
        DeviceError: If there is no such device; `pydl.cuda.why_unavailable` says why.

    Example:
        >>> with pydl.device("cpu"):
        ...     x = pydl.ops.zeros(2)
        >>> x.device
        'cpu'
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._before: list[str] = []

    def __enter__(self) -> device:
        self._before.append(_core.default_device())
        _core.set_default_device(self.name)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        _core.set_default_device(self._before.pop())

    def __repr__(self) -> str:
        return f"device({self.name!r})"
