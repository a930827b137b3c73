"""Convolutions against Keras on JAX in float64, and against torch."""

import os

import numpy as np
import pytest
from scipy import special

import pydl
from pydl.testing import FLOATS, HALVES, OpSpec, OpTests, Sample

os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ.setdefault("JAX_ENABLE_X64", "1")
os.environ.setdefault("JAX_PLATFORMS", "cpu")
jax = pytest.importorskip("jax", reason="runs Keras on JAX, which is not installed")
keras = pytest.importorskip("keras", reason="compares with Keras, which is not installed")

OPS = pydl.ops
ACTIVATIONS = {
    None: lambda x: x,
    "relu": lambda x: np.maximum(x, 0),
    "sigmoid": special.expit,
    "gelu": lambda x: x * special.ndtr(x),
}


def padded(x, kernel, padding, dilation, data_format):
    """x with the zeros that Keras's op does not add itself, and what is left for it to do."""
    if padding in ("valid", "same"):
        return x, padding
    if padding == "causal":
        step = dilation if isinstance(dilation, int) else dilation[0]
        padding = [((kernel.shape[0] - 1) * step, 0)]
    around = [(0, 0), *padding, (0, 0)] if data_format == "channels_last" else [(0, 0), (0, 0), *padding]
    return np.pad(x, around), "valid"


def finished(y, bias, activation, data_format):
    y = np.asarray(y)
    if bias is not None:
        y = y + (bias if data_format == "channels_last" else bias.reshape(-1, *[1] * (y.ndim - 2)))
    return ACTIVATIONS[activation](y)


def conv(x, kernel, bias=None, strides=1, padding="valid", dilation_rate=1, groups=1,
         data_format="channels_last", activation=None):  # fmt: skip
    x, padding = padded(x, kernel, padding, dilation_rate, data_format)
    with jax.enable_x64(True):
        y = keras.ops.conv(x, kernel, strides, padding, data_format, dilation_rate)
    return finished(y, bias, activation, data_format)


def depthwise_conv(x, kernel, bias=None, strides=1, padding="valid", data_format="channels_last",
                   dilation_rate=1, activation=None):  # fmt: skip
    x, padding = padded(x, kernel, padding, dilation_rate, data_format)
    with jax.enable_x64(True):
        y = keras.ops.depthwise_conv(x, kernel, strides, padding, data_format, dilation_rate)
    return finished(y, bias, activation, data_format)


def conv_transpose(x, kernel, bias=None, strides=1, padding="valid", output_padding=None,
                   data_format="channels_last", dilation_rate=1, activation=None):  # fmt: skip
    with jax.enable_x64(True):
        y = keras.ops.conv_transpose(
            x, kernel, strides, padding, output_padding, data_format, dilation_rate
        )
    return finished(y, bias, activation, data_format)


def sample(rng, x, kernel, bias=None, **options):
    args = [rng.normal(size=x), rng.normal(size=kernel)]
    if bias:
        args.append(rng.normal(size=bias))
    return Sample(*args, **options)


def conv_samples(rng):
    first = "channels_first"
    return [
        sample(rng, (2, 5, 6, 2), (3, 3, 2, 3), 3),
        sample(rng, (1, 5, 4, 2), (2, 3, 2, 2), 2, padding="same", activation="gelu"),
        sample(rng, (2, 7, 5, 1), (3, 2, 1, 4), padding="same", strides=2, activation="relu"),
        sample(rng, (1, 6, 7, 2), (3, 2, 2, 2), 2, strides=(2, 3), activation="sigmoid"),
        sample(rng, (1, 7, 8, 2), (3, 3, 2, 2), dilation_rate=2, padding="same"),
        sample(rng, (1, 8, 7, 1), (2, 3, 1, 2), dilation_rate=(3, 2)),
        sample(rng, (2, 4, 5, 4), (3, 3, 2, 6), 6, groups=2, padding="same", activation="relu"),
        sample(rng, (1, 4, 4, 3), (2, 2, 1, 3), groups=3),
        sample(rng, (1, 5, 5, 2), (3, 3, 2, 2), padding=[(2, 0), (1, 3)], strides=2),
        sample(rng, (2, 2, 5, 4), (3, 3, 2, 3), 3, data_format=first, padding="same", activation="gelu"),
        sample(rng, (2, 4, 4, 3), (1, 1, 3, 5), 5, activation="relu"),
        sample(rng, (1, 5, 4, 3), (1, 1, 3, 2), strides=2),
        sample(rng, (2, 7, 2), (3, 2, 4), 4),
        sample(rng, (2, 7, 2), (3, 2, 2), padding="causal", dilation_rate=2),
        sample(rng, (1, 8, 4), (4, 2, 2), 2, padding="same", strides=3, groups=2),
        sample(rng, (2, 3, 7), (2, 3, 2), 2, data_format=first, padding=[(1, 0)]),
        sample(rng, (1, 1, 1, 1), (1, 1, 1, 1)),
        sample(rng, (0, 4, 4, 2), (3, 3, 2, 3), 3),
    ]


def large_conv_samples(rng):
    """Beside the small ones: more than one tile, strip, panel and block of each kernel."""
    return [
        *conv_samples(rng),
        sample(rng, (3, 17, 19, 33), (3, 3, 33, 40), 40, padding="same", activation="relu"),
        sample(rng, (2, 9, 9, 70), (3, 3, 70, 35), padding="same", strides=2),
        sample(rng, (2, 30, 31, 3), (7, 7, 3, 33), 33, padding="same", strides=2),
        sample(rng, (2, 60, 20), (5, 20, 33), padding="causal", dilation_rate=3),
        sample(rng, (4, 12, 12, 1), (3, 3, 1, 32), 32),
    ]


def depthwise_samples(rng):
    return [
        sample(rng, (2, 5, 6, 3), (3, 3, 3, 1), 3),
        sample(rng, (1, 6, 5, 3), (3, 2, 3, 2), 6, padding="same", activation="gelu"),
        sample(rng, (1, 7, 7, 2), (3, 3, 2, 1), strides=2, padding="same", activation="relu"),
        sample(rng, (1, 7, 8, 2), (2, 3, 2, 3), dilation_rate=2),
        sample(rng, (1, 5, 5, 1), (3, 3, 1, 2)),
        sample(rng, (2, 3, 5, 5), (3, 3, 3, 1), data_format="channels_first", padding=[(1, 0), (0, 2)]),
        sample(rng, (2, 8, 3), (3, 3, 2), 6, padding="causal"),
        sample(rng, (0, 5, 5, 2), (3, 3, 2, 1)),
        sample(rng, (2, 12, 13, 37), (3, 3, 37, 1), 37, padding="same"),
        sample(rng, (2, 9, 13, 70), (5, 5, 70, 1), strides=2, padding="same"),
    ]


def transpose_samples(rng):
    return [
        sample(rng, (2, 3, 4, 2), (3, 3, 3, 2), 3),
        sample(rng, (1, 3, 4, 2), (3, 3, 2, 2), 2, padding="same", strides=2, activation="gelu"),
        sample(rng, (1, 4, 3, 2), (2, 2, 3, 2), strides=2, activation="relu"),
        sample(rng, (1, 3, 3, 2), (2, 3, 2, 2), strides=3, padding="same"),
        sample(rng, (1, 3, 3, 2), (2, 2, 2, 2), strides=3),
        sample(rng, (1, 3, 4, 1), (3, 4, 2, 1), strides=(2, 3), output_padding=(1, 2)),
        sample(rng, (1, 3, 4, 1), (3, 5, 2, 1), strides=2, padding="same", output_padding=1),
        sample(rng, (1, 4, 3, 2), (3, 2, 2, 2), dilation_rate=2),
        sample(rng, (1, 2, 4, 3), (3, 3, 2, 2), 2, data_format="channels_first", strides=2, padding="same"),
        sample(rng, (2, 4, 2), (3, 3, 2), 3, strides=2),
        sample(rng, (1, 5, 2), (4, 2, 2), strides=3, padding="same"),
        sample(rng, (2, 9, 7, 40), (4, 4, 33, 40), 33, strides=2, padding="same"),
    ]


def small(samples):
    """Only what finite differences can afford."""
    return lambda rng: [s for s in samples(rng) if max(a.size for a in s.args) <= 200]


def error(call, text, kind=pydl.errors.ShapeError):
    return (call, kind, text)


X, KERNEL = np.ones((1, 4, 4, 2)), np.ones((3, 3, 2, 5))


class TestConv(OpTests):
    specs = [
        OpSpec("conv", OPS.conv, conv, large_conv_samples, dtypes=FLOATS + HALVES, tolerance=2,
               gradient_samples=small(conv_samples), errors=[
                   error(lambda: OPS.conv(X[0, 0], KERNEL), r"\[conv\] expected x of 3 dimensions .*\(4, 2\)"),
                   error(lambda: OPS.conv(X, KERNEL[0]), r"\[conv\] expected a kernel of shape \(\*window, in / gr"),
                   error(lambda: OPS.conv(X, np.ones((3, 3, 4, 5))), r"in = 2 and groups = 1, got \(3, 3, 4, 5\)"),
                   error(lambda: OPS.conv(X, np.ones((3, 3, 1, 5)), groups=2), r"expected groups to divide"),
                   error(lambda: OPS.conv(X, KERNEL, np.ones(4)), r"\[conv\] expected a bias of shape \(5,\)"),
                   error(lambda: OPS.conv(X, np.ones((5, 3, 2, 5))), r"expected an input at least as large"),
                   error(lambda: OPS.conv(X, KERNEL, strides=(1, 2, 3)), r"expected strides to be 1 or 2", ValueError),
                   error(lambda: OPS.conv(X, KERNEL, strides=0), r"expected strides to be positive", ValueError),
                   error(lambda: OPS.conv(X, KERNEL, groups=0), r"expected groups to be positive", ValueError),
                   error(lambda: OPS.conv(X, KERNEL, padding="full"), r"\[conv\] expected padding", ValueError),
                   error(lambda: OPS.conv(X, KERNEL, padding=[(1, 1)]), r"expected padding of 2 pairs", ValueError),
                   error(lambda: OPS.conv(X, KERNEL, padding="causal"), r"with sequences only", ValueError),
                   error(lambda: OPS.conv(X, KERNEL, data_format="NCHW"), r"expected data_format", ValueError),
                   error(lambda: OPS.conv(X, KERNEL, activation="exp"), r"expected activation None", ValueError),
                   error(lambda: OPS.conv(X.astype(int), KERNEL.astype(int)), r"expected a floating dtype, got int64",
                         pydl.errors.DTypeError)]),
        OpSpec("depthwise_conv", OPS.depthwise_conv, depthwise_conv, depthwise_samples, dtypes=FLOATS + HALVES,
               tolerance=2, gradient_samples=small(depthwise_samples), errors=[
                   error(lambda: OPS.depthwise_conv(X, np.ones((3, 3, 3, 1))),
                         r"\[depthwise_conv\] expected a kernel .*in = 2, got \(3, 3, 3, 1\)")]),
        OpSpec("conv_transpose", OPS.conv_transpose, conv_transpose, transpose_samples, dtypes=FLOATS + HALVES,
               tolerance=2, gradient_samples=small(transpose_samples), errors=[
                   error(lambda: OPS.conv_transpose(X, KERNEL),
                         r"\[conv_transpose\] expected a kernel of shape \(\*window, out, in\) with in = 2"),
                   error(lambda: OPS.conv_transpose(X, np.ones((3, 3, 5, 2)), padding="causal"), r"expected padding",
                         ValueError),
                   error(lambda: OPS.conv_transpose(X, np.ones((3, 3, 5, 2)), output_padding=1),
                         r"expected output_padding of at least 0 and smaller than the strides", ValueError)]),
    ]  # fmt: skip


@pytest.mark.parametrize("size", [1, 2, 5])
@pytest.mark.parametrize("window", [1, 2, 3, 4])
@pytest.mark.parametrize("strides", [1, 2, 3])
@pytest.mark.parametrize("padding", ["valid", "same"])
def test_conv_transpose_sizes(size, window, strides, padding):
    rng = np.random.default_rng(0)
    x, kernel = rng.normal(size=(1, size, 2)), rng.normal(size=(window, 3, 2))
    for extra in (None, *range(strides)):
        expected = conv_transpose(x, kernel, strides=strides, padding=padding, output_padding=extra)
        got = OPS.conv_transpose(x, kernel, strides=strides, padding=padding, output_padding=extra)
        np.testing.assert_allclose(got.numpy(), expected, atol=1e-12)


@pytest.mark.parametrize("padding", ["valid", "same"])
def test_conv_transpose_of_nothing_is_nothing(padding):
    got = OPS.conv_transpose(np.ones((2, 0, 4, 1)), np.ones((3, 3, 5, 1)), strides=2, padding=padding)
    assert got.shape == (2, 0, 9 if padding == "valid" else 8, 5)


CASES = [
    # x (channels first), kernel (out, in / groups, *window), options of torch
    ((2, 16, 14, 15), (33, 16, 3, 3), dict(stride=1, padding=1)),
    ((2, 64, 9, 9), (48, 64, 3, 3), dict(stride=2, padding=1)),
    ((1, 3, 33, 34), (32, 3, 7, 7), dict(stride=2, padding=3)),
    ((2, 24, 8, 8), (36, 8, 3, 3), dict(groups=3, padding=1)),
    ((2, 40, 11, 11), (40, 1, 3, 3), dict(groups=40, padding=1)),
    ((2, 40, 11, 11), (80, 1, 3, 3), dict(groups=40, padding=1, stride=2)),
    ((2, 8, 13, 13), (8, 8, 3, 3), dict(dilation=2, padding=2)),
    ((2, 64, 10, 10), (128, 64, 1, 1), dict()),
    ((3, 1, 17, 19), (20, 1, 3, 3), dict()),
    ((2, 3, 200, 190), (9, 3, 5, 5), dict(stride=3, padding=1)),
    ((2, 2, 31, 12), (40, 2, 4, 3), dict(dilation=(2, 1), padding=2)),
    ((2, 24, 12, 11), (48, 2, 3, 3), dict(groups=12, padding=1)),
    ((2, 30, 12, 11), (10, 6, 3, 3), dict(groups=5, stride=2)),
    # More than one block of taps and channels, whose sums go to every second pixel.
    ((2, 40, 17, 17), (160, 40, 3, 3), dict(stride=2, padding=1)),
    # Sizes that are no multiples of Winograd's tiles, nor channels of registers and blocks of them.
    ((3, 130, 13, 18), (70, 130, 3, 3), dict(padding=1)),
    ((1, 33, 9, 22), (45, 33, 3, 3), dict(padding=2)),
    ((5, 20, 8, 31), (32, 20, 3, 3), dict()),
    ((2, 264, 5, 7), (48, 264, 3, 3), dict(padding=(0, 1))),
    ((20, 64, 16, 12), (32, 64, 3, 3), dict(padding=1)),
    # So many channels and tiles that Winograd's are cut into blocks both ways.
    ((5, 264, 15, 22), (40, 264, 3, 3), dict(padding=1)),
]


@pytest.mark.parametrize("isa", pydl.config.supported_cpu_isas())
@pytest.mark.parametrize("case", CASES, ids=str)
def test_gradients_against_torch(case, isa):
    torch = pytest.importorskip("torch")
    x_shape, kernel_shape, options = case
    rng = np.random.default_rng(6)
    x, kernel = rng.normal(size=x_shape), rng.normal(size=kernel_shape)
    theirs = [torch.tensor(v, requires_grad=True) for v in (x, kernel)]
    expected = torch.nn.functional.conv2d(*theirs, **options)
    dy = rng.normal(size=expected.shape)
    expected.backward(torch.tensor(dy))
    pads = [(pad, pad) for pad in np.broadcast_to(options.get("padding", 0), 2).tolist()]

    before = pydl.config.cpu_isa()
    pydl.config.set_cpu_isa(isa)
    try:
        for dtype, tolerance in (("float64", 1e-12), ("float32", 1e-5)):
            ours = [
                pydl.tensor(v, dtype, requires_grad=True)
                for v in (x.transpose(0, 2, 3, 1), kernel.transpose(2, 3, 1, 0))
            ]
            y = OPS.conv(
                *ours, strides=options.get("stride", 1), padding=pads,
                dilation_rate=options.get("dilation", 1), groups=options.get("groups", 1),
            )  # fmt: skip
            y.backward(pydl.tensor(dy.transpose(0, 2, 3, 1), dtype))
            pairs = [
                (y, expected.detach().numpy().transpose(0, 2, 3, 1)),
                (ours[0].grad, theirs[0].grad.numpy().transpose(0, 2, 3, 1)),
                (ours[1].grad, theirs[1].grad.numpy().transpose(2, 3, 1, 0)),
            ]
            for got, want in pairs:
                scale = abs(want).max()
                np.testing.assert_allclose(got.numpy(), want, rtol=0, atol=tolerance * scale)
    finally:
        pydl.config.set_cpu_isa(before)


@pytest.mark.cpu
@pytest.mark.parametrize("strides, padding", [(1, "valid"), (1, "same"), (2, "valid")])
def test_large_has_an_epilogue_and_no_order_of_threads(strides, padding):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(7)
    x, kernel, bias = (rng.normal(size=shape) for shape in ((9, 21, 30, 40), (3, 3, 40, 50), 50))
    expected = torch.nn.functional.conv2d(
        torch.tensor(x.transpose(0, 3, 1, 2)), torch.tensor(kernel.transpose(3, 2, 0, 1)),
        torch.tensor(bias), strides, padding,
    ).relu().numpy().transpose(0, 2, 3, 1)  # fmt: skip
    results = []
    before = pydl.get_num_threads()
    try:
        for threads in (1, 2, 3, 8):
            pydl.set_num_threads(threads)
            ours = [pydl.tensor(v, "float32", requires_grad=True) for v in (x, kernel, bias)]
            y = OPS.conv(*ours, strides=strides, padding=padding, activation="relu")
            y.backward(OPS.ones(y.shape))
            results.append([v.numpy() for v in (y, *(each.grad for each in ours))])
    finally:
        pydl.set_num_threads(before)
    np.testing.assert_allclose(results[0][0], expected, rtol=0, atol=1e-5 * expected.max())
    for other in results[1:]:
        for got, first in zip(other, results[0]):
            np.testing.assert_array_equal(got, first)


@pytest.mark.cpu
@pytest.mark.parametrize("special", [np.inf, np.nan, 3e38])
def test_numbers_without_parts(special):
    """Such as tile registers cannot take: the pixels that see them, and only these, have them."""
    x, kernel = np.ones((2, 21, 21, 40), "float32"), np.full((3, 3, 40, 64), 1e-3, "float32")
    x[1, 10, 10, 12] = special
    got = OPS.conv(x, kernel, strides=2).numpy()
    want = np.full(got.shape, 0.36)
    want[1, 4:6, 4:6] += special * 1e-3 - 1e-3
    np.testing.assert_allclose(got, want, rtol=1e-5)


RESIDUALS = {
    "product": ((2, 5, 6, 8), (1, 1, 8, 20), {}),
    "patches": ((2, 5, 6, 8), (3, 3, 8, 5), {"strides": 2}),
    "winograd": ((1, 12, 12, 32), (3, 3, 32, 40), {"padding": "same"}),
    "sequence": ((2, 9, 4), (3, 4, 6), {"padding": "causal"}),
    "groups": ((1, 7, 7, 8), (3, 3, 2, 8), {"groups": 4}),
    "each channel": ((1, 7, 7, 8), (3, 3, 1, 8), {"groups": 8}),
    "channels first": ((2, 8, 5, 6), (3, 3, 8, 5), {"data_format": "channels_first"}),
    "volume": ((1, 4, 5, 4, 3), (2, 2, 2, 3, 4), {}),
}


@pytest.mark.cpu
@pytest.mark.parametrize("activation", [None, "relu", "gelu"])
@pytest.mark.parametrize("dtype, tolerance", [("float32", 1e-5), ("float64", 1e-12), ("bfloat16", 0.02)])
@pytest.mark.parametrize("label", RESIDUALS)
def test_residual(label, dtype, tolerance, activation):
    x_shape, kernel_shape, options = RESIDUALS[label]
    rng = np.random.default_rng(3)
    x, kernel = (rng.normal(size=shape) for shape in (x_shape, kernel_shape))
    bias = rng.normal(size=kernel_shape[-1])
    x, kernel, bias = (pydl.tensor(v, dtype) for v in (x, kernel, bias))
    wide = [pydl.tensor(v.numpy().astype("float64")) for v in (x, kernel, bias)]
    plain = OPS.conv(*wide, **options).numpy()
    residual = pydl.tensor(rng.normal(size=plain.shape), dtype)
    want = ACTIVATIONS[activation](plain + residual.numpy().astype("float64"))
    got = OPS.conv(x, kernel, bias, **options, activation=activation, residual=residual)
    scale = np.abs(want).max()
    np.testing.assert_allclose(got.numpy().astype("float64"), want, rtol=0, atol=tolerance * scale)

    addend = residual.numpy().astype("float64")
    operands = [pydl.tensor(v.numpy(), requires_grad=True) for v in wide]
    operands.append(pydl.tensor(addend, requires_grad=True))
    fused = OPS.conv(*operands[:3], **options, activation=activation, residual=operands[3])
    dy = pydl.tensor(rng.normal(size=want.shape))
    grads = pydl.autograd.grad(OPS.sum(fused * dy), operands)
    apart = OPS.conv(*operands[:3], **options) + operands[3]
    apart = apart if activation is None else getattr(OPS, activation)(apart, **(
        {"approximate": False} if activation == "gelu" else {}))  # fmt: skip
    for got, each in zip(grads, pydl.autograd.grad(OPS.sum(apart * dy), operands)):
        np.testing.assert_allclose(got.numpy(), each.numpy(), rtol=1e-9, atol=1e-9)


def test_residual_of_another_shape_or_dtype():
    x, kernel = np.ones((1, 4, 4, 2), "float32"), np.ones((3, 3, 2, 3), "float32")
    with pytest.raises(pydl.errors.ShapeError, match=r"residual of shape \(1, 2, 2, 3\)"):
        OPS.conv(x, kernel, residual=np.ones((1, 2, 2, 1), "float32"))
    with pytest.raises(pydl.errors.DTypeError, match="residual of dtype float32, got float64"):
        OPS.conv(x, kernel, residual=np.ones((1, 2, 2, 3)))


def test_mixed_dtypes_promote():
    x = pydl.tensor(np.ones((1, 3, 3, 1)), "bfloat16", requires_grad=True)
    kernel = pydl.tensor(np.ones((3, 3, 1, 1)), "float32", requires_grad=True)
    y = OPS.conv(x, kernel)
    y.backward()
    assert (y.dtype, x.grad.dtype, kernel.grad.dtype) == ("float32", "bfloat16", "float32")
    wide = pydl.tensor(np.full(1, 1 + 2.0**-40))
    assert OPS.conv(x, kernel, wide).dtype == OPS.linear([[1.0]], [[1.0]], wide).dtype == "float64"


@pytest.mark.parametrize("arguments, text", [
    ({"dilation_rate": 2**62}, r"\[conv\] expected dilation_rate below 2\^31, got \(4611686018427387904,\)"),
    ({"strides": 2**31}, r"expected strides below 2\^31"),
    ({"padding": [(0, 2**62)]}, r"expected padding below 2\^31, got 0 and 4611686018427387904"),
])  # fmt: skip
def test_steps_that_would_overflow(arguments, text):
    with pytest.raises(ValueError, match=text):
        OPS.conv(np.ones((1, 8, 1), "float32"), np.ones((5, 1, 1), "float32"), **arguments)
    with pytest.raises(pydl.errors.ShapeError, match=r"along each spatial axis, got shape \(0, 1, 1\)"):
        OPS.conv(np.ones((1, 8, 1), "float32"), np.ones((0, 1, 1), "float32"))
