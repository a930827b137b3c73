"""CIFAR, IMDB, Reuters and the house prices, from small files of the same form; unsafe pickles."""

import io
import os
import pickle
import tarfile

import numpy as np
import pytest

from pydl import datasets
from pydl.datasets.inert_pickle import load_inert_npz, load_inert_pickle

rng = np.random.default_rng(0)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("PYDL_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("PYDL_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path


@pytest.fixture
def keras(tmp_path, monkeypatch):
    """Keras's loaders, on the same files."""
    pytest.importorskip("jax")
    os.environ.setdefault("KERAS_BACKEND", "jax")
    keras = pytest.importorskip("keras")
    for name in ("imdb", "reuters", "boston_housing", "california_housing"):
        module = __import__(f"keras.src.datasets.{name}", fromlist=["get_file"])
        monkeypatch.setattr(module, "get_file", lambda fname, **_: str(tmp_path / fname))
    return keras


def same(mine, other):
    for mine_part, other_part in zip(mine, other):
        for a, b in zip(mine_part, other_part):
            assert a.shape == b.shape
            assert all(np.array_equal(i, j) for i, j in zip(a, b))


def batch(count, **labels):
    return {b"data": rng.integers(0, 256, (count, 3072), "uint8"), **labels}


def pack(path, members):
    with tarfile.open(path, "w:gz") as archive:
        for name, content in members.items():
            data = pickle.dumps(content, protocol=2)
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))


def test_cifar10(folder):
    batches = [batch(4, **{"labels": [i, 1, 2, 3]}) for i in range(6)]
    names = [f"cifar-10-batches-py/data_batch_{i}" for i in range(1, 6)]
    names.append("cifar-10-batches-py/test_batch")
    pack(folder / "cifar-10-python.tar.gz", dict(zip(names, batches)))
    (x_train, y_train), (x_test, y_test) = datasets.cifar10.load_data()
    assert x_train.shape == (20, 32, 32, 3) and x_train.dtype == "uint8"
    assert y_train[:, 0].tolist() == [n for i in range(5) for n in (i, 1, 2, 3)]
    expected = batches[5][b"data"].reshape(4, 3, 32, 32).transpose(0, 2, 3, 1)
    np.testing.assert_array_equal(x_test, expected)
    assert y_test.tolist() == [[5], [1], [2], [3]]


def test_cifar100(folder):
    parts = {
        f"cifar-100-python/{part}": batch(3, fine_labels=[99, 1, 2], coarse_labels=[19, 0, 1])
        for part in ("train", "test")
    }
    (folder / "cifar100").mkdir()
    pack(folder / "cifar100" / "cifar-100-python.tar.gz", parts)
    assert datasets.cifar100.load_data()[0][1].tolist() == [[99], [1], [2]]
    assert datasets.cifar100.load_data("coarse")[1][1].tolist() == [[19], [0], [1]]
    with pytest.raises(ValueError, match="'fine' or 'coarse'"):
        datasets.cifar100.load_data("middle")


def sentences(count):
    array = np.empty(count, dtype=object)
    array[:] = [rng.integers(1, 40, rng.integers(2, 9)).tolist() for _ in range(count)]
    return array


ARGUMENTS = [
    {}, {"num_words": 20}, {"skip_top": 5, "oov_char": None}, {"maxlen": 6},
    {"start_char": None, "index_from": 0}, {"seed": 7, "num_words": 15, "index_from": 5},
]  # fmt: skip


@pytest.mark.conformance
@pytest.mark.parametrize("arguments", ARGUMENTS)
def test_imdb_like_keras(folder, keras, arguments):
    np.savez(folder / "imdb.npz", x_train=sentences(30), y_train=rng.integers(0, 2, 30),
             x_test=sentences(20), y_test=rng.integers(0, 2, 20))  # fmt: skip
    same(datasets.imdb.load_data(**arguments), keras.datasets.imdb.load_data(**arguments))


@pytest.mark.conformance
@pytest.mark.parametrize("arguments", [*ARGUMENTS, {"test_split": 0.5}])
def test_reuters_like_keras(folder, keras, arguments):
    np.savez(folder / "reuters.npz", x=sentences(30), y=rng.integers(0, 46, 30))
    same(datasets.reuters.load_data(**arguments), keras.datasets.reuters.load_data(**arguments))
    assert datasets.reuters.get_label_names() == keras.datasets.reuters.get_label_names()


@pytest.mark.conformance
@pytest.mark.parametrize("name", ["boston_housing", "california_housing"])
def test_housing_like_keras(folder, keras, name):
    np.savez(folder / f"{name}.npz", x=rng.normal(size=(700, 4)), y=rng.normal(size=700))
    calls = [{}, {"test_split": 0.3, "seed": 4}]
    for arguments in calls + ([{"version": "small"}] if name.startswith("california") else []):
        mine = getattr(datasets, name).load_data(**arguments)
        same(mine, getattr(keras.datasets, name).load_data(**arguments))


def test_words_and_errors(folder):
    (folder / "imdb_word_index.json").write_text('{"the": 1}')
    assert datasets.imdb.get_word_index() == {"the": 1}
    np.savez(folder / "reuters.npz", x=sentences(5), y=np.arange(5))
    with pytest.raises(ValueError, match="shorter than maxlen=1"):
        datasets.reuters.load_data(maxlen=1)
    (folder / "boston_housing.npz").write_bytes(b"PK nothing")
    with pytest.raises(ValueError, match="cannot read .*boston_housing.npz"):
        datasets.boston_housing.load_data()
    (folder / "cifar-10-python.tar.gz").write_bytes(b"\x1f\x8b nothing")
    with pytest.raises(ValueError, match="cannot read .*cifar-10-python.tar.gz"):
        datasets.cifar10.load_data()


@pytest.mark.parametrize(
    "name", ["cifar10", "cifar100", "imdb", "reuters", "boston_housing", "california_housing"]
)
def test_missing_files_are_asked_for(folder, monkeypatch, name):
    def no_network(*args, **kwargs):
        raise OSError("no network")

    monkeypatch.setattr("urllib.request.urlopen", no_network)
    with pytest.raises(FileNotFoundError, match=f"{name}.*Put the file there, or set PYDL_DATA_DIR"):
        getattr(datasets, name).load_data()


def test_downloads_are_checked(folder, monkeypatch):
    class Response(io.BytesIO):
        headers = {}

    monkeypatch.setattr("urllib.request.urlopen", lambda *a, **k: Response(b"other content"))
    with pytest.raises(FileNotFoundError, match="expected checksum 6d958b.*got"):
        datasets.cifar10.load_data()
    assert not list((folder / "cache").rglob("*.gz"))


class Evil:
    def __reduce__(self):
        return os.system, ("touch /tmp/pydl_was_here",)


def test_nothing_in_a_pickle_is_run(tmp_path):
    with pytest.raises(ValueError, match="expected data only, got the name (posix|nt).system"):
        load_inert_pickle(io.BytesIO(pickle.dumps(Evil())), "x")
    evil = np.empty(1, dtype=object)
    evil[0] = Evil()
    np.savez(tmp_path / "evil.npz", x=evil)
    with pytest.raises(ValueError, match="expected data only"):
        load_inert_npz(tmp_path / "evil.npz")


def test_arrays_in_pickles_come_back(tmp_path):
    content = {"a": rng.normal(size=(2, 3)), "b": np.arange(3, dtype=">i2"), "c": [1, "x", None]}
    content["d"] = np.asfortranarray(rng.integers(0, 9, (3, 4)))
    for protocol in range(2, 5):
        back = load_inert_pickle(io.BytesIO(pickle.dumps(content, protocol)), "x")
        assert back["c"] == content["c"]
        for key in "abd":
            np.testing.assert_array_equal(back[key], content[key])
    with pytest.raises(ValueError, match="cannot read x"):
        load_inert_pickle(io.BytesIO(b"\x80\x02nonsense"), "x")
