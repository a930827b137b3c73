"""Steps on the CPU recorded as kernel calls, which are then repeated without any Python between them."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

from pydl import _core, tree
from pydl._core import Tensor
from pydl.optimizers import Optimizer

__all__ = ["RecordedStep", "recorded_step"]

# Steps that need more memory are long enough for Python not to matter, and a recording keeps it all.
_LARGEST = 64 << 20
_MOST_RECORDINGS = 8


def recorded_step(model: Any, name: str) -> Callable[[tuple], Any]:
    """What a model that overrides no part of its steps does with a batch, recorded.

    Args:
        model: a compiled model on the CPU.
        name: "train_step", with the optimizer where it can be repeated, or "test_step".
    """
    optimizer = model.optimizer

    def gradients(batch: tuple) -> list:
        found, results = model._gradients(batch)
        model._update_metrics(*results)
        return found

    def measured(batch: tuple) -> None:
        model._update_metrics(*model._measure(batch))

    def learned(batch: tuple) -> None:
        apply(gradients(batch))

    def apply(found: list) -> None:
        optimizer.apply(found, (model._plan or model).trainable_variables)

    watched = model.non_trainable_variables
    if name == "test_step":
        return RecordedStep("evaluate", measured, watched)
    if isinstance(optimizer, Optimizer) and optimizer.can_be_recorded():
        return RecordedStep("fit", learned, [*model.variables, *optimizer.variables], optimizer)
    recorded = RecordedStep("fit", gradients, watched)
    return lambda batch: apply(recorded(batch))


class RecordedStep:
    """A function of batches that is run once for each shape of batch, then recorded, then repeated.

    Args:
        name: of the step, for messages.
        function: takes a batch of tensors, and returns tensors. It must do the same for every batch,
            whatever the values in it.
        watched: tensors that the function may write to.
        optimizer: the one whose step the function holds, if any.
    """

    def __init__(
        self,
        name: str,
        function: Callable[[tuple], Any],
        watched: Sequence[Tensor],
        optimizer: Any = None,
    ) -> None:
        self._name = name
        self._function = function
        self._watched = list(watched)
        self._optimizer = optimizer
        self._known: dict[Any, _Repetition | None] = {}
        self._last: _Repetition | None = None

    def __call__(self, batch: tuple) -> Any:
        """Return what the function makes of a batch; the next call overwrites it."""
        leaves = batch
        if not all(type(leaf) is Tensor for leaf in batch):
            leaves = [leaf for leaf in tree.flatten(batch) if leaf is not None]
            if not all(type(leaf) is Tensor for leaf in leaves):  # text, masks
                return self._function(batch)
        if self._last is not None and self._last.repeat(leaves):
            return self._last.results
        return self._choose(batch, leaves)

    def _choose(self, batch: tuple, leaves: Sequence[Tensor]) -> Any:
        """What to do with a batch unlike the last one."""
        shapes = tuple((leaf.shape, leaf.dtype) for leaf in leaves)
        if shapes not in self._known:  # the first batch builds what there is to build
            if len(self._known) < _MOST_RECORDINGS:
                self._known[shapes] = None
            return self._function(batch)
        repetition = self._known[shapes]
        if repetition is not None:
            if not repetition.works:
                return self._function(batch)
            self._last = repetition
            repetition.repeat(leaves)
            return repetition.results
        repetition = self._known[shapes] = _Repetition(self._optimizer)
        results = repetition.record(self._function, batch, self._watched)
        if repetition.obstacle:
            warnings.warn(
                f"[{self._name}] expected jit_compile=True with a step that does the same for every "
                f"batch, but {repetition.obstacle}: it runs as usual",
                stacklevel=2,
            )
        return results


class _Repetition:
    """One recording, and the results that its repetitions write."""

    works = False
    obstacle = ""
    results: Any = None

    def __init__(self, optimizer: Any) -> None:
        self._recording = _core.Recording(_LARGEST)
        self._numbers = _no_numbers if optimizer is None else optimizer.number
        self._read = [] if optimizer is None else optimizer.number_variables

    def record(self, function: Callable, batch: tuple, watched: list[Tensor]) -> Any:
        static = tree.map_structure(lambda x: None if x is None else x.detach().copy(), batch)
        inputs = [leaf for leaf in tree.flatten(static) if leaf is not None]
        recording = self._recording
        recording.begin(inputs, watched, self._read)
        try:
            results = function(static)
        except BaseException:
            recording.end()
            raise
        self.works = recording.end()
        self.obstacle = recording.obstacle
        if self.works:
            self.results = results
        return results

    def repeat(self, leaves: Sequence[Tensor]) -> bool:
        """Does it for a batch, unless the batch has other shapes than the one recorded."""
        return self._recording.repeat(leaves, *self._numbers())


def _no_numbers() -> tuple[int, float]:
    return 0, 0.0
