"""Steps on the CPU recorded as kernel calls, which are then repeated without any Python between them."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

from pydl import _core, tree
from pydl._core import Tensor

__all__ = ["RecordedStep", "recorded_step"]

# Steps that need more memory are long enough for Python not to matter, and a recording keeps it all.
_LARGEST = 64 << 20
_MOST_RECORDINGS = 8


def recorded_step(model: Any, name: str) -> Callable[[tuple], Any]:
    """What a model that overrides no part of its steps does with a batch, recorded.

    Args:
        model: a compiled model on the CPU.
        name: "train_step", whose optimizer is not part of the recording, or "test_step".
    """

    def gradients(batch: tuple) -> list:
        found, results = model._gradients(batch)
        model._update_metrics(*results)
        return found

    def measured(batch: tuple) -> None:
        model._update_metrics(*model._measure(batch))

    watched = model.non_trainable_variables
    if name == "test_step":
        return RecordedStep("evaluate", measured, watched)
    recorded = RecordedStep("fit", gradients, watched)

    def step(batch: tuple) -> None:
        model.optimizer.apply(recorded(batch), (model._plan or model).trainable_variables)

    return step


class RecordedStep:
    """A function of batches that is run once for each shape of batch, then recorded, then repeated.

    Args:
        name: of the step, for messages.
        function: takes a batch of tensors, and returns tensors. It must do the same for every batch,
            whatever the values in it.
        watched: tensors that the function may write to.
    """

    def __init__(
        self, name: str, function: Callable[[tuple], Any], watched: Sequence[Tensor]
    ) -> None:
        self._name = name
        self._function = function
        self._watched = list(watched)
        self._known: dict[Any, _Repetition | None] = {}

    def __call__(self, batch: tuple) -> Any:
        """Return what the function makes of a batch; the next call overwrites it."""
        leaves = [leaf for leaf in tree.flatten(batch) if leaf is not None]
        if not all(type(leaf) is Tensor for leaf in leaves):  # text, masks
            return self._function(batch)
        shapes = tuple((leaf.shape, leaf.dtype) for leaf in leaves)
        if shapes not in self._known:  # the first batch builds what there is to build
            if len(self._known) < _MOST_RECORDINGS:
                self._known[shapes] = None
            return self._function(batch)
        repetition = self._known[shapes]
        if repetition is not None:
            return repetition(leaves) if repetition.works else self._function(batch)
        repetition = self._known[shapes] = _Repetition()
        results = repetition.record(self._function, batch, self._watched)
        if repetition.obstacle:
            warnings.warn(
                f"[{self._name}] expected jit_compile=True with a step that does the same for every "
                f"batch, but {repetition.obstacle}: it runs as usual",
                stacklevel=2,
            )
        return results


class _Repetition:
    """One recording with the tensors that its batches go to."""

    works = False
    obstacle = ""

    def record(self, function: Callable, batch: tuple, watched: list[Tensor]) -> Any:
        static = tree.map_structure(lambda x: None if x is None else x.detach().copy(), batch)
        recording = _core.Recording(_LARGEST)
        recording.begin(watched)
        try:
            results = function(static)
        except BaseException:
            recording.end()
            raise
        self.works = recording.end()
        self.obstacle = recording.obstacle
        if self.works:
            self._recording, self._results = recording, results
            self._inputs = [leaf for leaf in tree.flatten(static) if leaf is not None]
        return results

    def __call__(self, leaves: list[Tensor]) -> Any:
        for static, given in zip(self._inputs, leaves):
            _core.assign_(static, given)
        self._recording.repeat()
        return self._results
