"""`OpTests`: the tests that every `OpSpec` goes through."""

from __future__ import annotations

import gc
import re
from collections.abc import Sequence
from typing import Any

import numpy as np

import pydl
from pydl.testing.opspec import (
    INTEGERS,
    OpSpec,
    Sample,
    as_dtype,
    as_reference,
    check_gradient,
    compare,
    is_floating,
    on_gpu,
    outputs_of,
    refresh,
    scalar_of,
    strided,
    weights_like,
)


def _samples(spec: OpSpec, small: bool = False) -> Sequence[Sample]:
    build = spec.gradient_samples if small and spec.gradient_samples else spec.samples
    return list(build(np.random.default_rng(0)))


def _differentiable(spec: OpSpec, sample: Sample) -> list[int]:
    positions = range(len(sample.args)) if spec.differentiable is None else spec.differentiable
    return [i for i in positions if i < len(sample.args) and is_floating(sample.args[i])]


def _prepared(sample: Sample, dtype: str, wanted: Sequence[int] = ()) -> list[Any]:
    args = [as_dtype(a, dtype) for a in sample.args]
    for i in wanted:
        args[i].requires_grad = True
    return args


def _moved(sample: Sample, device: str) -> Sample:
    def moved(value: Any) -> Any:
        return value.to(device) if isinstance(value, pydl.Tensor) else value

    return Sample(*map(moved, sample.args), **{name: moved(v) for name, v in sample.kwargs.items()})


def _bits(result: Any) -> list[bytes]:
    return [o.contiguous().numpy().tobytes() for o in outputs_of(result)]


class OpTests:
    """Subclass it in a test file with ``specs = [OpSpec(...), ...]``; pytest does the rest."""

    specs: Sequence[OpSpec] = ()

    def pytest_generate_tests(self, metafunc: Any) -> None:
        if "dtype" in metafunc.fixturenames:
            cases = [(s, d) for s in self.specs for d in s.dtypes]
            metafunc.parametrize("spec, dtype", cases, ids=[f"{s.name}-{d}" for s, d in cases])
        elif "spec" in metafunc.fixturenames:
            wanted = self.specs
            if "gradient" in metafunc.function.__name__:
                flag = "double_gradient" if "double" in metafunc.function.__name__ else "gradient"
                wanted = [s for s in wanted if s.gradient and getattr(s, flag)]
            metafunc.parametrize("spec", wanted, ids=[s.name for s in wanted])

    def test_forward(self, spec: OpSpec, dtype: str) -> None:
        """The reference's values, for contiguous and for strided inputs."""
        for sample in _samples(spec):
            if dtype in INTEGERS and any(is_floating(a) and (a < 0).any() for a in sample.args):
                if dtype == "uint8":
                    continue
            args = _prepared(sample, dtype)
            expected = spec.reference(*map(as_reference, args), **sample.kwargs)
            compare(spec.call(args, sample, dtype), expected, dtype, spec.tolerance)
            spread = [strided(a) if isinstance(a, pydl.Tensor) else a for a in args]
            compare(spec.call(spread, sample, dtype), expected, dtype, spec.tolerance)

    def test_instruction_sets(self, spec: OpSpec) -> None:
        """The reference's values from the kernels of every instruction set of this CPU."""
        if on_gpu():
            return
        before = pydl.config.cpu_isa()
        try:
            for isa in pydl.config.supported_cpu_isas():
                pydl.config.set_cpu_isa(isa)
                for dtype in spec.dtypes:
                    self.test_forward(spec, dtype)
        finally:
            pydl.config.set_cpu_isa(before)

    def test_threads(self, spec: OpSpec) -> None:
        """The same bits, gradients included, for any number of threads; on a GPU, twice."""
        before = pydl.get_num_threads()
        dtype = spec.dtypes[0]

        def run(sample: Sample, threads: int) -> list[bytes]:
            pydl.set_num_threads(threads)
            wanted = _differentiable(spec, sample) if spec.gradient else []
            args = _prepared(sample, dtype, wanted)
            outputs = outputs_of(spec.call(args, sample, dtype))
            if wanted:
                scalar_of(outputs, weights_like(outputs)).backward()
            return _bits(outputs) + [args[i].grad.numpy().tobytes() for i in wanted]

        try:
            for sample in _samples(spec):
                assert run(sample, 1) == run(sample, 2)
                assert on_gpu() or run(sample, 1) == run(sample, 3)
        finally:
            pydl.set_num_threads(before)

    def test_gradient(self, spec: OpSpec) -> None:
        """Finite differences in float64."""
        for sample in _samples(spec, small=True):
            wanted = _differentiable(spec, sample)
            args = _prepared(sample, "float64", wanted)
            outputs = outputs_of(spec.op(*args, **sample.kwargs))
            weights = weights_like(outputs)
            scalar_of(outputs, weights).backward()
            for i in wanted:
                array = args[i].detach().numpy()

                def value() -> float:
                    with pydl.no_grad():
                        refresh(args[i], array)
                        return scalar_of(outputs_of(spec.op(*args, **sample.kwargs)), weights).item()

                about = f"{spec.name}({sample}), argument {i}"
                check_gradient(args[i].grad.numpy(), value, array, rtol=2e-5, step=1e-6, about=about)
                refresh(args[i], array)

    def test_gradient_of_cpu(self, spec: OpSpec) -> None:
        """On a GPU, every element of the gradients as the CPU computes it, in float64 and float32."""
        if not on_gpu():
            return
        samples = _samples(spec)

        def gradients(dtype: str) -> list[np.ndarray]:
            found, device = [], pydl.ops.zeros(()).device
            for sample in samples:
                pydl.set_random_seed(0)
                sample = _moved(sample, device)
                args = _prepared(sample, dtype, wanted := _differentiable(spec, sample))
                outputs = outputs_of(spec.call(args, sample, dtype))
                scalar_of(outputs, weights_like(outputs)).backward()
                found += [args[i].grad.numpy().astype("float64") for i in wanted]
            return found

        for dtype, tolerance in (("float64", 1e-9), ("float32", 1e-4)):
            if dtype not in spec.dtypes:
                continue
            got = gradients(dtype)
            with pydl.device("cpu"):
                expected = gradients(dtype)
            for one, other in zip(got, expected, strict=True):
                scale = np.abs(other[np.isfinite(other)]).max(initial=1.0)
                np.testing.assert_allclose(one, other, rtol=tolerance, atol=tolerance * scale)

    def test_double_gradient(self, spec: OpSpec) -> None:
        """Finite differences of the gradient, in float64."""
        for sample in _samples(spec, small=True):
            wanted = _differentiable(spec, sample)
            args = _prepared(sample, "float64", wanted)
            inputs = [args[i] for i in wanted]
            if not inputs or all(a.size == 0 for a in inputs):
                continue

            def slope() -> pydl.Tensor | None:
                outputs = outputs_of(spec.op(*args, **sample.kwargs))
                first = pydl.grad(
                    scalar_of(outputs, weights_like(outputs)), inputs, create_graph=True, allow_unused=True
                )
                first = [g for g in first if g is not None and g.requires_grad]
                return scalar_of(first, weights_like(first, seed=9)) if first else None

            total = slope()
            if total is None:
                continue  # linear: the gradient does not depend on the inputs
            second = pydl.grad(total, inputs, allow_unused=True)
            for tensor, got in zip(inputs, second):
                array = tensor.detach().numpy()

                def value() -> float:
                    refresh(tensor, array)
                    return slope().item()

                got_array = np.zeros_like(array) if got is None else got.numpy()
                check_gradient(got_array, value, array, rtol=2e-4, step=1e-5, about=f"{spec.name}({sample})")
                refresh(tensor, array)

    def test_errors(self, spec: OpSpec) -> None:
        """Each bad call raises its error, whose text names the op."""
        for call, kind, pattern in spec.errors:
            try:
                call()
            except kind as error:
                if on_gpu() and re.search(r"expected \w+ in \[.*\), got", str(error)):
                    continue  # of several bad elements a GPU names any, and less about it
                assert re.search(pattern, str(error)), f"{pattern!r} not in: {error}"
            else:
                raise AssertionError(f"{spec.name}: expected {kind.__name__} matching {pattern!r}")

    def test_memory(self, spec: OpSpec) -> None:
        """Nothing stays allocated once results and graph are gone."""
        sample = _samples(spec)[0]

        def run() -> None:
            args = _prepared(sample, spec.dtypes[0], _differentiable(spec, sample) if spec.gradient else ())
            spec.call(args, sample, spec.dtypes[0])

        run()
        gc.collect()
        stats = pydl.cuda.memory_stats if on_gpu() else pydl.memory_stats
        before = stats()["allocated_bytes"]
        for _ in range(3):
            run()
        gc.collect()
        assert stats()["allocated_bytes"] == before
