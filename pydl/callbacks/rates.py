"""Learning rates of one optimizer, or of those inside a `MultiOptimizer`."""

from __future__ import annotations

from typing import Any


def optimizers_by_name(optimizer: Any) -> dict[str, Any]:
    """The optimizers that have a learning rate, by the name of that rate in logs."""
    inner = getattr(optimizer, "optimizers", None)
    if inner is None:
        return {"learning_rate": optimizer}
    return {f"learning_rate_{each.name}": each for each in inner}


def learning_rates(optimizer: Any) -> dict[str, float]:
    """The learning rates, by their names in logs."""
    named = optimizers_by_name(optimizer)
    return {name: float(each.learning_rate) for name, each in named.items()}
