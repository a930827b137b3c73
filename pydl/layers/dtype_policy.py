"""Which dtype a layer keeps its weights in and which it computes with."""

from __future__ import annotations

from pydl.saving.configurable import Configurable

__all__ = ["DTypePolicy", "QuantizedDTypePolicy", "dtype_policy", "get_policy", "set_dtype_policy"]

_POLICIES = {
    "float16": ("float16", "float16"),
    "bfloat16": ("bfloat16", "bfloat16"),
    "float32": ("float32", "float32"),
    "float64": ("float64", "float64"),
    "mixed_float16": ("float32", "float16"),
    "mixed_bfloat16": ("float32", "bfloat16"),
}


_INT8 = "int8_from_"


class DTypePolicy(Configurable):
    """The dtypes of a layer.

    Args:
        name: "float16", "bfloat16", "float32", "float64": weights and computation in that dtype;
            "mixed_float16", "mixed_bfloat16": weights in float32, computation in 16 bits;
            "int8_from_float32" and so on: the large weights of layers that can be quantized in int8.

    Raises:
        ValueError: another name.

    Example:
        >>> import pydl
        >>> policy = pydl.layers.DTypePolicy("mixed_bfloat16")
        >>> policy.variable_dtype, policy.compute_dtype
        ('float32', 'bfloat16')
    """

    def __init__(self, name: str):
        source = name.removeprefix(_INT8) if isinstance(name, str) else name
        if not isinstance(name, str) or source not in _POLICIES:
            raise ValueError(
                f"[DTypePolicy] expected one of {', '.join(_POLICIES)}, or {_INT8} and one of them, "
                f"got {name!r}."
            )
        self.name = name
        self.variable_dtype, self.compute_dtype = _POLICIES[source]
        self.quantization_mode = None if source == name else "int8"
        if self.quantization_mode and self.compute_dtype == "float16":
            raise ValueError(
                f"[DTypePolicy] expected no float16 with int8, whose sums are beyond it, got {name!r}."
            )

    def __eq__(self, other) -> bool:
        return isinstance(other, DTypePolicy) and self.name == other.name

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        return f"<DTypePolicy {self.name!r}>"


class QuantizedDTypePolicy(DTypePolicy):
    """The dtypes of a quantized layer.

    Args:
        mode: "int8".
        source_name: The policy of what is not quantized; the default when None.

    Raises:
        ValueError: another mode, or another policy.

    Example:
        >>> import pydl
        >>> pydl.dtype_policies.QuantizedDTypePolicy("int8", "float32").name
        'int8_from_float32'
    """

    def __init__(self, mode: str, source_name: str | None = None):
        super().__init__(f"{mode}_from_{source_name or _default.name}")


_default = DTypePolicy("float32")


def dtype_policy() -> DTypePolicy:
    """Return the policy of layers that are given no dtype."""
    return _default


def set_dtype_policy(policy: str | DTypePolicy) -> None:
    """Set the policy of layers that are created from now on without a dtype.

    Args:
        policy: A policy or its name.
    """
    global _default
    _default = get_policy(policy)


def get_policy(identifier: str | dict | DTypePolicy | None) -> DTypePolicy:
    """Return a policy from a policy, its name, its description, or None for the default."""
    if identifier is None:
        return _default
    if isinstance(identifier, DTypePolicy):
        return identifier
    if isinstance(identifier, dict) and "config" in identifier:
        return DTypePolicy.from_config(identifier["config"])
    return DTypePolicy(getattr(identifier, "__name__", identifier))
