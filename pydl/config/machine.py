"""Settings of the running process: threads, memory, instruction set, tracing.

Each has an environment variable that sets its first value:

=====================  ===================  ====================================================
variable               default              meaning
=====================  ===================  ====================================================
``PYDL_NUM_THREADS``   usable CPUs          threads that kernels may use
``PYDL_CPU_ISA``       the CPU's best       ``generic``, ``avx2``, ``avx512`` or ``neon``
``PYDL_CPU_DOT_UNIT``  the CPU's best       ``none``, ``vnni``, ``bf16`` or ``amx``
``PYDL_VERBOSE``       ``0``                ``1`` prints a line for every op that runs
``PYDL_MEMORY_LIMIT``  ``0`` (none)         bytes that tensors and the cache may take together
``PYDL_CUDA_LIBRARY``  the installed one    the library behind ``gpu:0``
``PYDL_DATA_DIR``      none                 folder where datasets are looked for first
``PYDL_CACHE_DIR``     ``~/.cache/pydl``    folder where downloads are kept
=====================  ===================  ====================================================
"""

from __future__ import annotations

from pydl import _core
from pydl._call_errors import explain_arguments

__all__ = [
    "cpu_dot_unit",
    "cpu_isa",
    "empty_cache",
    "get_num_threads",
    "memory_stats",
    "reset_peak_memory",
    "set_cpu_dot_unit",
    "set_cpu_isa",
    "set_memory_limit",
    "set_num_threads",
    "set_verbose",
    "supported_cpu_dot_units",
    "supported_cpu_isas",
]


def get_num_threads() -> int:
    """The number of threads that kernels may use."""
    return _core.num_threads()


@explain_arguments
def set_num_threads(count: int) -> None:
    """Sets the number of threads that kernels may use. Results do not depend on it.

    Args:
        count: At least 1.

    Raises:
        ValueError: If `count` is out of range.

    Example:
        >>> pydl.set_num_threads(1)
        >>> pydl.get_num_threads()
        1
    """
    _core.set_num_threads(count)


def cpu_isa() -> str:
    """The instruction set whose kernels run: ``generic``, ``avx2``, ``avx512`` or ``neon``."""
    return _core.cpu_isa()


def supported_cpu_isas() -> list[str]:
    """The instruction sets that this CPU can run, the fastest last."""
    return _core.supported_cpu_isas()


@explain_arguments
def set_cpu_isa(isa: str) -> None:
    """Switches kernels to another instruction set, for tests and comparisons.

    Raises:
        ValueError: If this CPU cannot run `isa`; the message lists what it can.
    """
    _core.set_cpu_isa(isa)


def cpu_dot_unit() -> str:
    """The instructions for dot products of bfloat16 and int8 that AVX-512 kernels use.

    ``amx`` are tiles for both; ``bf16`` AVX512-BF16 and VNNI; ``vnni`` only that, for int8; ``none``
    multiplies in float32, or integer by integer. Products of bfloat16 with ``bf16`` and ``amx`` take
    denormal numbers for zero.
    """
    return _core.cpu_dot_unit()


def supported_cpu_dot_units() -> list[str]:
    """What `set_cpu_dot_unit` takes on this CPU, the fastest last."""
    return _core.supported_cpu_dot_units()


@explain_arguments
def set_cpu_dot_unit(unit: str) -> None:
    """Switches to other instructions for dot products, for tests and comparisons.

    Raises:
        ValueError: If this CPU cannot run `unit`; the message lists what it can.

    Example:
        >>> pydl.config.set_cpu_dot_unit("none")
        >>> pydl.config.cpu_dot_unit()
        'none'
        >>> pydl.config.set_cpu_dot_unit(pydl.config.supported_cpu_dot_units()[-1])
    """
    _core.set_cpu_dot_unit(unit)


@explain_arguments
def set_verbose(level: int) -> None:
    """Sets tracing: 1 prints each op with its shapes, kernel and time to stderr, 0 stops that."""
    _core.set_verbose(level)


def memory_stats() -> dict[str, int]:
    """What the caching allocator holds.

    Returns:
        ``allocated_bytes`` in use, ``peak_bytes`` the most ever in use, ``cached_bytes`` freed by
        tensors but kept for reuse, ``limit_bytes`` (0: none), ``allocation_count``, and
        ``system_allocation_count``, those that the cache could not serve.
    """
    return _core.memory_stats()


def reset_peak_memory() -> None:
    """Sets ``memory_stats()["peak_bytes"]`` to what is in use now."""
    _core.reset_peak_memory()


def empty_cache() -> None:
    """Gives memory that is kept for reuse back to the system."""
    _core.empty_cache()


@explain_arguments
def set_memory_limit(bytes: int) -> None:
    """Limits what tensors and the cache take together; 0 lifts the limit.

    Beyond it, an allocation first empties the cache and then raises `OutOfMemoryError`.

    Raises:
        ValueError: If `bytes` is negative.
    """
    _core.set_memory_limit(bytes)
