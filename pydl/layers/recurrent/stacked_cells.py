"""Cells on top of each other as one cell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydl import ops
from pydl.layers.layer import Layer

__all__ = ["StackedRNNCells"]


class StackedRNNCells(Layer):
    """Several cells as one: each takes the output of the one before as its input.

    Args:
        cells: The cells, first to last.

    Call arguments:
        inputs: A tensor of shape `(batch, features)`.
        states: A list with the states of every cell.
        training: Whether the cells apply dropout.

    Returns:
        The output of the last cell, and the list of the new states of every cell.

    Raises:
        ValueError: something among `cells` is no cell.

    Example:
        >>> import pydl
        >>> stack = pydl.layers.StackedRNNCells([pydl.layers.LSTMCell(4), pydl.layers.LSTMCell(5)])
        >>> pydl.layers.RNN(stack)(pydl.ops.ones((2, 3, 6))).shape
        (2, 5)
    """

    def __init__(self, cells: Sequence[Any], **kwargs):
        super().__init__(**kwargs)
        for cell in cells:
            for name in ("call", "state_size"):
                if not hasattr(cell, name):
                    raise ValueError(f"[{self.name}] expected cells with {name}, got {cell!r}.")
        self.cells = list(cells)

    @property
    def state_size(self) -> list:
        """The sizes of the states of every cell."""
        return [cell.state_size for cell in self.cells]

    @property
    def output_size(self) -> int:
        """The size of the output of the last cell."""
        return _output_size(self.cells[-1])

    def build(self, input_shape):
        for cell in self.cells:
            if isinstance(cell, Layer) and not cell.built:
                cell.build(input_shape)
            input_shape = (input_shape[0], _output_size(cell))

    def get_initial_state(self, batch_size: int) -> list:
        """Return the states of zeros of every cell."""
        return [_zeros(cell, batch_size, self.compute_dtype) for cell in self.cells]

    def reset_dropout_mask(self) -> None:
        """Choose anew what to drop from now on."""
        for cell in self.cells:
            if hasattr(cell, "reset_dropout_mask"):
                cell.reset_dropout_mask()

    def call(self, inputs, states, training=False):
        new_states = []
        for cell, state in zip(self.cells, states):
            is_list = isinstance(state, (list, tuple))
            options = {"training": training} if getattr(cell, "_takes_training", False) else {}
            inputs, new = cell(inputs, list(state) if is_list else [state], **options)
            if not is_list and isinstance(new, (list, tuple)):
                new = new[0]
            new_states.append(new)
        return inputs, new_states

    def run_sequence(self, sequences, states, mask, go_backwards: bool, training: bool):
        """Return outputs of all steps and the last states, cell by cell; None if one cannot."""
        if not all(hasattr(cell, "run_sequence") for cell in self.cells):
            return None
        new_states = []
        for cell, state in zip(self.cells, states):
            is_list = isinstance(state, (list, tuple))
            given = list(state) if is_list else [state]
            result = cell.run_sequence(sequences, given, mask, go_backwards, training)
            if result is None:
                return None
            sequences, new = result
            new_states.append(new if is_list else new[0])
            if go_backwards and mask is not None:
                mask = ops.flip(mask, axis=1)
            go_backwards = False  # outputs come in the order of computation
        return sequences, new_states


def _output_size(cell: Any) -> int:
    size = getattr(cell, "output_size", None)
    if size is not None:
        return size
    return cell.state_size[0] if isinstance(cell.state_size, (list, tuple)) else cell.state_size


def _zeros(cell: Any, batch_size: int, dtype: str) -> Any:
    if hasattr(cell, "get_initial_state"):
        return cell.get_initial_state(batch_size=batch_size)
    if isinstance(cell.state_size, int):
        return ops.zeros((batch_size, cell.state_size), dtype=dtype)
    return [ops.zeros((batch_size, size), dtype=dtype) for size in cell.state_size]
