"""Functions of `pydl.ops` against those of Keras, their gradients against finite differences."""

import numpy as np
import pytest

import pydl

pytestmark = pytest.mark.conformance
rng = np.random.default_rng(0)

X = rng.uniform(0.15, 0.9, (3, 4))  # inside the domain of every function
Y = rng.uniform(0.15, 0.9, (3, 4))
S = X * [[-1, 1, -1, 1]]
WIDE = rng.normal(0, 3, (3, 4))
I, J = rng.integers(1, 50, (3, 4)).astype("int32"), rng.integers(1, 6, (3, 4)).astype("int32")
HOLES = np.where(rng.random((3, 4)) > 0.7, np.nan, WIDE)
ODD = np.array([1.0, -2.5, np.inf, -np.inf, np.nan, 0.0, -0.0])
SQUARE = rng.normal(size=(2, 3, 3)) + 3 * np.eye(3)
TALL = rng.normal(size=(2, 4, 3))
POSITIVE = SQUARE @ SQUARE.transpose(0, 2, 1)
V = rng.normal(size=7)
PIXELS = rng.normal(size=(2, 4, 4, 8))
STEPS = rng.normal(size=(2, 40))

# Name, arguments, keyword arguments: values and gradients must agree.
SMOOTH = [
    *[(n, (S,), {}) for n in (
        "arccos", "arcsin", "arctan", "arctanh", "arcsinh", "sinh", "cosh", "sinc", "erfc", "erfinv", "exp2", "i0",
        "deg2rad", "rad2deg", "fabs", "trunc", "nan_to_num", "copy", "real", "conj", "average", "ptp", "amax",
        "amin", "median", "nansum", "nanprod", "nanmean", "nanvar", "nanstd", "nanmax", "nanmin", "nancumsum",
        "diagflat", "flipud", "fliplr", "angle",
    )],
    *[(n, (X,), {}) for n in ("log2", "log10", "cbrt")],
    ("arccosh", (X + 1,), {}),
    *[(n, (X, Y), {}) for n in (
        "arctan2", "hypot", "logaddexp", "logaddexp2", "divide_no_nan", "fmax", "fmin", "fmod", "heaviside", "append",
        "inner", "vdot", "kron", "cdist", "binary_crossentropy",
    )],
    ("psnr", (X, Y, 1.0), {}),
    ("arctan2", (S, 2.0), {}), ("logaddexp", (S, 0.5), {}),
    ("ldexp", (X, J), {}),
    ("average", (S,), {"axis": 1, "weights": np.array([1.0, 2.0, 3.0, 4.0])}),
    ("average", (S,), {"axis": 0, "weights": Y}),
    ("moments", (WIDE, [0]), {}), ("moments", (WIDE, [0, 1]), {"keepdims": True}),
    *[("quantile", (WIDE, q), {"axis": axis, "method": m, "keepdims": k})
      for q in (0.3, [0.0, 0.5, 0.9]) for axis, k in ((None, False), (1, True), (0, False))
      for m in ("linear", "lower", "higher", "midpoint", "nearest")],
    ("percentile", (WIDE, 30.0), {"axis": 1}), ("median", (WIDE,), {"axis": 0}),
    ("nanmean", (HOLES,), {"axis": 1}), ("nanstd", (HOLES,), {}), ("nanmedian", (HOLES,), {"axis": 1}),
    ("nanquantile", (HOLES, [0.2, 0.8]), {"axis": 1, "keepdims": True}), ("nanpercentile", (HOLES, 40.0), {}),
    ("nancumprod", (HOLES,), {"axis": 1}), ("nanmax", (HOLES,), {"axis": 0}),
    ("corrcoef", (WIDE,), {}), *[("correlate", (V, V[:3]), {"mode": m}) for m in ("valid", "same", "full")],
    *[("correlate", (V[:4], V), {"mode": m}) for m in ("valid", "same", "full")],
    ("trapezoid", (WIDE,), {}), ("trapezoid", (WIDE,), {"x": np.array([0.0, 1.0, 3.0, 4.0])}),
    ("trapezoid", (WIDE,), {"dx": 2.0, "axis": 0}), ("diff", (WIDE,), {"n": 2}), ("diff", (WIDE,), {"axis": 0}),
    ("vstack", ([X, Y],), {}), ("hstack", ([X, Y],), {}), ("dstack", ([X, Y],), {}), ("hstack", ([V, V],), {}),
    ("dstack", ([V, V],), {}), ("append", (X, Y), {"axis": 1}),
    ("array_split", (V, 3), {}), ("vsplit", (X, 3), {}), ("hsplit", (X, 2), {}), ("dsplit", (PIXELS, 2), {}),
    *[("rot90", (TALL,), {"k": k, "axes": a}) for k in (-1, 0, 1, 2, 3) for a in ((0, 1), (2, 0))],
    ("diag", (V,), {"k": 2}), ("diag", (V,), {"k": -1}), ("diag", (WIDE,), {"k": 1}), ("diagflat", (X,), {"k": -2}),
    ("vander", (V,), {"N": 3}), ("vander", (V,), {"increasing": True}),
    ("meshgrid", (V, V[:2], V[:3]), {}), ("meshgrid", (V, V[:2]), {"indexing": "ij"}),
    ("get_item", (X, (slice(None), 1)), {}), ("select", ([S < 0, S > 0.5], [X, Y], 3.0), {}),
    ("cross", (TALL, TALL[:1]), {}), ("cross", (X[:, :2], Y[:, :3]), {}), ("cross", (X, Y), {"axis": 0}),
    ("inv", (SQUARE,), {}), ("det", (SQUARE,), {}), ("slogdet", (SQUARE,), {}), ("logdet", (POSITIVE,), {}),
    ("cholesky", (POSITIVE,), {}), ("cholesky", (POSITIVE,), {"upper": True}), ("solve", (SQUARE, TALL[:, :3]), {}),
    ("solve", (SQUARE[0], V[:3]), {}), ("solve_triangular", (SQUARE, TALL[:, :3]), {}),
    ("solve_triangular", (SQUARE, TALL[:, :3]), {"lower": True}), ("cholesky_inverse", (np.tril(SQUARE[0]),), {}),
    ("cholesky_inverse", (np.triu(SQUARE[0]),), {"upper": True}),
    ("svd", (TALL,), {"compute_uv": False}), ("pinv", (TALL,), {}), ("lstsq", (TALL[0], V[:4]), {}),
    ("fft", ((X, Y),), {}), ("fft2", ((X, Y),), {}), ("ifft2", ((X, Y),), {}),
    *[("rfft", (X,), {"fft_length": n}) for n in (None, 3, 6, 7)],
    *[("irfft", ((X, Y),), {"fft_length": n}) for n in (None, 3, 7, 10)],
    ("extract_sequences", (STEPS, 8, 3), {}),
    *[("stft", (STEPS, 8, 4, 16), {"window": w, "center": c}) for w in ("hann", "hamming", None, np.arange(8.0)) for c in (True, False)],
    *[("istft", ((rng.normal(size=(2, 9, 9)), rng.normal(size=(2, 9, 9))), 12, 4, 16), {"window": w, "length": n})
      for w in ("hann", "hamming") for n in (None, 20)],
    ("segment_sum", (X, np.array([0, 2, 0])), {"num_segments": 4}), ("segment_max", (X, np.array([0, 1, 0])), {"num_segments": 2}),
    ("segment_min", (X, np.array([1, 1, 0])), {"num_segments": 2}), ("segment_prod", (X, np.array([0, 2, 0])), {"num_segments": 3}),
    ("scatter", (np.array([[0, 1], [2, 0]]), X[:2], (3, 2, 4)), {}),
    *[("scatter_update", (X, np.array([[0], [2], [0]]), Y), {"reduction": r}) for r in ("add", "max", "min")],
    ("scatter_update", (X, np.array([[0, 1], [2, 3]]), V[:2]), {}),
    ("scatter_update", (X, np.array([[0], [2]]), Y[:2]), {"reduction": "mul"}),
    ("depth_to_space", (PIXELS, 2), {}),
    ("depth_to_space", (PIXELS.transpose(0, 3, 1, 2), 2), {"data_format": "channels_first"}),
    ("space_to_depth", (PIXELS, 2), {}), ("space_to_depth", (PIXELS, 2), {"data_format": "channels_first"}),
    *[("unfold", (PIXELS, k), {"dilation": d, "padding": p, "stride": s})
      for k, d, p, s in ((2, 1, 0, 1), ((2, 3), 1, 1, 2), (2, 2, (0, 1), (1, 2)))],
    ("fold", (rng.normal(size=(2, 8, 9)), 4, 2), {}),
    ("fold", (rng.normal(size=(2, 8, 9)), 4, 2), {"padding": 1, "stride": 2}),
    ("batch_normalization", (PIXELS, np.arange(8.0), np.arange(8.0) + 1), {"axis": -1, "offset": np.arange(8.0), "scale": np.arange(8.0)}),
    ("layer_normalization", (X,), {}), ("rms_normalization", (X, Y[0]), {}),
    ("categorical_crossentropy", (Y, X), {}), ("categorical_crossentropy", (Y, WIDE), {"from_logits": True, "axis": 0}),
    ("sparse_categorical_crossentropy", (np.array([0, 3, 2]), X), {}),
    ("sparse_categorical_crossentropy", (np.array([[0], [3], [2]]), WIDE), {"from_logits": True}),
    ("binary_crossentropy", (Y, WIDE), {"from_logits": True}),
    ("separable_conv", (PIXELS, rng.normal(size=(2, 2, 8, 2)), rng.normal(size=(1, 1, 16, 3))), {"padding": "same"}),
    ("rearrange", (PIXELS, "b h w (c k) -> b (h w) k c"), {"k": 2}),
    ("vectorized_map", (lambda row: row * row, X), {}),
]  # fmt: skip

# Values only: integers, bools, or results without a gradient.
OTHERS = [
    *[(n, (ODD,), {}) for n in ("isposinf", "isneginf", "isreal", "signbit", "nan_to_num", "imag", "angle")],
    ("nan_to_num", (ODD,), {"nan": 1.0, "posinf": 2.0, "neginf": 3.0}), ("heaviside", (ODD, 0.5), {}),
    *[(n, (I, J), {}) for n in (
        "bitwise_and", "bitwise_or", "bitwise_xor", "left_shift", "right_shift", "bitwise_left_shift",
        "bitwise_right_shift", "gcd", "lcm",
    )],
    ("bitwise_not", (I,), {}), ("bitwise_invert", (I,), {}), ("bitwise_and", (I > 9, J > 3), {}),
    ("nextafter", (X, Y), {}), ("isclose", (X, X + 1e-7), {}), ("isclose", (ODD, ODD), {"equal_nan": True}),
    ("allclose", (X, X), {}), ("isin", (I, J), {}), ("isin", (I, J), {"invert": True}),
    ("bincount", (J[0],), {"minlength": 9}), ("bincount", (J,), {"minlength": 9}), ("bincount", (J[0],), {"weights": X[0]}),
    ("histogram", (V,), {"bins": 4}), ("histogram", (V,), {"bins": 3, "range": (-2.0, 2.0)}),
    ("searchsorted", (np.sort(V), WIDE), {}), ("searchsorted", (np.sort(V), V), {"side": "right"}),
    ("digitize", (WIDE, np.array([-1.0, 0.0, 2.0])), {}),
    ("nanargmax", (HOLES,), {"axis": 1}), ("nanargmin", (HOLES,), {}),
    ("ndim", (X,), {}), ("size", (X,), {}), ("shape", (X,), {}), ("dtype", (X,), {}),
    ("nonzero", (I % 3,), {}), ("unravel_index", (np.array([3, 7, -1]), (3, 4)), {}),
    ("unique", (I % 5,), {}), ("unique", (I % 5,), {"return_index": True, "return_inverse": True, "return_counts": True}),
    ("unique", (I % 2,), {"axis": 0, "return_counts": True}), ("unique", (J,), {"size": 8, "fill_value": -1}),
    *[(n, (9,), {}) for n in ("bartlett", "blackman", "hamming", "hanning")], ("kaiser", (9, 3.0), {}),
    ("logspace", (0.0, 2.0, 5), {}), ("logspace", (0.0, 2.0, 5), {"base": 2, "endpoint": False}),
    ("geomspace", (1.0, 100.0, 5), {}), ("geomspace", (-1.0, -8.0, 4), {"endpoint": False}), ("tri", (3,), {"M": 4, "k": 1}),
    ("lu_factor", (SQUARE,), {}), ("matrix_rank", (SQUARE,), {}),
    ("multi_hot", (J, 6), {}), ("multi_hot", (J[0], 6), {}), ("in_top_k", (np.array([0, 1, 3]), X, 2), {}),
    ("saturate_cast", (np.array([-300, 3, 300]), "int8"), {}), ("saturate_cast", (np.array([-1.5, 1e9]), "uint8"), {}),
    ("view", (I, "float32"), {}),
    ("scan", (lambda s, x: (s + x, s * x), np.zeros(4), X), {"reverse": True}),
    ("associative_scan", (lambda a, b: a + b, X), {"axis": 1}),
    ("fori_loop", (0, 5, lambda i, x: x * 2, 1.5), {}), ("while_loop", (lambda i: i < 9, lambda i: (i * 2,), (1.0,)), {}),
    ("switch", (5, [lambda x: x, lambda x: -x], 3.0), {}), ("cond", (True, lambda: 1, lambda: 2), {}),
    ("map", (lambda row: (row.sum(), row * 2), X), {}),
    ("istft", ((np.ones((9, 9)), np.zeros((9, 9))), 12, 4, 16), {"center": False}),
    ("ctc_decode", (rng.normal(size=(2, 6, 4)), np.array([6, 4])), {}),
    ("ctc_decode", (rng.normal(size=(2, 6, 4)), np.array([6, 4])), {"merge_repeated": False, "mask_index": 3}),
    ("ctc_decode", (rng.normal(size=(2, 6, 4)), np.array([6, 4])), {"strategy": "beam_search", "beam_width": 8, "top_paths": 2}),
]  # fmt: skip


# Names with a test of their own below, or of which nothing but the name is new.
ALONE = {
    "eigh", "qr", "svd", "vectorize", "jvp", "dot_product_attention", "ctc_loss", "psnr", "polar", "argpartition",
    "array", "convert_to_tensor", "convert_to_numpy", "is_tensor", "stop_gradient", "custom_gradient", "conjugate",
    "empty_like",
}  # fmt: skip
TESTED = ALONE | {case[0] for case in SMOOTH + OTHERS}


def leaves(value):
    if isinstance(value, (list, tuple)) and not all(isinstance(v, int) for v in value):
        return [leaf for item in value for leaf in leaves(item)]
    return [value]


def identifiers(cases):
    return [f"{i}-{case[0]}" for i, case in enumerate(cases)]


def compare(mine, other, same_kind=True):
    mine, other = leaves(mine), leaves(other)
    assert len(mine) == len(other)
    for a, b in zip(mine, other):
        if isinstance(b, (str, tuple)):
            assert a == b
            continue
        b = np.asarray(b)
        a = np.asarray(a)
        assert a.shape == b.shape
        kinds = {"i": "iu", "u": "iu", "b": "b", "f": "f"}
        assert a.dtype.kind in kinds[b.dtype.kind] or not same_kind
        # Keras computes windows, and some others, in float32 even in a world of float64.
        np.testing.assert_allclose(a, b, rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize("name, args, kwargs", SMOOTH + OTHERS, ids=identifiers(SMOOTH + OTHERS))
def test_values(keras, name, args, kwargs):
    expected = getattr(keras.ops, name)(*args, **kwargs)
    # The counts of a histogram are floats on some of Keras's backends.
    compare(getattr(pydl.ops, name)(*args, **kwargs), expected, same_kind=name != "histogram")


@pytest.mark.parametrize("name, args, kwargs", SMOOTH, ids=identifiers(SMOOTH))
def test_gradients(name, args, kwargs):
    """Of a weighted sum of all results, along one direction, against finite differences."""
    directions = np.random.default_rng(1)

    def changed(value, step):
        """Arguments moved along a random direction, the same at every call."""
        if isinstance(value, (list, tuple)):
            return type(value)(changed(v, step) for v in value)
        if not isinstance(value, np.ndarray) or value.dtype.kind != "f":
            return value
        direction = directions.normal(size=value.shape)
        if value is POSITIVE:
            direction = direction + direction.transpose(0, 2, 1)  # it stays symmetric
        if isinstance(step, list):
            step.append((pydl.tensor(value, requires_grad=True), direction))
            return step[-1][0]
        return value + step * direction

    def total(step):
        nonlocal directions
        directions = np.random.default_rng(1)
        results = leaves(getattr(pydl.ops, name)(*changed(args, step), **kwargs))
        results = [r for r in results if "float" in r.dtype]
        weights = np.random.default_rng(2)
        return sum((r * weights.normal(size=r.shape)).sum() for r in results)

    variables = []
    loss = total(variables)
    if loss.requires_grad:
        loss.backward()
    slope = sum((v.grad.numpy() * d).sum() for v, d in variables if v.grad is not None)
    expected = (total(1e-6).item() - total(-1e-6).item()) / 2e-6
    np.testing.assert_allclose(slope, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name, x", [("eigh", POSITIVE), ("qr", TALL), ("svd", TALL), ("svd", SQUARE)])
def test_decompositions(keras, name, x):
    """Vectors have either sign, so what does not depend on it is compared: values, and projections."""
    import jax

    arguments = {"full_matrices": False} if name == "svd" else {}

    def invariant(library, x):
        parts = getattr(library.ops, name)(x, **arguments)
        swap, abs_, sum_ = library.ops.swapaxes, library.ops.abs, library.ops.sum
        rng = np.random.default_rng(2)
        total = 0.0
        for part in parts:
            total = total + sum_(abs_(part) * rng.normal(size=part.shape))
        return total + sum_((parts[0] @ swap(parts[0], -1, -2)) if name != "eigh" else parts[0])

    value, expected = jax.value_and_grad(lambda x: invariant(keras, x))(jax.numpy.asarray(x))
    mine, gradient = pydl.value_and_grad(lambda x: invariant(pydl, x))(pydl.tensor(x))
    np.testing.assert_allclose(mine.item(), value, rtol=1e-6)
    if name == "eigh":  # Keras's gradient is of the symmetric matrix, too
        expected = (np.asarray(expected) + np.asarray(expected).transpose(0, 2, 1)) / 2
    np.testing.assert_allclose(gradient.numpy(), expected, rtol=1e-5, atol=1e-6)


def test_functions_of_functions(keras):
    vectorized = [lib.ops.vectorize(lambda a, b: a.sum() + b, signature="(n),()->()") for lib in (pydl, keras)]
    compare(vectorized[0](pydl.tensor(X), pydl.tensor(V[:3])), np.asarray([x.sum() + v for x, v in zip(X, V)]))
    compare(pydl.ops.jvp(lambda x: pydl.ops.sin(x) * x, (X,), (Y,)),
            keras.ops.jvp(lambda x: keras.ops.sin(x) * x, (X,), (Y,)))  # fmt: skip
    total = np.cumsum(X, axis=0)
    results = pydl.ops.associative_scan(lambda a, b: {"s": a["s"] + b["s"]}, {"s": X}, reverse=False)
    np.testing.assert_allclose(results["s"].numpy(), total)


def test_conversions():
    x = pydl.tensor(X)
    assert pydl.ops.is_tensor(x) and not pydl.ops.is_tensor(X)
    assert pydl.ops.convert_to_tensor(x) is x and pydl.ops.convert_to_tensor(x, "float32").dtype == "float32"
    copied = pydl.ops.array(x)
    copied[0, 0] = 9.0
    assert x[0, 0].item() == X[0, 0]
    np.testing.assert_array_equal(pydl.ops.convert_to_numpy(x), X)
    np.testing.assert_array_equal(pydl.ops.conjugate(x).numpy(), X)
    assert pydl.ops.empty_like(x, "int32").shape == X.shape
    place = pydl.ops.argpartition(V, 2).numpy()
    np.testing.assert_array_equal(np.sort(V[place[:3]]), np.sort(V)[:3])


def test_gradients_of_ones_own():
    steep = pydl.ops.custom_gradient(lambda x: (pydl.ops.exp(x), lambda upstream: 7.0 * upstream))
    x = pydl.tensor(X, requires_grad=True)
    (steep(x) * pydl.ops.stop_gradient(x)).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), 7.0 * X)


@pytest.mark.parametrize("bias, masked, causal", [(False, True, False), (True, False, True), (True, True, False)])
def test_dot_product_attention(keras, bias, masked, causal):
    q, k, v = (rng.normal(size=(2, 5, 2, 4)).astype("float32") for _ in range(3))
    arguments = {"is_causal": causal, "scale": 0.7}
    if bias:
        arguments["bias"] = rng.normal(size=(2, 2, 5, 5)).astype("float32")
    if masked:
        arguments["mask"] = rng.random((2, 1, 5, 5)) > 0.3
        arguments["mask"][..., 0] = True
    expected = np.asarray(keras.ops.dot_product_attention(q, k, v, **arguments))
    np.testing.assert_allclose(pydl.ops.dot_product_attention(q, k, v, **arguments).numpy(), expected, rtol=1e-4, atol=1e-5)


def test_windows_without_weights():
    """Keras's inverse is larger by the length over the stride; this one gives the signal back."""
    parts = pydl.ops.stft(STEPS, 16, 4, 16, window=None)
    np.testing.assert_allclose(pydl.ops.istft(parts, 16, 4, 16, window=None).numpy(), STEPS)


def test_polar_is_a_pair(keras):
    expected = np.asarray(keras.ops.polar(X, Y))
    compare(pydl.ops.polar(X, Y), (expected.real, expected.imag))


def test_rearrange_of_hidden_axes():
    expected = np.ascontiguousarray(PIXELS.transpose(3, 0, 1, 2)).reshape(8, -1)
    np.testing.assert_array_equal(pydl.ops.rearrange(PIXELS, "b ... c -> c (b ...)").numpy(), expected)


def test_ctc_loss(keras):
    logits, lengths = rng.normal(size=(3, 8, 5)), np.array([8, 6, 7])
    labels, counts = np.array([[1, 2, 2], [3, 1, 0], [4, 0, 0]]), np.array([3, 2, 1])
    expected = keras.ops.ctc_loss(labels, logits, counts, lengths)
    np.testing.assert_allclose(pydl.ops.ctc_loss(labels, logits, counts, lengths).numpy(), expected, rtol=1e-5)


ERRORS = [
    ("inv", ([[1.0, 2.0]],)), ("inv", ([[0.0, 0.0], [0.0, 0.0]],)), ("cholesky", ([[-1.0]],)), ("solve", ([[1.0]], [1.0, 2.0])),
    ("bitwise_and", ([1.5], 1)), ("bincount", ([-1],)), ("quantile", ([1.0], 2.0)), ("quantile", ([1.0], 0.5, None, "cubic")),
    ("select", ([], [])), ("vander", ([[1.0]],)), ("diag", ([[[1.0]]],)), ("meshgrid", ([1.0],)), ("unravel_index", ([9], (2, 2))),
    ("stft", (np.ones(9), 8, 2, 4)), ("scan", (None, 0)), ("scatter_update", ([1.0], [[5]], [1.0])), ("multi_hot", ([1],)),
    ("psnr", ([1.0], [1.0, 2.0], 1.0)), ("unfold", (np.ones((1, 1, 2, 2)), 5)), ("fold", (np.ones((1, 3, 4)), 3, 2)),
    ("rearrange", ([[1.0]], "a b")), ("rearrange", ([[1.0]], "a b -> a c")), ("fft", ([1.0, 2.0, 3.0],)), ("gcd", ([1.5], 2)),
    ("categorical_crossentropy", ([1.0], [1.0, 2.0])), ("in_top_k", ([1, 2], [[1.0, 2.0]], 1)), ("cdist", ([[1.0]], [[1.0, 2.0]])),
    ("geomspace", (0.0, 1.0)), ("qr", ([[1.0]], "full")), ("segment_sum", ([1.0, 2.0], [0])), ("svd", ([1.0],)),
    ("array_split", ([1.0], 0)), ("average", ([1.0, 2.0], None, [1.0])), ("depth_to_space", (np.ones((1, 2, 2, 3)), 2)),
]  # fmt: skip


@pytest.mark.parametrize("name, args", ERRORS, ids=identifiers(ERRORS))
def test_errors(name, args):
    arguments = {"indexing": "yx"} if name == "meshgrid" else {}
    with pytest.raises((ValueError, TypeError, IndexError), match=r"^\[\w+\] expected "):
        getattr(pydl.ops, name)(*args, **arguments)


def test_missing_gradients_are_errors():
    x = pydl.tensor(SQUARE, requires_grad=True)
    for name in ("lu_factor", "unique", "nextafter"):
        with pytest.raises(pydl.errors.AutogradError, match="expected tensors that require no gradient"):
            getattr(pydl.ops, name)(*([x, 2.0] if name == "nextafter" else [x]))


def test_symbolic_tensors():
    x = pydl.Input((6,))
    y = pydl.ops.quantile(pydl.ops.sinh(x), 0.5, axis=1) + pydl.ops.rfft(x)[0][:, 0]
    model = pydl.Model(x, y)
    data = rng.normal(size=(4, 6)).astype("float32")
    expected = np.median(np.sinh(data), 1) + data.sum(1)
    np.testing.assert_allclose(model(data).numpy(), expected, rtol=1e-4, atol=1e-5)
