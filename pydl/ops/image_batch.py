"""Images one by one or in batches, with their channels last or first: one form for all of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydl import _core
from pydl._core import Tensor
from pydl.errors import ShapeError

__all__ = ["on_batch"]


def on_batch(
    name: str, run: Callable[[Tensor], Tensor], images: Any, data_format: str | None
) -> Tensor:
    """`run` on a batch with the channels last; the result in the form that `images` had."""
    images = _core.as_tensor(images)
    if images.ndim not in (3, 4):
        raise ShapeError(
            f"[{name}] expected images (height, width, channels) or (batch, height, width, "
            f"channels), got shape {images.shape}"
        )
    if data_format not in (None, "channels_last", "channels_first"):
        raise ValueError(
            f"[{name}] expected data_format 'channels_last' or 'channels_first', got {data_format!r}"
        )
    first = data_format == "channels_first"
    batch = images if images.ndim == 4 else images[None]
    batch = run(batch.transpose(0, 2, 3, 1) if first else batch)
    batch = batch.transpose(0, 3, 1, 2) if first else batch
    return batch if images.ndim == 4 else batch[0]
