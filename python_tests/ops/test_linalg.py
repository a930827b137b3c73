"""Products of matrices and tensors against NumPy, SciPy and torch."""

import numpy as np
import pytest
from scipy import special

import pydl
from pydl.testing import FLOATS, HALVES, INTEGERS, OpSpec, OpTests, Sample

OPS = pydl.ops


def small(samples, largest=100):
    """Only what finite differences can afford."""
    return lambda rng: [s for s in samples(rng) if max(np.size(a) for a in s.args[:2]) < largest]


def matmul_samples(rng):
    shapes = [
        ((2, 3), (3, 4)),
        ((1, 1), (1, 1)),
        ((17, 33), (33, 65)),
        ((2, 5, 3), (3, 4)),
        ((3,), (3, 4)),
        ((2, 3), (3,)),
        ((3,), (3,)),
        ((2, 1, 4, 3), (5, 3, 2)),
        ((3, 4), (2, 4, 5)),
        ((0, 3), (3, 4)),
        ((2, 0), (0, 4)),
        ((0, 2, 3), (3, 4)),
        ((1, 300), (300, 70)),
        ((6, 300), (300, 5)),
        ((70, 400), (400, 1)),
        ((150, 500), (500, 130)),
        ((40, 3, 9), (40, 9, 3)),
    ]
    return [Sample(rng.normal(size=a), rng.normal(size=b)) for a, b in shapes]


def dot_samples(rng):
    shapes = [((3,), (3,)), ((), (2, 3)), ((2, 3), ()), ((2, 3), (3, 4)), ((4, 2, 3), (3,)),
              ((2, 3), (5, 3, 2)), ((2, 2, 3), (4, 3, 2)), ((0, 3), (3, 2))]
    return [Sample(np.asarray(rng.normal(size=a)), np.asarray(rng.normal(size=b))) for a, b in shapes]


def tensordot_samples(rng):
    a, b = rng.normal(size=(2, 3, 4)), rng.normal(size=(3, 4, 5))
    return [
        Sample(a, b),
        Sample(a, b, axes=2),
        Sample(a, rng.normal(size=(4, 2)), axes=1),
        Sample(a, rng.normal(size=(2,)), axes=0),
        Sample(a, b, axes=(1, 0)),
        Sample(a, b, axes=([2, 1], [1, 0])),
        Sample(a, b, axes=([-1], [1])),
        Sample(a, a, axes=([0, 1, 2], [0, 1, 2])),
        Sample(np.zeros((2, 0)), np.zeros((0, 3)), axes=1),
    ]


def outer_samples(rng):
    shapes = [((3,), (4,)), ((2, 3), (2,)), ((), (3,)), ((0,), (3,))]
    return [Sample(np.asarray(rng.normal(size=a)), np.asarray(rng.normal(size=b))) for a, b in shapes]


ACTIVATIONS = {
    None: lambda x: x,
    "relu": lambda x: np.maximum(x, 0),
    "relu6": lambda x: np.clip(x, 0, 6),
    "sigmoid": special.expit,
    "tanh": np.tanh,
    "silu": lambda x: x * special.expit(x),
    "gelu": lambda x: x * special.ndtr(x),
    "gelu_tanh": lambda x: x / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))),
}


def linear(x, kernel, bias=None, activation=None):
    return ACTIVATIONS[activation](x @ kernel + (0 if bias is None else bias))


def linear_samples(rng):
    for activation in ACTIVATIONS:
        x, kernel, bias = rng.normal(size=(3, 4)), rng.normal(size=(4, 5)) * 2, rng.normal(size=5)
        yield Sample(x, kernel, bias, activation=activation)
        yield Sample(x, kernel, activation=activation)
    shapes = [((2, 3, 4), (4, 2)), ((4,), (4, 2)), ((0, 4), (4, 3)), ((3, 0), (0, 4)), ((1, 1), (1, 1)),
              ((33, 70), (70, 37)), ((2, 300), (300, 5)), ((5, 600), (600, 40)), ((130, 20), (20, 1))]
    for a, b in shapes:
        yield Sample(rng.normal(size=a), rng.normal(size=b) / 3, rng.normal(size=b[1]), activation="tanh")


def error(call, text, kind=pydl.errors.ShapeError):
    return (call, kind, text)


class TestLinalg(OpTests):
    specs = [
        OpSpec("matmul", OPS.matmul, np.matmul, matmul_samples, dtypes=FLOATS + HALVES + INTEGERS,
               gradient_samples=small(matmul_samples), errors=[
                   error(lambda: OPS.matmul(np.ones((2, 3)), np.ones((4, 5))),
                         r"\[matmul\] expected the last axis .*\(2, 3\) and \(4, 5\)"),
                   error(lambda: OPS.matmul(np.ones((2, 3)), np.ones(4)), r"\[matmul\] expected the last axis"),
                   error(lambda: OPS.matmul(1.0, np.ones((4, 5))),
                         r"\[matmul\] expected operands of at least 1 dimension"),
                   error(lambda: OPS.matmul(np.ones((2, 2, 3)), np.ones((3, 3, 4))),
                         r"\[matmul\] expected shapes that broadcast together"),
                   error(lambda: OPS.matmul(np.ones((2, 2), bool), np.ones((2, 2), bool)),
                         r"\[matmul\] expected a numeric dtype, got bool", pydl.errors.DTypeError)]),
        OpSpec("dot", OPS.dot, np.dot, dot_samples, dtypes=FLOATS + HALVES + ("int32",), errors=[
            error(lambda: OPS.dot(np.ones((2, 3)), np.ones((4, 5))), r"\[\w+\] expected the last axis")]),
        OpSpec("outer", OPS.outer, np.outer, outer_samples, dtypes=FLOATS + HALVES + ("int32",), errors=[
            error(lambda: OPS.outer([1.0], "a"), r"\[outer\] expected \(x1: ArrayLike", TypeError)]),
        OpSpec("tensordot", OPS.tensordot, np.tensordot, tensordot_samples, dtypes=FLOATS + HALVES, errors=[
            error(lambda: OPS.tensordot(np.ones((2, 3)), np.ones((2, 3)), 1),
                  r"\[tensordot\] expected summed axes of equal extents, got axes \(-1,\) of \(2, 3\)"),
            error(lambda: OPS.tensordot(np.ones(3), np.ones(3), 2), r"\[tensordot\] expected an axis", ValueError),
            error(lambda: OPS.tensordot(np.ones((3, 3)), np.ones((3, 3)), ([0, 0], [0, 1])),
                  r"\[tensordot\] expected different axes", ValueError),
            error(lambda: OPS.tensordot(np.ones(3), np.ones(3), ([0], [])),
                  r"\[tensordot\] expected as many axes", ValueError)]),
        OpSpec("linear", OPS.linear, linear, lambda rng: list(linear_samples(rng)), dtypes=FLOATS + HALVES,
               tolerance=2, gradient_samples=small(linear_samples), errors=[
                   error(lambda: OPS.linear(np.ones((2, 3)), np.ones((4, 5))),
                         r"\[linear\] expected x of shape \(..., in\) .* got \(2, 3\) and \(4, 5\)"),
                   error(lambda: OPS.linear(np.ones((2, 3)), np.ones((3, 5)), np.ones(4)),
                         r"\[linear\] expected a bias of shape \(5,\), got \(4,\)"),
                   error(lambda: OPS.linear(np.ones((2, 3), int), np.ones((3, 5), int)),
                         r"\[linear\] expected a floating dtype", pydl.errors.DTypeError),
                   error(lambda: OPS.linear(np.ones((2, 3)), np.ones((3, 5)), activation="selu"),
                         r"\[linear\] expected activation None, relu.*got 'selu'", ValueError)]),
    ]  # fmt: skip


def views(rng, rows, columns):
    """The same matrix in every layout that a product may meet."""
    x = rng.normal(size=(rows, columns)).astype("float32")
    yield pydl.tensor(x)
    yield OPS.permute(pydl.tensor(x.T.copy()), (1, 0))
    wide = rng.normal(size=(rows, columns + 3)).astype("float32")
    wide[:, 1:-2] = x
    yield pydl.tensor(wide)[:, 1:-2]
    tall = rng.normal(size=(columns, rows + 5)).astype("float32")
    tall[:, 2:-3] = x.T
    yield OPS.permute(pydl.tensor(tall)[:, 2:-3], (1, 0))


@pytest.mark.parametrize("shape", [(5, 7, 3), (40, 70, 33), (1, 90, 65), (65, 90, 1), (3, 1, 40), (200, 9, 150)])
def test_layouts(shape):
    rows, inner, columns = shape
    rng = np.random.default_rng(5)
    for left in views(rng, rows, inner):
        for right in views(rng, inner, columns):
            exact = left.numpy().astype("float64") @ right.numpy().astype("float64")
            np.testing.assert_allclose(OPS.matmul(left, right).numpy(), exact, rtol=1e-4, atol=2e-5)


@pytest.fixture
def tiles():
    """Runs on tile registers, where float32 products add up parts of numbers."""
    if "amx" not in pydl.config.supported_cpu_dot_units():
        pytest.skip("this CPU has no tile registers")
    before = pydl.config.cpu_dot_unit()
    pydl.config.set_cpu_dot_unit("amx")
    yield
    pydl.config.set_cpu_dot_unit(before)


@pytest.mark.cpu
@pytest.mark.parametrize("shape", [(64, 32, 32), (64, 1024, 96), (100, 1500, 120), (79, 64, 63), (32, 784, 128), (27, 1500, 63)])
@pytest.mark.parametrize("scale", [1e-20, 1, 1e18])
def test_products_of_parts_are_float32(tiles, shape, scale):
    """Errors no larger than those of fused multiply-adds, whatever the order of the operands."""
    rows, inner, columns = shape
    rng = np.random.default_rng(3)
    a = (scale * rng.normal(size=(rows, inner))).astype("float32")
    b = rng.normal(size=(inner, columns)).astype("float32")
    exact = a.astype("float64") @ b.astype("float64")

    def error(*operands):
        return np.sqrt(np.mean(((OPS.matmul(*operands).numpy() - exact) / scale) ** 2))

    def layouts():
        for left in (pydl.tensor(a), OPS.permute(pydl.tensor(a.T.copy()), (1, 0))):
            for right in (pydl.tensor(b), OPS.permute(pydl.tensor(b.T.copy()), (1, 0))):
                yield left, right

    of_parts = [error(*operands) for operands in layouts()]
    pydl.config.set_cpu_dot_unit("none")
    fused = [error(*operands) for operands in layouts()]
    assert max(of_parts) < min(fused)


@pytest.mark.cpu
@pytest.mark.parametrize("special", [np.inf, -np.inf, np.nan, 3.4e38])
@pytest.mark.parametrize("rows", [64, 32])
def test_numbers_without_parts(tiles, special, rows):
    a, b = np.ones((rows, 64), "float32"), np.full((64, rows), 0.5, "float32")
    a[3, 5] = special
    expected = a.astype("float64") @ b.astype("float64")
    np.testing.assert_allclose(OPS.matmul(a, b).numpy(), expected, rtol=1e-6)
    np.testing.assert_allclose(OPS.matmul(b.T, a.T).numpy(), expected.T, rtol=1e-6)


@pytest.mark.parametrize("isa", pydl.config.supported_cpu_isas())
def test_edges_of_tiles(isa):
    """Every number of rows and columns around the sizes of a register tile."""
    before = pydl.config.cpu_isa()
    pydl.config.set_cpu_isa(isa)
    try:
        rng = np.random.default_rng(1)
        for dtype, tolerance in (("float32", 1e-5), ("float64", 1e-13)):
            a = rng.normal(size=(45, 40)).astype(dtype)
            b = rng.normal(size=(40, 70)).astype(dtype)
            for rows in range(1, 46, 2):
                for columns in range(1, 71, 3):
                    inner = (rows * 7 + columns) % 40 + 1
                    got = OPS.matmul(a[:rows, :inner], b[:inner, :columns]).numpy()
                    np.testing.assert_allclose(got, a[:rows, :inner] @ b[:inner, :columns], rtol=0, atol=tolerance * 30)
    finally:
        pydl.config.set_cpu_isa(before)


@pytest.mark.parametrize("rows", [2, 5, 8, 11, 19, 32])
def test_few_rows_and_a_large_matrix(rows):
    rng = np.random.default_rng(6)
    a, b = rng.normal(size=(rows, 1003)).astype("float32"), rng.normal(size=(1003, 519)).astype("float32")
    exact = a.astype("float64") @ b.astype("float64")
    np.testing.assert_allclose(OPS.matmul(a, b).numpy(), exact, rtol=0, atol=1e-4)


@pytest.mark.cpu
@pytest.mark.parametrize("shape", [(512, 700, 130), (1, 3000, 900), (5, 1003, 301), (3000, 900, 1), (12, 2000, 300), (27, 2001, 301),
                                   (48, 48, 48), (32, 784, 128), (25, 300, 90)])
def test_threads_do_not_change_a_bit(shape):
    rows, inner, columns = shape
    rng = np.random.default_rng(2)
    a, b = rng.normal(size=(rows, inner)).astype("float32"), rng.normal(size=(inner, columns)).astype("float32")
    before = pydl.get_num_threads()
    try:
        results = []
        for threads in (1, 2, 3, 7):
            pydl.set_num_threads(threads)
            results.append(OPS.matmul(a, b).numpy().tobytes() + OPS.matmul(a, b.T.copy().T).numpy().tobytes())
        assert len(set(results)) == 1
    finally:
        pydl.set_num_threads(before)


def test_as_exact_as_torch():
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(3)
    for shape in ((64, 5000, 64), (1, 5000, 64), (64, 5000, 1)):
        a = rng.normal(size=(shape[0], shape[1])).astype("float32")
        b = rng.normal(size=(shape[1], shape[2])).astype("float32")
        exact = a.astype("float64") @ b.astype("float64")
        ours = np.abs(OPS.matmul(a, b).numpy() - exact).max()
        theirs = np.abs((torch.from_numpy(a) @ torch.from_numpy(b)).numpy() - exact).max()
        assert ours <= 2 * theirs + 1e-6


def test_linear_in_mixed_dtypes():
    x = pydl.tensor([[1.0, 2.0]], "bfloat16", requires_grad=True)
    kernel = pydl.tensor([[1.0], [1.0]], requires_grad=True)
    bias = pydl.tensor([0.5], "float64", requires_grad=True)
    y = OPS.linear(x, kernel, bias)
    assert y.dtype == "float64" and y.numpy() == 3.5
    y.backward()
    assert (x.grad.dtype, kernel.grad.dtype, bias.grad.dtype) == ("bfloat16", "float32", "float64")
    np.testing.assert_array_equal(kernel.grad.numpy(), [[1], [2]])


@pytest.mark.parametrize("axes", [1, 2])
def test_linear_along_several_axes(axes):
    rng = np.random.default_rng(5)
    x, kernel, dy = (rng.normal(size=s) for s in ((5, 2, 3), (2, 3, 4, 2)[2 - axes :], (5, 2, 4, 2)))
    dy = dy[:, 0] if axes == 2 else dy
    bias = rng.normal(size=(4, 2))
    ours = [pydl.tensor(v, requires_grad=True) for v in (x, kernel, bias)]
    y = OPS.linear(*ours, activation="relu", axes=axes)
    expected = np.maximum(np.tensordot(x, kernel, axes) + bias, 0)
    np.testing.assert_allclose(y.numpy(), expected, rtol=1e-12)
    y.backward(pydl.tensor(dy))
    dy = dy * (expected > 0)
    outer = list(range(x.ndim - axes))
    back = [np.tensordot(dy, kernel, [[-2, -1]] * 2), np.tensordot(x, dy, [outer, outer])]
    for tensor, gradient in zip(ours, [*back, dy.sum(axis=tuple(outer))]):
        np.testing.assert_allclose(tensor.grad.numpy(), gradient, rtol=1e-12)


@pytest.mark.parametrize(
    "kernel, bias, axes",
    [((3, 2, 4), (2, 4), 2), ((2, 3), (), 2), ((3, 2, 4), (8,), 1), ((3, 4), (4,), 0), ((3,), (), 1)],
)
def test_linear_refuses_shapes(kernel, bias, axes):
    with pytest.raises(pydl.errors.ShapeError, match=r"\[linear\] expected"):
        OPS.linear(np.ones((5, 2, 3)), np.ones(kernel), np.ones(bias), axes=axes)


def test_linear_against_torch():
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(4)
    values = [rng.normal(size=s).astype("float32") for s in ((32, 784), (784, 128), (128,))]
    dy = rng.normal(size=(32, 128)).astype("float32")
    ours = [pydl.tensor(v, requires_grad=True) for v in values]
    theirs = [torch.tensor(v, requires_grad=True) for v in values]
    y = OPS.linear(*ours, activation="relu")
    y.backward(pydl.tensor(dy))
    expected = torch.relu(theirs[0] @ theirs[1] + theirs[2])
    expected.backward(torch.tensor(dy))
    np.testing.assert_allclose(y.numpy(), expected.detach().numpy(), rtol=1e-4, atol=1e-4)
    for mine, other in zip(ours, theirs):
        np.testing.assert_allclose(mine.grad.numpy(), other.grad.numpy(), rtol=1e-4, atol=1e-3)


@pytest.mark.cpu
@pytest.mark.parametrize("special", [np.inf, np.nan])
@pytest.mark.parametrize("name", ["eigh", "svd", "pinv", "matrix_rank"])
def test_decompositions_refuse_what_they_would_never_finish(name, special):
    x = np.eye(4)
    x[1, 2] = special
    with pytest.raises(ValueError, match=r"^\[\w+\] expected finite numbers, got NaN or inf"):
        getattr(pydl.ops, name)(x)
