"""Pooling against NumPy, window by window."""

import itertools

import numpy as np
import pytest

import pydl
from pydl import ops
from pydl.errors import DTypeError, ShapeError
from pydl.testing import FLOATS, HALVES, OpSpec, OpTests, Sample


def per_axis(value, axes):
    return (value,) * axes if np.isscalar(value) else tuple(value) * (axes // len(value))


def pooled(reduce, x, pool_size, strides=None, padding="valid", data_format="channels_last"):
    """The reduction of every window, cut off at the edges of x."""
    if data_format == "channels_first":
        x = np.moveaxis(x, 1, -1)
    axes = x.ndim - 2
    window = per_axis(pool_size, axes)
    step = window if strides is None else per_axis(strides, axes)
    starts = []
    for size, w, s, i in zip(x.shape[1:], window, step, range(axes)):
        if padding == "same":
            out = -(-size // s)
            before = max((out - 1) * s + w - size, 0) // 2
        else:
            before, after = (0, 0) if padding == "valid" else padding[i]
            out = (size + before + after - w) // s + 1
        starts.append([o * s - before for o in range(out)])
    y = np.zeros((x.shape[0], *map(len, starts), x.shape[-1]))
    for place in itertools.product(*(range(len(s)) for s in starts)):
        cut = tuple(slice(max(s[i], 0), s[i] + w) for s, i, w in zip(starts, place, window))
        y[(slice(None), *place)] = reduce(x[(slice(None), *cut)], axis=tuple(range(1, axes + 1)))
    return np.moveaxis(y, -1, 1) if data_format == "channels_first" else y


def max_pool(*args, **kwargs):
    return pooled(np.max, *args, **kwargs)


def average_pool(*args, **kwargs):
    return pooled(np.mean, *args, **kwargs)


def images(rng):
    def call(shape, *args, **kwargs):
        return Sample(rng.permutation(np.arange(np.prod(shape))).reshape(shape) * 0.1, *args, **kwargs)

    return [
        call((2, 4, 4, 3), 2),
        call((1, 5, 6, 2), (3, 2), strides=(2, 1), padding="same"),
        call((2, 7, 3), 3, strides=2, padding="same"),
        call((2, 7, 2), (2,), strides=3),
        call((1, 5, 4, 3), (3, 3), strides=1, padding=((1, 2), (0, 1))),
        call((1, 2, 5, 4), 2, data_format="channels_first"),
        call((2, 3, 6), 2, padding="same", data_format="channels_first"),
        call((1, 1, 1, 1), 1),
        call((1, 3, 3, 2), 2, strides=3, padding="same"),
        Sample(np.zeros((0, 4, 4, 3)), 2),
        call((3, 9, 10, 37), 3, strides=2, padding="same"),
        call((1, 13, 11, 70), (2, 3)),
    ]


def few(rng):
    return [s for s in images(rng) if s.args[0].size < 200]


def errors(op):
    x, name = np.ones((1, 4, 5, 2), "float32"), op.__name__
    return [
        (lambda: op(x, (5, 2)), ShapeError,
         rf"\[{name}\] expected an input at least as large as the window, which spans 5 elements of spatial "
         r"axis 0, got 4. Hint: padding=\"same\""),
        (lambda: op(x[0, 0], 2), ShapeError, rf"\[{name}\] expected \(batch, length, channels\), .* \(5, 2\)"),
        (lambda: op(x, (2, 2, 2)), ValueError, r"expected pool_size to be 1 or 2 integers, got \(2, 2, 2\)"),
        (lambda: op(x, 0), ValueError, r"expected pool_size to be positive"),
        (lambda: op(x, 2, strides=-1), ValueError, r"expected strides to be positive"),
        (lambda: op(x, 2, padding="full"), ValueError, r"expected padding to be .* got 'full'"),
        (lambda: op(x, 2, padding="causal"), ValueError, r"expected padding to be .* got \"causal\""),
        (lambda: op(x, 2, padding=[(0, 1)]), ValueError, r"expected padding of 2 pairs, got 1"),
        (lambda: op(x, 2, padding=[(2, 0), (0, 0)]), ValueError, r"expected padding smaller than the window"),
        (lambda: op(x, 2, data_format="nhwc"), ValueError, r"expected data_format to be .* got \"nhwc\""),
        (lambda: op(np.ones((1, 4, 2), "int32"), 2), DTypeError, r"expected a floating dtype, got int32"),
    ]


def spec(op, reference):
    return OpSpec(op.__name__, op, reference, images, dtypes=FLOATS + HALVES, gradient_samples=few,
                  errors=errors(op))


def squared(op):
    """Not linear between its kinks, so that gradients of gradients have something to show."""

    def square(*args, **kwargs):
        y = op(*args, **kwargs)
        return y * y

    return square


def squared_spec(op, reference):
    return OpSpec(op.__name__ + "-squared", squared(op), squared(reference), few)


def global_samples(rng):
    return [
        Sample(rng.normal(size=(2, 3, 4, 5))),
        Sample(rng.normal(size=(2, 5, 3)), data_format="channels_first"),
        Sample(rng.normal(size=(1, 6, 1)), keepdims=True),
        Sample(rng.normal(size=(2, 3, 2, 4)), data_format="channels_first", keepdims=True),
    ]


def global_spec(op, reduce):
    def reference(x, data_format="channels_last", keepdims=False):
        first = 1 if data_format == "channels_last" else 2
        return reduce(x, axis=tuple(range(first, first + x.ndim - 2)), keepdims=keepdims)

    bad = [(lambda: op(np.ones((2, 3), "float32")), ShapeError, rf"\[{op.__name__}\] expected \(batch, ...")]
    return OpSpec(op.__name__, op, reference, global_samples, dtypes=FLOATS + HALVES, errors=bad)


class TestPool(OpTests):
    specs = [
        spec(ops.max_pool, max_pool),
        spec(ops.average_pool, average_pool),
        squared_spec(ops.max_pool, max_pool),
        squared_spec(ops.average_pool, average_pool),
        global_spec(ops.global_max_pool, np.max),
        global_spec(ops.global_average_pool, np.mean),
    ]


def test_max_pool_passes_nan_on():
    x = np.ones((1, 4, 4, 20), "float32")
    x[0, 1, 0] = np.nan
    expected = np.ones((1, 2, 2, 20))
    expected[0, 0, 0] = np.nan
    np.testing.assert_array_equal(ops.max_pool(x, 2).numpy(), expected)


def test_max_pool_of_minus_infinity():
    x = pydl.tensor(np.full((1, 3, 3, 2), -np.inf), requires_grad=True)
    y = ops.max_pool(x, 3, padding="same")
    ops.sum(y).backward()
    assert y.numpy().max() == -np.inf and x.grad.numpy().sum() == y.size


def test_max_pool_gives_the_gradient_to_the_first_of_equals():
    x = pydl.tensor(np.zeros((1, 4, 4, 3), "float32"), requires_grad=True)
    ops.sum(ops.max_pool(x, 2)).backward()
    expected = np.zeros((1, 4, 4, 3))
    expected[:, ::2, ::2] = 1
    np.testing.assert_array_equal(x.grad.numpy(), expected)


def test_max_pool_refuses_huge_windows():
    with pytest.raises(ValueError, match="expected a window of at most 65536 elements, got 300 x 300"):
        ops.max_pool(np.ones((1, 300, 300, 1), "float32"), 300)


def test_global_max_pool_takes_any_size_and_shares_the_gradient_of_ties():
    assert ops.global_max_pool(np.ones((1, 300, 300, 2), "float32")).shape == (1, 2)
    assert ops.global_max_pool(np.ones((1, 2, 3, 4, 5), "float32"), keepdims=True).shape == (1, 1, 1, 1, 5)
    x = pydl.tensor([[[1.0], [3.0], [3.0]]], requires_grad=True)
    ops.sum(ops.global_max_pool(x)).backward()
    assert x.grad.tolist() == [[[0.0], [0.5], [0.5]]]


def test_max_pool_refuses_windows_of_padding_alone():
    with pytest.raises(ShapeError, match=r"at least one element along spatial axis 0, got shape \(1, 0, 1\)"):
        ops.max_pool(np.ones((1, 0, 1), "float32"), 2, padding=[(1, 1)])


@pytest.mark.parametrize("op", [ops.average_pool, ops.max_pool])
def test_gradients_larger_than_the_caches(op):
    rng = np.random.default_rng(0)
    n, h, w, c = 9, 64, 64, 64
    values = rng.permutation(4 * n * h * w * c).astype(np.float32)  # no two alike
    x = pydl.tensor(values.reshape(n, 2 * h, 2 * w, c), requires_grad=True)
    dy = rng.standard_normal((n, h, w, c), np.float32)
    (dx,) = pydl.grad(op(x, 2), x, pydl.tensor(dy))
    windows = values.reshape(n, h, 2, w, 2, c)
    best = windows == windows.max((2, 4), keepdims=True)
    shares = best if op is ops.max_pool else np.full_like(windows, 0.25)
    expected = shares * dy.reshape(n, h, 1, w, 1, c)
    np.testing.assert_array_equal(dx.numpy().reshape(windows.shape), expected)
