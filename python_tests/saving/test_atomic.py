"""Writing files: whole or not at all."""

import errno
import os
import signal
import subprocess
import sys
import time

import pytest

from pydl.saving.atomic import write_atomically


def test_new_and_replaced(tmp_path):
    path = tmp_path / "file"
    for content in (b"one", b"two"):
        write_atomically(path, lambda file: file.write(content))
        assert path.read_bytes() == content
    assert os.listdir(tmp_path) == ["file"]


def test_failure_keeps_the_old_file(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def fail(file):
        file.write(b"half of the new")
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match=r"\[save\] expected to write all of .*file, got No space left.* still there"):
        write_atomically(path, fail)
    assert path.read_bytes() == b"old" and os.listdir(tmp_path) == ["file"]


def test_links_stay_links(tmp_path):
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_bytes(b"old")
    link.symlink_to(target)
    write_atomically(link, lambda file: file.write(b"new"))
    assert link.is_symlink() and target.read_bytes() == b"new"


def test_permissions_follow_the_umask(tmp_path):
    mask = os.umask(0o027)
    try:
        write_atomically(tmp_path / "file", lambda file: None)
    finally:
        os.umask(mask)
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o640


def test_missing_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"\[save\] expected the folder .*nowhere to exist"):
        write_atomically(tmp_path / "nowhere" / "file", lambda file: None)


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux's limit on the size of files")
def test_full_disk(tmp_path):
    """A limit on the size of files stands in for the end of the disk."""
    import resource

    path = tmp_path / "file"
    path.write_bytes(b"old")
    previous = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, previous[1]))
    try:
        with pytest.raises(OSError):
            write_atomically(path, lambda file: file.write(b"x" * 100_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, previous)
        signal.signal(signal.SIGXFSZ, handler)
    assert path.read_bytes() == b"old" and os.listdir(tmp_path) == ["file"]


_WRITER = """
import sys
from pydl.saving.atomic import write_atomically
path = sys.argv[1]
print("ready", flush=True)
while True:
    for letter in b"ab":
        write_atomically(path, lambda f: [f.write(bytes([letter]) * 1000) for _ in range(300)])
"""


@pytest.mark.skipif(os.name != "posix", reason="needs kill -9")
def test_kill_leaves_a_whole_file(tmp_path):
    path = tmp_path / "file"
    for wait in (0.0, 0.003, 0.011, 0.02, 0.037):
        writer = subprocess.Popen(
            [sys.executable, "-c", _WRITER, str(path)], stdout=subprocess.PIPE, env=os.environ
        )
        writer.stdout.readline()
        deadline = time.time() + 20
        while not path.exists() and time.time() < deadline:
            time.sleep(0.001)
        time.sleep(wait)
        writer.kill()
        writer.wait()
        content = path.read_bytes()
        assert content in (b"a" * 300_000, b"b" * 300_000)
