"""A linear map along any axes, described by an Einstein summation."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from pydl import activations, initializers, ops
from pydl.errors import ShapeError
from pydl.layers.input_spec import InputSpec
from pydl.layers.layer import Layer
from pydl.layers.lora import LowRankAdaptation
from pydl.layers.quantized import Quantizable

__all__ = ["EinsumDense"]


class EinsumDense(Quantizable, LowRankAdaptation, Layer):
    """Multiplies inputs and a kernel as an equation says, `activation(einsum(x, kernel) + bias)`.

    Args:
        equation: As in `ops.einsum`: `"abc,cd->abd"`. `...` may stand for further axes of input
            and output, at the start or at the end of both: `"...c,cd->...d"`.
        output_shape: The sizes of the output's letters, without the batch. None for sizes that
            are not known. The axes of `...` are left out, and so is the batch only if it is a
            letter.
        activation: A name or a function; none when None.
        bias_axes: The letters of the output along which the bias varies; no bias when None.
        kernel_initializer: First values of the kernel, whose axes are its letters.
        bias_initializer: First values of the bias.
        kernel_regularizer: Penalty on the kernel.
        bias_regularizer: Penalty on the bias.
        kernel_constraint: Projection of the kernel after every step.
        bias_constraint: Projection of the bias after every step.
        lora_rank: The rank of a low-rank adaptation, which trains two small matrices beside the frozen
            kernel; none when None. See `enable_lora`.
        lora_alpha: How much the adaptation counts; `lora_rank` when None.
        quantization_config: How to quantize where the dtype policy says int8; None for the default.

    Call arguments:
        inputs: A tensor of the shape that the equation names.

    Returns:
        A tensor of the shape that the equation names.

    Raises:
        ValueError: an equation of another form.
        ShapeError: sizes that do not fit the equation.

    Example:
        >>> import pydl
        >>> layer = pydl.layers.EinsumDense("abc,cde->abde", (None, 2, 8), bias_axes="de")
        >>> layer(pydl.ops.ones((5, 7, 16))).shape
        (5, 7, 2, 8)
    """

    def __init__(
        self,
        equation: str,
        output_shape: int | Sequence[int | None],
        activation: Any = None,
        bias_axes: str | None = None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        lora_rank: int | None = None,
        lora_alpha: float | None = None,
        quantization_config: Any = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.equation = equation
        known = isinstance(output_shape, int)
        self.partial_output_shape = (output_shape,) if known else tuple(output_shape)
        self.activation = activations.get(activation)
        self.bias_axes = bias_axes
        self.kernel_initializer = kernel_initializer
        self.bias_initializer = bias_initializer
        self.kernel_regularizer = kernel_regularizer
        self.bias_regularizer = bias_regularizer
        self.kernel_constraint = kernel_constraint
        self.bias_constraint = bias_constraint
        self._prepare_lora(lora_rank, lora_alpha)
        self._prepare_quantization(quantization_config)

    def build(self, input_shape):
        letters = _split(self.equation, self.name)
        sizes = self._sizes(letters, input_shape)
        shape = [sizes[c] for c in letters.kernel]
        self.input_spec = InputSpec(ndim=len(input_shape))
        if self.quantization_mode is not None:
            self._build_quantized(shape)
        else:
            self.kernel = self.add_weight(
                shape=shape,
                initializer=self._kernel_initializer(letters),
                regularizer=self.kernel_regularizer,
                constraint=self.kernel_constraint,
                name="kernel",
            )
        self.bias = None
        if self.bias_axes is not None:
            self.bias = self.add_weight(
                shape=self._bias_shape(letters, sizes, len(input_shape)),
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
                name="bias",
            )
        self._build_lora()

    def call(self, inputs):
        if self.quantization_mode is not None:
            return self._quantized_call(inputs)
        outputs = ops.einsum(self.equation, inputs, self._adapted_weight())
        if self.bias is not None:
            outputs = outputs + self.bias
        return self.activation(outputs)

    def compute_output_shape(self, input_shape):
        letters = _split(self.equation, self.name)
        self._sizes(letters, input_shape)
        hidden = len(input_shape) - len(letters.input)
        if letters.front:
            return (*input_shape[: max(hidden, 1)], *self.partial_output_shape)
        end = tuple(input_shape[len(input_shape) - hidden :])
        return (input_shape[0], *self.partial_output_shape, *end)

    def _sizes(self, letters: _Letters, input_shape) -> dict[str, int | None]:
        """Return the size of every letter."""
        hidden = len(input_shape) - len(letters.input)
        named = tuple(input_shape)[hidden:] if letters.front else input_shape[: len(letters.input)]
        given = self.partial_output_shape if hidden and letters.front else (
            input_shape[0], *self.partial_output_shape,
        )  # fmt: skip
        if hidden < 0 or (hidden and not letters.hides) or len(given) != len(letters.output):
            raise ShapeError(
                f"[{self.name}] expected shapes that fit {self.equation!r}, got input shape "
                f"{tuple(input_shape)} and output_shape {self.partial_output_shape}."
            )
        sizes = dict(zip(letters.input, named))
        for letter, size in zip(letters.output, given):
            if size is not None and sizes.get(letter, size) != size:
                raise ShapeError(
                    f"[{self.name}] expected one size for axis {letter!r} of {self.equation!r}, "
                    f"got {sizes[letter]} in input shape {tuple(input_shape)} and {size}."
                )
            sizes.setdefault(letter, size)
        return sizes

    def _kernel_initializer(self, letters: _Letters) -> Any:
        initializer = initializers.get(self.kernel_initializer)
        if not isinstance(initializer, initializers.VarianceScaling):
            return initializer
        outputs = [i for i, c in enumerate(letters.kernel) if c in letters.output]
        inputs = [i for i, c in enumerate(letters.kernel) if c not in letters.output]
        return initializer.with_axes(inputs, outputs)

    def _summed_axes_of_weight(self) -> tuple[int, ...]:
        letters = _split(self.equation, self.name)
        return tuple(i for i, c in enumerate(letters.kernel) if c not in letters.output)

    def _summed_axes_of_inputs(self, ndim: int) -> tuple[int, ...]:
        letters = _split(self.equation, self.name)
        hidden = ndim - len(letters.input) if letters.front else 0
        return tuple(hidden + i for i, c in enumerate(letters.input) if c not in letters.output)

    def _scale_shape(self, shape: Sequence[int]) -> tuple[int, ...]:
        letters = _split(self.equation, self.name)
        sizes = dict(zip(letters.kernel, shape))
        ones = (1,) * (self.input_spec.ndim - len(letters.input))
        own = tuple(sizes.get(c, 1) for c in letters.output)
        return ones + own if letters.front else own + ones

    def _laid_out(self, scale, of: str):
        """A scale with the axes of the output; those that are not its own have size 1."""
        letters = _split(self.equation, self.name)
        given = letters.kernel if of == "kernel" else letters.input
        hidden = scale.ndim - len(given)
        first = hidden if letters.front else 0
        place = {c: first + i for i, c in enumerate(given)}
        others = [i for i in range(scale.ndim) if i not in place.values()]
        kept = [place[c] for c in letters.output if c in place]
        summed = [place[c] for c in given if c not in letters.output]
        moved = ops.transpose(scale, (*others, *kept, *summed) if letters.front else (*kept, *others, *summed))
        own = tuple(scale.shape[place[c]] if c in place else 1 for c in letters.output)
        rest = tuple(scale.shape[i] for i in others)
        return ops.reshape(moved, rest + own if letters.front else own + rest)

    def _sums_last_axes(self) -> bool:
        """Return whether it is a product of matrices: the inputs' last axes with the kernel's first."""
        letters = _split(self.equation, self.name)
        summed = "".join(c for c in letters.kernel if c not in letters.output)
        own = letters.kernel[len(summed) :]
        return (
            letters.front == letters.hides
            and letters.kernel == summed + own
            and letters.input.endswith(summed)
            and letters.output == letters.input[: len(letters.input) - len(summed)] + own
        )

    def _quantized_linear(self, inputs, kernel, scale):
        summed = len(self._summed_axes_of_weight())
        rows, own = inputs.shape[: inputs.ndim - summed], kernel.shape[summed:]
        size = math.prod(own)
        product = ops.quantized_linear(
            ops.reshape(inputs, (*rows, math.prod(kernel.shape[:summed]))),
            ops.reshape(kernel, (-1, size)),
            ops.reshape(scale, (size,)),
        )
        return ops.reshape(product, (*rows, *own))

    def _multiply(self, inputs, kernel):
        return ops.einsum(self.equation, inputs, kernel)

    def _multiply_back(self, grad, kernel):
        (inputs, of_kernel), output = self.equation.split("->")[0].split(","), self.equation.split("->")[1]
        return ops.einsum(f"{output},{of_kernel}->{inputs}", grad, kernel)

    def _bias_shape(self, letters: _Letters, sizes: dict, ndim: int) -> list[int | None]:
        if not set(self.bias_axes) <= set(letters.output):
            raise ValueError(
                f"[{self.name}] expected bias_axes to be letters of {letters.output!r}, "
                f"got {self.bias_axes!r}."
            )
        first = min(letters.output.index(c) for c in self.bias_axes)
        shape = [sizes[c] if c in self.bias_axes else 1 for c in letters.output[first:]]
        return shape if letters.front else shape + [1] * (ndim - len(letters.input))


class _Letters(NamedTuple):
    """The letters of an equation's parts; `...` goes before or behind them."""

    input: str
    kernel: str
    output: str
    hides: bool
    front: bool


def _split(equation: str, layer: str) -> _Letters:
    term = r"(\.{3})?([a-zA-Z]+)(\.{3})?"
    match = re.fullmatch(f"{term},([a-zA-Z]+)->{term}", equation)
    if match is None or match[1] != match[5] or match[3] != match[7] or (match[1] and match[3]):
        raise ValueError(
            f"[{layer}] expected an equation like 'ab,bc->ac', '...b,bc->...c' or "
            f"'ab...,bc->ac...', got {equation!r}."
        )
    letters = _Letters(match[2], match[4], match[6], bool(match[1] or match[3]), bool(match[1]))
    unknown = set(letters.kernel) - set(letters.input + letters.output)
    unknown |= set(letters.output) - set(letters.input + letters.kernel)
    if unknown:
        raise ValueError(
            f"[{layer}] expected every letter of kernel and output to be one of the others too, "
            f"got {equation!r} with {', '.join(sorted(unknown))} only once."
        )
    return letters
