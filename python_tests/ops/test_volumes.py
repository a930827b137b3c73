"""Convolution and pooling of volumes against PyTorch and plain sums, with finite differences."""

import itertools

import numpy as np
import pytest

import pydl
from pydl import ops

rng = np.random.default_rng(0)


def check_gradient(function, arrays, step=1e-5):
    """Compare the gradient of a random projection with finite differences along random lines."""
    tensors = [pydl.tensor(a, requires_grad=True) for a in arrays]
    y = function(*tensors)
    seed = rng.standard_normal(y.shape)
    y.backward(pydl.tensor(seed))
    for i, (array, tensor) in enumerate(zip(arrays, tensors)):
        line = rng.standard_normal(array.shape)
        ahead = function(*arrays[:i], array + step * line, *arrays[i + 1 :]).numpy()
        behind = function(*arrays[:i], array - step * line, *arrays[i + 1 :]).numpy()
        slope = ((ahead - behind) * seed).sum() / (2 * step)
        assert (tensor.grad.numpy() * line).sum() == pytest.approx(slope, rel=1e-6, abs=1e-6)


def convolved(x, kernel, strides, dilation, padding, groups=1):
    """The definition, one window at a time, in NumPy."""
    x = np.pad(x, [(0, 0), *padding, (0, 0)])
    window, channels, filters = kernel.shape[:3], kernel.shape[3], kernel.shape[4] // groups
    spans = [(w - 1) * d + 1 for w, d in zip(window, dilation)]
    sizes = [(n - s) // step + 1 for n, s, step in zip(x.shape[1:4], spans, strides)]
    y = np.zeros((x.shape[0], *sizes, kernel.shape[4]))
    for place in itertools.product(*map(range, sizes)):
        cut = tuple(
            slice(i * step, i * step + span, d)
            for i, step, span, d in zip(place, strides, spans, dilation)
        )
        for g in range(groups):
            part = x[(slice(None), *cut, slice(g * channels, (g + 1) * channels))]
            outputs = slice(g * filters, (g + 1) * filters)
            y[(slice(None), *place, outputs)] = np.einsum(
                "nabcd,abcde->ne", part, kernel[..., outputs]
            )
    return y


@pytest.mark.parametrize(
    "strides, dilation, padding, groups",
    [
        ((1, 1, 1), (1, 1, 1), "valid", 1),
        ((2, 1, 2), (1, 1, 1), [(1, 2), (0, 1), (1, 1)], 2),
        ((1, 1, 1), (2, 1, 2), [(0, 0), (1, 0), (2, 2)], 1),
        ((3, 2, 1), (1, 1, 1), [(0, 1), (0, 0), (0, 0)], 2),
    ],
)
def test_conv(strides, dilation, padding, groups):
    x, kernel = rng.standard_normal((2, 5, 4, 6, 4)), rng.standard_normal((3, 2, 2, 4 // groups, 6))
    bias = rng.standard_normal(6)
    pairs = [(0, 0)] * 3 if padding == "valid" else padding
    expected = convolved(x, kernel, strides, dilation, pairs, groups) + bias

    def ours(x, kernel, bias, data_format="channels_last"):
        return ops.conv(x, kernel, bias, strides, padding, dilation, groups, data_format)

    np.testing.assert_allclose(ours(x, kernel, bias).numpy(), expected, atol=1e-12)
    first = ours(np.moveaxis(x, -1, 1), kernel, bias, "channels_first").numpy()
    np.testing.assert_allclose(np.moveaxis(first, 1, -1), expected, atol=1e-12)
    check_gradient(ours, [x, kernel, bias])


@pytest.mark.parametrize("strides, dilation", [((1, 1, 1), (1, 1, 1)), ((2, 3, 1), (2, 1, 1))])
def test_conv_transpose_is_the_gradient_of_conv(strides, dilation):
    x, kernel = rng.standard_normal((2, 3, 4, 3, 5)), rng.standard_normal((2, 3, 2, 4, 5))

    def ours(x, kernel):
        return ops.conv_transpose(x, kernel, strides=strides, dilation_rate=dilation)

    y = ours(x, kernel)
    images = pydl.tensor(np.zeros(y.shape), requires_grad=True)
    ops.conv(images, kernel, strides=strides, dilation_rate=dilation)[:, :3, :4, :3].backward(
        pydl.tensor(x)
    )
    np.testing.assert_allclose(y.numpy(), images.grad.numpy(), atol=1e-12)
    check_gradient(ours, [x, kernel])


@pytest.mark.parametrize("name", ["max_pool", "average_pool"])
@pytest.mark.parametrize("padding", ["valid", "same", [(1, 0), (0, 1), (1, 1)]])
def test_pooling(name, padding):
    x = rng.permutation(2 * 5 * 4 * 6 * 3).reshape(2, 5, 4, 6, 3) / 100
    window, strides = (2, 3, 2), (1, 2, 2)
    pairs = [(0, 0)] * 3 if padding == "valid" else padding
    pairs = [(0, 1), (0, 1), (0, 0)] if padding == "same" else pairs
    padded = np.pad(x, [(0, 0), *pairs, (0, 0)], constant_values=np.nan)
    windows = np.lib.stride_tricks.sliding_window_view(padded, window, axis=(1, 2, 3))
    windows = windows[:, :: strides[0], :: strides[1], :: strides[2]]
    reduce = np.nanmax if name == "max_pool" else np.nanmean

    def ours(x, data_format="channels_last"):
        return getattr(ops, name)(x, window, strides, padding, data_format)

    expected = reduce(windows, axis=(-3, -2, -1))
    np.testing.assert_allclose(ours(x).numpy(), expected, atol=1e-12)
    first = ours(np.moveaxis(x, -1, 1), "channels_first").numpy()
    np.testing.assert_allclose(np.moveaxis(first, 1, -1), expected, atol=1e-12)
    check_gradient(ours, [x])


def test_errors():
    x = np.ones((1, 3, 3, 3, 2), "float32")
    with pytest.raises(
        pydl.errors.ShapeError, match=r"\[conv\] expected a kernel of shape .* 5 dim"
    ):
        ops.conv(x, np.ones((2, 2, 2, 4), "float32"))
    with pytest.raises(pydl.errors.ShapeError, match=r"\[conv\] expected a kernel .* in = 2"):
        ops.conv(x, np.ones((2, 2, 2, 3, 4), "float32"))
    with pytest.raises(
        pydl.errors.ShapeError, match=r"\[conv\] expected an input at least as large"
    ):
        ops.conv(x, np.ones((4, 1, 1, 2, 4), "float32"))
    with pytest.raises(ValueError, match=r"\[conv\] expected padding \"causal\" with sequences"):
        ops.conv(x, np.ones((2, 2, 2, 2, 4), "float32"), padding="causal")
    with pytest.raises(ValueError, match=r"\[max_pool\] expected pool_size to be 1 or 3"):
        ops.max_pool(x, (2, 2))
