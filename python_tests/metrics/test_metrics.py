"""Metrics: state, weights, errors, configurations. Values against Keras are in conformance."""

import numpy as np
import pytest

import pydl
from pydl import metrics


def test_mean_weighs_batches_by_their_size():
    mean = metrics.Mean()
    mean.update_state(np.ones(3))
    mean.update_state(np.zeros(1))
    assert mean.result().item() == 0.75 and mean.result().dtype == "float32"
    mean.reset_state()
    assert mean.result().item() == 0.0


def test_mean_takes_one_weight_for_a_number():
    mean = metrics.Mean()
    mean.update_state(pydl.tensor(2.0), sample_weight=3)
    mean.update_state(pydl.tensor(4.0), sample_weight=1)
    assert mean.result().item() == 2.5


def test_mean_of_integers_and_booleans():
    assert metrics.Mean()(np.array([1, 2])).item() == 1.5
    assert metrics.Mean()(np.array([True, False])).item() == 0.5
    assert metrics.Mean()(np.array([True, False]), sample_weight=[3.0, 1.0]).item() == 0.75


def test_counts_go_on_beyond_the_integers_of_float32():
    mean = metrics.Mean()
    mean.count.assign(2.0**24)
    mean.total.assign(2.0**24)
    mean.update_state(np.zeros(1))
    assert mean.count.item() == 2**24 + 1


def test_metrics_keep_no_graph_alive():
    x = pydl.tensor([[0.3, 0.7]], requires_grad=True)
    metric = metrics.MeanSquaredError()
    metric.update_state(np.zeros((1, 2)), x * 2)
    assert not metric.total.requires_grad and not metric.result().requires_grad


def test_accuracy_refuses_labels_that_do_not_fit():
    with pytest.raises(pydl.errors.ShapeError, match=r"\[sparse_categorical_accuracy\]"):
        metrics.SparseCategoricalAccuracy()(np.zeros(3, int), np.zeros((4, 2)))
    with pytest.raises(ValueError, match=r"threshold in \(0, 1\), got 2"):
        metrics.BinaryAccuracy(threshold=2)


def test_ignored_classes_do_not_count():
    metric = metrics.SparseCategoricalCrossentropy(from_logits=True, ignore_class=-1)
    metric.update_state([0, -1, 1], np.zeros((3, 2), "float32"))
    assert metric.result().item() == pytest.approx(np.log(2))


def test_a_metric_of_ones_own():
    class Largest(metrics.Metric):
        def __init__(self, name="largest"):
            super().__init__(name=name)
            self.value = self.add_weight(name="value")

        def update_state(self, y_true, y_pred, sample_weight=None):
            self.value.assign(pydl.ops.maximum(self.value, pydl.ops.max(y_pred)))

        def result(self):
            return self.value

    metric = Largest()
    metric.update_state(None, np.array([1.0, 3.0], "float32"))
    metric.update_state(None, np.array([2.0], "float32"))
    assert float(metric.result()) == 3.0
    metric.reset_state()
    assert float(metric.result()) == 0.0
    assert metric.variables == [metric.value] and repr(metric) == "<Largest name=largest>"


@pytest.mark.parametrize(
    "metric",
    [
        metrics.Mean(name="m"),
        metrics.BinaryAccuracy(threshold=0.4),
        metrics.TopKCategoricalAccuracy(k=3),
        metrics.SparseTopKCategoricalAccuracy(k=3),
        metrics.BinaryCrossentropy(from_logits=True),
        metrics.CategoricalCrossentropy(axis=1),
        metrics.SparseCategoricalCrossentropy(ignore_class=2),
        metrics.RootMeanSquaredError(),
        metrics.MeanMetricWrapper(metrics.mean_absolute_error, name="w"),
    ],
    ids=repr,
)
def test_serialization(metric):
    again = metrics.deserialize(metrics.serialize(metric))
    assert type(again) is type(metric) and again.get_config() == metric.get_config()


def test_names():
    assert isinstance(metrics.get("mse"), metrics.MeanSquaredError)
    assert isinstance(metrics.get("sparse_categorical_accuracy"), metrics.SparseCategoricalAccuracy)
    assert metrics.get("accuracy").name == "accuracy"
    with pytest.raises(ValueError, match=r"\[metrics\].*'nothing'"):
        metrics.get("nothing")
