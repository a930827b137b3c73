"""Memory, threads, settings, tracing and conversions."""

import os
import subprocess
import sys
import threading

import numpy as np
import pandas as pd
import pytest

import pydl
from pydl import _core


def run_python(code, **environment):
    """Runs code in a fresh interpreter; returns (stdout, stderr)."""
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, **environment}, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr


# --- memory ---------------------------------------------------------------------------------------


def test_memory_is_counted_cached_and_given_back():
    pydl.empty_cache()
    before = pydl.memory_stats()
    x = _core.empty((1000, 1000), "float32")
    held = pydl.memory_stats()
    assert 4_000_000 <= held["allocated_bytes"] - before["allocated_bytes"] <= 4_600_000
    assert held["peak_bytes"] >= held["allocated_bytes"]
    del x
    freed = pydl.memory_stats()
    assert freed["allocated_bytes"] == before["allocated_bytes"]
    assert freed["cached_bytes"] >= 4_000_000
    x = _core.empty((1000, 1000), "float32")
    assert pydl.memory_stats()["system_allocation_count"] == held["system_allocation_count"]
    del x
    pydl.empty_cache()
    assert pydl.memory_stats()["cached_bytes"] == 0


def test_memory_stats_count_whole_blocks():
    before = pydl.memory_stats()["allocated_bytes"]
    for count in (2_000_000, 1_800_000, 1_600_000):  # the later ones are served by the first block
        _core.empty((count,), "float32")
    assert pydl.memory_stats()["allocated_bytes"] == before


def resident_bytes():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_medium_blocks_give_memory_back_and_are_used_again():
    pydl.empty_cache()
    before = resident_bytes()
    tensors = [_core.full((250_000,), float(i), "float32") for i in range(200)]
    tensors = tensors[::2]
    assert all((x.numpy() == 2 * i).all() for i, x in enumerate(tensors))
    assert resident_bytes() - before >= 150_000_000
    tensors.clear()
    pydl.empty_cache()
    assert pydl.memory_stats()["cached_bytes"] == 0
    assert resident_bytes() - before <= 50_000_000
    assert (_core.full((250_000,), 1.0, "float32").numpy() == 1).all()


def test_memory_limit():
    pydl.empty_cache()
    try:
        pydl.set_memory_limit(pydl.memory_stats()["allocated_bytes"] + 2_000_000)
        _core.empty((100_000,), "float32")
        with pytest.raises(pydl.errors.OutOfMemoryError, match=r"\[allocate\] expected 8000000 bytes.*limit"):
            _core.empty((2_000_000,), "float32")
    finally:
        pydl.set_memory_limit(0)
    with pytest.raises(ValueError, match="at least 0 bytes, got -1"):
        pydl.set_memory_limit(-1)


@pytest.mark.parametrize(
    "shape, kind, pattern",
    [
        ((2**40, 2**40), ValueError, r"\[tensor\] expected a shape with fewer than 2\^63 elements"),
        ((2**62,), ValueError, r"fewer than 2\^63 bytes"),
        ((2**50,), MemoryError, r"\[allocate\] expected \d+ bytes"),
        ((-1, 3), ValueError, r"extents of at least 0, got shape \(-1, 3\)"),
        ((1,) * 9, ValueError, "at most 8 dimensions"),
    ],
)
def test_impossible_shapes(shape, kind, pattern):
    with pytest.raises(kind, match=pattern):
        _core.empty(shape, "float32")
    assert _core.empty((0, 2**62, 2**62), "float32").size == 0


# --- threads --------------------------------------------------------------------------------------


def test_number_of_threads():
    before = pydl.get_num_threads()
    try:
        pydl.set_num_threads(3)
        assert pydl.get_num_threads() == 3
        for bad in (0, -1, 100_000):
            with pytest.raises(ValueError, match=rf"\[set_num_threads\] expected 1 to 1024 threads, got {bad}"):
                pydl.set_num_threads(bad)
    finally:
        pydl.set_num_threads(before)


def test_python_threads_compute_at_once():
    a = pydl.tensor(np.random.default_rng(0).normal(size=(300, 300)))
    expected = (a @ a).numpy()
    results = [None] * 8

    def work(i):
        for _ in range(10):
            results[i] = (a @ a).numpy()

    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    for result in results:
        np.testing.assert_array_equal(result, expected)


def test_the_number_of_threads_may_change_while_others_compute():
    a = pydl.tensor(np.random.default_rng(0).normal(size=(200, 200)))
    expected, before, failures = (a @ a).numpy(), pydl.get_num_threads(), []

    def work():
        for _ in range(50):
            if not np.array_equal((a @ a).numpy(), expected):
                failures.append(1)

    threads = [threading.Thread(target=work) for _ in range(3)]
    try:
        [t.start() for t in threads]
        for i in range(60):
            pydl.set_num_threads(1 + i % 4)
    finally:
        [t.join() for t in threads]
        pydl.set_num_threads(before)
    assert not failures


def test_kernels_run_when_the_system_allows_no_more_threads():
    code = """
import resource, numpy as np, pydl
a = pydl.tensor(np.ones((400, 400), "float32"))
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + (200 << 20),) * 2)
print((a @ a).numpy()[0, 0])
"""
    assert run_python(code, PYDL_NUM_THREADS="512")[0].strip() == "400.0"


def test_kernels_run_in_a_forked_child():
    code = """
import os, numpy as np, pydl
pydl.set_num_threads(2)
a = pydl.tensor(np.ones((400, 400), "float32"))
a @ a
child = os.fork()
if child == 0:
    assert (a @ a).numpy()[0, 0] == 400
    os._exit(0)
_, status = os.waitpid(child, 0)
assert status == 0, status
assert (a @ a).numpy()[0, 0] == 400
print("both")
"""
    assert run_python(code)[0].strip() == "both"


# --- settings -------------------------------------------------------------------------------------


def test_environment_variables():
    out, err = run_python(
        "import pydl; print(pydl.get_num_threads(), pydl.config.cpu_isa(), pydl.memory_stats()['limit_bytes'])",
        PYDL_NUM_THREADS="3", PYDL_CPU_ISA="generic", PYDL_MEMORY_LIMIT="1000000000",
    )
    assert out.split() == ["3", "generic", "1000000000"] and not err
    out, err = run_python(
        "import pydl; print(pydl.config.cpu_isa())", PYDL_NUM_THREADS="many", PYDL_CPU_ISA="avx9000"
    )
    assert "expected PYDL_NUM_THREADS to be an integer of at least 1, got 'many'" in err
    assert "expected PYDL_CPU_ISA to be one of generic" in err and "got 'avx9000'" in err


def test_instruction_set_can_be_forced():
    best = pydl.config.cpu_isa()
    assert best == os.environ.get("PYDL_CPU_ISA", pydl.config.supported_cpu_isas()[-1])
    pydl.config.set_cpu_isa("generic")
    assert pydl.config.cpu_isa() == "generic"
    pydl.config.set_cpu_isa(best)
    with pytest.raises(ValueError, match=r"\[set_cpu_isa\] expected one of generic.*got 'mmx'"):
        pydl.config.set_cpu_isa("mmx")


def test_tracing_names_op_shapes_kernel_isa_and_time():
    _, err = run_python(
        "import pydl; x = pydl.tensor([[1.0, 2.0]]); x @ x.reshape(2, 1)", PYDL_VERBOSE="1", PYDL_CPU_ISA="generic"
    )
    line = next(line for line in err.splitlines() if line.startswith("pydl: matmul"))
    assert "(1, 2) float32 (2, 1) float32 | gemm cpu/generic |" in line and line.endswith(" us")


# --- conversions ----------------------------------------------------------------------------------


def test_python_numbers_take_narrow_dtypes():
    assert pydl.tensor(1.5).dtype == "float32"
    assert pydl.tensor([1.5, 2]).dtype == "float32"
    assert pydl.tensor(3).dtype == "int32"
    assert pydl.tensor([1, 2]).dtype == "int32"
    assert pydl.tensor(2**40).dtype == "int64"
    assert pydl.tensor([2**40]).dtype == "int64"
    assert pydl.tensor(True).dtype == "bool"
    assert pydl.tensor([1.5], dtype="float64").dtype == "float64"
    assert pydl.tensor([]).shape == (0,)


def test_arrays_keep_their_dtype():
    for dtype in ("float64", "float32", "float16", "int8", "uint8", "int32", "int64", "bool"):
        tensor = pydl.tensor(np.ones((2, 3), dtype))
        assert tensor.dtype == dtype and tensor.numpy().dtype == dtype
    assert pydl.tensor(np.float64(1.5)).dtype == "float64"
    assert pydl.tensor([np.float64(1.5)]).dtype == "float64"
    assert pydl.tensor([pydl.tensor(1.5), pydl.tensor(2.5)]).tolist() == [1.5, 2.5]


@pytest.mark.parametrize("bad", ["text", object(), [1, "a"], [[1, 2], [3]], np.array(["a"]), 1 + 2j, np.ones(2, "c8"),
                                 np.ones(2, "u2"), None, {}])
def test_what_is_no_array(bad):
    with pytest.raises((TypeError, ValueError)):
        pydl.tensor(bad)


def test_numpy_shares_memory():
    array = np.arange(6, dtype="float32").reshape(2, 3)
    tensor = pydl.from_numpy(array)
    array[0, 0] = 9
    assert tensor.tolist()[0][0] == 9
    np.asarray(tensor)[1, 1] = 7
    assert array[1, 1] == 7
    view = pydl.from_numpy(array[::-1, ::2])
    assert view.shape == (2, 2) and not view.is_contiguous
    np.testing.assert_array_equal(view.numpy(), array[::-1, ::2])
    np.testing.assert_array_equal((view + 0.0).numpy(), array[::-1, ::2])
    with pytest.raises(TypeError, match=r"\[from_numpy\] expected a numpy array, got list"):
        pydl.from_numpy([1.0])


def test_odd_numpy_arrays():
    big_endian = np.arange(3, dtype=">f4")
    np.testing.assert_array_equal(pydl.tensor(big_endian).numpy(), [0, 1, 2])
    packed = np.zeros(3, dtype=[("a", "u1"), ("b", "f4")])
    packed["b"] = [1, 2, 3]
    np.testing.assert_array_equal(pydl.tensor(packed["b"]).numpy(), [1, 2, 3])
    read_only = np.arange(3.0)
    read_only.flags.writeable = False
    np.testing.assert_array_equal((pydl.tensor(read_only) + 1).numpy(), [1, 2, 3])


def test_operators_beat_numpy_ones():
    tensor, array = pydl.tensor([1.0, 2.0]), np.array([10.0, 20.0], "float32")
    for result in (tensor + array, array + tensor):
        assert isinstance(result, pydl.Tensor) and result.tolist() == [11.0, 22.0]
    np.testing.assert_allclose(np.exp(tensor), np.exp([1.0, 2.0]), rtol=1e-6)


def test_weak_numbers_and_promotion():
    half, wide, whole = (pydl.tensor([1], dtype=d) for d in ("float16", "float64", "int32"))
    assert (half + 1.5).dtype == "float16" and (1.5 + wide).dtype == "float64"
    assert (whole + 1).dtype == "int32" and (whole + 1.5).dtype == "float32"
    assert (whole + pydl.tensor([1.0])).dtype == "float32"
    assert (half + pydl.tensor([1], dtype="bfloat16")).dtype == "float32"
    assert (pydl.tensor([1], dtype="uint8") + pydl.tensor([1], dtype="int8")).dtype == "int32"
    with pytest.raises(ValueError, match=r"expected a value in \[0, 255\] for uint8, got 300"):
        pydl.tensor([1], dtype="uint8") + 300


def test_pandas():
    frame = pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 4.0]})
    assert pydl.tensor(frame).tolist() == [[1, 3], [2, 4]]
    assert (pydl.tensor(frame["a"]) + frame["b"]).tolist() == [4, 6]
    with pytest.raises(TypeError, match="object"):
        pydl.tensor(pd.DataFrame({"a": [1, "x"]}))


def test_dlpack_both_ways():
    array = np.arange(6.0).reshape(2, 3)
    tensor = pydl.from_dlpack(array[:, ::2])
    assert tensor.dtype == "float64" and tensor.tolist() == [[0, 2], [3, 5]]
    array[0, 0] = 8
    assert tensor.tolist()[0][0] == 8
    back = np.from_dlpack(tensor)
    assert np.shares_memory(back, array)
    with pytest.raises(TypeError, match=r"\[from_dlpack\] expected an object with __dlpack__, got list"):
        pydl.from_dlpack([1.0])
    recorded = pydl.tensor([1.0], requires_grad=True)
    with pytest.raises(BufferError, match="detach"):
        np.from_dlpack(recorded)


def test_repr():
    assert repr(pydl.tensor([[1.0, 2.0], [3.0, 4.5]])) == "tensor([[1. , 2. ],\n        [3. , 4.5]])"
    assert repr(pydl.tensor(1.0, dtype="float64")) == "tensor(1., dtype=float64)"
    assert repr(pydl.tensor([1], dtype="int64")) == "tensor([1], dtype=int64)"
    assert repr(pydl.tensor([1.0], requires_grad=True)) == "tensor([1.], requires_grad=True)"
    assert repr(_core.empty((0, 3), "float32")) == "tensor([], shape=(0, 3))"


def test_scalars():
    assert float(pydl.tensor(1.5)) == 1.5 and int(pydl.tensor([3])) == 3 and bool(pydl.tensor(1))
    assert [10, 20, 30][pydl.tensor(1)] == 20
    assert f"{pydl.tensor(1.23456):.2f}" == "1.23"
    with pytest.raises(pydl.errors.ShapeError, match=r"\[item\] expected a tensor of one element, got shape \(2,\)"):
        float(pydl.tensor([1.0, 2.0]))
    with pytest.raises(TypeError, match="integer tensor"):
        [1, 2][pydl.tensor(1.0)]


def test_bad_dtypes():
    for bad in ("float33", "int", object):
        with pytest.raises(TypeError):
            pydl.tensor([1.0], dtype=bad)


def test_methods_are_ops():
    x = pydl.tensor(np.arange(6.0).reshape(2, 3))
    assert x.max(axis=1).tolist() == [2.0, 5.0] and x.argmin().item() == 0
    assert x.flatten().shape == (6,) and (+x) is x and x.clip(1, 2).min().item() == 1
    assert x.swapaxes(0, 1).shape == x.permute((1, 0)).shape == x.transpose().shape == (3, 2)


def test_lists_of_tensors_keep_their_graph():
    w = pydl.tensor(2.0, requires_grad=True)
    (pydl.ops.sum([1.0, w]) + pydl.ops.sum([[1.0, 3.0], (w, w)])).backward()
    assert w.grad.item() == 3.0
    endless = [1.0]
    endless[0] = endless
    with pytest.raises(ValueError, match=r"\[tensor\] expected nested lists of numbers of one shape"):
        pydl.tensor(endless)


def test_arrays_without_a_copy_or_not_at_all():
    tensor = pydl.tensor([1.0, 2.0])
    assert np.shares_memory(tensor.__array__(copy=False), tensor.numpy())
    with pytest.raises(ValueError, match=r"\[__array__\] expected dtype float32 and one that numpy has"):
        tensor.__array__("float64", copy=False)
    with pytest.raises(ValueError, match="got bfloat16 as float32"):
        tensor.astype("bfloat16").__array__(copy=False)
