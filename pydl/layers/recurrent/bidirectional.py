"""Recurrent layers that read sequences from both ends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydl import ops, tree
from pydl.layers.layer import Layer
from pydl.saving.serialize import deserialize_keras_object, serialize_keras_object

__all__ = ["Bidirectional"]

_MERGE_MODES = ("concat", "sum", "ave", "mul", None)


class Bidirectional(Layer):
    """Runs a recurrent layer forwards and another backwards, and merges their outputs.

    Args:
        layer: The recurrent layer; a copy of it reads forwards.
        merge_mode: "concat", "sum", "ave" (mean), "mul", or None for both outputs as they are.
        weights: First weights of both layers, those of the forward one first.
        backward_layer: The layer that reads backwards, with `go_backwards=True`; None for a copy of
            `layer`.

    Call arguments:
        sequences: A tensor of shape `(batch, steps, features)`.
        initial_state: A list of tensors, the states of the forward layer first; zeros when None.
        mask: A bool tensor of shape `(batch, steps)`, False for padding.
        training: Whether to apply dropout.

    Returns:
        The merged outputs; steps of the backward layer's are put in the order of the inputs. With
        `return_state` of the layer, a tuple of them and the states of both layers.

    Raises:
        ValueError: an unknown merge mode, or layers that do not fit together.

    Example:
        >>> import pydl
        >>> layer = pydl.layers.Bidirectional(pydl.layers.LSTM(4, return_sequences=True))
        >>> layer(pydl.ops.ones((2, 5, 3))).shape
        (2, 5, 8)

    Source: Schuster and Paliwal, 1997.
    """

    supports_masking = True

    def __init__(
        self,
        layer: Layer,
        merge_mode: str | None = "concat",
        weights: Sequence[Any] | None = None,
        backward_layer: Layer | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        for given in (layer, backward_layer or layer):
            if not isinstance(given, Layer):
                raise ValueError(f"[{self.name}] expected a layer, got {given!r}.")
        if merge_mode not in _MERGE_MODES:
            raise ValueError(
                f"[{self.name}] expected merge_mode to be one of {_MERGE_MODES}, "
                f"got {merge_mode!r}."
            )
        self.forward_layer = _copy(layer, "forward")
        self.backward_layer = backward_layer or _copy(layer, "backward", go_backwards=True)
        self._check_layers()
        for one in (self.forward_layer, self.backward_layer):
            if hasattr(one, "zero_output_for_mask"):
                one.zero_output_for_mask = one.return_sequences
        self.merge_mode = merge_mode
        self.stateful = layer.stateful
        self.return_sequences = layer.return_sequences
        self.return_state = layer.return_state
        self.input_spec = layer.input_spec
        self._first_weights = None if weights is None else [*weights]

    def _check_layers(self) -> None:
        forward, backward = self.forward_layer, self.backward_layer
        if forward.go_backwards == backward.go_backwards:
            raise ValueError(
                f"[{self.name}] expected one layer with go_backwards=True and one without, got "
                f"{forward.go_backwards} for both."
            )
        for name in ("stateful", "return_sequences", "return_state"):
            if getattr(forward, name) != getattr(backward, name):
                raise ValueError(
                    f"[{self.name}] expected the same {name} of both layers, got "
                    f"{getattr(forward, name)} and {getattr(backward, name)}."
                )

    def build(self, sequences_shape):
        for layer in (self.forward_layer, self.backward_layer):
            if not layer.built:
                layer.build(sequences_shape)
        if self._first_weights is not None:
            self.set_weights(self._first_weights)

    def reset_state(self) -> None:
        """Set the states that stateful layers keep to zeros."""
        self.forward_layer.reset_state()
        self.backward_layer.reset_state()

    reset_states = reset_state

    def call(self, sequences, initial_state=None, mask=None, training=False):
        halves = (None, None)
        if initial_state is not None:
            half = len(initial_state) // 2
            halves = initial_state[:half], initial_state[half:]
        results = [
            self._run(layer, sequences, state, mask, training)
            for layer, state in zip((self.forward_layer, self.backward_layer), halves)
        ]
        states = ()
        if self.return_state:
            states = (*results[0][1:], *results[1][1:])
            results = [result[0] for result in results]
        forward, backward = results
        if self.return_sequences:
            backward = ops.flip(backward, axis=1)
        merged = self._merge(forward, backward)
        if not self.return_state:
            return merged
        return (*merged, *states) if self.merge_mode is None else (merged, *states)

    def compute_mask(self, inputs, previous_mask):
        """The mask of the inputs stays with outputs of all steps; states have none."""
        mask = tree.flatten(previous_mask)[0] if self.return_sequences else None
        masks = [mask, mask] if self.merge_mode is None else [mask]
        if self.return_state:
            masks += [None] * (2 * len(self.forward_layer.state_size))
        return masks if len(masks) > 1 else mask

    def compute_output_shape(self, sequences_shape, initial_state_shape=None):
        output = self.forward_layer.compute_output_shape(sequences_shape)
        states = ()
        if self.return_state:
            output, *states = output
        if self.merge_mode is None:
            return (output, output, *states, *states)
        if self.merge_mode == "concat":
            output = (*output[:-1], 2 * output[-1])
        return (output, *states, *states) if self.return_state else output

    def _run(self, layer: Layer, sequences, state, mask, training: bool):
        options = {}
        if state is not None:
            options["initial_state"] = list(state)
        if layer._takes_mask:
            options["mask"] = mask
        if layer._takes_training:
            options["training"] = training
        return layer(sequences, **options)

    def _merge(self, forward, backward):
        if self.merge_mode == "concat":
            return ops.concatenate([forward, backward], axis=-1)
        if self.merge_mode == "sum":
            return forward + backward
        if self.merge_mode == "ave":
            return (forward + backward) / 2
        return forward * backward if self.merge_mode == "mul" else (forward, backward)


def _copy(layer: Layer, direction: str, **changes) -> Layer:
    """Return a layer of the same configuration without its weights."""
    description = serialize_keras_object(layer)
    name = f"{direction}_{layer.name.removeprefix(f'{direction}_')}"
    description["config"] = {**description["config"], "name": name, **changes}
    return deserialize_keras_object(description)
