"""Recurrent ops against NumPy in float64."""

import numpy as np
import pytest

import pydl
from pydl import ops
from pydl.errors import DTypeError, ShapeError
from pydl.testing import FLOATS, HALVES, OpSpec, OpTests, Sample, is_emulated


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def run(step, x, states, mask, go_backwards):
    """All hidden states in the order of computation, then the last states."""
    order = range(x.shape[1])[:: -1 if go_backwards else 1]
    hidden = []
    for t in order:
        new = step(x[:, t], *states)
        keep = np.ones((len(x), 1), bool) if mask is None else mask[:, t, None].astype(bool)
        states = [np.where(keep, n, s) for n, s in zip(new, states)]
        hidden.append(states[0])
    shape = (len(x), 0, states[0].shape[1])
    return (np.stack(hidden, 1) if hidden else np.zeros(shape), *states)


def lstm_reference(x, kernel, recurrent, bias, h, c, mask=None, go_backwards=False):
    def step(now, h, c):
        i, f, g, o = np.split(now @ kernel + h @ recurrent + bias, 4, axis=-1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        return sigmoid(o) * np.tanh(c), c

    return run(step, x, [h, c], mask, go_backwards)


def gru_reference(x, kernel, recurrent, bias, h, mask=None, go_backwards=False, reset_after=True):
    units = recurrent.shape[0]

    def step(now, h):
        of_x, of_h = (bias[0], bias[1]) if reset_after else (bias, 0)
        xz, xr, xh = np.split(now @ kernel + of_x, 3, axis=-1)
        hz, hr, hh = np.split(h @ recurrent + of_h, 3, axis=-1)
        z, r = sigmoid(xz + hz), sigmoid(xr + hr)
        added = r * hh if reset_after else (r * h) @ recurrent[:, 2 * units :]
        return (z * h + (1 - z) * np.tanh(xh + added),)

    return run(step, x, [h], mask, go_backwards)


def simple_rnn_reference(
    x, kernel, recurrent, bias, h, mask=None, go_backwards=False, activation="tanh"
):
    functions = {
        "tanh": np.tanh, "sigmoid": sigmoid, "relu": lambda v: np.maximum(v, 0), None: lambda v: v
    }  # fmt: skip

    def step(now, h):
        return (functions[activation](now @ kernel + h @ recurrent + bias),)

    return run(step, x, [h], mask, go_backwards)


def lstm(x, kernel, recurrent, bias, h, c, **options):
    return ops.lstm(x, kernel, recurrent, bias, (h, c), **options)


def sampler(gates, states=1, variants=({},)):
    """Calls of many sizes, among them partial tiles, one row, no step and an empty batch."""

    def samples(rng):
        sizes = [
            (3, 4, 5, 7), (1, 3, 2, 1), (2, 1, 1, 4), (0, 2, 3, 4), (2, 0, 3, 4), (17, 3, 4, 33),
            (35, 2, 34, 50 if is_emulated() else 130),
        ]  # fmt: skip
        calls = []
        for options in variants:
            for batch, steps, features, units in sizes:
                two = gates == 3 and options.get("reset_after", True)
                width = gates * units
                arrays = [
                    rng.normal(size=(batch, steps, features)),
                    rng.normal(size=(features, width)),
                    rng.normal(size=(units, width)) / np.sqrt(units),
                    rng.normal(size=(2, width) if two else (width,)),
                    *(rng.normal(size=(batch, units)) for _ in range(states)),
                ]
                mask = rng.random((batch, steps)) < 0.6
                calls.append(Sample(*arrays, **options))
                calls.append(Sample(*arrays, mask=mask, **options))
                calls.append(Sample(*arrays, mask=mask, go_backwards=True, **options))
        return calls

    return samples


def few(samples):
    return lambda rng: [s for s in samples(rng) if s.args[2].size < 200]


def ones(*shape, dtype="float32"):
    return np.ones(shape, dtype)


X, K, R, B = ones(2, 5, 3), ones(3, 16), ones(4, 16), ones(16)
GRU_SAMPLES = sampler(3, variants=[{}, {"reset_after": False}])
RNN_SAMPLES = sampler(1, variants=[{}, {"activation": "sigmoid"}, {"activation": None}])


class TestRecurrent(OpTests):
    specs = [
        OpSpec(
            "lstm",
            lstm,
            lstm_reference,
            sampler(4, states=2),
            dtypes=FLOATS + HALVES,
            tolerance=4,
            gradient_samples=few(sampler(4, states=2)),
            errors=[
                (lambda: ops.lstm(X[0], K, R), ShapeError,
                 r"\[lstm\] expected x of shape \(batch, steps, features\), got \(5, 3\)"),
                (lambda: ops.lstm(X, K, R[:3]), ShapeError,
                 r"expected a recurrent kernel of shape \(units, 4 \* units\), got \(3, 16\)"),
                (lambda: ops.lstm(X, K[:2], R), ShapeError,
                 r"expected a kernel of shape \(3, 16\)"),
                (lambda: ops.lstm(X, K, R, B[:8]), ShapeError,
                 r"expected a bias of shape \(16,\), got \(8,\)"),
                (lambda: ops.lstm(X, K, R, B, [ones(2, 4)]), ValueError,
                 "expected 2 initial states, got 1"),
                (lambda: ops.lstm(X, K, R, B, [ones(1, 4), ones(2, 4)]), ShapeError,
                 r"expected initial states of shape \(2, 4\), got \(1, 4\)"),
                (lambda: ops.lstm(X, K, R, B, mask=ones(2, 4)), ShapeError,
                 r"expected a mask of shape \(batch, steps\) = \(2, 5\), got \(2, 4\)"),
                (lambda: ops.lstm(X.astype("int32"), K, R), DTypeError,
                 "expected a floating dtype"),
            ],
        ),
        OpSpec(
            "gru",
            ops.gru,
            gru_reference,
            GRU_SAMPLES,
            dtypes=FLOATS + HALVES,
            tolerance=4,
            gradient_samples=few(GRU_SAMPLES),
            errors=[
                (lambda: ops.gru(X, K[:, :12], R[:, :12], B[:12]), ShapeError,
                 r"\[gru\] expected a bias of shape \(2, 12\), got \(12,\)"),
                (lambda: ops.gru(X, K[:, :12], R[:, :12], ones(2, 12), reset_after=False),
                 ShapeError, r"\[gru\] expected a bias of shape \(12,\), got \(2, 12\)"),
            ],
        ),
        OpSpec(
            "simple_rnn",
            ops.simple_rnn,
            simple_rnn_reference,
            RNN_SAMPLES,
            dtypes=FLOATS + HALVES,
            tolerance=4,
            gradient_samples=few(RNN_SAMPLES),
            errors=[
                (lambda: ops.simple_rnn(X, K[:, :4], R[:, :4], activation="gelu"), ValueError,
                 r"\[simple_rnn\] expected activation None, relu, sigmoid or tanh, got 'gelu'"),
            ],
        ),
    ]  # fmt: skip


def test_simple_rnn_relu():
    rng = np.random.default_rng(0)
    x, kernel, recurrent = (rng.normal(size=s) for s in ((4, 6, 3), (3, 5), (5, 5)))
    given = [pydl.tensor(a, requires_grad=True) for a in (x, kernel, recurrent)]
    outputs, _ = ops.simple_rnn(*given, activation="relu")
    expected = simple_rnn_reference(x, kernel, recurrent, 0, np.zeros((4, 5)), activation="relu")[0]
    np.testing.assert_allclose(outputs.numpy(), expected, rtol=1e-12)
    seed = rng.normal(size=outputs.shape)
    outputs.backward(pydl.tensor(seed))
    h, slope = 1e-6, np.zeros_like(recurrent)
    for at in np.ndindex(*recurrent.shape):
        values = []
        for sign in (1, -1):
            moved = recurrent.copy()
            moved[at] += sign * h
            y = simple_rnn_reference(x, kernel, moved, 0, np.zeros((4, 5)), activation="relu")[0]
            values.append((y * seed).sum())
        slope[at] = (values[0] - values[1]) / (2 * h)
    np.testing.assert_allclose(given[2].grad.numpy(), slope, rtol=1e-5, atol=1e-6)


def test_without_bias_and_state():
    rng = np.random.default_rng(0)
    x, kernel, recurrent = (rng.normal(size=s) for s in ((2, 5, 3), (3, 16), (4, 16)))
    zeros = np.zeros((2, 4))
    expected = lstm_reference(x, kernel, recurrent, 0, zeros, zeros)
    for got, want in zip(ops.lstm(x, kernel, recurrent), expected):
        np.testing.assert_allclose(got.numpy(), want, rtol=1e-12)
    for reset_after in (True, False):
        bias = np.zeros((2, 12)) if reset_after else 0
        args = (x, kernel[:, :12], recurrent[:, :12])
        expected = gru_reference(*args, bias, zeros, reset_after=reset_after)
        for got, want in zip(ops.gru(*args, reset_after=reset_after), expected):
            np.testing.assert_allclose(got.numpy(), want, rtol=1e-12)


def test_padding_of_nan_does_not_spread():
    """What a mask hides may hold anything."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2, 4, 3))
    mask = np.array([[True, True, False, False], [True, True, True, False]])
    clean, dirty = np.where(mask[..., None], x, 0), np.where(mask[..., None], x, np.nan)
    kernel, recurrent = rng.normal(size=(3, 16)), rng.normal(size=(4, 16))
    for op, width in ((ops.lstm, 16), (ops.gru, 12), (ops.simple_rnn, 4)):
        weights = kernel[:, :width], recurrent[:, :width]
        for got, want in zip(op(dirty, *weights, mask=mask), op(clean, *weights, mask=mask)):
            np.testing.assert_array_equal(got.numpy(), want.numpy())


@pytest.mark.parametrize("op, width", [(ops.lstm, 16), (ops.gru, 12), (ops.simple_rnn, 4)])
def test_gradient_of_one_result_only(op, width):
    """Results that nothing depends on come to the kernel as no gradient at all."""
    rng = np.random.default_rng(0)
    x, kernel = rng.normal(size=(2, 3, 3)), rng.normal(size=(3, width))
    recurrent = rng.normal(size=(4, width))
    gradients = []
    for pick in (lambda r: r[1], lambda r: r[0][:, -1]):
        weights = [pydl.tensor(a, requires_grad=True) for a in (kernel, recurrent)]
        pick(op(x, *weights)).sum().backward()
        gradients.append([w.grad.numpy() for w in weights])
    for one, other in zip(*gradients):
        np.testing.assert_allclose(one, other, rtol=1e-10)


@pytest.mark.parametrize("features, units", [(34, 40), (5, 12), (64, 256)])
def test_lstm_gradient_of_whole_tiles(features, units):
    """float32 goes through tile registers where the batch fills them; float64 never does."""
    rng = np.random.default_rng(0)
    width = 4 * units
    arrays = [rng.normal(size=(33, 3, features)), rng.normal(size=(features, width)),
              rng.normal(size=(units, width)) / np.sqrt(units), rng.normal(size=width)]  # fmt: skip
    gradients = {}
    for dtype in ("float32", "float64"):
        inputs = [
            pydl.tensor(a.astype("float32").astype(dtype), requires_grad=True) for a in arrays
        ]
        ops.square(ops.lstm(*inputs)[0]).sum().backward()
        gradients[dtype] = [x.grad.numpy() for x in inputs]
    for ours, exact in zip(gradients["float32"], gradients["float64"], strict=True):
        np.testing.assert_allclose(ours, exact, atol=4e-6 * np.abs(exact).max())
