"""Activations computed again in the backward pass instead of kept: less memory, more time."""

from __future__ import annotations

import functools
import math
import threading
from collections.abc import Callable, Sequence
from typing import Any

from pydl import _core, tree
from pydl._call_errors import show
from pydl._core import AutogradError, Tensor
from pydl.activations import linear
from pydl.autograd import enable_grad
from pydl.layers.context import context
from pydl.layers.keras_tensor import is_symbolic
from pydl.layers.masking import get_mask, with_mask
from pydl.replay import Effects, watched

__all__ = ["RematScope", "current_scope", "remat"]

_MODES = ("full", "activations", "larger_than", "list_of_layers", None)


class _State(threading.local):
    """The scopes around the code that runs in this thread, and the functions that run in `remat`."""

    def __init__(self) -> None:
        self.scopes: list[RematScope] = []
        self.depth = 0


_state = _State()


def remat(f: Callable) -> Callable:
    """Return a function that computes as `f` but keeps its inputs only, not what is between.

    The backward pass runs `f` once more and takes the gradients of that. They are the same: random
    numbers, such as those of dropout, and states, such as moving averages, are as they were in the
    first run. What `f` uses besides its arguments, such as weights, gets its gradients, too.

    Args:
        f: A function of tensors, a layer or a model.

    Returns:
        A function with the arguments and results of `f`.

    Raises:
        TypeError: `f` cannot be called.
        AutogradError: in the backward pass, if an input or a weight was changed since.

    Example:
        >>> import pydl
        >>> block = pydl.Sequential([pydl.layers.Dense(4, "gelu"), pydl.layers.Dense(2)])
        >>> y = pydl.remat(block)(pydl.ops.ones((3, 2)))
        >>> y.sum().backward()
        >>> [v.grad.shape for v in block.trainable_weights]
        [(2, 4), (4,), (4, 2), (2,)]

    Source: Chen et al., 2016.
    """
    if not callable(f):
        raise TypeError(f"[remat] expected a function or a layer, got {show(f)}.")

    @functools.wraps(f, updated=())
    def rematerialized(*args: Any, **kwargs: Any) -> Any:
        if not _core.is_grad_enabled() or is_symbolic(args) or is_symbolic(kwargs):
            return f(*args, **kwargs)
        return _Segment(f, args, kwargs).run()

    return rematerialized


class _Segment:
    """One call of a function, which the backward pass repeats."""

    def __init__(self, f: Callable, args: tuple, kwargs: dict):
        self.f = f
        self.structure = args, kwargs
        self.inputs = [x for x in tree.flatten(self.structure) if isinstance(x, Tensor)]
        self.context = context.training, context.call_id
        self.effects = Effects()

    def run(self) -> Any:
        """Return the results, recorded as those of one op of the inputs and of the weights."""
        since = _core.graph_position()
        fresh = [_detached(x) for x in self.inputs]
        with watched() as self.effects:
            result, losses = self._call(fresh)
        leaves = tree.flatten(result)
        found = [*(x for x in leaves if isinstance(x, Tensor)), *(entry[2] for entry in losses)]
        self.sources = _core.graph_sources(found, fresh, since)
        self.versions = [x.version for x in (*self.inputs, *self.sources)]
        outputs = [x.detach() for x in found]
        _core.record_function(outputs, [*self.inputs, *self.sources], self.backward)
        remaining = iter(outputs)
        leaves = [with_mask(next(remaining), get_mask(x)) if isinstance(x, Tensor) else x for x in leaves]
        for layer, place, _ in losses:
            loss = next(remaining)
            if not context.repeats:
                layer._losses[place] = layer._losses[place][0], loss
            if context.added_losses is not None:
                context.added_losses.append((layer, place, loss))
        return tree.pack_sequence_as(result, leaves)

    def backward(self, *grads: Tensor) -> list:
        """Return the gradients of the inputs and of the weights."""
        if [x.version for x in (*self.inputs, *self.sources)] != self.versions:
            raise AutogradError(
                "[remat] expected inputs and weights as the first run saw them, but one was changed "
                "in place since. Hint: write to a copy()"
            )
        again = _core.is_grad_enabled()  # the gradient is to have gradients
        fresh = [_alias(x) if again else _detached(x) for x in self.inputs]
        since = _core.graph_position()
        with self.effects.undone(), enable_grad():
            result, losses = self._call(fresh, repeats=True)
            found = [x for x in tree.flatten(result) if isinstance(x, Tensor)]
            found += [entry[2] for entry in losses]
        pairs = [(x, g) for x, g in zip(found, grads) if x.requires_grad]
        wanted = [x for x in (*fresh, *self.sources) if x.requires_grad]
        outputs, grads = zip(*pairs)
        gradients = iter(_core.grad(outputs, wanted, grads, again, again, True, since))
        return [next(gradients) if x.requires_grad else None for x in (*fresh, *self.sources)]

    def _call(self, inputs: list[Tensor], repeats: bool = False) -> tuple[Any, list]:
        """Return the result of `f` and the losses that layers added: `(layer, place, loss)`."""
        remaining = iter(inputs)
        args, kwargs = tree.map_structure(
            lambda x: next(remaining) if isinstance(x, Tensor) else x, self.structure
        )
        losses: list = []
        outer = vars(context).copy()
        context.training, context.call_id = self.context
        context.added_losses, context.repeats = losses, repeats or context.repeats
        _state.depth += 1
        try:
            return self.f(*args, **kwargs), losses
        finally:
            _state.depth -= 1
            for name in ("training", "call_id", "added_losses", "repeats"):
                setattr(context, name, outer.get(name, getattr(type(context), name)))


class RematScope:
    """Layers made within it compute their activations again in the backward pass; see `remat`.

    Models made of layers leave that to the layers, and a layer leaves it to the layer around it.

    Args:
        mode: Which layers: "full" all; "activations" those with an activation; "larger_than" those
            with more than `output_size_threshold` numbers in their outputs; "list_of_layers" those
            named in `layer_names`; None none.
        output_size_threshold: How many numbers an output of "larger_than" exceeds.
        layer_names: Names of layers.

    Raises:
        ValueError: another mode.

    Example:
        >>> import pydl
        >>> with pydl.RematScope("larger_than", output_size_threshold=512):
        ...     layer = pydl.layers.Conv2D(8, 3, activation="gelu")
        >>> layer(pydl.ops.ones((1, 16, 16, 1))).requires_grad
        True
    """

    def __init__(
        self,
        mode: str | None = "full",
        output_size_threshold: int = 1024,
        layer_names: Sequence[str] | None = None,
    ):
        if mode not in _MODES:
            names = ", ".join(str(one) for one in _MODES)
            raise ValueError(f"[RematScope] expected a mode of {names}, got {mode!r}.")
        self.mode = mode
        self.output_size_threshold = output_size_threshold
        self.layer_names = list(layer_names or ())

    def __enter__(self) -> RematScope:
        _state.scopes.append(self)
        return self

    def __exit__(self, *_: Any) -> None:
        _state.scopes.pop()

    def applies_to(self, layer: Any, args: tuple, kwargs: dict) -> bool:
        """Whether a call of a layer that was made in this scope is to be computed again."""
        if _state.depth or layer._is_model or not _core.is_grad_enabled():
            return False
        if self.mode == "activations":
            return getattr(layer, "activation", None) not in (None, linear)
        if self.mode == "list_of_layers":
            return layer.name in self.layer_names
        if self.mode == "larger_than":
            shapes = layer._shapes(args, kwargs, layer.compute_output_shape)
            return _size(layer.compute_output_shape(**shapes)) > self.output_size_threshold
        return self.mode == "full"


def current_scope() -> RematScope | None:
    """The innermost scope around, if it chooses any layers."""
    return _state.scopes[-1] if _state.scopes and _state.scopes[-1].mode else None


def _size(shapes: Any) -> int:
    if isinstance(shapes, dict):
        return sum(map(_size, shapes.values()))
    if all(size is None or isinstance(size, int) for size in shapes):
        return math.prod(size or 1 for size in shapes)
    return sum(map(_size, shapes))


def _detached(x: Tensor) -> Tensor:
    fresh = x.detach()
    fresh.requires_grad = x.requires_grad
    return with_mask(fresh, get_mask(x))


def _alias(x: Tensor) -> Tensor:
    """A tensor with a place of its own in the graph, so that uses of one tensor stay apart."""
    return with_mask(x.reshape(x.shape), get_mask(x)) if x.requires_grad else x
