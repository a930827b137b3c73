"""Views, joins and repetitions against NumPy."""

import numpy as np
import pytest

import pydl
from pydl import ops
from pydl.testing import FLOATS, HALVES, INTEGERS, OpSpec, OpTests, Sample

ALL = FLOATS + HALVES + INTEGERS


def calls(*cases):
    """Samples from (shape, *arguments) or (shape, ..., {keywords})."""

    def build(rng):
        samples = []
        for shape, *rest in cases:
            kwargs = rest.pop() if rest and isinstance(rest[-1], dict) else {}
            samples.append(Sample(np.asarray(rng.normal(size=shape) * 3), *rest, **kwargs))
        return samples

    return build


def spec(name, reference, samples, errors=(), op=None, **options):
    return OpSpec(name, op or getattr(ops, name), reference, samples, dtypes=ALL, errors=errors,
                  **options)


def sliding(x):
    """A view with gaps and a transposition, so that reshape must cope with strides."""
    return ops.permute(x, (1, 0, 2))[::2, :, ::-1]


class TestViews(OpTests):
    specs = [
        spec("reshape", np.reshape,
             calls(((2, 6), (3, 4)), ((2, 6), (-1,)), ((2, 6), -1), ((2, 6), (1, 12, 1)), ((), (1, 1)),
                   ((0, 3), (3, 0)), ((0, 3), (0,)), ((4, 1, 3), (2, 2, 3)), ((1,), ())),
             [(lambda: ops.reshape([1, 2, 3], (2, 2)), pydl.errors.ShapeError,
               r"\[reshape\] expected a shape with the 3 elements of \(3,\), got \(2, 2\)"),
              (lambda: ops.reshape([1, 2, 3], (-1, -1)), pydl.errors.ShapeError, "at most one -1"),
              (lambda: ops.reshape([1, 2, 3], (-2,)), pydl.errors.ShapeError, "at least 0 or one -1"),
              (lambda: ops.reshape([1, 2, 3], (2**40, 2**40)), pydl.errors.ShapeError, "3 elements"),
              (lambda: ops.reshape(np.zeros((0, 2)), (0, -1)), pydl.errors.ShapeError, "0 elements"),
              (lambda: ops.reshape([1], (1,) * 9), ValueError, "at most 8 dimensions"),
              (lambda: ops.reshape([1], "a"), TypeError, "an int or a sequence of ints")]),
        spec("reshape of a strided view", lambda x, s: x.transpose(1, 0, 2)[::2, :, ::-1].reshape(s),
             calls(((3, 4, 5), (2, 15)), ((3, 4, 5), (30,)), ((3, 4, 5), (2, 3, 1, 5)), ((3, 4, 1), (6,)),
                   ((1, 4, 5), (10,)), ((1, 4, 6), (2, 2, 3))),
             op=lambda x, s: ops.reshape(sliding(x), s)),
        spec("ravel", np.ravel, calls(((2, 3),), ((),), ((0, 2),)),
             [(lambda: ops.ravel("a"), TypeError, r"\[ravel\] expected \(x: ArrayLike")]),
        spec("squeeze", np.squeeze,
             calls(((1, 3, 1),), ((1, 3, 1), 0), ((1, 3, 1), (0, -1)), ((1, 1),), ((),), ((0, 1), 1)),
             [(lambda: ops.squeeze(np.ones((2, 1)), 0), pydl.errors.ShapeError,
               r"\[squeeze\] expected axis 0 to have extent 1, got shape \(2, 1\)"),
              (lambda: ops.squeeze(np.ones((2, 1)), 2), ValueError, r"\[squeeze\] expected an axis in")]),
        spec("expand_dims", np.expand_dims,
             calls(((2, 3), 0), ((2, 3), -1), ((2, 3), (0, 2)), ((2, 3), (-1, 0)), ((), 0), ((0,), 1)),
             [(lambda: ops.expand_dims([1], 3), ValueError, r"\[expand_dims\] expected an axis in \[-2, 2\)"),
              (lambda: ops.expand_dims([1], (0, 0)), ValueError, "different axes"),
              (lambda: ops.expand_dims(np.ones((1,) * 8), 0), ValueError, "at most 8 axes")]),
        spec("permute", np.transpose, calls(((2, 3, 4), (2, 0, 1)), ((2, 3), (-1, 0)), ((), ()), ((0, 2), (1, 0))),
             [(lambda: ops.permute([1], (0, 1)), ValueError, r"\[permute\] expected 1 axes, got \(0, 1\)"),
              (lambda: ops.permute(np.ones((2, 2)), (0, 0)), ValueError, "different axes")]),
        spec("transpose", np.transpose, calls(((2, 3, 4),), ((2, 3, 4), (1, 0, 2)), ((3,),), ((),)),
             [(lambda: ops.transpose([1], (0, 1)), ValueError, r"\[\w+\] expected 1 axes, got \(0, 1\)")]),
        spec("swapaxes", np.swapaxes, calls(((2, 3, 4), 0, -1), ((2, 3), 1, 1)),
             [(lambda: ops.swapaxes([1], 0, 1), ValueError, r"\[swapaxes\] expected an axis in \[-1, 1\)")]),
        spec("moveaxis", np.moveaxis,
             calls(((2, 3, 4), 0, -1), ((2, 3, 4, 5), (0, 1), (-1, 0)), ((2, 3, 4), (2, 0), (0, 1))),
             [(lambda: ops.moveaxis(np.ones((2, 2)), (0, 0), (0, 1)), ValueError, r"\[moveaxis\]"),
              (lambda: ops.moveaxis(np.ones((2, 2)), (0, 1), 0), ValueError, r"\[moveaxis\]")]),
        spec("broadcast_to", np.broadcast_to,
             calls(((2, 1), (2, 3)), ((3,), (2, 3)), ((), (2, 2)), ((1, 0), (4, 0)), ((1,), (0,))),
             [(lambda: ops.broadcast_to([1, 2], (3,)), pydl.errors.ShapeError, r"\[broadcast_to\]"),
              (lambda: ops.broadcast_to([1], (-1,)), ValueError, "at least 0"),
              (lambda: ops.broadcast_to([1], (2**40, 2**40)), ValueError, r"2\^63")]),
        spec("flip", np.flip, calls(((2, 3),), ((2, 3), 0), ((2, 3), (0, -1)), ((0, 3), 0), ((),)),
             [(lambda: ops.flip([1], 1), ValueError, r"\[flip\] expected an axis in")]),
        spec("diagonal", np.diagonal,
             calls(((3, 4),), ((3, 4), 1), ((3, 4), -2), ((3, 4), 7), ((3, 4), -7), ((2, 3, 4), 0, 1, 2),
                   ((2, 3, 4), 1, -1, 0), ((0, 3),)),
             [(lambda: ops.diagonal([1]), ValueError, r"\[diagonal\] expected an axis in"),
              (lambda: ops.diagonal(np.ones((2, 2)), 0, 1, -1), ValueError, "two different axes")]),
    ]


class TestJoins(OpTests):
    specs = [
        spec("concatenate", lambda *xs, axis: np.concatenate(xs, axis),
             lambda rng: [
                 Sample(rng.normal(size=(2, 3)), rng.normal(size=(2, 1)), axis=1),
                 Sample(rng.normal(size=(2, 3)), rng.normal(size=(4, 3)), rng.normal(size=(0, 3)), axis=0),
                 Sample(rng.normal(size=(2, 3)), axis=-1),
                 Sample(rng.normal(size=(0,)), rng.normal(size=(0,)), axis=0),
                 Sample(rng.normal(size=(3, 2, 4)), rng.normal(size=(3, 5, 4)), axis=-2)],
             [(lambda: ops.concatenate([]), ValueError, r"\[concatenate\] expected at least one tensor"),
              (lambda: ops.concatenate([[1.0], 2.0]), pydl.errors.ShapeError, r"got \(1,\) and \(\)"),
              (lambda: ops.concatenate([np.ones((2, 3)), np.ones((3, 2))], 1), pydl.errors.ShapeError,
               r"\[concatenate\] expected shapes that are equal but for axis 1, got \(2, 3\) and \(3, 2\)"),
              (lambda: ops.concatenate([1.0, 2.0]), ValueError, r"\[concatenate\] expected an axis in \[0, 0\)")],
             op=lambda *xs, axis: ops.concatenate(xs, axis)),
        spec("stack", lambda *xs, axis: np.stack(xs, axis),
             lambda rng: [Sample(rng.normal(size=(2, 3)), rng.normal(size=(2, 3)), axis=a) for a in (0, 1, 2, -1)]
             + [Sample(np.array(2.0), axis=0), Sample(rng.normal(size=(0, 2)), rng.normal(size=(0, 2)), axis=1)],
             [(lambda: ops.stack([]), ValueError, r"\[stack\] expected at least one tensor"),
              (lambda: ops.stack([[1.0], [1.0, 2.0]]), pydl.errors.ShapeError,
               r"\[stack\] expected tensors of one shape, got \(1,\) and \(2,\)"),
              (lambda: ops.stack([[1.0]], 3), ValueError, r"\[stack\] expected an axis in \[-2, 2\)")],
             op=lambda *xs, axis: ops.stack(xs, axis)),
        spec("split", lambda x, *a, **k: tuple(np.split(x, *a, **k)),
             calls(((6, 2), 3), ((6, 2), 2, 1), ((7,), [2, 5]), ((7,), [2, 2, 9]), ((7,), [-2]), ((0, 2), 1),
                   ((2, 5), (1, 3), -1)),
             [(lambda: ops.split([1, 2, 3], 2), ValueError, r"\[split\] .* divides extent 3 of axis 0, got 2"),
              (lambda: ops.split([1, 2, 3], 0), ValueError, r"\[split\]"),
              (lambda: ops.split([1, 2, 3], [2, 1]), ValueError, "ascending"),
              (lambda: ops.split([1, 2, 3], 1, axis=1), ValueError, r"\[split\] expected an axis in")]),
        spec("unstack", lambda x, axis=0: tuple(np.moveaxis(x, axis, 0)),
             calls(((3, 2),), ((3, 2), {"axis": 1}), ((3, 2, 1), {"axis": -2}), ((3,),)),
             [(lambda: ops.unstack([1, 2, 3], 2), ValueError, r"\[unstack\] expected num to be extent 3"),
              (lambda: ops.unstack(1.0), ValueError, r"\[unstack\] expected an axis in")]),
    ]


class TestRepetitions(OpTests):
    specs = [
        spec("roll", np.roll,
             calls(((5,), 2), ((5,), -7), ((2, 3), 1), ((2, 3), 1, 1), ((2, 3), (1, -1), (0, 1)), ((2, 3), 2, (0, 1)),
                   ((0, 3), 1, 0), ((), 1), ((3, 4), (1, 2), (1, 1)), ((5,), 2**40)),
             [(lambda: ops.roll([1, 2], (1, 2), 0), ValueError, r"\[roll\] expected a shift for each axis"),
              (lambda: ops.roll([1, 2], 1, 1), ValueError, r"\[roll\] expected an axis in")]),
        spec("tile", np.tile,
             calls(((2, 3), (2, 2)), ((3,), 2), ((3,), (2, 1, 2)), ((2, 3), 0), ((), 3), ((2, 1, 2), (1, 3, 2)),
                   ((0, 2), (2, 2))),
             [(lambda: ops.tile([1], -1), ValueError, r"\[tile\] expected at least 0 repeats"),
              (lambda: ops.tile([1, 2], 2**63 - 1), ValueError, r"\[tile\] expected fewer repeats"),
              (lambda: ops.tile([1, 2], (2**40, 2**40)), ValueError, r"2\^63")]),
        spec("repeat", np.repeat,
             calls(((2, 3), 2), ((2, 3), 2, 0), ((2, 3), 3, -1), ((2, 3), [0, 2, 1], 1), ((3,), [2]), ((), 4),
                   ((2, 3), 0, 1), ((0, 2), 2, 0), ((2, 2), [1, 0, 2, 1])),
             [(lambda: ops.repeat([1, 2], [1, 2, 3]), ValueError, r"\[repeat\] expected one number or 2 of them"),
              (lambda: ops.repeat([1, 2], [1, -2]), ValueError, r"\[repeat\]"),
              (lambda: ops.repeat([1, 2], -1), ValueError, r"\[repeat\] expected at least 0 repeats"),
              (lambda: ops.repeat([1, 2], 2**62), ValueError, "fewer|2\\^63")]),
        spec("pad", lambda x, w, mode="constant", **k: np.pad(
                 x, w, mode, **{a: 0 if b is None else b for a, b in k.items()}),
             calls(((2, 3), 1), ((2, 3), (1, 2)), ((2, 3), ((0, 1), (2, 0))), ((3,), (2, 1), {"constant_values": 7}),
                   ((0, 2), 1), ((), 1), ((2, 3), ((1,), (2,))),
                   *[((4, 3), ((2, 3), (1, 2)), mode) for mode in ("reflect", "symmetric", "edge")],
                   *[((2, 1), ((5, 4), (3, 2)), mode) for mode in ("reflect", "symmetric", "edge")]),
             [(lambda: ops.pad([1], (1, 2, 3)), ValueError, r"\[pad\] expected a width of at least 0, a pair"),
              (lambda: ops.pad([1], -1), ValueError, r"\[pad\] expected a width of at least 0"),
              (lambda: ops.pad([1], 1, "wrap"), ValueError, r"\[pad\] expected mode 'constant', 'reflect'"),
              (lambda: ops.pad([1], 1, "edge", 3), ValueError, r"\[pad\] expected constant_values only"),
              (lambda: ops.pad(np.ones((0, 2)), 1, "edge"), ValueError, r"\[pad\] expected elements to copy along axis 0"),
              (lambda: ops.pad([1, 2], 2**63 - 1), ValueError, r"\[pad\] expected smaller widths")]),
    ]


@pytest.mark.cpu
def test_views_share_memory():
    x = pydl.tensor(np.arange(24.0).reshape(2, 3, 4))
    views = [ops.reshape(x, (6, 4)), ops.squeeze(ops.expand_dims(x, 1)), ops.transpose(x), ops.flip(x),
             ops.diagonal(x), ops.reshape(x[:, :, ::2], (6, 2)), ops.reshape(x[:, 1:], (2, 8)),
             *ops.split(x, 3, axis=1), *ops.unstack(x), x[1, ::-1], ops.swapaxes(x, 0, 2),
             ops.slice(x, (0, 1, 1), (2, 1, 2))]
    for view in views:
        assert np.shares_memory(view.numpy(), x.numpy()), view.shape
    assert not np.shares_memory(ops.reshape(ops.transpose(x), (24,)).numpy(), x.numpy())


def test_reshape_views_what_numpy_views():
    rng = np.random.default_rng(0)
    shapes = [(2, 3, 4), (6, 4), (2, 12), (24,), (4, 6), (2, 2, 6), (1, 24), (4, 3, 2), (2, 3, 2, 2)]
    viewed = 0
    for _ in range(300):
        base = np.arange(4 * 6 * 8).reshape(4, 6, 8)
        axes = rng.permutation(3)
        window = base.transpose(axes)[tuple(slice(None, None, int(rng.choice([1, 2, -1]))) for _ in range(3))]
        for shape in shapes + [window.shape[:1] + (-1,), (-1,) + window.shape[2:]]:
            if -1 not in shape and np.prod(shape) != window.size:
                continue
            expected = window.reshape(shape)
            got = ops.reshape(pydl.from_numpy(window), shape)
            np.testing.assert_array_equal(got.numpy(), expected)
            assert np.shares_memory(got.numpy(), base) == np.shares_memory(expected, base)
            viewed += np.shares_memory(expected, base)
    assert viewed > 50


def test_joins_promote():
    joined = ops.concatenate([np.ones(2, "int32"), np.ones(2, "float32")])
    assert joined.dtype == "float32"
    x = pydl.tensor([1.0, 2.0], requires_grad=True)
    ops.concatenate([x, pydl.tensor(np.ones(2))]).sum().backward()
    assert x.grad.dtype == "float32" and x.grad.tolist() == [1.0, 1.0]


def test_gradient_of_some_parts():
    x = pydl.tensor(np.arange(6.0).reshape(2, 3), requires_grad=True)
    first, _, third = ops.unstack(x, axis=1)
    (first * 2.0 + third).sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), [[2, 0, 1], [2, 0, 1]])


@pytest.mark.parametrize("shape", [(3, 5), (300, 500)])
def test_large_joins(shape):
    rng = np.random.default_rng(1)
    parts = [rng.normal(size=shape).astype("float32") for _ in range(3)]
    for axis in (0, 1):
        np.testing.assert_array_equal(ops.concatenate(parts, axis).numpy(), np.concatenate(parts, axis))
    np.testing.assert_array_equal(ops.pad(parts[0], 7).numpy(), np.pad(parts[0], 7))
