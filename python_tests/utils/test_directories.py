"""Data sets from folders of pictures and texts."""

import numpy as np
import pytest

import pydl
from pydl import utils
from pydl.ops import image


@pytest.fixture
def pictures(tmp_path):
    pytest.importorskip("PIL")
    rng = np.random.default_rng(0)
    for name, count in (("cat", 5), ("dog", 4), (".hidden", 1)):
        (tmp_path / name / "more").mkdir(parents=True)
        for i in range(count):
            place = tmp_path / name / ("more" if i == 0 else "")
            utils.save_img(place / f"{i}.png", rng.integers(0, 256, (9, 7, 3)), scale=False)
        (tmp_path / name / "notes.txt").write_text("no picture")
    return tmp_path


def read(pictures, **arguments):
    arguments = {"image_size": (4, 6), "verbose": False, **arguments}
    return utils.image_dataset_from_directory(pictures, **arguments)


def labels_of(data):
    return np.concatenate([y for _, y in data])


def test_pictures_and_labels(pictures):
    data = read(pictures, shuffle=False, batch_size=4)
    assert data.class_names == ["cat", "dog"] and len(data) == 3 and len(data.file_paths) == 9
    batches = list(data)
    assert [x.shape for x, _ in batches] == [(4, 4, 6, 3), (4, 4, 6, 3), (1, 4, 6, 3)]
    assert labels_of(data).tolist() == [0] * 5 + [1] * 4
    assert batches[0][0].dtype == "float32" and batches[0][1].dtype == "int32"
    for i, path in enumerate(data.file_paths):
        pixels = utils.img_to_array(utils.load_img(path))
        expected = image.resize(pixels, (4, 6)).numpy()
        np.testing.assert_allclose(batches[i // 4][0][i % 4], expected, rtol=1e-6)


def test_color_modes_label_modes_and_formats(pictures):
    for mode, channels in (("grayscale", 1), ("rgb", 3), ("rgba", 4)):
        x, y = next(iter(read(pictures, color_mode=mode, label_mode="categorical")))
        assert x.shape == (9, 4, 6, channels) and y.shape == (9, 2) and (y.sum(1) == 1).all()
    x, y = next(iter(read(pictures, data_format="channels_first", label_mode="binary")))
    assert x.shape == (9, 3, 4, 6) and y.shape == (9, 1) and y.dtype == "float32"
    x = next(iter(read(pictures, labels=None, batch_size=None, image_size=5)))
    assert x.shape == (5, 5, 3)
    data = read(pictures, labels=list(range(10)), shuffle=False)  # all files, the hidden one too
    assert labels_of(data).tolist() == list(range(10))
    assert read(pictures, class_names=["dog"]).class_names == ["dog"]


def test_shuffle_and_splits_are_reproducible(pictures):
    first, second = (read(pictures, seed=3, batch_size=2) for _ in range(2))
    assert [labels_of(first).tolist() for _ in range(2)] == [labels_of(second).tolist() for _ in range(2)]
    arguments = {"validation_split": 0.3, "seed": 3}
    train, validation = read(pictures, subset="both", **arguments)
    assert len(train.file_paths) == 7 and len(validation.file_paths) == 2
    assert set(train.file_paths).isdisjoint(validation.file_paths)
    assert read(pictures, subset="validation", **arguments).file_paths == validation.file_paths


def test_damaged_pictures_are_raised_or_skipped(pictures):
    (pictures / "dog" / "1.png").write_bytes(b"\x89PNG broken")
    with pytest.raises(ValueError, match=r"element 5: .*cannot be read as one: .*1\.png"):
        list(read(pictures, shuffle=False))
    assert labels_of(read(pictures, shuffle=False, on_error="skip")).tolist() == [0] * 5 + [1] * 3


def test_fit_takes_pictures(pictures):
    model = pydl.Sequential([pydl.layers.Rescaling(1 / 255), pydl.layers.Flatten(), pydl.layers.Dense(2)])
    model.compile("sgd", pydl.losses.SparseCategoricalCrossentropy(from_logits=True))
    history = model.fit(read(pictures, batch_size=4), epochs=2, verbose=0)
    assert np.isfinite(history.history["loss"]).all()


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"labels": [1, 2]}, "a label for each of 10 files.*got 2"),
        ({"labels": "guess"}, "expected labels"), ({"label_mode": "text"}, "expected label_mode"),
        ({"class_names": ["cow"]}, r"got \['cow'\]"), ({"subset": "training"}, "or neither"),
        ({"validation_split": 0.2, "subset": "training"}, "expected a seed"),
        ({"validation_split": 2.0, "subset": "both", "seed": 1}, "between 0 and 1"),
        ({"validation_split": 0.01, "subset": "both", "seed": 1}, "both sides"),
        ({"label_mode": "binary", "class_names": ["cat"]}, "expected two classes"),
        ({"on_error": "ignore"}, "expected on_error"),
    ],
)  # fmt: skip
def test_bad_arguments(pictures, arguments, message):
    with pytest.raises(ValueError, match=message):
        read(pictures, **arguments)


def test_empty_and_missing_folders(tmp_path):
    with pytest.raises(ValueError, match=r"expected files that end in \.bmp, .* got none"):
        read(tmp_path)
    with pytest.raises(FileNotFoundError, match="expected a folder, got .*nowhere"):
        utils.text_dataset_from_directory(tmp_path / "nowhere")


def test_texts(tmp_path):
    for name in ("bad", "good"):
        (tmp_path / name).mkdir()
        for i in range(2):
            (tmp_path / name / f"{i}.txt").write_text(f"{name} film {i} ü", encoding="utf-8")
    data = utils.text_dataset_from_directory(tmp_path, shuffle=False, max_length=6, verbose=False)
    ((x, y),) = data
    assert x.tolist() == ["bad fi", "bad fi", "good f", "good f"] and y.tolist() == [0, 0, 1, 1]
    layer = pydl.layers.TextVectorization(output_sequence_length=3)
    layer.adapt(data.map(lambda x, y: x))
    assert next(iter(data.map(lambda x, y: (layer(x), y))))[0].shape == (4, 3)
    (tmp_path / "bad" / "0.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match=r"UTF-8 text.*0\.txt"):
        list(data)
