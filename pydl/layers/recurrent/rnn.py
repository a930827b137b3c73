"""The layer that takes a cell through sequences."""

from __future__ import annotations

from typing import Any

from pydl import ops, tree
from pydl._core import Tensor
from pydl.layers.layer import Layer
from pydl.layers.recurrent.stacked_cells import StackedRNNCells
from pydl.variable import Variable

__all__ = ["RNN"]


class RNN(Layer):
    """Takes a cell through the steps of sequences.

    SimpleRNNCell, LSTMCell and GRUCell, and stacks of them, run all steps in one kernel each;
    any other cell is called step by step.

    Args:
        cell: A cell, or a list of them to stack: a layer with `call(inputs, states)` that returns
            the output and the new states, an attribute `state_size`, and perhaps `output_size` and
            `get_initial_state(batch_size)`.
        return_sequences: Whether to return the outputs of all steps or only the last.
        return_state: Whether to return the last states too.
        go_backwards: Whether to go from the last step to the first; outputs come in that order.
        stateful: Whether a batch starts with the last states of the batch before; see
            `reset_state`.
        unroll: Accepted, without effect.
        zero_output_for_mask: Whether masked steps give zeros, and not the output before them.

    Call arguments:
        sequences: A tensor of shape `(batch, steps, features)`.
        initial_state: A list of tensors, the states before the first step; zeros when None.
        mask: A bool tensor of shape `(batch, steps)`; where it is False the state stays as it is.
        training: Whether the cell applies dropout.

    Returns:
        A tensor of shape `(batch, units)`, with `return_sequences` `(batch, steps, units)`; with
        `return_state` a tuple of it and the states.

    Raises:
        ValueError: no cell, or a stateful layer with a batch of another size.

    Example:
        >>> import pydl
        >>> cells = [pydl.layers.GRUCell(4), pydl.layers.GRUCell(6)]
        >>> layer = pydl.layers.RNN(cells, return_sequences=True)
        >>> layer(pydl.ops.ones((2, 5, 3))).shape
        (2, 5, 6)
    """

    supports_masking = True

    def __init__(
        self,
        cell: Any,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        zero_output_for_mask: bool = False,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if isinstance(cell, (list, tuple)):
            cell = StackedRNNCells(cell, dtype=self.dtype_policy)
        for name in ("call", "state_size"):
            if not hasattr(cell, name):
                raise ValueError(f"[{self.name}] expected a cell with {name}, got {cell!r}.")
        self.cell = cell
        self.return_sequences = return_sequences
        self.return_state = return_state
        self.go_backwards = go_backwards
        self.stateful = stateful
        self.unroll = unroll
        self.zero_output_for_mask = zero_output_for_mask
        self.states = None
        size = cell.state_size
        self.state_size = list(size) if isinstance(size, (list, tuple)) else [size]

    def build(self, sequences_shape):
        if isinstance(self.cell, Layer) and not self.cell.built:
            self.cell.build((sequences_shape[0], *sequences_shape[2:]))
        if self.stateful:
            if sequences_shape[0] is None:
                raise ValueError(
                    f"[{self.name}] expected a known batch size for a stateful layer, got shape "
                    f"{sequences_shape}. Hint: give Input a batch_size."
                )
            states = tree.map_structure(
                lambda zeros: Variable(zeros, trainable=False, name="rnn_state"),
                self.get_initial_state(sequences_shape[0]),
            )
            vars(self)["states"] = states  # they are no weights of the layer

    def get_initial_state(self, batch_size: int) -> list:
        """Return the states of zeros that sequences start with."""
        if hasattr(self.cell, "get_initial_state"):
            states = self.cell.get_initial_state(batch_size=batch_size)
            return list(states) if isinstance(states, (list, tuple)) else [states]
        dtype = getattr(self.cell, "compute_dtype", self.compute_dtype)
        return [ops.zeros((batch_size, size), dtype=dtype) for size in self.state_size]

    def reset_state(self) -> None:
        """Set the states that a stateful layer keeps to zeros."""
        for state in tree.flatten(self.states or []):
            state.assign(ops.zeros(state.shape, dtype=state.dtype))

    reset_states = reset_state

    def call(self, sequences, initial_state=None, mask=None, training=False):
        states = self._first_states(sequences, initial_state)
        if mask is not None:
            mask = ops.cast(mask, "bool")
            if mask.ndim > 2:
                mask = ops.any(mask, axis=tuple(range(2, mask.ndim)))
        last, outputs, states = self._run(sequences, states, mask, training)
        if hasattr(self.cell, "reset_dropout_mask"):
            self.cell.reset_dropout_mask()
        if self.stateful:
            for variable, state in zip(tree.flatten(self.states), tree.flatten(states)):
                variable.assign(state)
        output = ops.cast(outputs if self.return_sequences else last, self.compute_dtype)
        if not self.return_state:
            return output
        return output, *tree.map_structure(lambda s: ops.cast(s, self.compute_dtype), states)

    def compute_mask(self, inputs, previous_mask):
        """The mask of the inputs stays with outputs of all steps; states have none."""
        mask = tree.flatten(previous_mask)[0] if self.return_sequences else None
        return [mask, *(None for _ in self.state_size)] if self.return_state else mask

    def compute_output_shape(self, sequences_shape, initial_state_shape=None):
        batch, steps = sequences_shape[:2]
        size = getattr(self.cell, "output_size", None) or tree.flatten(self.state_size)[0]
        output = (batch, steps, size) if self.return_sequences else (batch, size)
        if not self.return_state:
            return output
        return output, *tree.map_structure(lambda units: (batch, units), self.state_size)

    def get_config(self):
        own = {"zero_output_for_mask": self.zero_output_for_mask, "unroll": self.unroll}
        config = {**super().get_config(), **own}
        config.pop("use_cudnn", None)  # as in Keras: it says how to compute, not what
        return config

    def _first_states(self, sequences, initial_state) -> list:
        if self.stateful and sequences.shape[0] != tree.flatten(self.states)[0].shape[0]:
            raise ValueError(
                f"[{self.name}] expected batches of {tree.flatten(self.states)[0].shape[0]} "
                f"sequences, as the stateful layer was built for, got {sequences.shape[0]}."
            )
        if initial_state is None:
            # Copies, because the states are overwritten before gradients are computed.
            initial_state = (
                tree.map_structure(lambda state: state.detach().copy(), self.states)
                if self.stateful
                else self.get_initial_state(sequences.shape[0])
            )
        if not isinstance(initial_state, (list, tuple)):
            initial_state = [initial_state]
        if len(initial_state) != len(self.state_size):
            raise ValueError(
                f"[{self.name}] expected {len(self.state_size)} initial states, "
                f"got {len(initial_state)}."
            )
        dtype = getattr(self.cell, "compute_dtype", self.compute_dtype)
        return list(tree.map_structure(lambda state: ops.cast(state, dtype), initial_state))

    def _run(self, sequences, states: list, mask, training: bool) -> tuple:
        """Return the last output, all outputs and the last states."""
        run_sequence = getattr(self.cell, "run_sequence", None)
        result = run_sequence and run_sequence(sequences, states, mask, self.go_backwards, training)
        if not result:
            return self._step_through(sequences, states, mask, training)
        outputs, states = result
        last = _first_state_of_last_cell(states)
        if mask is not None and self.zero_output_for_mask:
            if self.go_backwards:
                mask = ops.flip(mask, axis=1)
            keep = ops.expand_dims(mask, -1)
            outputs, last = ops.where(keep, outputs, 0.0), ops.where(keep[:, -1], last, 0.0)
        return last, outputs, states

    def _step_through(self, sequences, states: list, mask, training: bool) -> tuple:
        options = {"training": training} if getattr(self.cell, "_takes_training", False) else {}
        steps = ops.unstack(sequences, axis=1)
        masks = [None] * len(steps) if mask is None else ops.unstack(mask, axis=1)
        order = -1 if self.go_backwards else 1
        outputs = []
        for x, keep in zip(steps[::order], masks[::order]):
            output, new_states = self.cell(x, states, **options)
            if not isinstance(new_states, (list, tuple)):
                new_states = [new_states]
            if keep is not None:
                before = _first_state_of_last_cell(states)
                output = _choose(keep, output, 0.0 if self.zero_output_for_mask else before)
                kept = map(_choose, [keep] * len(tree.flatten(states)), tree.flatten(new_states),
                           tree.flatten(states))  # fmt: skip
                new_states = tree.pack_sequence_as(states, list(kept))
            states = list(new_states)
            outputs.append(output)
        if not outputs:
            raise ValueError(f"[{self.name}] expected at least one step, got none.")
        return outputs[-1], ops.stack(outputs, 1) if self.return_sequences else None, states


def _first_state_of_last_cell(states: list) -> Tensor:
    """Return what counts as the output of a step."""
    return states[-1][0] if isinstance(states[-1], (list, tuple)) else states[0]


def _choose(keep: Tensor, new: Tensor, old: Any) -> Tensor:
    """Return `new` for the sequences that `keep` says, `old` for the others."""
    return ops.where(ops.reshape(keep, (-1, *[1] * (new.ndim - 1))), new, old)


def cell_options(options: dict[str, Any], name: str) -> dict[str, Any]:
    """Take from the keyword arguments of a layer those that its cell gets too."""
    shared = {key: options[key] for key in ("dtype", "trainable") if key in options}
    if "implementation" in options:
        shared["implementation"] = options.pop("implementation")
    return {"name": name, **shared}


def of_cell(name: str) -> property:
    """Return a property that shows an attribute of the cell."""
    return property(lambda self: getattr(self.cell, name), doc=f"The cell's `{name}`.")
