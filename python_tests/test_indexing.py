"""``t[key]`` and ``t[key] = value`` against NumPy."""

import numpy as np
import pytest

import pydl

BASIC = [
    0, -1, slice(None), slice(1, None), slice(None, None, -1), slice(-1, 0, -2), slice(5, 2), slice(2, 100),
    slice(-100, 100, 3), slice(None, None, 2**70), slice(2**70, -(2**70), -1), slice(0, 0), ..., None, (), (0, 1),
    (slice(1, 3), 2), (..., 0), (0, ...), (None, 0, None), (slice(None), None, slice(None)), (1, ..., -1),
    (slice(None, None, -2), slice(None, None, 2), slice(3, 0, -1)), (None, ..., None), np.int64(1), (np.int32(0), -2),
    (0, 1, 2), (0, ..., 1, 2), (..., slice(None), slice(None), slice(None)),
]
ADVANCED = [
    [0, 2, 2], [-1], np.array([[0, 1], [2, 3]]), np.array([1, 2], "int8"), np.array([1, 2], "uint8"),
    (slice(None), [0, 1]), ([0, 1], [1, 2]), ([0, 1], slice(None), [1, 2]), (0, slice(None), [1, 2]),
    (slice(None), 0, [1, 2]), (slice(None), [1, 2], 0), ([1, 2], 0), (0, [1, 2]), ([0, 1], ..., 0),
    ([[0], [1]], [2, 3]), (slice(1, 3), [0, 1]), (slice(None, None, -1), [0, 1], slice(None, None, 2)),
    ([0, 1], None, [1, 2]), (None, [0, 1]), ([0, 1], None), (None, [0, 1], [1, 0], [2, 2]),
    (..., [0, 1]), (..., [0, 1], slice(1)), ([0, 1], ..., [1, 2]), ([0, 1], [1, 2], ..., [2, 3]), np.array(1),
    (np.array(1), slice(None), [0, 2]), (slice(None), np.array(1), [0, 2]), [], np.zeros((0, 3), "int64"),
    ([], slice(None), [1]), (slice(0, 0), [1, 2]), (slice(None), slice(None), np.array([[0, -1], [1, -2]])),
]
MASKS = [
    lambda a: a > 10, lambda a: a < 0, lambda a: a[:, :, 0] % 2 == 0, lambda a: np.arange(4) % 2 == 1,
    lambda a: (slice(None), np.array([True, False, True, False, True])),
    lambda a: (slice(None), a[0] % 3 == 0), lambda a: (np.arange(4) > 1, slice(None), [0, 1]),
    lambda a: (np.arange(4) > 1, [0, 3]), lambda a: (np.arange(4) > 1, 0), lambda a: (0, np.arange(5) > 2, 1),
    lambda a: (a[:, :, 0] > 20, [0]), lambda a: (..., np.arange(6) > 2), lambda a: True, lambda a: False,
    lambda a: (True, 0), lambda a: (0, np.array(True)), lambda a: [True, False, True, False],
    lambda a: (None, np.arange(4) > 0, None), lambda a: np.zeros(4, bool), lambda a: np.ones((4, 5, 6), bool),
    lambda a: (np.arange(4) > 1, slice(None), np.arange(6) > 3),
]


def base(dtype="float64"):
    return np.arange(120, dtype=dtype).reshape(4, 5, 6)


def keys():
    return BASIC + ADVANCED + [make(base()) for make in MASKS]


def identify(key):
    return str(key).replace("\n", "")[:50]


def as_tensors(key):
    """The key with its arrays as tensors."""
    if isinstance(key, tuple):
        return tuple(as_tensors(k) for k in key)
    return pydl.tensor(key) if isinstance(key, (np.ndarray, list)) and np.size(key) else key


@pytest.mark.parametrize("key", keys(), ids=identify)
def test_reading(key):
    a = base()
    expected = a[key]
    for source in (a, np.asfortranarray(a), np.repeat(a, 2, axis=1)[:, ::2]):
        t = pydl.from_numpy(source)
        got = t[key]
        assert got.shape == expected.shape
        np.testing.assert_array_equal(got.numpy(), expected)
        np.testing.assert_array_equal(t[as_tensors(key)].numpy(), expected)


@pytest.mark.cpu  # of which arrays share the memory
@pytest.mark.parametrize("key", BASIC, ids=identify)
def test_basic_keys_are_views(key):
    t = pydl.tensor(base())
    got = t[key]
    assert got.size == 0 or np.shares_memory(got.numpy(), t.numpy())


@pytest.mark.parametrize("key", keys(), ids=identify)
def test_writing(key):
    shape = base()[key].shape
    rng = np.random.default_rng(0)
    values = [-1.0, rng.normal(size=shape)]
    if shape:
        values += [rng.normal(size=shape[-1:]), rng.normal(size=(1,) * len(shape))]
    if isinstance(key, tuple) and shape:  # NumPy refuses more axes for a mask alone and for a scalar
        values.append(rng.normal(size=(1,) + shape))
    for value in values:
        for layout in (np.array, np.asfortranarray, lambda a: np.repeat(a, 2, axis=1)[:, ::2]):
            expected, actual = layout(base()), layout(base())
            t = pydl.from_numpy(actual)
            expected[key] = value
            t[key] = value
            np.testing.assert_array_equal(actual, expected)
    t = pydl.tensor(base())
    t[as_tensors(key)] = pydl.tensor(values[1])
    expected = base()
    expected[key] = values[1]
    np.testing.assert_array_equal(t.numpy(), expected)


@pytest.mark.parametrize("key", keys(), ids=identify)
def test_gradient(key):
    a = base()
    t = pydl.tensor(a, requires_grad=True)
    got = t[key]
    upstream = np.random.default_rng(0).normal(size=got.shape)
    got.backward(upstream)
    expected = np.zeros_like(a)
    positions = np.arange(a.size).reshape(a.shape)[key]
    np.add.at(expected.reshape(-1), positions.reshape(-1), upstream.reshape(-1))
    np.testing.assert_allclose(t.grad.numpy(), expected, rtol=1e-12, atol=1e-12)


def random_key(rng, shape):
    """A random valid key, and whether NumPy must agree on it."""
    lead = rng.integers(1, 4, size=rng.integers(0, 3)).tolist()
    items = []
    for extent in shape[: rng.integers(0, len(shape) + 1)]:
        kind = rng.integers(0, 5)
        if kind == 0:
            items.append(int(rng.integers(-extent, extent)))
        elif kind == 1:
            bounds = [None if rng.random() < 0.3 else int(b) for b in rng.integers(-extent - 1, extent + 2, 2)]
            items.append(slice(*bounds, [None, 1, 2, -1, -2][rng.integers(0, 5)]))
        elif kind == 2:
            broadcast = [n if rng.random() < 0.7 else 1 for n in lead[rng.integers(0, len(lead) + 1):]]
            items.append(rng.integers(-extent, extent, size=broadcast))
        elif kind == 3:
            items += [None, slice(None)]
        else:
            items.append(slice(None))
    if rng.random() < 0.3:
        items.insert(rng.integers(0, len(items) + 1), ...)
        if rng.random() < 0.5:
            items.append(None)
    return tuple(items)


def test_random_keys():
    rng = np.random.default_rng(5)
    tried = 0
    for _ in range(1500):
        shape = tuple(rng.integers(1, 5, size=rng.integers(1, 5)))
        key = random_key(rng, shape)
        a = rng.normal(size=shape)
        try:
            expected = a[key]
        except IndexError:  # shapes of arrays that do not broadcast
            continue
        if expected.ndim > 8:
            continue
        tried += 1
        np.testing.assert_array_equal(pydl.from_numpy(a)[key].numpy(), expected, err_msg=str(key))
        value = rng.normal(size=expected.shape)
        written, t = a.copy(), pydl.tensor(a)
        written[key] = value
        t[key] = value
        np.testing.assert_array_equal(t.numpy(), written, err_msg=str(key))
    assert tried > 1000


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16", "int8", "uint8", "int32", "int64", "bool"])
def test_dtypes(dtype):
    t = pydl.tensor(base("int64") % 100).astype(dtype)
    plain = t.astype("float32").numpy()
    assert t[[2, 0], :, 1].dtype == dtype
    np.testing.assert_array_equal(t[[2, 0], :, 1].astype("float32").numpy(), plain[[2, 0], :, 1])
    t[1, [0, 2]] = 1
    plain[1, [0, 2]] = 1
    np.testing.assert_array_equal(t.astype("float32").numpy(), plain)


def test_last_value_wins():
    for size in (1, 5000):
        t = pydl.tensor(np.zeros((3, size), "float32"))
        t[[1, 1, 1]] = np.arange(3, dtype="float32")[:, None]
        assert (t[1].numpy() == 2).all()


def test_large_masks(rng=np.random.default_rng(0)):
    a = rng.normal(size=300_001).astype("float32")
    for mask in (a > 0, a > 3, np.ones(a.size, bool), np.zeros(a.size, bool)):
        np.testing.assert_array_equal(pydl.tensor(a)[mask].numpy(), a[mask])


def test_overlapping_write():
    a = np.arange(10.0)
    t = pydl.tensor(a)
    t[1:] = t[:-1]
    np.testing.assert_array_equal(t.numpy(), [0, *range(9)])
    t = pydl.tensor(a)
    t[[0, 1, 2]] = t[1:4]
    np.testing.assert_array_equal(t.numpy(), [1, 2, 3, *range(3, 10)])
    t = pydl.tensor(a)
    t[list(range(9, -1, -1))] = t  # the value is the target itself
    np.testing.assert_array_equal(t.numpy(), a[::-1])


def test_overlapping_write_through_two_owners():
    a = np.random.default_rng(0).normal(size=(300, 500))
    for share in (pydl.from_numpy, pydl.from_dlpack):
        memory = a.copy()
        share(memory)[:] = memory.T[:300, :300].repeat(2, 1)[:, :500]
        np.testing.assert_array_equal(memory, a.T[:300, :300].repeat(2, 1)[:, :500])
        memory = a.copy()
        share(memory)[:300, :300] = memory[:, :300].T
        np.testing.assert_array_equal(memory[:, :300], a[:, :300].T)


def test_sequence_protocol():
    t = pydl.tensor([[1.0, 2.0], [3.0, 4.0]])
    assert len(t) == 2
    assert [row.tolist() for row in t] == [[1.0, 2.0], [3.0, 4.0]]
    (a, b), c = t
    assert (a.item(), b.item(), c.tolist()) == (1.0, 2.0, [3.0, 4.0])
    for call in (len, iter, list):
        with pytest.raises(TypeError, match="at least one axis"):
            call(pydl.tensor(1.0))
    assert np.asarray([pydl.tensor(1.0), pydl.tensor(2.0)], dtype="float32").tolist() == [1.0, 2.0]


def test_gradient_of_a_gradient():
    t = pydl.tensor(np.arange(6.0).reshape(2, 3), requires_grad=True)
    y = t[[1, 1], 1:] * t[0, [0, 2]]
    (first,) = pydl.grad((y * y).sum(), [t], create_graph=True)
    (second,) = pydl.grad(first.sum(), [t])
    assert second.shape == (2, 3) and np.isfinite(second.numpy()).all()


def test_writing_and_gradients():
    t = pydl.tensor([1.0, 2.0], requires_grad=True)
    with pytest.raises(pydl.errors.AutogradError, match=r"\[index\] .*no_grad"):
        t[0] = 5.0
    with pydl.no_grad():
        t[0] = 5.0
    assert t.tolist() == [5.0, 2.0]
    other = pydl.tensor([0.0, 0.0])
    with pytest.raises(pydl.errors.AutogradError, match="slice_update"):
        other[0] = t[1]
    other[0] = t[1].detach()
    y = t * t
    with pydl.no_grad():
        t[[1]] = 9.0
    with pytest.raises(pydl.errors.AutogradError, match="changed in place"):
        y.sum().backward()


ERRORS = [
    (5, IndexError, r"\[index\] expected an index in \[-4, 4\) for axis 0 of extent 4, got 5"),
    ((0, -6), IndexError, r"\[index\] expected an index in \[-5, 5\) for axis 1 of extent 5, got -6"),
    ((..., 6), IndexError, r"axis 2 of extent 6, got 6"),
    ((0, 0, 0, 0), IndexError, r"\[index\] expected at most 3 indices for shape \(4, 5, 6\), got 4"),
    ((..., ...), IndexError, r"\[index\] expected at most one ellipsis, got 2"),
    ([0, 4], IndexError, r"\[index\] expected indices in \[-4, 4\) for axis 0 of extent 4, got 4"),
    ((slice(None), [0, -6]), IndexError, r"axis 1 of extent 5, got -6"),
    (([0, 1], [0, 1, 2]), pydl.errors.ShapeError, r"\[index\] expected shapes that broadcast together, got \(2,\) and \(3,\)"),
    (np.ones(3, bool), IndexError, r"\[index\] expected a boolean mask of shape \(4,\) at axis 0, got \(3,\)"),
    ((0, np.ones((5, 5), bool)), IndexError, r"mask of shape \(5, 6\) at axis 1, got \(5, 5\)"),
    (np.ones((4, 5, 6, 1), bool), IndexError, r"expected at most 3 indices"),
    ([0.5], IndexError, r"\[index\] expected integers, slices, .* got an array of float32"),
    (0.5, IndexError, r"\[index\]"),
    ("a", IndexError, r"\[index\] expected integers, slices, None, \.\.\., .* got str"),
    (slice(None, None, 0), ValueError, r"\[index\] expected a slice with a step other than 0"),
    (slice("a"), TypeError, "integer"),
    (2**70, IndexError, r"\[index\] expected an index that fits 64 bits"),
    ((None,) * 6, ValueError, r"at most 8 dimensions"),
]


@pytest.mark.parametrize("key, kind, text", ERRORS, ids=lambda v: identify(v) if not isinstance(v, type) else None)
def test_errors(key, kind, text):
    t = pydl.tensor(base())
    before = t.numpy().copy()
    with pytest.raises(kind, match=text):
        t[key]
    with pytest.raises(kind, match=text):
        t[key] = 0.0
    np.testing.assert_array_equal(t.numpy(), before)


def test_write_errors():
    t = pydl.tensor(base())
    with pytest.raises(pydl.errors.ShapeError, match=r"\[index\] expected a value that broadcasts to \(5, 6\), got shape \(4,\)"):
        t[0] = np.ones(4)
    with pytest.raises(pydl.errors.ShapeError, match=r"broadcasts to \(2, 5, 6\), got shape \(3, 1, 1\)"):
        t[[0, 1]] = np.ones((3, 1, 1))
    with pytest.raises(ValueError, match="cannot be deleted"):
        del t[0]
    with pytest.raises(ValueError, match=r"Hint: write to a copy\(\)"):
        pydl.ops.broadcast_to([1.0], (3,))[0] = 2.0


@pytest.mark.cpu  # which alone shares memory with NumPy
def test_read_only_arrays_are_not_written_to():
    a = np.arange(3.0)
    a.flags.writeable = False
    t = pydl.from_numpy(a)
    expected = r"expected a tensor to write to, got one of shape \(\d,\) on a read-only array"
    with pytest.raises(ValueError, match=rf"\[index\] {expected}. Hint: write to a copy\(\)"):
        t[0] = 1.0
    with pytest.raises(ValueError, match=expected):
        pydl.ops.reshape(a, (3, 1))[:, 0][[0, 2]] = 1.0
    with pytest.raises(ValueError, match=expected):
        pydl.ops.sgd_step([t], [[1.0, 1.0, 1.0]], None, 0.1)
    with pytest.raises(ValueError, match=expected):
        pydl.ops.batch_norm(np.ones((2, 3)), None, None, t, np.ones(3), training=True)
    with pytest.raises(BufferError, match="read-only array"):
        np.from_dlpack(t)
    assert not t.numpy().flags.writeable
    assert not pydl.ops.broadcast_to([1.0], (3,)).numpy().flags.writeable
    np.testing.assert_array_equal(a, [0, 1, 2])
    t.copy()[0] = 1.0


def test_masks_of_bytes_other_than_0_and_1():
    mask = np.array([2, 0, 3, 255, 0, 0, 16, 128, 0, 1], "uint8").view(bool)
    x = np.arange(10.0)
    np.testing.assert_array_equal(pydl.tensor(x)[mask].numpy(), x[np.flatnonzero(mask.view("uint8"))])
