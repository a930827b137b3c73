"""Multi-tensor optimizer steps against formulas in float64, and against torch."""

import numpy as np
import pytest

import pydl
from pydl import ops
from pydl.testing import FLOATS, HALVES, OpSpec, OpTests, Sample

SHAPES = [(3, 4), (), (5,), (0, 2), (9001,), (100, 64)]
RATE, DECAY = 0.1, 0.05


def arrays(seed, shapes=SHAPES, low=None):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=s) if low is None else rng.uniform(low, 1, size=s) for s in shapes]


def tensors(values, dtype):
    return [pydl.tensor(v).astype(dtype) for v in values]


def exact(values):
    return [v.numpy().astype("float64") for v in values]


def prepared(g, scale, clip_value):
    return np.clip(g * scale, -clip_value, clip_value)


def sgd(p, g, momentum, nesterov, state, step):
    p = p - RATE * DECAY * p
    if not momentum:
        return p - RATE * g
    state["m"] = momentum * state["m"] - RATE * g
    return p + (momentum * state["m"] - RATE * g if nesterov else state["m"])


def rmsprop(p, g, momentum, centered, state, step):
    p = p - RATE * DECAY * p
    state["v"] = 0.9 * state["v"] + 0.1 * g**2
    state["a"] = 0.9 * state["a"] + 0.1 * g
    variance = state["v"] - state["a"] ** 2 if centered else state["v"]
    move = RATE * g / np.sqrt(variance + 1e-3)
    if momentum:
        move = state["m"] = momentum * state["m"] + move
    return p - move


def adam(p, g, amsgrad, state, step):
    p = p - RATE * DECAY * p
    state["m"] += (g - state["m"]) * 0.1
    state["v"] += (g**2 - state["v"]) * 0.01
    state["h"] = np.maximum(state["h"], state["v"])
    rate = RATE * np.sqrt(1 - 0.99**step) / (1 - 0.9**step)
    return p - rate * state["m"] / (np.sqrt(state["h"] if amsgrad else state["v"]) + 1e-3)


def run_and_compare(dtype, call, reference, names, scale=1.0, clip_value=np.inf):
    """Three steps of `call` and of `reference`, which see the same numbers."""
    params = tensors(arrays(0), dtype)
    slots = {name: tensors([np.zeros(s) for s in SHAPES], dtype) for name in names}
    expected = exact(params)
    states = [{k: np.zeros(s) for k in "mvah"} for s in SHAPES]
    for step in (1, 2, 3):
        grads = tensors(arrays(step), dtype)
        for i, g in enumerate(exact(grads)):
            expected[i] = reference(expected[i], prepared(g, scale, clip_value), states[i], step)
        extra = {"scales": [scale] * len(params), "clip_value": clip_value}
        call(params, grads, slots, step, weight_decay=DECAY, **extra)
    tolerance = {"float64": 1e-12, "float32": 1e-5, "bfloat16": 0.1, "float16": 2e-2}[dtype]
    for got, want in zip(exact(params), expected):
        np.testing.assert_allclose(got, want, rtol=tolerance, atol=tolerance)


DTYPES = pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "bfloat16"])
CLIPS = pytest.mark.parametrize("clip", [{}, {"scale": 0.5}, {"clip_value": 0.3}], ids=str)


@DTYPES
@CLIPS
@pytest.mark.parametrize("momentum, nesterov", [(0.0, False), (0.9, False), (0.9, True)])
def test_sgd_step(dtype, clip, momentum, nesterov):
    def call(params, grads, slots, step, **kwargs):
        momentums = slots["m"] if momentum else None
        ops.sgd_step(params, grads, momentums, RATE, momentum, nesterov, **kwargs)

    def reference(p, g, state, step):
        return sgd(p, g, momentum, nesterov, state, step)

    run_and_compare(dtype, call, reference, ["m"], **clip)


@DTYPES
@CLIPS
@pytest.mark.parametrize("momentum", [0.0, 0.9])
@pytest.mark.parametrize("centered", [False, True])
def test_rmsprop_step(dtype, clip, momentum, centered):
    def call(params, grads, slots, step, **kwargs):
        ops.rmsprop_step(
            params, grads, slots["v"], slots["a"] if centered else None,
            slots["m"] if momentum else None, RATE, 0.9, momentum, 1e-3, **kwargs,
        )  # fmt: skip

    def reference(p, g, state, step):
        return rmsprop(p, g, momentum, centered, state, step)

    run_and_compare(dtype, call, reference, ["v", "a", "m"], **clip)


@DTYPES
@CLIPS
@pytest.mark.parametrize("amsgrad", [False, True])
def test_adam_step(dtype, clip, amsgrad):
    def call(params, grads, slots, step, **kwargs):
        vhat = slots["h"] if amsgrad else None
        ops.adam_step(
            params, grads, slots["m"], slots["v"], vhat, step, RATE, 0.9, 0.99, 1e-3, **kwargs
        )

    def reference(p, g, state, step):
        return adam(p, g, amsgrad, state, step)

    run_and_compare(dtype, call, reference, ["m", "v", "h"], **clip)


def adam_bits(threads=None):
    before = pydl.get_num_threads()
    pydl.set_num_threads(threads or before)
    try:
        params, m, v = (tensors(arrays(k), "float32") for k in (0, 1, 2))
        v = [ops.multiply(x, x) for x in v]
        ops.adam_step(params, tensors(arrays(3), "float32"), m, v, None, 1, RATE)
        return b"".join(p.numpy().tobytes() for p in [*params, *m, *v])
    finally:
        pydl.set_num_threads(before)


@pytest.mark.cpu
def test_any_number_of_threads_gives_the_same_bits():
    assert adam_bits(1) == adam_bits(2) == adam_bits(3)


def test_every_instruction_set_gives_the_same_step():
    before = pydl.config.cpu_isa()
    try:
        results = []
        for isa in pydl.config.supported_cpu_isas():
            pydl.config.set_cpu_isa(isa)
            results.append(np.frombuffer(adam_bits(), "float32"))
    finally:
        pydl.config.set_cpu_isa(before)
    for result in results[1:]:
        np.testing.assert_allclose(result, results[0], rtol=1e-6, atol=1e-7)


def test_against_torch_adamw():
    torch = pytest.importorskip("torch")
    start, grads = arrays(0), [arrays(k) for k in (1, 2, 3)]
    theirs = [torch.tensor(a, requires_grad=True) for a in start]
    optimizer = torch.optim.AdamW(theirs, lr=0.01, weight_decay=0.1, eps=0.0)
    ours, m, v = (
        tensors(start, "float64"),
        *(tensors([np.zeros(s) for s in SHAPES], "float64") for _ in range(2)),
    )
    for step, step_grads in enumerate(grads, 1):
        for t, g in zip(theirs, step_grads):
            t.grad = torch.tensor(g)
        optimizer.step()
        ops.adam_step(
            ours, tensors(step_grads, "float64"), m, v, None, step, 0.01, epsilon=0.0,
            weight_decay=0.1,
        )  # fmt: skip
    for got, want in zip(ours, theirs):
        np.testing.assert_allclose(got.numpy(), want.detach().numpy(), rtol=1e-9, atol=1e-9)


def test_parameters_of_several_dtypes_and_gradients_that_are_views():
    a, b = pydl.tensor(np.ones((2, 3))), pydl.tensor(np.ones((3, 2), "float32"))
    gradient = pydl.tensor(np.arange(6.0).reshape(2, 3))
    ops.sgd_step([a, b], [gradient, gradient.T], None, 1.0)
    np.testing.assert_array_equal(a.numpy(), 1 - gradient.numpy())
    np.testing.assert_array_equal(b.numpy(), (1 - gradient.numpy().T).astype("float32"))


def test_a_step_counts_as_a_write():
    p = pydl.tensor([2.0], requires_grad=True)
    y = p * p
    ops.sgd_step([p], [[1.0]], None, 0.1)
    with pytest.raises(pydl.errors.AutogradError):
        y.backward()


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "bfloat16"])
def test_global_norm(dtype):
    values = tensors([a / 100 for a in arrays(5)], dtype)
    expected = np.sqrt(sum((a**2).sum() for a in exact(values)))
    got = ops.global_norm(values)
    assert got.shape == () and got.dtype == ("float64" if dtype == "float64" else "float32")
    assert got.item() == pytest.approx(expected, rel=1e-6)


def test_clip_by_global_norm():
    values = tensors(arrays(5), "float64")
    before = exact(values)
    norm = ops.clip_by_global_norm(values, 2.0).item()
    for got, want in zip(values, before):
        np.testing.assert_allclose(got.numpy(), want * 2.0 / norm, rtol=1e-12)
    assert ops.global_norm(values).item() == pytest.approx(2.0)
    again = exact(values)
    ops.clip_by_global_norm(values, 3.0)
    for got, want in zip(values, again):
        np.testing.assert_array_equal(got.numpy(), want)


def test_a_gradient_of_two_parameters_is_clipped_once():
    shared = pydl.tensor([3.0, 4.0])
    assert ops.clip_by_global_norm([shared, shared], 1.0).item() == pytest.approx(50**0.5)
    np.testing.assert_allclose(shared.numpy(), np.array([3.0, 4.0]) / 50**0.5, rtol=1e-6)


def test_parameters_may_lie_side_by_side_in_one_block():
    block = pydl.tensor([1.0] * 4)
    ops.sgd_step([block[:2], block[2:]], [[1.0, 1.0], [2.0, 2.0]], None, 0.5)
    np.testing.assert_array_equal(block.numpy(), [0.5, 0.5, 0.0, 0.0])


@pytest.mark.cpu  # a GPU is as fast with them
def test_state_without_gradient_ends_at_zero():
    p, m, v = pydl.tensor([1.0]), pydl.tensor([1e-37]), pydl.tensor([1e-38])
    ops.adam_step([p], [[0.0]], [m], [v], None, 1, RATE, 0.1, 0.1)
    assert m.item() == v.item() == 0.0  # not a denormal number, which would stay and be slow
    ops.sgd_step([p], [[0.0]], [m], RATE, 0.9)
    assert m.item() == 0.0


def pair():
    return pydl.tensor([1.0, 2.0])


BAD_CALLS = [
    (lambda p: ops.sgd_step([p], [], None, 0.1), ValueError,
     r"\[sgd_step\] expected a gradient for each of 1 parameters, got 0"),
    (lambda p: ops.sgd_step([p], [[1.0]], None, 0.1), pydl.errors.ShapeError,
     r"expected a gradient of shape \(2,\) for parameter 0, got \(1,\)"),
    (lambda p: ops.adam_step([p], [[1.0, 1.0]], [p], [p.astype("float64")], None, 1, 0.1),
     pydl.errors.DTypeError,
     r"\[adam_step\] expected v of dtype float32 for parameter 0, got float64"),
    (lambda p: ops.adam_step([p], [[1.0, 1.0]], [p], [pydl.tensor([1.0])], None, 1, 0.1),
     pydl.errors.ShapeError, r"expected v of shape \(2,\)"),
    (lambda p: ops.sgd_step([pydl.tensor([1])], [[1]], None, 0.1), pydl.errors.DTypeError,
     r"\[sgd_step\] expected a floating dtype, got int64|int32"),
    (lambda p: ops.sgd_step([pydl.tensor(np.ones((2, 3))).T], [np.ones((3, 2))], None, 0.1),
     ValueError, r"expected parameter 0 to be contiguous"),
    (lambda p: ops.sgd_step([p, p], [[1.0, 1.0]] * 2, None, 0.1), ValueError,
     r"\[sgd_step\] expected each parameter and its state once, got those of parameter 1 in a list"),
    (lambda p: ops.adam_step([p], [[1.0, 1.0]], [p], [p + 1], None, 1, 0.1), ValueError,
     r"\[adam_step\] expected each parameter and its state once"),
    (lambda p: ops.clip_by_global_norm([p], 0.0), ValueError, r"expected clip_norm above 0, got 0"),
]  # fmt: skip


@pytest.mark.parametrize("call, kind, pattern", BAD_CALLS, ids=[c[2][:40] for c in BAD_CALLS])
def test_errors(call, kind, pattern):
    with pytest.raises(kind, match=pattern):
        call(pair())


def step_samples(rng):
    """A parameter, its gradient and two states; the last is large enough for several threads."""
    return [
        Sample(rng.normal(size=s), rng.normal(size=s), rng.normal(size=s), rng.uniform(0.5, 1, size=s))
        for s in ((3, 4), (), (0, 2), (300, 101))
    ]


def on_copies(step):
    """`step` with its writes in place turned into results."""

    def run(p, g, m, v):
        p, m, v = (t.copy() for t in (p, m, v))
        step(p, g, m, v)
        return p, m, v

    return run


def sgd_reference(p, g, m, v):
    p, m = p - RATE * DECAY * p, 0.9 * m - RATE * g
    return p + 0.9 * m - RATE * g, m, v


def rmsprop_reference(p, g, m, v):
    state = {"v": v, "m": m, "a": 0}
    return rmsprop(p, g, 0.9, False, state, 1), state["m"], state["v"]


def adam_reference(p, g, m, v):
    state = {"m": np.array(m), "v": np.array(v), "h": np.zeros_like(v)}
    return adam(p, g, False, state, 2), state["m"], state["v"]


def row(name, step, reference, **options):
    error = (lambda: step(pair(), [1.0], pair(), pair()), pydl.errors.ShapeError,
             rf"\[{name}\] expected a gradient of shape \(2,\) for parameter 0, got \(1,\)")
    return OpSpec(name, on_copies(step), reference, step_samples, dtypes=FLOATS + HALVES, gradient=False,
                  tolerance=4, errors=[error], **options)  # fmt: skip


def clipped(*tensors):
    copies = [t.copy() for t in tensors]
    ops.clip_by_global_norm(copies, 2.0)
    return copies


def norm_samples(rng):
    return [Sample(rng.normal(size=(3, 4)), rng.normal(size=(90, 101)), np.array(0.3)), Sample(np.zeros((0, 2)))]


def norm_reference(*arrays):
    return np.sqrt(sum((a**2).sum() for a in arrays))


class TestSteps(OpTests):
    specs = [
        row("sgd_step", lambda p, g, m, v: ops.sgd_step([p], [g], [m], RATE, 0.9, True, weight_decay=DECAY),
            sgd_reference),
        row("rmsprop_step",
            lambda p, g, m, v: ops.rmsprop_step([p], [g], [v], None, [m], RATE, 0.9, 0.9, 1e-3, weight_decay=DECAY),
            rmsprop_reference),
        row("adam_step",
            lambda p, g, m, v: ops.adam_step([p], [g], [m], [v], None, 2, RATE, 0.9, 0.99, 1e-3, weight_decay=DECAY),
            adam_reference),
        OpSpec("global_norm", lambda *tensors: ops.global_norm(tensors), norm_reference, norm_samples,
               dtypes=FLOATS + HALVES, gradient=False,
               errors=[(lambda: ops.global_norm("a"), TypeError, r"\[global_norm\] expected")]),
        OpSpec("clip_by_global_norm", clipped,
               lambda *arrays: [a * min(1, 2 / max(norm_reference(*arrays), 1e-30)) for a in arrays],
               norm_samples, dtypes=FLOATS + HALVES, gradient=False,
               errors=[(lambda: ops.clip_by_global_norm([pair()], 0.0), ValueError, "expected clip_norm above 0, got 0")]),
    ]  # fmt: skip


def test_adam_divides_exactly_enough_over_the_whole_range():
    gradients = np.float32(10.0) ** np.linspace(-15, 15, 1001, dtype="float32")
    p, m, v = (pydl.tensor(np.zeros(1001, "float32")) for _ in range(3))
    pydl.ops.adam_step([p], [gradients], [m], [v], None, step=1, learning_rate=0.5)
    root = np.sqrt(v.numpy().astype("float64")) + 1e-7
    rate = 0.5 * np.sqrt(1 - 0.999) / (1 - 0.9)
    np.testing.assert_allclose(p.numpy(), -rate * m.numpy() / root, rtol=1e-6)


def test_adam_beyond_the_range():
    p, m, v = (pydl.tensor(np.zeros(20, "float32")) for _ in range(3))
    gradients = np.full(20, 1e20, "float32")  # the square is infinite, so there is no move
    gradients[3] = np.nan
    pydl.ops.adam_step([p], [gradients], [m], [v], None, step=1, learning_rate=0.5)
    expected = np.zeros(20)
    expected[3] = np.nan
    np.testing.assert_array_equal(p.numpy(), expected)
