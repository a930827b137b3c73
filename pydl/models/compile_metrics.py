"""CompileMetrics: the metrics that `compile` was given, by output and by name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydl import metrics as metrics_module
from pydl.losses import Loss
from pydl.metrics import MeanMetricWrapper, Metric
from pydl.models.outputs import as_dict, is_several, kind_of_labels
from pydl.variable import Variable

_ACCURACIES = {
    "binary": metrics_module.BinaryAccuracy,
    "sparse": metrics_module.SparseCategoricalAccuracy,
    "one_hot": metrics_module.CategoricalAccuracy,
}


class CompileMetrics(Metric):
    """The metrics of a compiled model as one: it updates, names and resets them.

    Args:
        metrics: a list for the only output, or lists or a dict of them by output.
        weighted_metrics: likewise; these take the sample weights into account.
        output_names: names of the outputs, where they have names.
    """

    def __init__(
        self, metrics: Any, weighted_metrics: Any, output_names: Sequence[str] | None = None
    ) -> None:
        super().__init__(name="compile_metrics")
        self._given = metrics
        self._given_weighted = weighted_metrics
        self._output_names = output_names
        self._plain: dict[str, list[Metric]] = {}
        self._weighted: dict[str, list[Metric]] = {}
        self._named: dict[str, Metric] | None = None

    @property
    def metrics(self) -> list[Metric]:
        """Every metric; empty before the first batch."""
        return list((self._named or {}).values())

    @property
    def variables(self) -> list[Variable]:
        """The state of every metric."""
        return [variable for metric in self.metrics for variable in metric.variables]

    def reset_state(self) -> None:
        """Forgets every batch."""
        for metric in self.metrics:
            metric.reset_state()

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Takes a batch in.

        Args:
            y_true: targets, one array or a list or dict of them by output.
            y_pred: outputs of the model, outside any graph of gradients.
            sample_weight: weights for the weighted metrics, for all outputs or by output.
        """
        predictions = as_dict("y_pred", y_pred, self._output_names)
        targets = as_dict("y", y_true, list(predictions))
        if self._named is None:
            self._build(targets, predictions)
        for name, found in self._plain.items():
            for metric in found:
                metric.update_state(targets[name], predictions[name])
        for name, found in self._weighted.items():
            weight = sample_weight
            if is_several(weight):
                weight = as_dict("sample_weight", weight, list(predictions)).get(name)
            for metric in found:
                metric.update_state(targets[name], predictions[name], weight)

    def result(self) -> dict[str, Any]:
        """The value of each metric by its name."""
        results: dict[str, Any] = {}
        for name, metric in (self._named or {}).items():
            value = metric.result()
            results.update(value if isinstance(value, dict) else {name: value})
        return results

    def _build(self, targets: dict[str, Any], predictions: dict[str, Any]) -> None:
        self._named = {}
        several = len(predictions) > 1
        sides = (
            ("metrics", self._given, self._plain),
            ("weighted_metrics", self._given_weighted, self._weighted),
        )
        for argument, given, side in sides:
            by_output = _by_output(argument, given, list(predictions))
            for output, identifiers in by_output.items():
                if targets.get(output) is None:
                    raise ValueError(
                        f"[compile] expected targets for output {output!r}, which has {argument}, "
                        "got none"
                    )
                side[output] = [
                    _find_metric(item, targets[output], predictions[output]) for item in identifiers
                ]
                for metric in side[output]:
                    name = f"{output}_{metric.name}" if several else metric.name
                    self._named[self._unused(name, argument)] = metric

    def _unused(self, name: str, argument: str) -> str:
        if name in self._named and argument == "weighted_metrics":
            name = f"weighted_{name}"
        unique, count = name, 1
        while unique in self._named:
            unique, count = f"{name}_{count}", count + 1
        return unique


def _by_output(argument: str, given: Any, names: list[str]) -> dict[str, list[Any]]:
    """The metrics of each output that has any."""
    if given is None:
        return {}
    if isinstance(given, dict):
        unknown = set(given) - set(names)
        if unknown:
            raise ValueError(
                f"[compile] expected keys of {argument} among the outputs {names}, "
                f"got {sorted(unknown)}"
            )
        chosen = given
    elif not isinstance(given, (list, tuple)):
        raise ValueError(
            f"[compile] expected {argument} as a list or a dict, got {given!r}. "
            f"Write {argument}=[{given!r}]"
        )
    elif len(names) == 1:
        nested = len(given) == 1 and isinstance(given[0], (list, tuple))
        chosen = {names[0]: given[0] if nested else given}
    elif len(given) != len(names):
        raise ValueError(
            f"[compile] expected one list of {argument} for each of the outputs {names}, "
            f"got {len(given)} items"
        )
    else:
        chosen = dict(zip(names, given))
    lists = {
        name: item if isinstance(item, (list, tuple)) else [item] for name, item in chosen.items()
    }
    found = {name: [one for one in item if one is not None] for name, item in lists.items()}
    return {name: item for name, item in found.items() if item}


def _find_metric(identifier: Any, y_true: Any, y_pred: Any) -> Metric:
    if isinstance(identifier, str) and identifier.lower() in ("accuracy", "acc"):
        metric = _ACCURACIES[kind_of_labels(y_true, y_pred)]()
    elif isinstance(identifier, Loss):
        return MeanMetricWrapper(identifier.call, identifier.name)
    else:
        metric = metrics_module.get(identifier)
    if not isinstance(metric, Metric):
        name = getattr(metric, "__name__", type(metric).__name__)
        metric = MeanMetricWrapper(metric, "lambda" if name == "<lambda>" else name)
    if isinstance(identifier, str):
        metric.name = identifier
    return metric
