"""get_file, from addresses of this machine."""

import hashlib
import io
import tarfile
import zipfile

import pytest

from pydl.utils import get_file


@pytest.fixture
def origin(tmp_path):
    path = tmp_path / "words.txt"
    path.write_text("hello")
    return path


def test_download_once(origin, tmp_path):
    cache = tmp_path / "cache"
    path = get_file(origin=origin.as_uri(), cache_dir=cache)
    assert path == str(cache / "datasets" / "words.txt")
    origin.write_text("other")
    assert open(get_file(origin=origin.as_uri(), cache_dir=cache)).read() == "hello"
    again = get_file("words.txt", origin.as_uri(), cache_dir=cache, force_download=True)
    assert open(again).read() == "other"


def test_checksums(origin, tmp_path):
    md5, sha = (hashlib.new(kind, b"hello").hexdigest() for kind in ("md5", "sha256"))
    for more in ({"md5_hash": md5}, {"file_hash": sha}, {"file_hash": md5, "hash_algorithm": "md5"}):
        get_file(origin=origin.as_uri(), cache_dir=tmp_path / "c", **more)
    origin.write_text("other")
    with pytest.raises(OSError, match="expected checksum"):
        get_file(origin=origin.as_uri(), cache_dir=tmp_path / "d", file_hash=sha)
    assert not list((tmp_path / "d").rglob("words*"))


def tar(path, name):
    with tarfile.open(path, "w:gz") as archive:
        info = tarfile.TarInfo(name)
        info.size = 2
        archive.addfile(info, io.BytesIO(b"hi"))
    return path.as_uri()


def test_archives(tmp_path):
    folder = get_file(origin=tar(tmp_path / "a.tar.gz", "in/b.txt"), cache_dir=tmp_path, extract=True)
    assert folder.endswith("a_extracted") and open(f"{folder}/in/b.txt").read() == "hi"
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as archive:
        archive.writestr("c.txt", "ho")
    folder = get_file(origin=(tmp_path / "z.zip").as_uri(), cache_dir=tmp_path, untar=True)
    assert open(f"{folder}/c.txt").read() == "ho"


@pytest.mark.parametrize("name", ["../evil.txt", "/tmp/evil.txt"])
def test_archives_stay_in_their_folder(tmp_path, name):
    with pytest.raises(ValueError, match="expected names inside"):
        get_file(origin=tar(tmp_path / "e.tar.gz", name), cache_dir=tmp_path, extract=True)


def test_errors(origin, tmp_path):
    with pytest.raises(ValueError, match="expected origin"):
        get_file("x")
    with pytest.raises(ValueError, match="expected a tar or zip archive"):
        get_file(origin=origin.as_uri(), cache_dir=tmp_path / "c", extract=True)
    with pytest.raises(OSError):
        get_file(origin=(tmp_path / "nowhere").as_uri(), cache_dir=tmp_path)
