"""Spectrograms, pipelines and boxes against Keras; elastic images by what must hold of them."""

import numpy as np
import pytest

import pydl

pytestmark = pytest.mark.conformance
rng = np.random.default_rng(0)


@pytest.mark.parametrize(
    "arguments",
    [
        {}, {"power_to_db": False, "mag_exp": 1.0, "window": "hamming"},
        {"fft_length": 256, "sequence_length": 200, "sequence_stride": 100, "num_mel_bins": 20, "min_freq": 100.0},
        {"fft_length": 512, "max_freq": 3000.0, "sampling_rate": 8000, "top_db": 20.0, "ref_power": 0.1},
    ],
)  # fmt: skip
def test_mel_spectrogram(keras, arguments):
    x = rng.normal(size=(2, 4000)).astype("float32")
    ours = pydl.layers.MelSpectrogram(**arguments)
    expected = np.asarray(keras.layers.MelSpectrogram(**arguments)(x))
    mine = ours(x).numpy()
    np.testing.assert_allclose(mine, expected, rtol=2e-3, atol=2e-3 * np.abs(expected).max())
    assert ours.compute_output_shape((2, 4000)) == expected.shape
    assert ours(x[0]).shape == expected.shape[1:]
    assert type(ours).from_config(ours.get_config()).get_config() == ours.get_config()
    with pytest.raises(ValueError, match="expected sequence_length up to"):
        pydl.layers.MelSpectrogram(fft_length=8, sequence_length=9)
    with pytest.raises(ValueError, match="expected \\(batch, samples\\)"):
        ours(x[None])


@pytest.mark.parametrize("mode", ["log", "magnitude", "psd", "real", "imag", "angle", "stft"])
@pytest.mark.parametrize("arguments", [
    {}, {"frame_step": 3, "fft_length": 16, "padding": "same", "data_format": "channels_first"}, {"expand_dims": True, "frame_length": 5},
    {"expand_dims": True, "data_format": "channels_first"},
])  # fmt: skip
def test_stft_spectrogram(check_layer, mode, arguments):
    channels_first = "data_format" in arguments
    x = rng.normal(size=(2, 3, 40) if channels_first else (2, 40, 3))
    options = {"frame_length": 8, **arguments}
    check_layer("STFTSpectrogram", x, rtol=1e-4, mode=mode, **options)


@pytest.mark.parametrize("arguments", [
    {"scaling": None}, {"scaling": "spectrum", "window": "hamming", "periodic": True}, {"window": None},
    {"window": [1.0, 2.0, 3.0, 4.0], "frame_length": 4},
])  # fmt: skip
def test_windows_of_stft_spectrogram(keras, arguments):
    x = rng.normal(size=(2, 900, 1)).astype("float32")
    mine, other = (np.asarray(m.layers.STFTSpectrogram("magnitude", **arguments)(x)) for m in (pydl, keras))
    np.testing.assert_allclose(mine, other, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("arguments", [
    {"mode": "phase"}, {"padding": "causal"}, {"frame_step": 300}, {"frame_step": 0}, {"fft_length": 100}, {"scaling": "max"},
    {"data_format": "last"},
])  # fmt: skip
def test_errors_of_stft_spectrogram(check_error, arguments):
    check_error("STFTSpectrogram", np.ones((1, 300, 1), "float32"), **arguments)


def test_samples_of_stft_spectrogram(check_error):
    check_error("STFTSpectrogram", np.ones((1, 300, 1), "int32"))
    check_error("STFTSpectrogram", np.ones((1, 300), "float32"))


def test_pipeline(keras):
    x = rng.uniform(0, 255, (2, 6, 6, 3)).astype("float32")
    results, configs = [], []
    for library in (pydl, keras):
        layers = library.layers
        pipeline = layers.Pipeline([layers.Rescaling(2.0), layers.Resizing(4, 4), layers.CenterCrop(2, 2)])
        results.append(np.asarray(pipeline(x)))
        configs.append(pipeline.get_config())
        again = layers.Pipeline.from_config(pipeline.get_config())
        np.testing.assert_allclose(np.asarray(again(x)), results[-1])
    np.testing.assert_allclose(*results, rtol=1e-5)
    assert set(configs[0]) == set(configs[1])
    dropped = pydl.layers.Pipeline([pydl.layers.Dropout(1.0)])
    assert dropped(x, training=True).numpy().max() == 0 and dropped(x, training=False).numpy().max() > 0
    with pytest.raises(ValueError, match="expected a list of layers"):
        pydl.layers.Pipeline([len])


@pytest.mark.parametrize("count", [1, 3, 5])
def test_max_num_bounding_boxes(keras, count):
    data = {"boxes": rng.uniform(0, 9, (2, 3, 4)).astype("float32"), "labels": np.arange(6).reshape(2, 3)}
    images = np.zeros((2, 9, 9, 3), "float32")
    both = [
        library.layers.MaxNumBoundingBoxes(count, bounding_box_format="xyxy")({"images": images, "bounding_boxes": data})
        for library in (pydl, keras)
    ]
    for key in data:
        np.testing.assert_allclose(*(np.asarray(one["bounding_boxes"][key]) for one in both))
    with pytest.raises(ValueError, match="expected a dict with bounding_boxes"):
        pydl.layers.MaxNumBoundingBoxes(2)({"images": images})
    with pytest.raises(ValueError, match="expected max_number of at least 1"):
        pydl.layers.MaxNumBoundingBoxes(0)


def test_elastic_transform():
    x = rng.uniform(0, 255, (4, 20, 24, 3)).astype("float32")
    layer = pydl.layers.RandomElasticTransform(factor=(1.0, 1.0), scale=0.5, seed=3)
    masks = (x[..., :1] > 100).astype("int32")
    changed = layer({"images": x, "segmentation_masks": masks}, training=True)
    assert np.abs(changed["images"].numpy() - x).max() > 1
    assert set(np.unique(changed["segmentation_masks"].numpy())) <= {0, 1}
    again = pydl.layers.RandomElasticTransform(factor=(1.0, 1.0), scale=0.5, seed=3)(x, training=True)
    np.testing.assert_array_equal(again.numpy(), changed["images"].numpy())
    np.testing.assert_array_equal(layer(x, training=False).numpy(), x)
    kept = pydl.layers.RandomElasticTransform(factor=(0.0, 0.0), seed=3)(x, training=True)
    np.testing.assert_array_equal(kept.numpy(), x)


@pytest.mark.parametrize("name, arguments", [
    ("RandomPerspective", {"scale": 2.0}), ("RandomPerspective", {"interpolation": "cubic"}), ("RandomPerspective", {"factor": -1.0}),
    ("RandomElasticTransform", {"fill_mode": "edge"}), ("RandomElasticTransform", {"scale": 3.0}),
    ("AugMix", {"num_chains": 0}), ("AugMix", {"alpha": -1.0}), ("AugMix", {"value_range": 3}),
])  # fmt: skip
def test_errors(name, arguments):
    with pytest.raises(ValueError, match=r"^\[\w+\] expected "):
        getattr(pydl.layers, name)(**arguments)
