"""The small tools of pydl.utils, and the errors they raise."""

import io

import numpy as np
import pytest

import pydl
from pydl import utils
from pydl.data import Dataset


def test_to_categorical():
    x = np.array([[0], [2], [1]])
    np.testing.assert_array_equal(utils.to_categorical(x), np.eye(3)[[0, 2, 1]])
    tensor = utils.to_categorical(pydl.tensor([1, 0]), 3)
    assert isinstance(tensor, pydl.Tensor) and tensor.tolist() == [[0, 1, 0], [1, 0, 0]]
    with pytest.raises(ValueError, match="from 0 to 1, got 5 in row 2"):
        utils.to_categorical([0, 1, 5], 2)
    with pytest.raises(ValueError, match="got -1 in row 1"):
        utils.to_categorical([0, -1])


def test_normalize():
    x = np.array([[3.0, 4.0], [0.0, 0.0]])
    expected = [[0.6, 0.8], [0, 0]]
    np.testing.assert_allclose(utils.normalize(x), expected)
    np.testing.assert_allclose(utils.normalize(pydl.tensor(x)).numpy(), expected)
    np.testing.assert_allclose(utils.normalize(x[:1], order=1), [[3 / 7, 4 / 7]])


def test_pad_sequences_refuses_what_does_not_fit():
    with pytest.raises(ValueError, match="got 3 in row 1"):
        utils.pad_sequences([[1], 3])
    with pytest.raises(ValueError, match=r"got \(2,\) in row 1"):
        utils.pad_sequences([[[1]], [[1, 2]]])
    with pytest.raises(ValueError, match="padding 'pre' or 'post'"):
        utils.pad_sequences([[1]], padding="left")
    with pytest.raises(ValueError, match="dtype=object"):
        utils.pad_sequences([["a"]], value="x")


def test_timeseries_windows():
    series, targets = np.arange(20.0), np.arange(20) * 10
    data = utils.timeseries_dataset_from_array(
        series, targets, 3, sequence_stride=2, sampling_rate=3, batch_size=None, start_index=4,
        end_index=18,
    )  # fmt: skip
    starts = range(4, 18 - 6, 2)
    got = [(x.tolist(), int(y)) for x, y in data]
    assert got == [([s, s + 3.0, s + 6.0], s * 10) for s in starts]


def test_timeseries_shuffle_is_reproducible():
    def epochs():
        data = utils.timeseries_dataset_from_array(np.arange(30), None, 4, shuffle=True, seed=3)
        return [np.concatenate([batch[:, 0] for batch in data]).tolist() for _ in range(2)]

    first, second = epochs()
    assert sorted(first) == list(range(27)) and first != second and epochs() == [first, second]


def test_timeseries_errors():
    with pytest.raises(ValueError, match="at least 9 steps 1 apart, got 5 steps"):
        utils.timeseries_dataset_from_array(np.arange(5), None, 9)
    with pytest.raises(ValueError, match="sequence_stride from 1 to 4, got 0"):
        utils.timeseries_dataset_from_array(np.arange(5), None, 2, sequence_stride=0)
    with pytest.raises(ValueError, match="start_index=3 and end_index=2"):
        utils.timeseries_dataset_from_array(np.arange(5), None, 2, start_index=3, end_index=2)


@pytest.mark.parametrize(
    "sizes,lengths", [((0.75, None), (6, 2)), ((None, 3), (5, 3)), ((2, 0.5), (2, 4))]
)
def test_split_dataset(sizes, lengths):
    left, right = utils.split_dataset((np.arange(8), np.arange(8) * 2), *sizes)
    assert (len(left), len(right)) == lengths
    assert [int(x) for x, _ in left] == list(range(lengths[0]))
    assert [int(y) for _, y in right] == [2 * i for i in range(8 - lengths[1], 8)]


def test_split_dataset_shuffles_by_seed():
    def halves(seed):
        parts = utils.split_dataset(Dataset.range(20), 0.5, shuffle=True, seed=seed)
        return [int(x) for part in parts for x in part]

    assert sorted(halves(1)) == list(range(20))
    assert halves(1) == halves(1) != halves(2)


def test_split_dataset_errors():
    for sizes, message in [
        ((None, None), "got neither"), ((1.5, None), "share"), ((9, None), "from 1 to 7"),
        ((5, 5), "enough for"), ((0.01, None), "not empty"),
    ]:  # fmt: skip
        with pytest.raises(ValueError, match=message):
            utils.split_dataset(np.arange(8), *sizes)


def picture():
    return np.random.default_rng(0).integers(0, 256, (5, 7, 3)).astype("float32")


@pytest.mark.parametrize("data_format", [None, "channels_first"])
def test_pictures_come_back(tmp_path, data_format):
    pytest.importorskip("PIL")
    x = picture() if data_format is None else picture().transpose(2, 0, 1)
    path = tmp_path / "a.png"
    utils.save_img(path, x, data_format=data_format, scale=False)
    back = utils.img_to_array(utils.load_img(path), data_format=data_format)
    np.testing.assert_array_equal(back, x)


def test_pictures_of_other_modes_and_sizes(tmp_path):
    pytest.importorskip("PIL")
    file = io.BytesIO()
    utils.save_img(file, picture(), file_format="png")
    for mode, channels in (("grayscale", 1), ("rgb", 3), ("rgba", 4)):
        image = utils.load_img(file, color_mode=mode, target_size=(2, 4), interpolation="bilinear")
        assert utils.img_to_array(image).shape == (2, 4, channels)
    rgba = np.zeros((2, 2, 4))
    utils.save_img(tmp_path / "b.jpg", rgba)
    assert utils.load_img(tmp_path / "b.jpg", keep_aspect_ratio=True, target_size=(1, 2)).size == (2, 1)


def test_damaged_pictures_are_named(tmp_path):
    pytest.importorskip("PIL")
    path = tmp_path / "broken.png"
    utils.save_img(path, picture())
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(ValueError, match=r"cannot be read as one: .*broken\.png"):
        utils.load_img(path)
    with pytest.raises(FileNotFoundError, match="nowhere"):
        utils.load_img(tmp_path / "nowhere.png")
    with pytest.raises(ValueError, match="1, 3 or 4 channels"):
        utils.array_to_img(np.zeros((2, 2, 2)))


class Batches(utils.PyDataset):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.events = []

    def __len__(self):
        return 4

    def __getitem__(self, index):
        x = np.full((2, 1), index, "float32")
        return x, 3 * x

    def on_epoch_begin(self):
        self.events.append("begin")

    def on_epoch_end(self):
        self.events.append("end")


@pytest.mark.parametrize("workers", [{}, {"workers": 3}, {"workers": 2, "use_multiprocessing": True}])
def test_fit_with_py_dataset(workers):
    def losses(data):
        pydl.set_random_seed(0)
        model = pydl.Sequential([pydl.Input((1,)), pydl.layers.Dense(1)])
        model.compile("sgd", "mse")
        return model.fit(data, epochs=2, shuffle=False, verbose=0).history["loss"]

    batches = Batches(**workers)
    assert losses(batches) == losses(list_of(Batches()))
    assert batches.events == ["begin", "end", "begin", "end"]


def list_of(batches):
    return Dataset.from_generator(lambda: iter(batches))
