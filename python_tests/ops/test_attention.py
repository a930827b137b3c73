"""Attention against NumPy in float64."""

import numpy as np
import pytest

import pydl
from pydl import ops
from pydl.errors import DTypeError, ShapeError
from pydl.testing import FLOATS, HALVES, OpSpec, OpTests, Sample

attention = ops.scaled_dot_product_attention


def reference(q, k, v, mask=None, is_causal=False, scale=None):
    mask = mask.numpy() if isinstance(mask, pydl.Tensor) else mask
    group = q.shape[2] // k.shape[2]
    k, v = np.repeat(k, group, axis=2), np.repeat(v, group, axis=2)
    scores = np.einsum("bqhd,bkhd->bhqk", q, k) * (q.shape[-1] ** -0.5 if scale is None else scale)
    allowed = np.ones(scores.shape, bool)
    if is_causal:
        allowed &= np.tril(np.ones(scores.shape[2:], bool))
    if mask is not None and mask.dtype == bool:
        allowed &= mask
    elif mask is not None:
        scores = scores + mask
    scores = np.where(allowed, scores, -np.inf)
    top = scores.max(-1, keepdims=True, initial=-1e300)
    weights = np.exp(scores - top)
    total = weights.sum(-1, keepdims=True)
    return np.einsum("bhqk,bkhd->bqhd", weights / np.where(total > 0, total, 1), v)


def samples(rng):
    def call(batch, queries, keys, heads, key_heads, size, value_size=None, **options):
        q = rng.normal(size=(batch, queries, heads, size))
        k = rng.normal(size=(batch, keys, key_heads, size))
        return Sample(q, k, rng.normal(size=(batch, keys, key_heads, value_size or size)), **options)

    some = rng.random((2, 1, 5, 7)) < 0.6
    some[0, 0, 2] = False  # a query that may attend to nothing
    return [
        call(2, 5, 7, 2, 2, 4),
        call(1, 6, 6, 4, 2, 3, is_causal=True),
        call(2, 5, 7, 2, 1, 4, 5, mask=some),
        call(2, 5, 7, 2, 2, 4, mask=some[:, 0, 0][:, None, None, :]),
        call(1, 4, 6, 1, 1, 2, scale=2.0, mask=rng.random((4, 1)) < 0.5),
        call(2, 3, 4, 2, 2, 2, mask=pydl.tensor(rng.normal(size=(2, 3, 4)))),
        call(1, 7, 3, 1, 1, 2, is_causal=True),
        call(1, 1, 1, 1, 1, 1),
        call(2, 1, 5, 2, 1, 3, 5, is_causal=True),
        call(1, 1, 9, 2, 2, 20, mask=rng.random((1, 9)) < 0.5),
        call(2, 1, 1100, 4, 2, 21, 130, mask=rng.random((1, 1100)) < 0.9),
        call(1, 1, 700, 1, 1, 64, 80, mask=pydl.tensor(rng.normal(size=(700,)))),
        call(1, 2, 0, 1, 1, 3),
        call(0, 2, 3, 1, 1, 3),
        call(1, 0, 3, 1, 1, 3),
        call(2, 70, 300, 2, 1, 33, is_causal=True),
        call(1, 130, 530, 3, 3, 20, mask=rng.random((130, 530)) < 0.5),
        call(1, 300, 300, 2, 2, 64, is_causal=True, mask=rng.random((300,)) < 0.9),
    ]


def few(rng):
    return [s for s in samples(rng) if s.args[0].size * s.args[1].size < 5000]


def ones(*shape, dtype="float32"):
    return np.ones(shape, dtype)


Q = ones(2, 5, 4, 8)


class TestAttention(OpTests):
    specs = [
        OpSpec(
            "scaled_dot_product_attention",
            attention,
            reference,
            samples,
            dtypes=FLOATS + HALVES,
            gradient_samples=few,
            errors=[
                (lambda: attention(Q[0], Q, Q), ShapeError,
                 r"expected \(batch, length, heads, head_size\) for query, key and value, got shapes \(5, 4, 8\)"),
                (lambda: attention(Q, ones(3, 5, 4, 8), Q), ShapeError, r"expected one batch size, got"),
                (lambda: attention(Q, Q, ones(2, 6, 4, 8)), ShapeError, r"expected key and value of one length"),
                (lambda: attention(Q, ones(2, 5, 4, 9), Q), ShapeError,
                 r"expected query and key of one head_size, got shapes \(2, 5, 4, 8\) and \(2, 5, 4, 9\)"),
                (lambda: attention(Q, Q[:, :, :3], Q[:, :, :3]), ShapeError,
                 r"expected a number of key heads that divides the 4 query heads, got 3"),
                (lambda: attention(Q, Q, Q, mask=ones(3, 5, dtype=bool)), ShapeError,
                 r"expected a mask that broadcasts to \(batch, heads, queries, keys\) = \(2, 4, 5, 5\), got \(3, 5\)"),
                (lambda: attention(Q, Q, Q, mask=ones(5, 5, dtype="int32")), DTypeError,
                 r"expected a mask of bool or a floating dtype, got int32. Hint: cast it to bool"),
                (lambda: attention(Q, Q, Q, dropout=1.0), ValueError, r"expected dropout in \[0, 1\), got 1"),
                (lambda: attention(Q.astype("int32"), Q, Q), DTypeError, r"expected a floating dtype, got int32"),
            ],
        )
    ]


def random_operands(rng, dtype="float64", queries=9, keys=300, heads=2, size=8):
    shapes = [(2, queries, heads, size), (2, keys, heads, size), (2, keys, heads, size)]
    return [pydl.tensor(rng.normal(size=s), dtype, requires_grad=True) for s in shapes]


def test_dropout_drops_weights():
    rng = np.random.default_rng(0)
    q, k, _ = random_operands(rng)
    v = pydl.tensor(np.ones((2, 300, 2, 8)))
    once = attention(q, k, v, dropout=0.25, seed=3).detach().numpy()
    np.testing.assert_array_equal(once, attention(q, k, v, dropout=0.25, seed=3).detach().numpy())
    assert np.ptp(once) > 0.01 and abs(once.mean() - 1) < 0.1
    assert not np.allclose(once, attention(q, k, v, dropout=0.25, seed=4).detach().numpy())


def test_dropout_gradient():
    """The kernel's gradients against those of separate ops, which the gradient of a mask goes through."""
    rng = np.random.default_rng(1)
    operands = random_operands(rng)
    weight = rng.normal(size=(2, 9, 2, 8))
    mask = pydl.tensor(np.zeros((9, 300)))
    results = []
    for requires_grad in (False, True):
        mask.requires_grad = requires_grad
        for x in operands:
            x.grad = None
        y = attention(*operands, mask=mask, dropout=0.3, seed=5)
        ops.sum(y * weight).backward()
        results.append([y.detach().numpy()] + [x.grad.numpy().copy() for x in operands])
    for kernel, separate in zip(*results):
        np.testing.assert_allclose(kernel, separate, atol=1e-12)


def test_gradient_of_an_additive_mask():
    rng = np.random.default_rng(2)
    q, k, v = (x.detach().numpy() for x in random_operands(rng, queries=3, keys=4, size=2))
    mask = pydl.tensor(rng.normal(size=(2, 3, 4)), requires_grad=True)
    weight = rng.normal(size=(2, 3, 2, 2))
    ops.sum(attention(q, k, v, mask=mask) * weight).backward()
    array, step = mask.detach().numpy(), 1e-6
    for i in np.ndindex(array.shape):
        shifted = [array.copy(), array.copy()]
        shifted[0][i] += step
        shifted[1][i] -= step
        above, below = ((reference(q, k, v, mask=m) * weight).sum() for m in shifted)
        np.testing.assert_allclose(mask.grad.numpy()[i], (above - below) / (2 * step), atol=1e-8)


def test_a_mask_of_minus_infinity_hides():
    rng = np.random.default_rng(3)
    q, k, v = random_operands(rng, keys=6)
    hidden = np.where(rng.random((9, 6)) < 0.5, 0, -np.inf)
    hidden[4] = -np.inf
    y = attention(q, k, v, mask=hidden)
    ops.sum(y * y).backward()
    np.testing.assert_allclose(y.detach().numpy(),
                               reference(*(x.detach().numpy() for x in (q, k, v)), mask=hidden == 0))
    assert np.isfinite(q.grad.numpy()).all() and not q.grad.numpy()[:, 4].any()


def test_nan_goes_to_its_own_rows_only():
    q = np.ones((1, 3, 1, 4), "float32")
    q[0, 1] = np.nan
    y = attention(q, ones(1, 5, 1, 4), ones(1, 5, 1, 4)).numpy()
    assert np.isnan(y[0, 1]).all() and (y[0, ::2] == 1).all()


def test_nan_and_infinity_stay_in_their_rows_of_many():
    rng = np.random.default_rng(5)
    q, k, v = (rng.normal(size=(1, 200, 2, 64)).astype("float32") for _ in range(3))
    q[0, 7, 0, 3] = np.inf
    q[0, 70, 1, 60] = np.nan
    v[0, 50, 1, 2] = -np.inf
    with np.errstate(invalid="ignore"):
        expected = reference(*(x.astype("float64") for x in (q, k, v)))
    np.testing.assert_allclose(attention(q, k, v).numpy(), expected, atol=1e-5)


@pytest.mark.parametrize("options", [{}, {"is_causal": True}, {"mask": True}])
@pytest.mark.parametrize("queries, keys, size, value_size",
                         [(128, 128, 64, 64), (130, 600, 72, 40), (700, 90, 33, 100)])
def test_float32_is_as_exact_as_it_can_be(options, queries, keys, size, value_size):
    """Beside torch in float64: root mean squares of the errors, relative to those of the values."""
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(6)
    operands = [rng.normal(size=shape).astype("float32") for shape in
                [(2, queries, 4, size), (2, keys, 4, size), (2, keys, 4, value_size)]]
    seed = rng.normal(size=(2, queries, 4, value_size)).astype("float32")
    mask = rng.random((queries, keys)) < 0.7 if "mask" in options else None
    causal = "is_causal" in options
    exact = [torch.from_numpy(x).double().transpose(1, 2).requires_grad_() for x in operands]
    expected = torch.nn.functional.scaled_dot_product_attention(
        *exact, attn_mask=None if mask is None else torch.from_numpy(mask), is_causal=causal)
    expected.backward(torch.from_numpy(seed).double().transpose(1, 2))
    leaves = [pydl.tensor(x, requires_grad=True) for x in operands]
    y = attention(*leaves, mask=mask, is_causal=causal)
    y.backward(pydl.tensor(seed))
    for ours, theirs in zip([y.detach(), *(x.grad for x in leaves)],
                            [expected.detach(), *(x.grad for x in exact)]):
        theirs = theirs.transpose(1, 2).numpy()
        assert np.square(ours.numpy() - theirs).mean() < 1e-12 * np.square(theirs).mean()


def test_strided_heads_need_no_copy():
    """(batch, heads, length, size) in memory, as many models keep it."""
    rng = np.random.default_rng(4)
    stored = [pydl.tensor(rng.normal(size=(2, 3, 40, 16)), "float32") for _ in range(3)]
    operands = [ops.permute(x, (0, 2, 1, 3)) for x in stored]
    expected = reference(*(x.numpy().astype("float64") for x in operands))
    np.testing.assert_allclose(attention(*operands).numpy(), expected, atol=2e-5)


@pytest.mark.cpu  # whose allocator counts
@pytest.mark.parametrize("mask", [None, "bool"])
def test_memory_is_linear_in_the_length(mask):
    def peak(length):
        x = ones(1, length, 1, 16)
        options = {} if mask is None else {"mask": ones(length, dtype=bool)}
        t = pydl.tensor(x, requires_grad=True)
        pydl.config.reset_peak_memory()
        before = pydl.memory_stats()["allocated_bytes"]
        ops.sum(attention(t, t, t, **options)).backward()
        return pydl.memory_stats()["peak_bytes"] - before

    assert peak(4096) < 5 * peak(1024)
