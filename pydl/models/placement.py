"""Placement: a model computes where its weights are; its data stay on the CPU until a step needs them."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from pydl import _core, tree
from pydl._core import Tensor
from pydl.capture import capture
from pydl.device import device


class Placement:
    """The device of a model: that of its weights, or before it has any, the default one.

    Args:
        model: whose metrics are moved there too, as they may be older than the weights.
    """

    def __init__(self, model: Any) -> None:
        weights = (model._plan or model).weights if model.built else []
        self.device: str = weights[0].device if weights else _core.default_device()
        for metric in model.metrics:
            for variable in metric.variables:
                if variable.device != self.device:
                    _core.move_(variable, self.device)

    def here(self, function: Callable) -> Callable:
        """`function`, running on the device."""
        if self.device == "cpu":
            return function

        @functools.wraps(function)
        def placed(*args: Any) -> Any:
            with device(self.device):
                return function(*args)

        return placed

    def step(
        self, function: Callable[[tuple], Any], captured: bool = False
    ) -> Callable[[tuple], Any]:
        """`function` of a batch, running on the device with the batch moved there.

        With `captured` it becomes a CUDA graph, where the device is a GPU.
        """
        if self.device == "cpu":
            return function
        if captured:
            function = capture(function)
        return self.here(lambda batch: function(tree.map_structure(self._move, batch)))

    def _move(self, value: Any) -> Any:
        return value.to(self.device) if isinstance(value, Tensor) else value

