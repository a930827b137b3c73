"""Low-rank adaptation: fine-tuning of few weights beside a large one that stays."""

from __future__ import annotations

from typing import Any

from pydl import ops
from pydl.layers.arguments import positive_int
from pydl.saving.serialize import serialize_keras_object

__all__ = ["LowRankAdaptation"]


class LowRankAdaptation:
    """The part of a layer that can add the product of two small, trained matrices to its weight.

    The class says which weight that is: `_adapted = "kernel"`. Its constructor takes `lora_rank` and
    `lora_alpha` and calls `_prepare_lora`, its `build` ends with `_build_lora`, and its `call` takes
    the weight from `_adapted_weight()`.

    Source: Hu et al., "LoRA: Low-rank adaptation of large language models", 2021.
    """

    _adapted = "kernel"

    def _prepare_lora(self, rank: int | None, alpha: float | None) -> None:
        self.lora_rank = None if rank is None else positive_int("lora_rank", rank, self.name)
        self.lora_alpha = alpha if alpha is not None else rank
        self.lora_enabled = False

    def _build_lora(self) -> None:
        if self.lora_rank is not None and not self.lora_enabled:
            self.enable_lora(self.lora_rank, self.lora_alpha)

    def enable_lora(
        self,
        rank: int,
        lora_alpha: float | None = None,
        a_initializer: Any = "he_uniform",
        b_initializer: Any = "zeros",
    ) -> None:
        """Freeze the weight, and train `a @ b * lora_alpha / rank`, which is added to it.

        Args:
            rank: The size that `a` and `b` share.
            lora_alpha: How much the product counts; `rank` when None.
            a_initializer: First values of `a`.
            b_initializer: First values of `b`; with zeros the layer computes what it did.

        Raises:
            ValueError: the layer is not built, has a constraint on the weight, or is adapted already.

        Example:
            >>> import pydl
            >>> layer = pydl.layers.Dense(4)
            >>> layer.build((None, 8))
            >>> layer.enable_lora(2)
            >>> [w.name for w in layer.trainable_weights]
            ['bias', 'lora_kernel_a', 'lora_kernel_b']
        """
        name, rank = self._adapted, positive_int("rank", rank, self.name)
        weight = getattr(self, name, None)
        if weight is None:
            raise ValueError(
                f"[{self.name}] expected a built layer in enable_lora. Hint: call it once."
            )
        if getattr(self, f"{name}_constraint") is not None:
            raise ValueError(
                f"[{self.name}] expected no {name}_constraint with low-rank adaptation."
            )
        if self.lora_enabled:
            raise ValueError(f"[{self.name}] expected enable_lora once, got a second call.")
        regularizer = getattr(self, f"{name}_regularizer")
        for part, shape, initializer in (
            ("a", (*weight.shape[:-1], rank), a_initializer),
            ("b", (rank, weight.shape[-1]), b_initializer),
        ):
            variable = self.add_weight(
                shape, initializer, "float32", regularizer=regularizer, name=f"lora_{name}_{part}"
            )
            setattr(self, f"lora_{name}_{part}", variable)
        weight.trainable = False
        self.lora_enabled, self.lora_rank = True, rank
        self.lora_alpha = rank if lora_alpha is None else lora_alpha

    @property
    def trainable(self) -> bool:
        """Whether the layer is trained; an adapted weight stays frozen in either case."""
        return super().trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        super(LowRankAdaptation, type(self)).trainable.fset(self, value)
        if getattr(self, "lora_enabled", False):
            getattr(self, self._adapted).trainable = False

    def _adapted_weight(self) -> Any:
        """The weight, with the product added where there is one."""
        weight = getattr(self, self._adapted)
        if not self.lora_enabled:
            return weight
        product = ops.matmul(*self._lora_parts())
        return weight + ops.cast(product * (self.lora_alpha / self.lora_rank), weight.dtype)

    def _lora_parts(self) -> tuple[Any, Any]:
        return getattr(self, f"lora_{self._adapted}_a"), getattr(self, f"lora_{self._adapted}_b")

    def get_config(self) -> dict[str, Any]:
        config = {k: v for k, v in super().get_config().items() if not k.startswith("lora_")}
        config["quantization_config"] = serialize_keras_object(self.quantization_config)
        if self.lora_rank is not None:
            config |= {"lora_rank": self.lora_rank, "lora_alpha": self.lora_alpha}
        return config
