"""Fused losses against formulas in float64, and against torch."""

import numpy as np
import pytest
from scipy import special

import pydl
from pydl.testing import FLOATS, HALVES, OpSpec, OpTests, Sample

REDUCTIONS = ("none", "mean", "sum")


def reduced(losses, reduction):
    if reduction == "none":
        return losses
    return losses.mean() if reduction == "mean" else losses.sum()


def targets(labels, shape, smoothing):
    if labels.ndim < len(shape):
        labels = np.eye(shape[-1])[labels]
    return labels * (1 - smoothing) + smoothing / shape[-1]


def softmax_cross_entropy(x, labels, label_smoothing=0.0, reduction="none"):
    t = targets(labels, x.shape, label_smoothing)
    return reduced(-(t * special.log_softmax(x, axis=-1)).sum(-1), reduction)


def categorical_cross_entropy(p, labels, label_smoothing=0.0, epsilon=1e-7, reduction="none"):
    t = targets(labels, p.shape, label_smoothing)
    q = np.clip(p / p.sum(-1, keepdims=True), epsilon, 1 - epsilon)
    return reduced(-(t * np.log(q)).sum(-1), reduction)


def binary_cross_entropy(p, t, epsilon=1e-7, reduction="none"):
    p = np.clip(p, epsilon, 1 - epsilon)
    return reduced(-(t * np.log(p) + (1 - t) * np.log(1 - p)), reduction)


def huber(x, t, delta=1.0, reduction="none"):
    e = np.abs(x - t)
    return reduced(np.where(e <= delta, e * e / 2, delta * (e - delta / 2)), reduction)


def rows(make, rng):
    """Samples of scores with integer and dense labels, small and large, with every option."""
    for shape in ((3, 5), (2, 3, 4), (1, 1), (4, 7), (5, 133), (6,)):
        scores = make(rng, shape)
        classes = rng.integers(0, shape[-1], shape[:-1])
        dense = special.softmax(rng.normal(size=shape), axis=-1)
        for reduction in REDUCTIONS:
            yield Sample(scores, classes.astype("int32"), reduction=reduction)
        yield Sample(scores, classes, label_smoothing=0.1)
        yield Sample(scores, dense)
        yield Sample(scores, dense, label_smoothing=0.2, reduction="mean")


def logits(rng, shape):
    return rng.normal(size=shape) * 3


def probabilities(rng, shape):
    return rng.uniform(0.05, 1.0, size=shape)


def pairs(make_x, make_t, rng):
    for shape in ((3, 5), (2, 3, 4), (), (0, 3), (9001,)):
        for reduction in REDUCTIONS:
            if (shape, reduction) in (((0, 3), "mean"), ((9001,), "sum")):
                continue  # NaN; beyond float16
            yield Sample(make_x(rng, shape), make_t(rng, shape), reduction=reduction)


def small(samples):
    """Only what finite differences can afford."""
    return lambda rng: [s for s in samples(rng) if s.args[0].size < 100]


def normal(rng, shape):
    return np.asarray(rng.normal(size=shape) * 2)


def unit(rng, shape):
    return np.asarray(rng.uniform(0.1, 0.9, size=shape))


def spec(name, reference, samples, **kwargs):
    return OpSpec(
        name, getattr(pydl.ops, name), reference, samples, dtypes=FLOATS + HALVES,
        gradient_samples=small(samples), **kwargs,
    )  # fmt: skip


def error_of_shapes(name):
    op = getattr(pydl.ops, name)
    return (
        lambda: op(np.zeros((2, 3)), np.zeros((2, 1))), pydl.errors.ShapeError,
        rf"\[{name}\] expected predictions and targets of one shape, got \(2, 3\) and \(2, 1\)",
    )  # fmt: skip


OPS = pydl.ops
BAD_LABELS = [
    (lambda: OPS.softmax_cross_entropy(np.zeros((3, 4)), np.array([0, 9, -1])), ValueError,
     r"\[softmax_cross_entropy\] expected labels in \[0, 4\).*got 9 at position 1"),
    (lambda: OPS.softmax_cross_entropy(np.zeros((3, 4)), np.array([0, 3, -1], "int32")), ValueError,
     r"got -1 at position 2"),
    (lambda: OPS.softmax_cross_entropy(np.zeros((3, 4)), np.array([0, 1])), pydl.errors.ShapeError,
     r"expected integer labels of shape \(3,\) for scores \(3, 4\), got \(2,\)"),
    (lambda: OPS.softmax_cross_entropy(np.zeros((3, 4)), np.zeros((3, 5))), pydl.errors.ShapeError,
     r"expected one distribution of labels"),
    (lambda: OPS.softmax_cross_entropy(np.zeros((3, 0)), np.zeros(3, int)), pydl.errors.ShapeError,
     r"at least one class"),
    (lambda: OPS.softmax_cross_entropy(np.zeros((3, 4), int), np.zeros(3, int)),
     pydl.errors.DTypeError, r"\[softmax_cross_entropy\] expected a floating dtype, got int64"),
    (lambda: OPS.softmax_cross_entropy(np.zeros((3, 4)), np.zeros(3, int), reduction="max"),
     ValueError, r"expected reduction none, mean or sum, got 'max'"),
]  # fmt: skip


class TestCrossEntropy(OpTests):
    specs = [
        spec("softmax_cross_entropy", softmax_cross_entropy,
             lambda rng: list(rows(logits, rng)), differentiable=[0],
             errors=BAD_LABELS),
        spec("categorical_cross_entropy", categorical_cross_entropy,
             lambda rng: list(rows(probabilities, rng)), differentiable=[0], tolerance=2, errors=[(
                 lambda: OPS.categorical_cross_entropy(np.ones((2, 3)), np.array([0, 3])),
                 ValueError, r"\[categorical_cross_entropy\] expected labels in \[0, 3\)")]),
    ]  # fmt: skip


class TestPairLosses(OpTests):
    specs = [
        spec("squared_error", lambda x, t, reduction="none": reduced((x - t) ** 2, reduction),
             lambda rng: list(pairs(normal, normal, rng)), tolerance=4,
             errors=[error_of_shapes("squared_error")]),
        spec("absolute_error", lambda x, t, reduction="none": reduced(abs(x - t), reduction),
             lambda rng: list(pairs(normal, normal, rng)),
             errors=[error_of_shapes("absolute_error")]),
        spec("huber", huber,
             lambda rng: [*pairs(normal, normal, rng), Sample(normal(rng, 7), normal(rng, 7), 0.3)],
             errors=[error_of_shapes("huber")]),
        spec("sigmoid_binary_cross_entropy",
             lambda x, t, reduction="none": reduced(np.logaddexp(0, x) - x * t, reduction),
             lambda rng: list(pairs(normal, unit, rng)), differentiable=[0],
             tolerance=4,
             errors=[error_of_shapes("sigmoid_binary_cross_entropy")]),
        spec("binary_cross_entropy", binary_cross_entropy,
             lambda rng: list(pairs(unit, unit, rng)), differentiable=[0],
             tolerance=4, errors=[error_of_shapes("binary_cross_entropy")]),
    ]  # fmt: skip


@pytest.mark.parametrize("scale", [1.0, 1e4, 1e30])
def test_large_logits_do_not_overflow(scale):
    x = np.array([[1.0, -1.0, 0.5]]) * scale
    got = pydl.ops.softmax_cross_entropy(x, np.array([1])).item()
    assert got == pytest.approx(-special.log_softmax(x)[0, 1], rel=1e-12)
    binary = pydl.ops.sigmoid_binary_cross_entropy(x, np.zeros((1, 3))).numpy()
    np.testing.assert_allclose(binary, np.logaddexp(0, x), rtol=1e-12)


def test_impossible_class_with_no_weight_costs_nothing():
    x = np.array([[0.0, -np.inf, 0.0]])
    labels = np.array([[0.5, 0.0, 0.5]])
    assert pydl.ops.softmax_cross_entropy(x, labels).item() == pytest.approx(np.log(2))


def test_nan_logits_give_nan():
    x = np.array([[0.0, np.nan, 0.0], [1.0, 2.0, 3.0]])
    losses = pydl.ops.softmax_cross_entropy(x, np.array([0, 0])).numpy()
    assert np.isnan(losses[0]) and np.isfinite(losses[1])


def test_float32_losses_are_as_exact_as_torch():
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(3)
    x = rng.normal(size=(64, 1000)).astype("float32") * 5
    labels = rng.integers(0, 1000, 64)
    exact = softmax_cross_entropy(x.astype("float64"), labels)
    ours = np.abs(pydl.ops.softmax_cross_entropy(x, labels).numpy() - exact).max()
    theirs = torch.nn.functional.cross_entropy(
        torch.tensor(x), torch.tensor(labels), reduction="none"
    )
    assert ours <= 4 * np.abs(theirs.numpy() - exact).max() + 1e-6


def test_clipped_probabilities_pass_no_gradient():
    p = pydl.tensor([[1.0, 0.0], [0.25, 0.75]], "float64", requires_grad=True)
    pydl.ops.binary_cross_entropy(p, np.array([[0.0, 1.0], [0.0, 1.0]]), reduction="sum").backward()
    np.testing.assert_allclose(p.grad.numpy(), [[0, 0], [1 / 0.75, -1 / 0.75]], rtol=1e-12)


def test_labels_with_a_gradient_are_refused():
    labels = pydl.tensor([[0.5, 0.5]], requires_grad=True)
    with pytest.raises(pydl.errors.AutogradError, match=r"expected labels without a gradient"):
        pydl.ops.softmax_cross_entropy(np.zeros((1, 2), "float32"), labels)


def long_rows(shape, dtype):
    rng = np.random.default_rng(4)
    x = rng.normal(size=shape).astype(dtype) * 4
    x[:, 600:] += 9  # the largest logit comes late
    x[0, 1] = -np.inf
    return pydl.tensor(x, requires_grad=True), rng.integers(0, shape[1], shape[0])


@pytest.mark.parametrize("shape", [(3, 133), (5, 1000), (2, 5003)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("scale", [1.0, 0.5])
def test_gradient_of_long_rows(shape, dtype, scale):
    x, labels = long_rows(shape, dtype)
    softmax = special.softmax(x.detach().numpy().astype("float64"), axis=-1)
    t = targets(labels, shape, 0.1 if shape[1] == 1000 else 0.0)
    for given in (labels, t.astype(dtype)) if shape[1] < 2000 else (labels,):
        smoothing = 0.1 if shape[1] == 1000 and given is labels else 0.0
        x.grad = None
        loss = pydl.ops.softmax_cross_entropy(x, given, label_smoothing=smoothing, reduction="mean")
        (loss * scale).backward()
        np.testing.assert_allclose(
            x.grad.numpy() * shape[0], scale * (softmax - t), rtol=0,
            atol=1e-6 if dtype == "float32" else 1e-14,
        )  # fmt: skip


def test_gradient_beyond_the_caches():
    x, labels = long_rows((84, 50257), "float64")
    pydl.ops.softmax_cross_entropy(x, labels, reduction="sum").backward()
    expected = special.softmax(x.detach().numpy(), axis=-1)
    expected[np.arange(84), labels] -= 1
    np.testing.assert_allclose(x.grad.numpy(), expected, rtol=0, atol=1e-14)


def test_backward_twice_through_one_graph():
    x, labels = long_rows((5, 1000), "float64")
    loss = pydl.ops.softmax_cross_entropy(x, labels, reduction="sum") * 0.5
    loss.backward(retain_graph=True)
    once = x.grad.numpy().copy()
    loss.backward(retain_graph=True)
    loss.backward()
    np.testing.assert_allclose(x.grad.numpy(), 3 * once, rtol=1e-13, atol=1e-16)


def test_nan_and_infinite_logits_give_nan_gradients():
    x = np.zeros((4, 700), "float32")
    x[0, 690], x[1, 690], x[2] = np.nan, np.inf, -np.inf
    x = pydl.tensor(x, requires_grad=True)
    pydl.ops.softmax_cross_entropy(x, np.zeros(4, "int64"), reduction="sum").backward()
    assert np.isnan(x.grad.numpy()[:3]).any(axis=1).all() and np.isfinite(x.grad.numpy()[3]).all()
