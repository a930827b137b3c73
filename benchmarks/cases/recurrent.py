"""Recurrent layers over whole sequences, all outputs returned."""

from __future__ import annotations

from benchmarks.case import Case, floats

GATES = {"LSTM": 4, "GRU": 3}


def _pydl_lstm(pydl, x, kernel, recurrent, bias):
    return pydl.ops.lstm(x, kernel, recurrent, bias)[0]


def _pydl_gru(pydl, x, kernel, recurrent, bias):
    return pydl.ops.gru(x, kernel, recurrent, bias)[0]


def _torch(kind, units):
    def run(torch, x, kernel, recurrent, bias):
        zeros = torch.zeros(1, x.shape[0], units)
        state = (zeros, zeros) if kind == "LSTM" else zeros
        function = torch._VF.lstm if kind == "LSTM" else torch._VF.gru
        weights = [kernel, recurrent, bias[0], bias[1]]
        return function(x, state, weights, True, 1, 0.0, True, False, True)[0]

    return run


def _torch_inputs(x, kernel, recurrent, bias):
    """Weights as torch wants them; its layers have two biases."""
    both = bias.expand(2, -1).contiguous() if bias.ndim == 1 else bias
    return x, kernel.T.contiguous(), recurrent.T.contiguous(), both


def _jax_lstm(jax, x, kernel, recurrent, bias):
    def step(state, now):
        hidden, cell = state
        i, f, c, o = jax.numpy.split(now + hidden @ recurrent, 4, -1)
        cell = jax.nn.sigmoid(f) * cell + jax.nn.sigmoid(i) * jax.numpy.tanh(c)
        hidden = jax.nn.sigmoid(o) * jax.numpy.tanh(cell)
        return (hidden, cell), hidden

    zeros = jax.numpy.zeros((x.shape[0], recurrent.shape[0]), x.dtype)
    inputs = (x @ kernel + bias).swapaxes(0, 1)
    return jax.lax.scan(step, (zeros, zeros), inputs)[1].swapaxes(0, 1)


def _jax_gru(jax, x, kernel, recurrent, bias):
    def step(hidden, now):
        xz, xr, xh = jax.numpy.split(now, 3, -1)
        hz, hr, hh = jax.numpy.split(hidden @ recurrent + bias[1], 3, -1)
        z, r = jax.nn.sigmoid(xz + hz), jax.nn.sigmoid(xr + hr)
        hidden = z * hidden + (1 - z) * jax.numpy.tanh(xh + r * hh)
        return hidden, hidden

    zeros = jax.numpy.zeros((x.shape[0], recurrent.shape[0]), x.dtype)
    inputs = (x @ kernel + bias[0]).swapaxes(0, 1)
    return jax.lax.scan(step, zeros, inputs)[1].swapaxes(0, 1)


def _case(kind: str, batch: int, steps: int, features: int, units: int, gradient: bool) -> Case:
    width = GATES[kind] * units
    bias = (width,) if kind == "LSTM" else (2, width)
    shapes = ((batch, steps, features), (features, width), (units, width), bias)

    def inputs(random):
        x, *weights = floats(*shapes)(random)
        return x, *(0.1 * w for w in weights)

    products = 2 * batch * steps * (features + units) * width
    return Case(
        "recurrent",
        f"{kind} {units}, batch {batch}, {steps} steps of {features}"
        + (" fwd+bwd" if gradient else ""),
        inputs,
        {
            "pydl": _pydl_lstm if kind == "LSTM" else _pydl_gru,
            "torch": _torch(kind, units),
            "jax": _jax_lstm if kind == "LSTM" else _jax_gru,
        },
        gradient=(0, 1, 2, 3) if gradient else (),
        adapt={"torch": _torch_inputs},
        flops=products * (3 if gradient else 1),
    )


CASES = [
    _case(kind, *sizes, gradient)
    for kind in GATES
    for sizes in ((32, 100, 128, 128), (32, 50, 256, 256), (64, 50, 64, 64), (1, 100, 128, 256))
    for gradient in ((False,) if sizes[0] == 1 else (False, True))
]
