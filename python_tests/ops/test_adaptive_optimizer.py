"""Steps of Adagrad, Adadelta, Adamax, Nadam, Lion and FTRL against formulas in float64."""

import numpy as np
import pytest

import pydl
from pydl import ops
from pydl.testing import FLOATS, HALVES, OpSpec, OpTests, Sample

SHAPES = [(3, 4), (), (5,), (0, 2), (9001,)]
RATE, DECAY, EPSILON = 0.1, 0.05, 1e-3


def adagrad(p, g, s, t):
    s["a"] += g**2
    return p - RATE * g / np.sqrt(s["a"] + EPSILON)


def adadelta(p, g, s, t):
    s["a"] = 0.9 * s["a"] + 0.1 * g**2
    move = g * np.sqrt(s["b"] + EPSILON) / np.sqrt(s["a"] + EPSILON)
    s["b"] = 0.9 * s["b"] + 0.1 * move**2
    return p - RATE * move


def adamax(p, g, s, t):
    s["a"] += (g - s["a"]) * 0.1
    s["b"] = np.maximum(0.99 * s["b"], np.abs(g))
    return p - RATE / (1 - 0.9**t) * s["a"] / (s["b"] + EPSILON)


def nadam(p, g, s, t):
    s["a"] += (g - s["a"]) * 0.1
    s["b"] += (g**2 - s["b"]) * 0.01
    root = np.sqrt(s["b"] / (1 - 0.99**t)) + EPSILON
    return p - RATE * (0.7 * s["a"] + 0.4 * g) / root


def lion(p, g, s, t):
    move = RATE * np.sign(0.9 * s["a"] + 0.1 * g)
    s["a"] = 0.99 * s["a"] + 0.01 * g
    return p - move


def ftrl(power):
    def step(p, g, s, t):
        after = s["a"] + g**2
        s["b"] += g + 2 * 0.3 * p - (after**-power - s["a"] ** -power) / RATE * p
        s["a"] = after
        quadratic = after**-power / RATE + 2 * 0.2
        return (np.clip(s["b"], -0.1, 0.1) - s["b"]) / quadratic

    return step


STEPS = {
    "adagrad": (adagrad, lambda p, g, a, b, t, k: ops.adagrad_step(p, g, a, RATE, EPSILON, **k)),
    "adadelta": (
        adadelta,
        lambda p, g, a, b, t, k: ops.adadelta_step(p, g, a, b, RATE, 0.9, EPSILON, **k),
    ),
    "adamax": (
        adamax,
        lambda p, g, a, b, t, k: ops.adamax_step(p, g, a, b, t, RATE, 0.9, 0.99, EPSILON, **k),
    ),
    "nadam": (
        nadam,
        lambda p, g, a, b, t, k: ops.nadam_step(
            p, g, a, b, t, RATE, 0.7, 0.4, 0.9, 0.99, EPSILON, **k
        ),
    ),
    "lion": (lion, lambda p, g, a, b, t, k: ops.lion_step(p, g, a, RATE, **k)),
    "ftrl": (
        ftrl(-0.5),
        lambda p, g, a, b, t, k: ops.ftrl_step(p, g, a, b, RATE, -0.5, 0.1, 0.2, 0.3, **k),
    ),
    "ftrl with another power": (
        ftrl(-0.3),
        lambda p, g, a, b, t, k: ops.ftrl_step(p, g, a, b, RATE, -0.3, 0.1, 0.2, 0.3, **k),
    ),
}


def arrays(seed, shapes=SHAPES):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=s) for s in shapes]


def run(step, dtype, options, clip):
    """Three steps; returns parameters and state, and what they should be."""
    reference, call = STEPS[step]
    params = [pydl.tensor(v).astype(dtype) for v in arrays(0)]
    first, second = ([ops.full(s, 0.5, dtype) for s in SHAPES] for _ in range(2))
    expected = [p.numpy().astype("float64") for p in params]
    states = [{key: np.full(s, 0.5) for key in "ab"} for s in SHAPES]
    for t in (1, 2, 3):
        grads = [pydl.tensor(v).astype(dtype) for v in arrays(t)]
        for i, g in enumerate(grads):
            exact = np.clip(g.numpy().astype("float64") * clip[0], -clip[1], clip[1])
            shrunk = expected[i] * (1 - RATE * DECAY)
            expected[i] = reference(shrunk, exact, states[i], t)
        call(params, grads, first, second, t, options)
    return params, expected


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "bfloat16"])
@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("clip", [(1.0, np.inf), (0.5, np.inf), (1.0, 0.3)], ids=str)
def test_steps(step, dtype, clip):
    options = {"weight_decay": DECAY, "scales": [clip[0]] * len(SHAPES)}
    options["clip_value"] = None if clip[1] == np.inf else clip[1]
    params, expected = run(step, dtype, options, clip)
    tolerance = {"float64": 1e-12, "float32": 2e-5, "bfloat16": 0.15, "float16": 3e-2}[dtype]
    if step == "lion" and "16" in dtype:
        tolerance = 0.21  # a rounded mean may have another sign
    for got, want in zip(params, expected):
        np.testing.assert_allclose(
            got.numpy().astype("float64"), want, rtol=tolerance, atol=tolerance
        )


def test_lion_stays_where_nothing_pulls():
    p, m = pydl.tensor([1.0, 2.0]), pydl.tensor([0.0, 0.0])
    ops.lion_step([p], [[0.0, 1.0]], [m], learning_rate=0.5)
    assert p.tolist() == [1.0, 1.5]


@pytest.mark.cpu
def test_any_number_of_threads_gives_the_same_bits():
    def bits(threads):
        before = pydl.get_num_threads()
        pydl.set_num_threads(threads)
        try:
            return b"".join(
                p.numpy().tobytes() for p in run("nadam", "float32", {}, (1, np.inf))[0]
            )
        finally:
            pydl.set_num_threads(before)

    assert bits(1) == bits(2) == bits(3)


P = pydl.tensor([1.0, 2.0])


@pytest.mark.parametrize("call, pattern", [
    (lambda: ops.adagrad_step([P], [], [P], 0.1), r"\[adagrad_step\] expected a gradient for each"),
    (lambda: ops.adadelta_step([P], [P], [P], [pydl.tensor([1.0])], 0.1),
     r"\[adadelta_step\] expected mean squared move of shape \(2,\)"),
    (lambda: ops.adamax_step([P], [P], [P], [], 1, 0.1),
     r"\[adamax_step\] expected u for each of 1 parameters, got 0"),
    (lambda: ops.nadam_step([P], [P], [P], [pydl.tensor([1.0])], 1, 0.1, 0.5, 0.5),
     r"\[nadam_step\] expected v of shape"),
    (lambda: ops.lion_step([P], [[1.0]], [P], 0.1), r"\[lion_step\] expected a gradient of shape"),
    (lambda: ops.ftrl_step([P], [P], [P], [pydl.tensor([1.0])], 0.1),
     r"\[ftrl_step\] expected linear of shape"),
])  # fmt: skip
def test_errors(call, pattern):
    with pytest.raises(ValueError, match=pattern):
        call()


def step_samples(rng):
    """A parameter, its gradient and two states; the last is large enough for several threads."""
    return [
        Sample(*(rng.normal(size=s) for _ in "pga"), rng.uniform(0.5, 1, size=s))
        for s in ((3, 4), (), (0, 2), (300, 101))
    ]


def row(name, second=False):
    """Step 2 of an optimizer with its first state in any place, or above 0 if it is a sum."""
    reference, call = STEPS[name]

    def step(p, g, a, b):
        p, a, b = p.copy(), (ops.abs(a) + 0.1).copy(), b.copy()
        call([p], [g], [a], [b], 2, {})
        return (p, a, b) if second else (p, a)

    def expected(p, g, a, b):
        state = {"a": np.abs(a) + 0.1, "b": np.array(b)}
        p = reference(p, g, state, 2)
        return (p, state["a"], state["b"]) if second else (p, state["a"])

    error = (lambda: call([P], [[1.0]], [P], [P], 1, {}), pydl.errors.ShapeError,
             rf"\[{name}_step\] expected a gradient of shape \(2,\) for parameter 0, got \(1,\)")
    return OpSpec(f"{name}_step", step, expected, step_samples, dtypes=FLOATS + HALVES,
                  gradient=False, tolerance=8, errors=[error])  # fmt: skip


class TestRows(OpTests):
    specs = [
        row("adagrad"), row("adadelta", True), row("adamax", True), row("nadam", True),
        row("lion"), row("ftrl", True),
    ]  # fmt: skip
