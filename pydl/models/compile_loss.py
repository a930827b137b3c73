"""CompileLoss: the losses that `compile` was given, one an output, as one number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydl import losses
from pydl._call_errors import show
from pydl._core import Tensor
from pydl.metrics.mean import Mean
from pydl.models.outputs import as_dict, is_several, kind_of_labels


class CompileLoss:
    """Sums the losses of the outputs, each times its weight.

    Args:
        loss: a loss for every output, or a list or dict of them by output.
        loss_weights: numbers, arranged likewise.
        output_names: names of the outputs, where they have names.
    """

    def __init__(
        self, loss: Any, loss_weights: Any = None, output_names: Sequence[str] | None = None
    ) -> None:
        self._given = loss
        self._given_weights = loss_weights
        self._output_names = output_names
        self._losses: dict[str, tuple[losses.Loss, float]] | None = None
        self._only: losses.Loss | None = None  # of a model with one output
        self._trackers: dict[str, Mean] = {}

    @property
    def metrics(self) -> list[Mean]:
        """The means of the losses of single outputs, where there are several."""
        return list(self._trackers.values())

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Tensor | None:
        """The weighted sum of the losses, a 0-d tensor; None if no output has a loss.

        Args:
            y_true: targets, one array or a list or dict of them by output.
            y_pred: outputs of the model.
            sample_weight: weights for every output, or a list or dict of them by output.
        """
        if self._only is not None and isinstance(y_pred, Tensor) and not is_several(y_true):
            return _reduced(self._only, y_true, y_pred, sample_weight)
        predictions = as_dict("y_pred", y_pred, self._output_names)
        targets = as_dict("y", y_true, list(predictions))
        if self._losses is None:
            self._build(targets, predictions)
        weights = (
            as_dict("sample_weight", sample_weight, list(predictions))
            if is_several(sample_weight)
            else dict.fromkeys(predictions, sample_weight)
        )
        total = None
        for name, (loss, loss_weight) in self._losses.items():
            if targets.get(name) is None:
                raise ValueError(
                    f"[compile] expected targets for output {name!r}, which has a loss, got none"
                )
            value = _reduced(loss, targets[name], predictions[name], weights.get(name))
            if name in self._trackers:
                size = (*predictions[name].shape, 1)[0]
                self._trackers[name].update_state(value, sample_weight=size)
            if loss_weight != 1.0:
                value = value * loss_weight
            total = value if total is None else total + value
        return total

    def _build(self, targets: dict[str, Any], predictions: dict[str, Tensor]) -> None:
        names = list(predictions)
        given = _by_output("loss", self._given, names)
        weights = _by_output("loss_weights", self._given_weights, names)
        found = {}
        for name in names:
            loss = _find_loss(given.get(name), targets.get(name), predictions[name])
            if loss is not None:
                weight = weights.get(name)
                if weight is not None and not isinstance(weight, (int, float)):
                    raise TypeError(
                        f"[compile] expected a number as loss weight of {name!r}, got "
                        f"{show(weight)}. Hint: metrics go by name, metrics=[...]"
                    )
                found[name] = (loss, 1.0 if weight is None else float(weight))
        if len(found) > 1:
            self._trackers = {name: Mean(name=f"{name}_loss") for name in found}
        self._losses = found
        if len(found) == len(names) == 1 and weights.get(names[0]) in (None, 1.0):
            self._only = found[names[0]][0]


def _reduced(loss: losses.Loss, y_true: Any, y_pred: Tensor, sample_weight: Any) -> Tensor:
    value = loss(y_true, y_pred, sample_weight)
    if value.ndim != 0:
        raise ValueError(
            f"[compile] expected a loss reduced to one number, got shape {value.shape} "
            f"from {loss.name!r}. Give it another reduction than 'none'"
        )
    return value


def _by_output(argument: str, value: Any, names: list[str]) -> dict[str, Any]:
    """`value` for each output: itself for all, an item of a list, or of a dict."""
    if isinstance(value, dict) and "class_name" not in value:
        unknown = set(value) - set(names)
        if unknown:
            raise ValueError(
                f"[compile] expected keys of {argument} among the outputs {names}, "
                f"got {sorted(unknown)}"
            )
        return value
    if isinstance(value, (list, tuple)):
        if len(value) != len(names):
            raise ValueError(
                f"[compile] expected one item of {argument} for each of the outputs {names}, "
                f"got {len(value)}"
            )
        return dict(zip(names, value))
    return dict.fromkeys(names, value)


def _find_loss(identifier: Any, y_true: Any, y_pred: Tensor) -> losses.Loss | None:
    if identifier in ("crossentropy", "ce"):
        identifier = {
            "binary": "binary_crossentropy",
            "sparse": "sparse_categorical_crossentropy",
            "one_hot": "categorical_crossentropy",
        }[kind_of_labels(y_true, y_pred)]
    return losses.as_loss(identifier)
