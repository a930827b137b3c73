"""Batch normalization folded into the convolution before it, where nothing is being trained."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydl import activations, ops
from pydl._core import Tensor, contents_key
from pydl.autograd import is_grad_enabled
from pydl.layers.activation import Activation, ReLU
from pydl.layers.batch_normalization import BatchNormalization
from pydl.layers.context import context
from pydl.layers.conv import Conv1D, Conv2D, Conv3D
from pydl.layers.depthwise_conv import BaseDepthwiseConv, DepthwiseConv1D, DepthwiseConv2D
from pydl.layers.keras_tensor import KerasTensor
from pydl.layers.layer import Layer
from pydl.layers.node import Node

__all__ = ["FoldedConv", "find_chains"]

_CONVOLUTIONS = (Conv1D, Conv2D, Conv3D, DepthwiseConv1D, DepthwiseConv2D)


class FoldedConv:
    """A convolution, the normalization of its result, and maybe an activation.

    Without gradients and outside training they are one convolution, whose kernel and bias hold what
    the normalization would do. These are made anew when a weight has changed.

    Args:
        layers: The layers, in the order of their calls.

    Source: Jacob et al., Quantization and Training of Neural Networks, 2018, section 3.2.
    """

    def __init__(self, layers: Sequence[Layer]):
        self._layers = list(layers)
        self._conv, self._norm = self._layers[:2]
        self._activation = _fusable(self._layers[2]) if len(self._layers) > 2 else None
        self._cache: tuple[list, Any, tuple[Tensor, Tensor]] | None = None

    def __call__(self, x: Any) -> Any:
        """Return what the layers make of `x`."""
        if type(x) is Tensor and not context.training and not is_grad_enabled():
            weights = self._weights()
            if weights is not None and weights[0].dtype == x.dtype:
                return self._conv.convolve(x, *weights, self._activation)
        for layer in self._layers:
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


def find_chains(nodes: Sequence[Node], outputs: Sequence[Any]) -> dict[int, list[Node]]:
    """Return the calls that a FoldedConv may stand for, by the id of the first one's node.

    Args:
        nodes: The calls of a graph.
        outputs: The symbolic tensors that the graph returns.
    """
    readers: dict[int, list[Node | None]] = {id(tensor): [None] for tensor in outputs}
    for node in nodes:
        for tensor in node.inputs:
            readers.setdefault(id(tensor), []).append(node)

    def next_call(node: Node) -> Node | None:
        """The only call that reads what `node` makes."""
        found = readers.get(id(node.outputs), [])
        return found[0] if len(found) == 1 and found[0] and _is_plain(found[0]) else None

    chains = {}
    for node in nodes:
        if type(node.layer) not in _CONVOLUTIONS or not _is_plain(node):
            continue
        norm = next_call(node)
        if norm is None or not _fits(node.layer, norm.layer):
            continue
        last = next_call(norm)
        fused = last is not None and _fusable(last.layer) is not None
        chains[id(node)] = [node, norm, last] if fused else [node, norm]
    return chains


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
