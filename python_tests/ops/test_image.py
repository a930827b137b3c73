"""Images against NumPy: resampling by dense matrices, transforms pixel by pixel through SciPy."""

import colorsys

import numpy as np
import pytest

from pydl.errors import DTypeError, ShapeError
from pydl.ops import image
from pydl.testing import FLOATS, HALVES, OpSpec, OpTests, Sample

KERNELS = {
    "bilinear": (1, lambda x: np.maximum(0, 1 - x)),
    "bicubic": (2, lambda x: np.where(
        x < 1, 1.5 * x**3 - 2.5 * x**2 + 1, np.where(x < 2, -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2, 0)
    )),
    "lanczos3": (3, lambda x: np.where(x < 3, np.sinc(x) * np.sinc(x / 3), 0)),
}  # fmt: skip


def matrix(size, out_size, interpolation, antialias):
    """What one axis is multiplied by."""
    places = (np.arange(out_size) + 0.5) * size / out_size
    if interpolation == "nearest":
        return np.eye(size)[np.floor(places).astype(int)]
    stretch = max(size / out_size, 1) if antialias else 1
    weights = KERNELS[interpolation][1](abs(places[:, None] - 0.5 - np.arange(size)) / stretch)
    return weights / weights.sum(axis=1, keepdims=True)


def resize(x, size, interpolation="bilinear", antialias=False, data_format=None):
    rows, columns = x.shape[-2:] if data_format == "channels_first" else x.shape[-3:-1]
    down = matrix(rows, size[0], interpolation, antialias)
    right = matrix(columns, size[1], interpolation, antialias)
    axes = "...hw" if data_format == "channels_first" else "...hwc"
    return np.einsum(f"{axes},ih,jw->{axes.replace('h', 'i').replace('w', 'j')}", x, down, right)


def resize_samples(rng):
    def call(shape, size, **kwargs):
        return Sample(rng.normal(size=shape), size, **kwargs)

    return [
        call((2, 5, 4, 3), (3, 7)),
        call((1, 6, 5, 1), (4, 3), antialias=True),
        call((5, 6, 4), (2, 9), interpolation="bicubic"),
        call((2, 7, 3, 2), (3, 5), interpolation="bicubic", antialias=True),
        call((2, 3, 6, 5), (4, 4), interpolation="lanczos3", data_format="channels_first"),
        call((2, 4, 5, 21), (3, 8), interpolation="nearest"),
        call((0, 4, 5, 3), (3, 8)),
        call((1, 1, 1, 1), (2, 2)),
        call((3, 33, 40, 3), (20, 17), antialias=True),
    ]


TRANSFORMS = np.array([[0.9, 0.2, -0.7, -0.3, 1.1, 0.4, 0, 0], [1.2, 0, 0.3, 0.1, 0.8, -1.1, 0.01, 0.02]])


def affine_transform(x, transform, interpolation="bilinear", fill_mode="constant", fill_value=0.0):
    """scipy.ndimage.map_coordinates, whose names of modes differ: grid-wrap is Keras's wrap."""
    ndimage = pytest.importorskip("scipy.ndimage")
    n, height, width, channels = x.shape
    y = np.zeros(x.shape)
    rows, columns = np.mgrid[:height, :width].astype(float)
    transform = np.broadcast_to(np.asarray(transform, float), (n, 8))
    for i, (a0, a1, a2, b0, b1, b2, c0, c1) in enumerate(transform):
        k = c0 * columns + c1 * rows + 1
        at = [(b0 * columns + b1 * rows + b2) / k, (a0 * columns + a1 * rows + a2) / k]
        for c in range(channels):
            modes = {"wrap": "grid-wrap", "constant": "grid-constant"}
            y[i, ..., c] = ndimage.map_coordinates(
                x[i, ..., c], at, order=int(interpolation == "bilinear"),
                mode=modes.get(fill_mode, fill_mode), cval=fill_value,
            )  # fmt: skip
    return y


def transform_samples(rng):
    shift = np.array([1.0, 0, 1.3, 0, 1, -2.6, 0, 0])
    calls = [
        Sample(rng.normal(size=(2, 5, 4, 3)), TRANSFORMS.tolist(), fill_mode=mode)
        for mode in ("nearest", "wrap", "mirror", "reflect")
    ]
    return calls + [
        Sample(rng.normal(size=(2, 6, 5, 2)), TRANSFORMS.tolist(), fill_value=2.5),
        Sample(rng.normal(size=(3, 4, 5, 1)), shift.tolist(), interpolation="nearest"),
        Sample(rng.normal(size=(0, 4, 5, 3)), shift.tolist()),
        Sample(rng.normal(size=(1, 1, 1, 4)), shift.tolist(), fill_mode="mirror"),
    ]


def adjust_hue(x, hue, saturation, largest=1.0):
    y = np.zeros(x.shape)
    for place in np.ndindex(x.shape[:-1]):
        h, s, v = colorsys.rgb_to_hsv(*x[place])
        s = min(s * saturation[place[0]], largest)
        y[place] = colorsys.hsv_to_rgb((h + hue[place[0]]) % 1.0, s, v)
    return y


def hue_samples(rng):
    gray = np.full((1, 1, 2, 3), 0.25)
    return [
        Sample(rng.uniform(0.1, 1, size=(2, 3, 4, 3)), [0.3, -0.7], [0.5, 1.2]),
        Sample(gray, [0.2], [0.5]),
        Sample(rng.uniform(0.1, 1, size=(0, 3, 4, 3)), [0.3], [0.5]),
    ]


def errors(op, *rest):
    name = op.__name__
    return [
        (lambda: op(np.ones((4, 5), "float32"), *rest), ShapeError, rf"\[{name}\] expected images .*\(4, 5\)"),
        (lambda: op(np.ones((1, 4, 5, 3), "int32"), *rest), DTypeError, "expected a floating dtype, got int32"),
        (lambda: op(np.ones((1, 4, 5, 3), "float32"), *rest, data_format="nhwc"), ValueError, "expected data_format"),
    ]


x = np.ones((1, 4, 5, 3), "float32")
RESIZE_ERRORS = [
    (lambda: image.resize(x, (0, 3)), ValueError, "at least 1, got 0 and 3"),
    (lambda: image.resize(x, (2, 3), "area"), ValueError, "expected interpolation nearest, .* got area"),
    (lambda: image.resize(x, (2, 3, 4)), ValueError, "size as"),
    (lambda: image.resize(x[:, :0], (2, 3)), ShapeError, "images with pixels"),
    (lambda: image.resize(x, (2, 3), fill_mode="wrap"), ValueError, "expected fill_mode"),
    (lambda: image.resize(x, (2, 3), crop_to_aspect_ratio=True, pad_to_aspect_ratio=True), ValueError, "got both"),
]
TRANSFORM_ERRORS = [
    (lambda: image.affine_transform(x, np.ones((2, 8))), ShapeError, r"for each of 1 images, 8 numbers.*\(2, 8\)"),
    (lambda: image.affine_transform(x, np.ones(8), "cubic"), ValueError, "expected interpolation"),
    (lambda: image.affine_transform(x, np.ones(8), fill_mode="edge"), ValueError, "expected fill_mode"),
]
HUE_ERRORS = [(lambda: image.adjust_hue(x[..., :2], 0.1), ShapeError, r"expected 3 channels, got shape \(1, 4, 5, 2\)")]


class TestImage(OpTests):
    specs = [
        OpSpec("resize", image.resize, resize, resize_samples, dtypes=FLOATS + HALVES,
               gradient_samples=lambda rng: resize_samples(rng)[:-1],
               errors=errors(image.resize, (2, 2)) + RESIZE_ERRORS),
        OpSpec("affine_transform", image.affine_transform, affine_transform, transform_samples,
               dtypes=FLOATS + HALVES, errors=errors(image.affine_transform, np.ones(8)) + TRANSFORM_ERRORS),
        OpSpec("adjust_hue", image.adjust_hue, adjust_hue, hue_samples, gradient=False,
               dtypes=FLOATS, errors=errors(image.adjust_hue, 0.1) + HUE_ERRORS),
    ]  # fmt: skip


def test_points_at_infinity_are_outside():
    perspective = [1, 0, 0, 0, 1, 0, -1.0, 0]  # k is 0 in column 1
    y = image.affine_transform(x, perspective, fill_value=7.0)
    assert (y.numpy()[0, :, 1] == 7).all() and np.isfinite(y.numpy()).all()
