"""Functions of `pydl.ops.image` against those of Keras."""

import numpy as np
import pytest

import pydl
from pydl.ops import image

pytestmark = pytest.mark.conformance
rng = np.random.default_rng(0)

X = rng.uniform(0, 1, (2, 9, 12, 3)).astype("float32")
FIRST = np.ascontiguousarray(X.transpose(0, 3, 1, 2))
VOLUME = rng.uniform(0, 1, (2, 4, 6, 5, 2)).astype("float32")
PLACES = rng.uniform(-4, 14, (2, 5, 6)).astype("float32")
START = np.array([[0.0, 0.0], [11.0, 0.0], [0.0, 8.0], [11.0, 8.0]], "float32")
END = START + rng.uniform(-2, 2, (2, 4, 2)).astype("float32")

CASES = [
    ("gaussian_blur", (X,), {"data_format": "channels_last"}), ("gaussian_blur", (X, (5, 3), (0.7, 2.0), "channels_last"), {}),
    ("gaussian_blur", (FIRST,), {"data_format": "channels_first"}), ("gaussian_blur", (X[0],), {"data_format": "channels_last"}),
    ("sobel_edges", (X,), {}), ("sobel_edges", (FIRST,), {"data_format": "channels_first"}),
    ("ssim", (X, X[::-1].copy()), {"filter_size": 5}), ("ssim", (X[0], X[1]), {"filter_size": 7, "max_val": 2.0}),
    ("extract_patches", (X, 3), {}), ("extract_patches", (X, (2, 3)), {"strides": (1, 2), "padding": "same"}),
    ("extract_patches", (FIRST, 2), {"data_format": "channels_first"}), ("extract_patches", (X[0], 2), {"dilation_rate": 2, "strides": 1}),
    ("extract_patches", (VOLUME, (2, 2, 1)), {}), ("extract_patches_3d", (VOLUME, 2), {"strides": 1}),
    ("rgb_to_hsv", (X,), {}), ("rgb_to_hsv", (FIRST,), {"data_format": "channels_first"}), ("hsv_to_rgb", (X,), {}),
    *[("map_coordinates", (X[0, :, :, 0], PLACES), {"order": o, "fill_mode": m, "fill_value": 0.3})
      for o in (0, 1) for m in ("constant", "nearest", "wrap", "mirror", "reflect")],
    ("map_coordinates", (np.arange(20, dtype="int32"), PLACES[:1]), {"order": 1}),
    ("perspective_transform", (X, np.stack([START, START]), END), {}),
    ("perspective_transform", (X[0], START, END[0]), {"interpolation": "nearest", "fill_value": 0.5}),
    *[("scale_and_translate", (X[0], (n, 7, 3), np.array(s), np.array([0.3, -1.2]), (0, 1), m), {"antialias": a})
      for n, s in ((5, (0.5, 0.7)), (14, (1.7, 1.0))) for m in ("linear", "cubic", "lanczos3", "lanczos5") for a in (True, False)],
    ("crop_images", (X, 1, 2, 3, 4), {}), ("crop_images", (X[0], 1), {"right_cropping": 2, "target_height": 4, "target_width": 5}),
    ("pad_images", (X, 1, 2, 3, 4), {}), ("pad_images", (FIRST,), {"bottom_padding": 2, "left_padding": 1, "target_height": 14, "target_width": 15, "data_format": "channels_first"}),
]  # fmt: skip


@pytest.mark.parametrize("name, args, kwargs", CASES, ids=[f"{i}-{c[0]}" for i, c in enumerate(CASES)])
def test_values(keras, name, args, kwargs):
    import jax

    with jax.enable_x64(False) if hasattr(jax, "enable_x64") else jax.experimental.disable_x64():
        expected = np.asarray(getattr(keras.ops.image, name)(*args, **kwargs))
    mine = getattr(image, name)(*args, **kwargs).numpy()
    assert mine.shape == expected.shape
    np.testing.assert_allclose(mine, expected, rtol=1e-4, atol=2e-4)


def test_elastic_transform():
    """Nothing moves without strength; a constant picture stays; the mean displacement is 0."""
    x = X[:, :, :, :1]
    np.testing.assert_allclose(image.elastic_transform(x, alpha=0.0, seed=1).numpy(), x, atol=1e-6)
    one = np.ones((1, 16, 16, 2), "float32")
    np.testing.assert_allclose(image.elastic_transform(one, seed=1).numpy(), one, atol=1e-5)
    ramp = np.broadcast_to(np.arange(64, dtype="float32")[None, None, :, None], (32, 64, 64, 1)).copy()
    moved = image.elastic_transform(ramp, alpha=5.0, sigma=2.0, seed=2).numpy()[:, 16:48, 16:48] - ramp[:, 16:48, 16:48]
    # White noise of deviation sigma, blurred: its variance falls by the sum of squared weights.
    deviation = 5.0 * 2.0 / np.sqrt(4 * np.pi * 2.0**2)
    assert abs(moved.mean()) < 0.05 and abs(moved.std() / deviation - 1) < 0.05


@pytest.mark.parametrize("name", ["gaussian_blur", "rgb_to_hsv", "map_coordinates"])
def test_gradients(keras, name):
    import jax

    x, places = X[0].astype("float64"), rng.uniform(0, 7, (3, 5))
    args = {"map_coordinates": (places, 1), "gaussian_blur": ((3, 3), (1.0, 1.0), "channels_last")}.get(name, ())

    def total(library, x, extra):
        result = getattr(library.ops.image, name)(x, *extra)
        return library.ops.sum(result * np.cos(np.arange(np.prod(result.shape))).reshape(result.shape))

    expected = jax.grad(lambda x: total(keras, x, args))(jax.numpy.asarray(x))
    mine = pydl.grad(lambda x: total(pydl, x, args))(pydl.tensor(x))
    np.testing.assert_allclose(mine.numpy(), expected, rtol=1e-5, atol=1e-6)


ERRORS = [
    ("gaussian_blur", (X, (0, 3))), ("sobel_edges", (X[0],)), ("ssim", (X, X[:1])), ("rgb_to_hsv", (X[..., :2],)),
    ("map_coordinates", (X[0, :, :, 0], PLACES[:1], 1)), ("map_coordinates", (X[0, :, :, 0], PLACES, 2)),
    ("perspective_transform", (X, START[:3], START[:3])), ("perspective_transform", (X[0], START, START * 0)),
    ("scale_and_translate", (X[0], (5, 5, 3), [1.0], [1.0, 1.0], (0, 1), "linear")),
    ("scale_and_translate", (X[0], (5, 5, 3), [1.0], [1.0], (0,), "box")), ("crop_images", (X, 1)), ("pad_images", (X, -1, 0, 0, 0)),
    ("crop_images", (X, 5, 0, 9, 0)), ("elastic_transform", (X, 1.0, 1.0, "cubic")), ("extract_patches", (X[0, 0], 2)),
]  # fmt: skip


@pytest.mark.parametrize("name, args", ERRORS, ids=[f"{i}-{c[0]}" for i, c in enumerate(ERRORS)])
def test_errors(name, args):
    with pytest.raises((ValueError, TypeError), match=r"^\[\w+\] expected "):
        getattr(image, name)(*args)


def test_in_a_functional_model(tmp_path):
    x = pydl.Input((9, 12, 3))
    model = pydl.Model(x, pydl.ops.image.resize(pydl.ops.image.gaussian_blur(x), (4, 5)))
    assert model.output_shape == (None, 4, 5, 3)
    model.save(tmp_path / "model.pydl")
    again = pydl.models.load_model(tmp_path / "model.pydl")
    np.testing.assert_allclose(again(X).numpy(), model(X).numpy())
