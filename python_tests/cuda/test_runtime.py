"""The runtime under a GPU's tensors: memory, streams, events, and what it says when there is none."""

from __future__ import annotations

import os
import re
from pathlib import Path

import numpy as np
import pytest

import pydl
from pydl import cuda, ops

MEGABYTE = 1 << 20


def allocated() -> int:
    return cuda.memory_stats()["allocated_bytes"]


def test_memory_is_counted_and_used_again():
    ops.zeros(MEGABYTE // 4)
    before = cuda.memory_stats()
    x = ops.zeros(MEGABYTE // 4)
    during = cuda.memory_stats()
    assert during["allocated_bytes"] >= before["allocated_bytes"] + MEGABYTE
    assert during["system_allocation_count"] == before["system_allocation_count"]  # from the cache
    assert during["peak_bytes"] >= during["allocated_bytes"]
    del x
    assert allocated() == before["allocated_bytes"]


def cached() -> int:
    """What stays cached: memory of graphs, and around small blocks in use."""
    cuda.empty_cache()
    return cuda.memory_stats()["cached_bytes"]


def test_the_cache_can_be_emptied():
    before = cached()
    x = ops.zeros(8 * MEGABYTE // 4)
    del x
    assert cached() < before + 8 * MEGABYTE
    small = ops.ones(3)  # a block that keeps its chunk
    cuda.empty_cache()
    assert small.tolist() == [1, 1, 1]


def test_the_peak_can_be_reset():
    x = ops.zeros(MEGABYTE)
    del x
    cuda.reset_peak_memory()
    stats = cuda.memory_stats()
    assert stats["peak_bytes"] == stats["allocated_bytes"]


def test_a_limit_on_memory():
    cuda.set_memory_limit(cached() + allocated() + 24 * MEGABYTE)
    try:
        for _ in range(4):  # the cache gives way to another size
            x = ops.zeros(3 * MEGABYTE)
            del x
            x = ops.zeros(2 * MEGABYTE)
            del x
        with pytest.raises(pydl.errors.OutOfMemoryError, match="the limit set by set_memory_limit refused"):
            ops.zeros(64 * MEGABYTE)
    finally:
        cuda.set_memory_limit(0)
    with pytest.raises(ValueError, match="expected at least 0 bytes, got -1"):
        cuda.set_memory_limit(-1)


def test_out_of_memory_empties_the_cache_first(emulated, run_python):
    program = """
import pydl
from pydl import cuda, ops
with pydl.device("gpu:0"):
    kept = ops.zeros(3 << 20)
    cached = ops.zeros(10 << 20); del cached
    big = ops.zeros(11 << 20)  # fits once what is cached is given back
    del big
    try:
        ops.zeros(100 << 20)
    except pydl.errors.OutOfMemoryError as error:
        print(error)
    print(kept.numpy().sum(), ops.ones(4).tolist())
"""
    out = run_python(program, PYDL_EMULATED_MEMORY=str(64 << 20))
    assert "the device refused them" in out and "0.0 [1.0, 1.0, 1.0, 1.0]" in out


def test_streams_and_events():
    stream, start, end = cuda.Stream(), cuda.Event(), cuda.Event()
    x = pydl.tensor(np.arange(4.0, dtype="float32"))
    default = cuda.current_stream()
    stream.wait_stream(default)
    with cuda.stream(stream):
        assert cuda.current_stream() == stream
        start.record()
        y = x + x
        end.record()
    assert cuda.current_stream() == default
    default.wait_event(end)
    end.synchronize()
    assert end.query() and start.elapsed_time(end) >= 0
    assert y.tolist() == [0, 2, 4, 6]
    stream.synchronize()


def test_memory_of_another_stream_is_safe_to_drop():
    stream = cuda.Stream()
    for i in range(5):
        x = ops.full((1000,), i, dtype="float32")
        stream.wait_stream(cuda.current_stream())
        with cuda.stream(stream):
            y = x * 2
            del x
        cuda.current_stream().wait_stream(stream)
        assert (y.numpy() == 2 * i).all()
    del stream
    assert y.numpy()[0] == 8


def test_facts_of_the_device():
    facts = cuda.get_device_properties()
    assert facts["total_bytes"] > 0 and len(facts["architecture"]) == 2
    assert cuda.get_device_name() == facts["name"] and cuda.device_count() >= 1
    assert cuda.is_available() and cuda.why_unavailable() is None
    with pytest.raises(pydl.errors.DeviceError, match="expected a device below gpu:"):
        cuda.get_device_name(99)
    with pytest.raises(pydl.errors.DeviceError, match="index of at least 0, got -1"):
        cuda.memory_stats(-1)


@pytest.mark.skipif("PYDL_CUDA_LIBRARY" not in os.environ, reason="needs several GPUs")
def test_several_gpus(emulated):
    x = pydl.tensor([1.0, 2.0], device="gpu:1")
    y = pydl.tensor([1.0, 2.0])
    assert (x + x).device == "gpu:1" and (x + x).tolist() == [2, 4]
    with pytest.raises(pydl.errors.DeviceError, match="got gpu:0 and gpu:1"):
        y + x
    assert (y + x.to("gpu:0")).tolist() == [2, 4]
    assert cuda.memory_stats(1)["allocated_bytes"] > 0
    with pydl.device("gpu:1"):
        assert ops.ones(2).device == "gpu:1"


ASK = "import pydl; print(pydl.cuda.is_available(), pydl.cuda.device_count(), pydl.cuda.why_unavailable())"


@pytest.mark.parametrize(
    "fault, reason",
    [
        ("no_driver", "no NVIDIA driver is installed. Hint: .*nvidia-driver"),
        ("old_driver", r"supports CUDA 11.4, and this build of pydl needs \d+.*Hint: .*nvidia-driver"),
        ("no_gpu", "the NVIDIA driver finds no GPU. Hint: .*nvidia-smi"),
        ("no_image", r"gpu:0 .*no kernels for.*PYDL_CUDA_ARCHITECTURES=\d+"),
    ],
)
def test_why_there_is_no_gpu(emulated, run_python, fault, reason):
    out = run_python(ASK, PYDL_EMULATED_FAULT=fault)
    assert out.startswith("False 0 ")
    assert re.search(reason, out), out
    program = """
import pydl
assert (pydl.tensor([1.0]) + 1).item() == 2
try:
    pydl.tensor([1.0], device="gpu:0")
except pydl.errors.DeviceError as error:
    print(error)
"""
    assert "[device] expected a usable gpu:0, but " in run_python(program, PYDL_EMULATED_FAULT=fault)


def test_a_launch_that_fails(emulated, run_python):
    program = """
import pydl
try:
    pydl.tensor([1.0], device="gpu:0") + 1
except RuntimeError as error:
    print(error)
"""
    out = run_python(program, PYDL_EMULATED_FAULT="launch")
    assert "[full]" in out and "cudaErrorLaunchOutOfResources" in out


def test_libraries_that_are_no_backend(run_python, tmp_path):
    (tmp_path / "text.so").write_text("no library")
    missing = run_python(ASK, PYDL_CUDA_LIBRARY=str(tmp_path / "none.so"))
    assert "False 0 the GPU backend does not load" in missing
    assert "does not load" in run_python(ASK, PYDL_CUDA_LIBRARY=str(tmp_path / "text.so"))
    other = run_python(ASK, PYDL_CUDA_LIBRARY=str(Path(pydl.__file__).parent / "libpydl.so"))
    assert "is no backend: it exports no pydl_backend" in other


def test_a_forked_child_is_told(emulated):
    x = pydl.tensor([1.0])
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            x + 1
        except pydl.errors.DeviceError as error:
            os.write(write, str(error).encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert "got one forked from it. Hint: start processes with the method 'spawn'" in os.read(
        read, 1000
    ).decode()
