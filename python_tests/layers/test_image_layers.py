"""Image layers: seeds, threads, labels and masks, errors."""

import numpy as np
import pytest

import pydl
from pydl import layers

rng = np.random.default_rng(0)
BATCH = rng.uniform(0, 255, (6, 12, 10, 3)).astype("float32")

RANDOM = {
    "RandomFlip": {}, "RandomRotation": {"factor": 0.3}, "RandomZoom": {"height_factor": 0.3},
    "RandomTranslation": {"height_factor": 0.3, "width_factor": 0.3},
    "RandomShear": {"x_factor": 0.3, "y_factor": 0.3}, "RandomCrop": {"height": 5, "width": 6},
    "RandomBrightness": {"factor": 0.5}, "RandomContrast": {"factor": 0.5},
    "RandomSaturation": {"factor": 0.5}, "RandomHue": {"factor": 0.5}, "RandomGrayscale": {},
    "RandomColorDegeneration": {"factor": 0.5}, "RandomErasing": {}, "RandomSharpness": {"factor": 0.9},
    "RandomPosterization": {"factor": (1, 8)}, "Solarization": {"threshold_factor": 0.9},
    "RandomGaussianBlur": {},
    "RandomColorJitter": {"brightness_factor": 0.3, "contrast_factor": 0.3, "hue_factor": 0.2},
    "RandomInvert": {"factor": 0.5}, "MixUp": {}, "CutMix": {}, "RandAugment": {},
}  # fmt: skip


@pytest.fixture(params=RANDOM, ids=str)
def make(request):
    return lambda **more: getattr(layers, request.param)(**RANDOM[request.param], **more)


def test_a_seed_gives_the_same_images_for_any_number_of_threads(make):
    before = pydl.get_num_threads()
    runs = []
    try:
        for threads in (1, 2, 3):
            pydl.set_num_threads(threads)
            layer = make(seed=5)
            runs.append([layer(BATCH, training=True).numpy() for _ in range(3)])
    finally:
        pydl.set_num_threads(before)
    for run in runs[1:]:
        np.testing.assert_array_equal(run, runs[0])
    others = [make(seed=seed)(BATCH, training=True).numpy() for seed in range(6, 12)]
    assert any(not np.array_equal(other, runs[0][0]) for other in others)
    assert np.isfinite(runs[0]).all()


def test_nothing_happens_outside_of_training(make):
    layer = make()
    if isinstance(layer, layers.RandomCrop):
        assert layer(BATCH, training=False).shape == (6, 5, 6, 3)
    else:
        np.testing.assert_array_equal(layer(BATCH, training=False).numpy(), BATCH)


def test_channels_first_is_the_same_turned_around(make):
    if "data_format" not in make().get_config():
        pytest.skip("the layer only has channels last, as in Keras")
    last = make(seed=2)(BATCH, training=True).numpy()
    turned = make(seed=2, data_format="channels_first")(BATCH.transpose(0, 3, 1, 2), training=True)
    if isinstance(make(), layers.RandomErasing):
        pytest.skip("the noise has another order")
    np.testing.assert_allclose(turned.numpy().transpose(0, 2, 3, 1), last, rtol=1e-4, atol=1e-2)


def test_single_images_and_other_dtypes(make):
    assert make(seed=1)(BATCH[0], training=True).ndim == 3
    assert make(seed=1)(BATCH.astype("uint8"), training=True).dtype == "float32"
    assert make(seed=1, dtype="float64")(BATCH, training=True).dtype == "float64"


def test_layers_in_a_model_are_saved_with_their_stream(tmp_path, make):
    model = pydl.Sequential([pydl.Input((12, 10, 3)), make(seed=4), layers.Flatten(), layers.Dense(2)])
    model(BATCH, training=True)
    model.save(tmp_path / "m.pydl")
    again = pydl.models.load_model(tmp_path / "m.pydl")
    expected = model(BATCH, training=True).numpy()
    np.testing.assert_allclose(again(BATCH, training=True).numpy(), expected, rtol=1e-5, atol=1e-3)


def test_labels_and_masks_follow_the_images():
    masks = np.zeros((6, 12, 10, 1), "float32")
    masks[:, :, :5] = 1
    data = {"images": np.repeat(masks, 3, axis=-1), "labels": np.eye(6), "segmentation_masks": masks}
    for layer in (layers.RandomFlip(seed=1), layers.RandomCrop(6, 6, seed=1), layers.CutMix(seed=1)):
        out = layer(dict(data), training=True)
        np.testing.assert_array_equal(out["images"].numpy()[..., :1], out["segmentation_masks"].numpy())
    mixed = layers.MixUp(seed=3)(dict(data), training=True)
    np.testing.assert_allclose(mixed["labels"].numpy().sum(axis=1), 1, rtol=1e-6)


def test_cut_mix_weighs_labels_by_area():
    images = np.arange(6.0).reshape(6, 1, 1, 1) * np.ones((1, 40, 40, 1))
    out = layers.CutMix(seed=2)({"images": images, "labels": np.eye(6)}, training=True)
    for i, (image, label) in enumerate(zip(out["images"].numpy(), out["labels"].numpy())):
        assert abs((image == i).mean() - label[i]) < 0.06  # boxes end between pixels


def test_rotation_by_a_quarter_is_exact():
    x = rng.uniform(size=(2, 7, 7, 3)).astype("float32")
    y = layers.RandomRotation((0.25, 0.25))(x, training=True)
    np.testing.assert_allclose(y.numpy(), np.rot90(x, axes=(1, 2)), atol=1e-5)


def test_flips_are_even():
    x = np.tile(np.array([0.0, 1.0], "float32").reshape(1, 1, 2, 1), (4000, 1, 1, 1))
    flipped = layers.RandomFlip("horizontal", seed=1)(x, training=True).numpy()[:, 0, 0, 0]
    assert 0.46 < flipped.mean() < 0.54  # five standard deviations


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: layers.RandomRotation(2.0), r"\[random_rotation\w*\] expected factor .* from -1.0 to 1.0, got 2.0"),
        (lambda: layers.RandomZoom(-1.0), "expected height_factor"),
        (lambda: layers.RandomContrast(-0.5), "expected factor"),
        (lambda: layers.RandomBrightness("much"), "expected factor"),
        (lambda: layers.RandomBrightness(0.1, value_range=3), "expected value_range as a pair"),
        (lambda: layers.RandomFlip("sideways"), "expected mode"),
        (lambda: layers.RandomGrayscale(1.5), "expected factor from 0 to 1"),
        (lambda: layers.RandomErasing(fill_value=[1, 2]), "expected fill_value"),
        (lambda: layers.RandomGaussianBlur(kernel_size=4), "expected kernel_size"),
        (lambda: layers.MixUp(alpha=0), "expected alpha above 0"),
        (lambda: layers.RandAugment(num_ops=0), "expected num_ops"),
        (lambda: layers.Resizing(0, 4), "expected a height and a width"),
        (lambda: layers.Resizing(2, 2)(np.ones((3, 4))), r"expected an image of 3 axes .* \(3, 4\)"),
        (lambda: layers.CenterCrop(2, 2, data_format="first"), "expected data_format"),
        (lambda: layers.RandomHue(0.5)(np.ones((1, 2, 2, 1), "float32"), training=True), "expected 3 channels"),
    ],
)  # fmt: skip
def test_bad_values(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_unknown_fill_modes_are_refused():
    for more in ({"fill_mode": "edge"}, {"interpolation": "cubic"}):
        with pytest.raises(NotImplementedError, match="expected"):
            layers.RandomRotation(0.1, **more)
