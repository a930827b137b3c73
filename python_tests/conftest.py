"""Makes the tests use the installed pydl.

`python -m pytest` puts the checkout on sys.path, where the folder pydl has no compiled extension
unless it was built in place; then it must not hide the installed package.
"""

from __future__ import annotations

import os
import signal
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

CHECKOUT = Path(__file__).resolve().parent.parent
BUILT_IN_PLACE = any((CHECKOUT / "pydl").glob("_core*.so"))

# Programs started in the background of a shell ignore Ctrl-C, and so would the tests of it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

if not BUILT_IN_PLACE:
    sys.path[:] = [entry for entry in sys.path if Path(entry).resolve() != CHECKOUT]


@pytest.fixture(scope="session", autouse=True)
def _away_from_the_checkout(tmp_path_factory):
    """Programs that tests start look in the current folder first; they need the installed one."""
    if not BUILT_IN_PLACE:
        os.chdir(tmp_path_factory.mktemp("away"))


@pytest.fixture(autouse=True)
def _same_numbers_in_every_order(request: pytest.FixtureRequest) -> None:
    """What a test draws does not depend on those that ran before it, here or in another process."""
    from pydl.utils import set_random_seed

    set_random_seed(0)
    for value in vars(request.module).values():
        if isinstance(value, np.random.Generator):
            value.bit_generator.state = np.random.default_rng(0).bit_generator.state


# --- tests on a GPU ------------------------------------------------------------------------------
#
# --device cuda runs tests with their tensors on gpu:0, and --device cuda-emulated does so with the
# kernels built for the CPU (PYDL_CUDA_LIBRARY says where, if not beside libpydl). Tests that need a
# kernel which the backend lacks are skipped and counted.

MISSING = pytest.StashKey[Counter]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--device", choices=("cpu", "cuda", "cuda-emulated"), default="cpu")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[MISSING] = Counter()
    wanted = config.getoption("--device")
    if wanted == "cpu":
        return
    os.environ.setdefault("PYDL_EMULATED_PROTECT", "1")  # host code may not touch device memory
    if wanted == "cuda-emulated" and "PYDL_CUDA_LIBRARY" not in os.environ:
        import pydl

        library = Path(pydl.__file__).parent / "libpydl_cuda_emulated.so"
        os.environ["PYDL_CUDA_LIBRARY"] = str(library)
    from pydl import _core, cuda

    if not cuda.is_available():
        raise pytest.UsageError(f"--device {wanted}: {cuda.why_unavailable()}")
    if _core.gpu_backend_name() != wanted:
        raise pytest.UsageError(f"--device {wanted}: the backend is {_core.gpu_backend_name()}")


def pytest_report_header(config: pytest.Config) -> str | None:
    if config.getoption("--device") == "cpu":
        return None
    from pydl import _core, cuda

    return f"device: gpu:0 is {cuda.get_device_name()}, backend {_core.gpu_backend_name()}"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--device") == "cpu":
        return
    for item in items:
        if item.get_closest_marker("cpu") or "isa" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.skip(reason="of the CPU"))


@pytest.fixture(autouse=True)
def _on_the_device(request: pytest.FixtureRequest) -> Iterator[None]:
    if request.config.getoption("--device") == "cpu":
        yield
        return
    import pydl

    # Errors show in the op that made them, as on the CPU, but where that they show late is tested.
    pydl.cuda.set_launch_blocking("python_tests/cuda/" not in request.node.nodeid)
    with pydl.device("gpu:0"):
        yield
    pydl.cuda.synchronize()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    outcome = yield
    if item.config.getoption("--device") == "cpu" or outcome.excinfo is None:
        return
    text = str(outcome.excinfo[1])
    if "expected a device with the kernel " in text:
        kernel = text.split("expected a device with the kernel ")[1].split(",")[0]
        item.config.stash[MISSING][kernel] += 1
        outcome.force_exception(pytest.skip.Exception(f"gpu:0 has no kernel {kernel}"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    wanted = config.getoption("--device")
    if wanted == "cpu":
        return
    missing = config.stash[MISSING]
    label = "EMULATED, not a GPU" if wanted == "cuda-emulated" else "a real GPU"
    terminalreporter.write_line(f"device {wanted} ({label}): {missing.total()} tests skipped for want of kernels")
    for kernel, count in missing.most_common():
        terminalreporter.write_line(f"  {kernel}: {count}")
