"""Reading and adding at positions against NumPy and torch."""

import numpy as np
import pytest

import pydl
from pydl import ops
from pydl.testing import FLOATS, HALVES, INTEGERS, OpSpec, OpTests, Sample

ALL = FLOATS + HALVES + INTEGERS


def at(values):
    return pydl.tensor(np.asarray(values))


def plain(*arrays):
    return [a.numpy() if isinstance(a, pydl.Tensor) else a for a in arrays]


def take_reference(x, indices, axis=None):
    return np.take(x, plain(indices)[0], axis)


def along_reference(x, indices, axis=None):
    return np.take_along_axis(x, plain(indices)[0], axis)


def gather_reference(x, indices, axis):
    indices = plain(indices)[0]
    window = tuple(slice(n) for n in indices.shape)
    window = window[:axis % x.ndim] + (slice(None),) + window[axis % x.ndim + 1:]
    return np.take_along_axis(x[window], indices, axis)


def scatter_reference(x, indices, updates, axis):
    indices, updates = plain(indices, updates)
    updates = np.broadcast_to(updates, indices.shape)
    result = np.array(x)
    where = list(np.indices(indices.shape))
    where[axis] = indices
    np.add.at(result, tuple(where), updates)
    return result


def samples_of_take(rng):
    x = rng.normal(size=(3, 4, 5))
    return [
        Sample(x, at([2, 0, 2, -1]), axis=0),
        Sample(x, at([[1, -4], [3, 3]]), axis=1),
        Sample(x, at([4, -5]), axis=-1),
        Sample(x, at(3), axis=1),
        Sample(x, at([[59, -60]])),
        Sample(x, at(np.zeros((0, 2), "int64")), axis=1),
        Sample(rng.normal(size=(0, 3)), at([1, 1]), axis=1),
        Sample(rng.normal(size=(2, 40, 33)), at(rng.integers(-40, 40, 100)), axis=1),
        Sample(rng.normal(size=(50, 600)), at(rng.integers(0, 5, 30)), axis=0),
        Sample(rng.normal(size=(6,)), at(rng.integers(0, 6, 30).astype("int8")), axis=0),
    ]


def samples_of_gather(rng):
    x = rng.normal(size=(3, 4, 5))
    return [
        Sample(x, at(rng.integers(0, 4, (3, 7, 5))), 1),
        Sample(x, at(rng.integers(0, 3, (2, 4, 5))), 0),
        Sample(x, at(rng.integers(0, 5, (2, 3, 9)).astype("int32")), 2),
        Sample(x, at(np.zeros((3, 0, 5), "int64")), 1),
        Sample(rng.normal(size=(6,)), at(rng.integers(0, 6, (20,))), 0),
        Sample(rng.normal(size=(40, 300)), at(rng.integers(0, 40, (60, 300))), 0),
    ]


def samples_of_scatter(rng):
    def case(x, indices, axis, updates=None):
        updates = indices.shape if updates is None else updates
        return Sample(rng.normal(size=x) * 3, at(indices), rng.normal(size=updates) * 3, axis)

    return [
        case((3, 4, 5), rng.integers(0, 4, (3, 7, 5)), 1),
        case((3, 4, 5), rng.integers(0, 3, (2, 4, 5)), 0),
        case((3, 4, 5), rng.integers(0, 5, (2, 3, 9)), 2),
        case((3, 4), rng.integers(0, 4, (3, 6)), 1, (1, 6)),
        case((6,), rng.integers(0, 6, (20,)), 0),
        case((6,), np.zeros((0,), "int64"), 0),
        case((20, 300), rng.integers(0, 20, (60, 300)), 0),
    ]


BAD_INDEX = r"expected indices in \[-3, 3\) for axis 1 of extent 3, got {}"


class TestTake(OpTests):
    specs = [
        OpSpec("take", ops.take, take_reference, samples_of_take, dtypes=ALL,
               gradient_samples=lambda rng: samples_of_take(rng)[:7] + samples_of_take(rng)[-1:],
               errors=[
                   (lambda: ops.take(np.ones((2, 3)), [0, 3], 1), IndexError, r"\[take\] " + BAD_INDEX.format(3)),
                   (lambda: ops.take(np.ones((2, 3)), [0, -4], 1), IndexError, r"\[take\] " + BAD_INDEX.format(-4)),
                   (lambda: ops.take(np.ones((2, 3)), [0.5], 1), IndexError, r"\[take\] expected integer indices"),
                   (lambda: ops.take(np.ones((2, 3)), [0], 2), ValueError, r"\[take\] expected an axis in \[-2, 2\)"),
                   (lambda: ops.take(np.ones((0,)), [0], 0), IndexError, r"axis 0 of extent 0, got 0"),
               ]),
        OpSpec("take_along_axis", ops.take_along_axis, along_reference,
               lambda rng: [
                   Sample(rng.normal(size=(3, 4)), at(rng.integers(-4, 4, (3, 2))), 1),
                   Sample(rng.normal(size=(3, 4)), at(rng.integers(-4, 4, (1, 2))), 1),
                   Sample(rng.normal(size=(1, 4)), at(rng.integers(0, 4, (5, 2))), -1),
                   Sample(rng.normal(size=(3, 4)), at(rng.integers(0, 12, (5,)))),
                   Sample(rng.normal(size=(2, 0)), at(np.zeros((2, 0), "int32")), 1)],
               dtypes=ALL,
               errors=[
                   (lambda: ops.take_along_axis(np.ones((2, 3)), [[3], [0]], 1), IndexError,
                    r"\[take_along_axis\] " + BAD_INDEX.format(3)),
                   (lambda: ops.take_along_axis(np.ones((2, 3)), [1], 1), pydl.errors.ShapeError,
                    r"\[take_along_axis\] expected x and indices of one rank"),
                   (lambda: ops.take_along_axis(np.ones((2, 3)), np.ones((3, 1), "int32"), 1), pydl.errors.ShapeError,
                    r"\[take_along_axis\] expected shapes that broadcast"),
               ]),
        OpSpec("gather", ops.gather, gather_reference, samples_of_gather, dtypes=FLOATS + INTEGERS,
               gradient_samples=lambda rng: samples_of_gather(rng)[:5],
               errors=[
                   (lambda: ops.gather(np.ones((2, 3)), [[-4]], 1), IndexError, r"\[gather\] " + BAD_INDEX.format(-4)),
                   (lambda: ops.gather(np.ones((2, 3)), np.zeros((3, 1), "int32"), 1), pydl.errors.ShapeError,
                    r"\[gather\] expected indices within the extents of x but for axis 1, got shape \(3, 1\)"),
               ]),
        OpSpec("scatter_add", ops.scatter_add, scatter_reference, samples_of_scatter, dtypes=FLOATS + INTEGERS,
               gradient_samples=lambda rng: samples_of_scatter(rng)[:6],
               errors=[
                   (lambda: ops.scatter_add(np.ones((2, 3)), [[3]], [[1.0]], 1), IndexError,
                    r"\[scatter_add\] " + BAD_INDEX.format(3)),
                   (lambda: ops.scatter_add(np.ones((2, 3)), [[0]], [[1.0, 2.0]], 1), pydl.errors.ShapeError,
                    r"\[scatter_add\] expected updates that broadcast to the shape of indices \(1, 1\)"),
                   (lambda: ops.scatter_add(np.ones(3, "int32"), [0], [1.5], 0), pydl.errors.DTypeError,
                    r"\[scatter_add\] expected updates that int32 can hold, got float32"),
               ]),
        OpSpec("embedding", ops.embedding, lambda w, i: w[plain(i)[0]],
               lambda rng: [
                   Sample(rng.normal(size=(7, 3)), at([[1, 6, 1], [0, 1, 1]])),
                   Sample(rng.normal(size=(7, 33)), at([2])),
                   Sample(rng.normal(size=(7, 0)), at([2])),
                   Sample(rng.normal(size=(5, 2)), at(np.zeros((0,), "int32"))),
                   Sample(rng.normal(size=(500, 700)), at(rng.integers(0, 9, (80,))))],
               dtypes=ALL,
               gradient_samples=lambda rng: [Sample(rng.normal(size=(7, 3)), at([[1, 6, 1], [0, 1, 1]])),
                                             Sample(rng.normal(size=(5, 18)), at([4, 4, 0]))],
               errors=[
                   (lambda: ops.embedding(np.ones((3, 2)), [0, 3]), IndexError,
                    r"\[embedding\] expected indices in \[0, 3\) for axis 0 of extent 3, got 3"),
                   (lambda: ops.embedding(np.ones((3, 2)), [-1]), IndexError, r"\[embedding\] .* got -1"),
                   (lambda: ops.embedding(np.ones(3), [0]), pydl.errors.ShapeError,
                    r"\[embedding\] expected weights of shape \(vocabulary, features\), got \(3,\)"),
               ]),
    ]


class TestSlices(OpTests):
    specs = [
        OpSpec("slice", ops.slice, lambda x, b, s: x[tuple(slice(i, i + n) for i, n in zip(b, s))],
               lambda rng: [Sample(rng.normal(size=(4, 5)), (1, 2), (2, 3)), Sample(rng.normal(size=(4,)), (4,), (0,)),
                            Sample(np.array(2.0), (), ())],
               dtypes=ALL,
               errors=[
                   (lambda: ops.slice([1, 2, 3], (1,), (3,)), IndexError,
                    r"\[slice\] expected a slice inside shape \(3,\), got begin \(1,\), count \(3,\)"),
                   (lambda: ops.slice([1, 2, 3], (0, 0), (1, 1)), pydl.errors.ShapeError, r"\[slice\]"),
                   (lambda: ops.slice([1, 2, 3], (0,), (-1,)), IndexError, r"\[slice\]"),
               ]),
        OpSpec("slice_update", lambda x, u, b: ops.slice_update(x, b, u),
               lambda x, u, b: np.concatenate([x[:b[0]], u, x[b[0] + len(u):]]),
               lambda rng: [Sample(rng.normal(size=(6, 2)), rng.normal(size=(3, 2)), (2, 0)),
                            Sample(rng.normal(size=(6,)), rng.normal(size=(6,)), (0,)),
                            Sample(rng.normal(size=(6,)), rng.normal(size=(0,)), (3,))],
               dtypes=ALL,
               errors=[
                   (lambda: ops.slice_update([1.0, 2.0], (1,), [1.0, 2.0]), IndexError, r"inside shape \(2,\)"),
                   (lambda: ops.slice_update([1.0, 2.0], (1,), 1.0), pydl.errors.ShapeError,
                    r"\[slice_update\] expected updates of rank 1, got shape \(\)"),
                   (lambda: ops.slice_update([1, 2], (1,), [1.5]), pydl.errors.DTypeError,
                    r"\[slice_update\] expected updates that int32 can hold, got float32"),
               ]),
        OpSpec("trace", ops.trace, np.trace,
               lambda rng: [Sample(rng.normal(size=(3, 4))), Sample(rng.normal(size=(3, 4)), 1),
                            Sample(rng.normal(size=(2, 3, 4)), -1, 2, 0)],
               errors=[(lambda: ops.trace([1.0]), ValueError, r"\[\w+\] expected")]),
    ]


@pytest.mark.parametrize("dtype", FLOATS + HALVES)
@pytest.mark.parametrize("features", [1, 8, 16, 40, 1100])
def test_embedding_gradient_sums_repeated_rows(dtype, features):
    rng = np.random.default_rng(3)
    weights = pydl.tensor(rng.normal(size=(300, features))).astype(dtype)
    weights.requires_grad = True
    indices = rng.integers(0, 40, 2000)
    upstream = pydl.tensor(rng.integers(-8, 8, size=(2000, features)).astype("float64")).astype(dtype)
    ops.embedding(weights, indices).backward(upstream)
    expected = np.zeros((300, features))
    np.add.at(expected, indices, upstream.astype("float64").numpy())
    got = weights.grad.astype("float64").numpy()
    np.testing.assert_allclose(got, expected, rtol=1e-2 if dtype in HALVES else 1e-6)
    assert (got[40:] == 0).all()


def test_take_gradient_sums_halves_in_float32():
    x = pydl.tensor(np.zeros(4)).astype("float16")
    x.requires_grad = True
    ops.take(x, np.zeros(5000, "int32"), 0).sum().backward()
    assert x.grad.tolist() == [5000.0, 0.0, 0.0, 0.0]  # float16 sums of ones stop at 2048


def test_scatter_add_wraps_integers():
    result = ops.scatter_add(np.array([2**31 - 1], "int32"), [0], np.array([1], "int32"), 0)
    assert result.tolist() == [-(2**31)]


def test_every_bad_index_is_found():
    indices = np.zeros(100_000, "int64")
    for place in (0, 5, 50_000, 99_999):
        bad = indices.copy()
        bad[place] = 77
        with pytest.raises(IndexError, match="got 77"):
            ops.take(np.ones(10, "float32"), bad, 0)
