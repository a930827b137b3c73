"""Normalisation against NumPy in float64."""

import numpy as np
import pytest

import pydl
from pydl import ops
from pydl.errors import AutogradError, DTypeError, ShapeError
from pydl.testing import FLOATS, HALVES, OpSpec, OpTests, Sample


def normalised(x, axes, epsilon, centred=True):
    if x.size == 0:
        return x
    if centred:
        x = x - x.mean(axes, keepdims=True)
    return x / np.sqrt((x * x).mean(axes, keepdims=True) + epsilon)


def aligned(parameter, x, axes):
    """A parameter with extents 1 along the axes of `x` that are not its own."""
    shape = [n if i in axes else 1 for i, n in enumerate(x.shape)]
    return parameter.reshape(shape)


def layer_norm(x, gamma=None, beta=None, axis=-1, epsilon=1e-3, centred=True):
    axes = tuple(sorted(a % x.ndim for a in np.atleast_1d(axis)))
    y = normalised(x, axes, epsilon, centred)
    y = y if gamma is None else y * aligned(gamma, x, axes)
    return y if beta is None else y + aligned(beta, x, axes)


def rms_norm(x, gamma=None, axis=-1, epsilon=1e-6):
    return layer_norm(x, gamma, None, axis, epsilon, centred=False)


def group_norm(x, groups, gamma=None, beta=None, axis=-1, epsilon=1e-3):
    last = np.moveaxis(x, axis, -1)
    parts = last.reshape(*last.shape[:-1], groups, -1) if x.size else last
    y = normalised(parts, (*range(1, parts.ndim - 2), parts.ndim - 1), epsilon).reshape(last.shape)
    y = y if gamma is None else y * gamma
    return np.moveaxis(y if beta is None else y + beta, -1, axis)


def batch_norm(x, gamma, beta, mean=None, variance=None, axis=-1, epsilon=1e-3, training=True):
    last = np.moveaxis(x, axis, -1)
    axes = tuple(range(x.ndim - 1))
    y = normalised(last, axes, epsilon) if training else (last - mean) / np.sqrt(variance + epsilon)
    y = y if gamma is None else y * gamma
    return np.moveaxis(y if beta is None else y + beta, -1, axis)


def rows(rng):
    def call(shape, axis, **options):
        n = tuple(shape[a] for a in np.atleast_1d(axis))
        return Sample(rng.normal(1, 2, shape), rng.normal(size=n), axis=axis, **options)

    return [
        call((3, 5), -1),
        call((2, 3, 4), 1),
        call((2, 3, 4), (1, 2), epsilon=0.1),
        Sample(rng.normal(size=(2, 7))),
        call((4, 1), -1),
        call((0, 3), -1),
        call((3, 0), -1),
        call((70, 37), -1),
        call((3, 1000), -1),
    ]


def rows_with_beta(rng):
    def with_beta(s):
        return Sample(*s.args, *(rng.normal(size=a.shape) for a in s.args[1:]), **s.kwargs)

    return [with_beta(s) for s in rows(rng)]


def few(samples):
    return lambda rng: [s for s in samples(rng) if s.args[0].size < 300]


def images(rng):
    def call(shape, groups, axis=-1):
        c = shape[axis]
        return Sample(rng.normal(1, 2, shape), groups, rng.normal(size=c), rng.normal(size=c), axis=axis)

    return [
        call((2, 3, 3, 4), 2),
        call((2, 6, 3), 3, axis=1),
        call((3, 8), 1),
        Sample(rng.normal(size=(2, 5, 4)), 4),
        call((0, 2, 4), 2),
        call((2, 11, 13, 24), 3),
        call((70, 4, 20), 5),
    ]


class BatchNorm:
    """batch_norm with moving statistics that every call starts from."""

    def __init__(self, training):
        self.training = training

    def __call__(self, x, gamma, beta, axis=-1):
        dtype = "float64" if x.dtype == "float64" else "float32"
        channels = np.arange(x.shape[axis])
        mean, variance = pydl.tensor(channels * 0.1, dtype), pydl.tensor(1 + channels * 0.2, dtype)
        return ops.batch_norm(x, gamma, beta, mean, variance, axis=axis, training=self.training)

    def reference(self, x, gamma, beta, axis=-1):
        channels = np.arange(x.shape[axis])
        return batch_norm(x, gamma, beta, channels * 0.1, 1 + channels * 0.2, axis, training=self.training)


def batches(rng):
    def call(shape, axis=-1):
        c = shape[axis]
        return Sample(rng.normal(1, 2, shape), rng.normal(size=c), rng.normal(size=c), axis=axis)

    return [
        call((4, 3)),
        call((3, 2, 3, 2)),
        call((3, 2, 5), axis=1),
        Sample(rng.normal(size=(5, 4)), None, None),
        call((2, 1)),
        call((40, 5, 5, 19)),
        call((64, 600)),
    ]


def rows_alone(rng):
    return [Sample(rng.normal(size=(3, 5)) + 2), Sample(rng.normal(size=(2, 3, 4)) + 2, axis=(0, 1)),
            Sample(rng.uniform(1, 2, (4, 3)), axis=0, order=1), Sample(rng.normal(size=7) + 2, axis=None),
            Sample(np.ones((0, 3)))]


def normalize(x, axis=-1, order=2):
    size = (abs(x) ** order).sum(axis=axis, keepdims=True) ** (1 / order)
    return x / np.maximum(size, 1e-7)


def batches_and_empty(rng):
    return batches(rng) + [Sample(np.ones((0, 3)), np.ones(3), np.ones(3))]


def batch_spec(name, training, samples):
    op = BatchNorm(training)
    return OpSpec(name, op, op.reference, samples, dtypes=FLOATS + HALVES, gradient_samples=few(samples),
                  tolerance=2, errors=[(lambda: op(np.ones((2, 4)), np.ones(3), np.ones(4)), ShapeError,
                                        r"\[batch_norm\] expected gamma")])


X = np.ones((2, 4), "float32")
ONES = np.ones(4, "float32")


class TestNorm(OpTests):
    specs = [
        OpSpec(
            "layer_norm", ops.layer_norm, layer_norm, rows_with_beta, dtypes=FLOATS + HALVES, tolerance=2,
            gradient_samples=few(rows_with_beta),
            errors=[
                (lambda: ops.layer_norm([[1, 2]]), DTypeError, r"\[layer_norm\] expected a floating dtype"),
                (lambda: ops.layer_norm(X, np.ones(3)), ShapeError,
                 r"\[layer_norm\] expected gamma of shape \(4,\) for an input of shape \(2, 4\), got \(3,\)"),
                (lambda: ops.layer_norm(X, None, np.ones(4)), DTypeError,
                 r"\[layer_norm\] expected beta to be float32 or a narrower .* got float64"),
                (lambda: ops.layer_norm(X, axis=2), ValueError, r"\[layer_norm\] expected an axis in"),
                (lambda: ops.layer_norm(X, axis=()), ValueError, r"\[layer_norm\] expected at least one axis"),
            ],
        ),
        OpSpec("rms_norm", ops.rms_norm, rms_norm, rows, dtypes=FLOATS + HALVES, tolerance=2,
               gradient_samples=few(rows),
               errors=[(lambda: ops.rms_norm(X, np.ones(3)), ShapeError,
                        r"\[rms_norm\] expected gamma of shape \(4,\) .* got \(3,\)")]),
        OpSpec("normalize", ops.normalize, normalize, rows_alone, dtypes=FLOATS + HALVES, tolerance=4,
               gradient_samples=few(rows_alone),
               errors=[(lambda: ops.normalize(X, axis=2), ValueError, r"\[\w+\] expected an axis in")]),
        OpSpec(
            "group_norm", ops.group_norm, group_norm, images, dtypes=FLOATS + HALVES, tolerance=2,
            gradient_samples=few(images),
            errors=[
                (lambda: ops.group_norm(X, 3), ValueError,
                 r"\[group_norm\] expected a number of groups that divides the 4 channels of axis 1, got 3"),
                (lambda: ops.group_norm(X, 1, axis=0), ValueError, r"expected the axis of channels, got 0"),
                (lambda: ops.group_norm(X[0], 1), ShapeError, r"at least 2 dimensions, got shape \(4,\)"),
            ],
        ),
        batch_spec("batch_norm-training", True, batches),
        batch_spec("batch_norm-inference", False, batches_and_empty),
    ]


def test_batch_norm_moves_its_statistics():
    x = np.random.default_rng(0).normal(3, 2, (10, 4, 5))
    for dtype, axis in (("float32", -1), ("float64", 1)):
        c = x.shape[axis]
        mean, variance = pydl.tensor(np.zeros(c), dtype), pydl.tensor(np.ones(c), dtype)
        ops.batch_norm(x.astype(dtype), None, None, mean, variance, axis=axis, momentum=0.9, training=True)
        axes = (0, 3 - axis % 3)
        np.testing.assert_allclose(mean.numpy(), 0.1 * x.mean(axes), rtol=1e-5)
        np.testing.assert_allclose(variance.numpy(), 0.9 + 0.1 * x.var(axes), rtol=1e-5)


def test_batch_norm_moves_narrow_statistics():
    mean, variance = pydl.tensor([0.0], "float16"), pydl.tensor([1.0], "float16")
    ops.batch_norm(np.array([[1.0], [3.0]], "float32"), None, None, mean, variance, training=True)
    np.testing.assert_allclose(mean.numpy(), [0.02], rtol=1e-3)


def test_batch_norm_leaves_its_statistics_in_inference():
    mean = pydl.tensor([0.5, 0.5, 0.5, 0.5])
    ops.batch_norm(X, None, None, mean, ONES)
    assert mean.tolist() == [0.5] * 4


def test_batch_norm_errors():
    def call(x=X, mean=ONES, variance=ONES, **options):
        return ops.batch_norm(x, None, None, mean, variance, **options)

    with pytest.raises(ShapeError, match=r"\[batch_norm\] expected a batch that is not empty for training"):
        call(np.ones((0, 4), "float32"), training=True)
    with pytest.raises(ShapeError, match=r"expected moving_mean of shape \(4,\) .* got \(2,\)"):
        call(mean=pydl.tensor([1.0, 1.0]))
    with pytest.raises(AutogradError, match="expected moving_variance to be a constant"):
        call(variance=pydl.tensor([1.0] * 4, requires_grad=True))
    with pytest.raises(ShapeError, match=r"at least 2 dimensions, got shape \(4,\)"):
        call(X[0])


def test_a_large_mean_does_not_spoil_the_variance():
    x = np.random.default_rng(0).normal(1000, 0.1, (5000, 24)).astype("float32")
    exact = x.astype("float64")
    mean, variance = pydl.tensor(np.zeros(24, "float32")), pydl.tensor(np.zeros(24, "float32"))
    ops.batch_norm(x, None, None, mean, variance, momentum=0.0, training=True)
    np.testing.assert_allclose(variance.numpy(), exact.var(0), rtol=1e-3)
    got = ops.layer_norm(x.T, epsilon=0.0).numpy()
    np.testing.assert_allclose(got, (exact.T - exact.T.mean(1, keepdims=True)) / exact.T.std(1, keepdims=True),
                               atol=2e-3)


def test_bfloat16_with_float32_parameters():
    x = pydl.tensor(np.random.default_rng(0).normal(size=(4, 8)), "bfloat16", requires_grad=True)
    gamma = pydl.tensor(np.ones(8, "float32"), requires_grad=True)
    y = ops.layer_norm(x, gamma)
    assert y.dtype == "bfloat16"
    ops.sum(y).backward()
    assert x.grad.dtype == "bfloat16" and gamma.grad.dtype == "float32"
