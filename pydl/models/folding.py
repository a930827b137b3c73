"""Layers after a convolution that are computed with it, or in another order, for speed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydl import activations, ops, tree
from pydl._core import Tensor, contents_key
from pydl.autograd import is_grad_enabled
from pydl.layers.activation import Activation, ReLU
from pydl.layers.batch_normalization import BatchNormalization
from pydl.layers.context import context
from pydl.layers.conv import Conv1D, Conv2D, Conv3D
from pydl.layers.depthwise_conv import BaseDepthwiseConv, DepthwiseConv1D, DepthwiseConv2D
from pydl.layers.keras_tensor import KerasTensor
from pydl.layers.layer import Layer
from pydl.layers.merging import Add
from pydl.layers.node import Node
from pydl.models.pooled_conv import PooledConv, can_pool_first

__all__ = ["Chain", "FoldedConv", "find_chains"]

_CONVOLUTIONS = (Conv1D, Conv2D, Conv3D, DepthwiseConv1D, DepthwiseConv2D)


class FoldedConv:
    """A convolution, the normalization of its result, and maybe an addition and an activation.

    Without gradients and outside training they are one convolution, whose kernel and bias hold what
    the normalization would do. These are made anew when a weight has changed.

    Args:
        layers: The layers, in the order of their calls.
        residual_first: Whether an addition gets the result of the normalization second.

    Source: Jacob et al., Quantization and Training of Neural Networks, 2018, section 3.2.
    """

    def __init__(self, layers: Sequence[Layer], residual_first: bool = False):
        self._layers = list(layers)
        self._residual_first = residual_first
        self._conv, self._norm = self._layers[:2]
        self._activation = None if len(self._layers) == 2 else _fusable(self._layers[-1])
        self._cache: tuple[list, Any, tuple[Tensor, Tensor]] | None = None

    def __call__(self, x: Any, residual: Any = None) -> Any:
        """Return what the layers make of `x`, and of what is added to it."""
        if type(x) is Tensor and not context.training and not is_grad_enabled():
            weights = self._weights()
            if weights is not None and weights[0].dtype == x.dtype:
                if residual is None:
                    return self._conv.convolve(x, *weights, self._activation)
                if type(residual) is Tensor and residual.dtype == x.dtype:
                    return self._conv.convolve(x, *weights, self._activation, residual)
        for layer in self._layers:
            if type(layer) is Add:
                x = layer([residual, x] if self._residual_first else [x, residual])
            else:
                x = layer(x)
        return x

    def _weights(self) -> tuple[Tensor, Tensor] | None:
        """The kernel and bias; None while weights may change unseen."""
        norm = self._norm
        sources = [self._conv.kernel, norm.moving_mean, norm.moving_variance]
        sources += [w for w in (self._conv.bias, norm.gamma, norm.beta) if w is not None]
        key = contents_key(sources)
        if key is None or len({weight.dtype for weight in sources}) > 1:
            return None
        known = self._cache
        if known is None or known[1] != key or list(map(id, known[0])) != list(map(id, sources)):
            known = self._cache = (sources, key, self._fold())
        return known[2]

    def _fold(self) -> tuple[Tensor, Tensor]:
        conv, norm = self._conv, self._norm
        scale = ops.rsqrt(norm.moving_variance + norm.epsilon)
        if norm.gamma is not None:
            scale = scale * norm.gamma
        offset = -norm.moving_mean if conv.bias is None else conv.bias - norm.moving_mean
        bias = offset * scale if norm.beta is None else offset * scale + norm.beta
        depthwise = isinstance(conv, BaseDepthwiseConv)  # whose kernel has two axes of channels
        channels = conv.kernel.shape[-2 if depthwise else -1 :]
        return conv.kernel * ops.reshape(scale, channels), bias


class Chain:
    """Calls that are one call of a FoldedConv or PooledConv.

    Args:
        nodes: The calls, in their order.
        layer: What may stand for their layers.
        residual: What an addition among them adds, or None.

    Attributes:
        inputs: The symbolic tensors that it takes.
        layer, args, kwargs, outputs: As those of a node.
    """

    def __init__(self, nodes: list[Node], layer: Any, residual: KerasTensor | None = None):
        self.nodes = nodes
        self.inputs = [nodes[0].args[0]]
        if residual is not None:
            self.inputs.append(residual)
        self.layer = layer
        self.args, self.kwargs = tuple(self.inputs), {}
        self.outputs = nodes[-1].outputs


def find_chains(nodes: Sequence[Node], outputs: Sequence[Any]) -> dict[int, Chain]:
    """Return the calls that one of a chain may stand for, by the id of the first one's node.

    Args:
        nodes: The calls of a graph, each after those that it depends on.
        outputs: The symbolic tensors that the graph returns.
    """
    readers: dict[int, list[Node | None]] = {id(tensor): [None] for tensor in outputs}
    for node in nodes:
        for tensor in node.inputs:
            readers.setdefault(id(tensor), []).append(node)
    made = {id(t): at for at, node in enumerate(nodes) for t in tree.flatten(node.outputs)}

    def next_call(node: Node) -> Node | None:
        """The only call that reads what `node` makes."""
        found = readers.get(id(node.outputs), [])
        return found[0] if len(found) == 1 else None

    chains: dict[int, Chain] = {}
    taken: set[int] = set()  # additions
    for at in reversed(range(len(nodes))):  # later convolutions have what is added to them
        node = nodes[at]
        if type(node.layer) not in _CONVOLUTIONS or not _is_plain(node):
            continue
        after = next_call(node)
        if after is None or not _is_plain(after):
            continue
        if can_pool_first(node.layer, after.layer):
            chains[id(node)] = Chain([node, after], PooledConv(node.layer, after.layer))
        if not _fits(node.layer, after.layer):
            continue
        calls, residual, last = [node, after], None, next_call(after)
        if last is not None and id(last) not in taken:
            residual = _added_to(after.outputs, last)
            if residual is not None and _can_add(node.layer) and made[id(residual)] < at:
                taken.add(id(last))
                calls.append(last)
                last = next_call(last)
            else:
                residual = None
        if last is not None and _is_plain(last) and _fusable(last.layer) is not None:
            calls.append(last)
        first = residual is not None and calls[2].args[0][0] is residual
        folded = FoldedConv([call.layer for call in calls], first)
        chains[id(node)] = Chain(calls, folded, residual)
    return chains


def _added_to(tensor: KerasTensor, node: Node) -> KerasTensor | None:
    """What a call adds to a tensor of the same shape and dtype, if it does only that."""
    if type(node.layer) is not Add or node.kwargs or len(node.args) != 1:
        return None
    terms = node.args[0]
    if not isinstance(terms, (list, tuple)) or len(terms) != 2 or terms[0] is terms[1]:
        return None
    other = terms[0] if terms[1] is tensor else terms[1]
    alike = other.shape == tensor.shape and None not in tensor.shape[1:]
    plain = node.layer._activity_regularizer is None and other.dtype == tensor.dtype
    return other if alike and plain and node.outputs.dtype == tensor.dtype else None


def _can_add(conv: Layer) -> bool:
    return type(conv) in (Conv1D, Conv2D)


def _is_plain(node: Node) -> bool:
    """Whether it is a call of one tensor and nothing else."""
    return len(node.args) == 1 and not node.kwargs and isinstance(node.args[0], KerasTensor)


def _fits(conv: Layer, norm: Layer) -> bool:
    return (
        type(norm) is BatchNormalization
        and conv.data_format == "channels_last"
        and norm.axis in (-1, conv.rank + 1)
        and activations.split_fused(conv.activation) == (None, None)
        and all(layer.compute_dtype == layer.variable_dtype for layer in (conv, norm))
        and all(layer._activity_regularizer is None for layer in (conv, norm))
    )


def _fusable(layer: Layer) -> str | None:
    """The name of the activation that a layer applies, if convolutions can apply it."""
    if layer._activity_regularizer is not None:
        return None
    if type(layer) is ReLU:
        plain = (layer.max_value, layer.negative_slope, layer.threshold) == (None, 0, 0)
        return "relu" if plain else None
    return activations.split_fused(layer.activation)[0] if type(layer) is Activation else None
