"""Compiling an extension: the command, the cache of what was built, and who builds first."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import platform
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from pydl import _core
from pydl.extension.paths import include_folder

__all__ = ["CompileError", "build", "cache_folder"]

_LEAST_GCC = 9  # the first with all of C++17's library


class CompileError(RuntimeError):
    """An extension that does not compile; the message ends with the compiler's own."""


def cache_folder() -> Path:
    """Return the folder that built extensions are kept in, made if need be.

    It is ``extensions`` in `PYDL_CACHE_DIR` (``~/.cache/pydl`` by default).

    Raises:
        OSError: It cannot be written to.
    """
    base = os.environ.get("PYDL_CACHE_DIR") or os.path.join("~", ".cache", "pydl")
    folder = Path(base).expanduser() / "extensions"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise OSError(
            f"[extension] expected to be able to write to {folder}, got: {error}. "
            "Hint: set PYDL_CACHE_DIR to a folder of yours"
        ) from error
    return folder


def compiler() -> list[str]:
    """Return the C++ compiler's command: `CXX` if it is set, else g++, clang++ or c++."""
    wanted = os.environ.get("CXX")
    names = [wanted] if wanted else ["g++", "clang++", "c++"]
    for name in names:
        command = shlex.split(name)
        if shutil.which(command[0]):
            _check_version(command)
            return command
    raise CompileError(
        f"[extension] expected a C++ compiler, got none: looked for {', '.join(names)}. "
        "Hint: install g++, or set CXX to the compiler's command"
    )


def _check_version(command: Sequence[str]) -> None:
    version = subprocess.run([*command, "-dumpversion"], capture_output=True, text=True)
    major = version.stdout.strip().partition(".")[0]
    if version.returncode or not major.isdigit():
        raise CompileError(
            f"[extension] expected {command[0]} to be a C++ compiler, got from -dumpversion: "
            f"{(version.stderr or version.stdout).strip()[:200]!r}"
        )
    if int(major) < _LEAST_GCC:
        raise CompileError(
            f"[extension] expected {command[0]} of version {_LEAST_GCC} or newer, got {major}. "
            "Hint: set CXX to a newer compiler"
        )


def cuda_compiler() -> str:
    """Return nvcc's path: from `CUDACXX`, PATH or ``/usr/local/cuda``."""
    places = [os.environ.get("CUDACXX"), shutil.which("nvcc"), "/usr/local/cuda/bin/nvcc"]
    for place in places:
        if place and os.access(place, os.X_OK):
            return place
    raise CompileError(
        "[extension] expected nvcc for the .cu sources, got none. "
        "Hint: install the CUDA toolkit, or set CUDACXX to its nvcc"
    )


def _fingerprint(name: str, sources: Sequence[Path], commands: Sequence[Sequence[str]]) -> str:
    """A hash of everything the result depends on; headers beside the sources count, too."""
    hasher = hashlib.sha256()
    beside = (h for s in sources for form in ("*.h*", "*.cuh") for h in s.parent.glob(form))
    headers = {h for h in beside if h.is_file()}
    for path in [*sources, *sorted(headers)]:
        hasher.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    cpu = platform.processor() + platform.machine() + ",".join(_core.supported_cpu_isas())
    for text in (name, repr(commands), _core.__version__, str(_core.abi_version()), cpu):
        hasher.update(text.encode() + b"\0")
    return hasher.hexdigest()[:16]


def _run(command: Sequence[str], verbose: bool) -> None:
    if verbose:
        print(shlex.join(command))
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode:
        raise CompileError(
            f"[extension] expected {command[0]} to succeed, got status {result.returncode} from\n"
            f"{shlex.join(command)}\n{result.stdout}{result.stderr}"
        )


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Only one process at a time; the lock goes with the process, however that ends."""
    with open(path, "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def build(
    name: str,
    sources: Sequence[Path],
    *,
    flags: Sequence[str] = (),
    cuda_flags: Sequence[str] = (),
    link_flags: Sequence[str] = (),
    native: bool = True,
    folder: Path | None = None,
    verbose: bool = False,
) -> Path:
    """Return the shared library of an extension, compiling it unless the cache has it."""
    include = ["-I", str(include_folder())]
    host = [*compiler(), "-std=c++17", "-O3", "-fPIC", "-Wall", *include]
    host += [*(["-march=native"] if native else []), *flags]
    cuda = [s for s in sources if s.suffix == ".cu"]
    device = []
    if cuda:
        device = [cuda_compiler(), "-std=c++17", "-O3", "-Xcompiler", "-fPIC", "-cudart", "static"]
        device += [*include, *cuda_flags]
    folder = folder or cache_folder()
    stem = f"{name}-{_fingerprint(name, sources, [host, device, [*link_flags]])}"
    library = folder / f"{stem}.so"
    if library.exists():
        return library
    with _locked(folder / f"{stem}.lock"):
        if library.exists():  # another process built it while this one waited
            return library
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            objects = []
            for i, source in enumerate(sources):
                objects.append(os.path.join(scratch, f"{i}.o"))
                command = device if source.suffix == ".cu" else host
                _run([*command, "-c", str(source), "-o", objects[-1]], verbose)
            result = os.path.join(scratch, "library.so")
            link = (
                device[:1] + ["-shared", "-cudart", "static"] if cuda else [*compiler(), "-shared"]
            )
            _run([*link, *objects, "-o", result, *link_flags], verbose)
            os.replace(result, library)
    return library
