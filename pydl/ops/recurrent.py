"""Recurrent layers over whole sequences: one kernel goes through all steps."""

from __future__ import annotations

from collections.abc import Sequence

from pydl import _core
from pydl._core import Tensor
from pydl.typing import ArrayLike

__all__ = ["gru", "lstm", "simple_rnn"]


def lstm(
    x: ArrayLike,
    kernel: ArrayLike,
    recurrent_kernel: ArrayLike,
    bias: ArrayLike | None = None,
    initial_state: Sequence[ArrayLike] | None = None,
    mask: ArrayLike | None = None,
    go_backwards: bool = False,
) -> tuple[Tensor, Tensor, Tensor]:
    """Long short-term memory: goes through the steps of `x` with the state ``(hidden, cell)``.

    With ``i, f, c, o`` the four parts of ``x[:, t] @ kernel + hidden @ recurrent_kernel + bias``, a
    step makes ``cell = sigmoid(f) * cell + sigmoid(i) * tanh(c)`` and
    ``hidden = sigmoid(o) * tanh(cell)``. Computed in float32, or in float64 if an input is float64.

    Hochreiter and Schmidhuber (1997), "Long short-term memory"; Gers, Schmidhuber and Cummins
    (2000), "Learning to forget".

    Args:
        x: The sequences, shape ``(batch, steps, features)``, floating.
        kernel: Shape ``(features, 4 * units)``, in the order i, f, c, o.
        recurrent_kernel: Shape ``(units, 4 * units)``.
        bias: Shape ``(4 * units,)``; None for 0.
        initial_state: The hidden and the cell state before the first step, shape ``(batch, units)``
            each; None for 0.
        mask: Shape ``(batch, steps)``: False where a step leaves the state as it is; None for none.
        go_backwards: Whether to go from the last step to the first.

    Returns:
        The hidden state after every step in the order of computation, shape
        ``(batch, steps, units)``; the last hidden state and the last cell state, shape
        ``(batch, units)``.

    Raises:
        ShapeError: If shapes do not fit together.
        DTypeError: If an input is not floating.

    Example:
        >>> x = np.ones((2, 5, 3), "float32")
        >>> kernel, recurrent = np.ones((3, 16), "float32"), np.ones((4, 16), "float32")
        >>> outputs, hidden, cell = pydl.ops.lstm(x, kernel, recurrent)
        >>> outputs.shape, hidden.shape, cell.shape
        ((2, 5, 4), (2, 4), (2, 4))
    """
    return tuple(
        _core.lstm(x, kernel, recurrent_kernel, bias, initial_state or (), mask, go_backwards)
    )


def gru(
    x: ArrayLike,
    kernel: ArrayLike,
    recurrent_kernel: ArrayLike,
    bias: ArrayLike | None = None,
    initial_state: ArrayLike | None = None,
    mask: ArrayLike | None = None,
    go_backwards: bool = False,
    reset_after: bool = True,
) -> tuple[Tensor, Tensor]:
    """Gated recurrent unit: goes through the steps of `x` with the state ``hidden``.

    With ``xz, xr, xh`` the three parts of ``x[:, t] @ kernel + bias[0]``, and ``hz, hr, hh`` those
    of ``hidden @ recurrent_kernel + bias[1]``, a step makes ``z = sigmoid(xz + hz)``,
    ``r = sigmoid(xr + hr)``, ``h = tanh(xh + r * hh)`` and ``hidden = z * hidden + (1 - z) * h``.
    Without `reset_after`, ``h = tanh(xh + (r * hidden) @ recurrent_kernel_of_h)``, and there is one
    bias.

    Cho et al. (2014), "Learning phrase representations using RNN encoder-decoder for statistical
    machine translation".

    Args:
        x: The sequences, shape ``(batch, steps, features)``, floating.
        kernel: Shape ``(features, 3 * units)``, in the order z, r, h.
        recurrent_kernel: Shape ``(units, 3 * units)``.
        bias: Shape ``(2, 3 * units)``, without `reset_after` ``(3 * units,)``; None for 0.
        initial_state: The hidden state before the first step, shape ``(batch, units)``; None for 0.
        mask: Shape ``(batch, steps)``: False where a step leaves the state as it is; None for none.
        go_backwards: Whether to go from the last step to the first.
        reset_after: Whether the reset gate comes after the product with the recurrent kernel.

    Returns:
        The hidden state after every step in the order of computation, shape
        ``(batch, steps, units)``, and the last one, shape ``(batch, units)``.

    Raises:
        ShapeError: If shapes do not fit together.
        DTypeError: If an input is not floating.

    Example:
        >>> x = np.ones((2, 5, 3), "float32")
        >>> kernel, recurrent = np.ones((3, 12), "float32"), np.ones((4, 12), "float32")
        >>> outputs, hidden = pydl.ops.gru(x, kernel, recurrent)
        >>> outputs.shape, hidden.shape
        ((2, 5, 4), (2, 4))
    """
    states = () if initial_state is None else (initial_state,)
    return tuple(
        _core.gru(x, kernel, recurrent_kernel, bias, states, mask, go_backwards, reset_after)
    )


def simple_rnn(
    x: ArrayLike,
    kernel: ArrayLike,
    recurrent_kernel: ArrayLike,
    bias: ArrayLike | None = None,
    initial_state: ArrayLike | None = None,
    mask: ArrayLike | None = None,
    go_backwards: bool = False,
    activation: str | None = "tanh",
) -> tuple[Tensor, Tensor]:
    """Fully connected recurrent layer: goes through the steps of `x` with the state ``hidden``.

    A step makes ``hidden = activation(x[:, t] @ kernel + hidden @ recurrent_kernel + bias)``.

    Elman (1990), "Finding structure in time".

    Args:
        x: The sequences, shape ``(batch, steps, features)``, floating.
        kernel: Shape ``(features, units)``.
        recurrent_kernel: Shape ``(units, units)``.
        bias: Shape ``(units,)``; None for 0.
        initial_state: The hidden state before the first step, shape ``(batch, units)``; None for 0.
        mask: Shape ``(batch, steps)``: False where a step leaves the state as it is; None for none.
        go_backwards: Whether to go from the last step to the first.
        activation: "tanh", "relu", "sigmoid" or None.

    Returns:
        The hidden state after every step in the order of computation, shape
        ``(batch, steps, units)``, and the last one, shape ``(batch, units)``.

    Raises:
        ShapeError: If shapes do not fit together.
        DTypeError: If an input is not floating.
        ValueError: If the activation is another.

    Example:
        >>> x = np.ones((1, 3, 1), "float32")
        >>> pydl.ops.simple_rnn(x, [[1.0]], [[1.0]], activation=None)[0].numpy().ravel().tolist()
        [1.0, 2.0, 3.0]
    """
    states = () if initial_state is None else (initial_state,)
    return tuple(
        _core.simple_rnn(x, kernel, recurrent_kernel, bias, states, mask, go_backwards, activation)
    )
