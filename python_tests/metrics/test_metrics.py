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


@pytest.mark.parametrize("make", [
    lambda: metrics.AUC(),
    lambda: metrics.AUC(curve="PR", multi_label=True),
    lambda: metrics.Precision(top_k=2),
    lambda: metrics.Recall(thresholds=[0.7, 0.2]),
    lambda: metrics.F1Score(average="weighted", threshold=0.5),
    lambda: metrics.SensitivityAtSpecificity(0.5),
    lambda: metrics.R2Score(),
    lambda: metrics.TrueNegatives(),
])  # fmt: skip
def test_ragged_batches_count_like_one_and_weights_like_copies(make):
    rng = np.random.default_rng(0)
    y_true, y_pred = rng.integers(0, 2, (10, 4)).astype("float32"), rng.uniform(size=(10, 4))
    copies = rng.integers(0, 3, 10)
    whole, parts, weighted, repeated = make(), make(), make(), make()
    whole.update_state(y_true, y_pred)
    for start, end in ((0, 4), (4, 8), (8, 10)):
        parts.update_state(y_true[start:end], y_pred[start:end])
        weighted.update_state(y_true[start:end], y_pred[start:end], copies[start:end])
    repeated.update_state(np.repeat(y_true, copies, 0), np.repeat(y_pred, copies, 0))
    for one, other in ((whole, parts), (weighted, repeated)):
        np.testing.assert_allclose(one.result().numpy(), other.result().numpy(), rtol=1e-6)


def test_areas_against_scikit_learn():
    sklearn = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(0)
    y_true = rng.integers(0, 2, 500)
    y_pred = np.clip(0.3 * y_true + rng.uniform(0, 0.7, 500), 0, 1)
    auc = metrics.AUC(num_thresholds=2000)(y_true, y_pred).item()
    assert auc == pytest.approx(sklearn.roc_auc_score(y_true, y_pred), abs=2e-3)
    area = metrics.AUC(num_thresholds=2000, curve="PR")(y_true, y_pred).item()
    assert area == pytest.approx(sklearn.average_precision_score(y_true, y_pred), abs=5e-3)
    r2 = metrics.R2Score()(y_true[:, None], y_pred[:, None]).item()
    assert r2 == pytest.approx(sklearn.r2_score(y_true, y_pred), rel=1e-5)
    score = metrics.F1Score(threshold=0.5, average="micro")(y_true[:, None], y_pred[:, None]).item()
    assert score == pytest.approx(sklearn.f1_score(y_true, y_pred > 0.5), rel=1e-5)


def test_iou_counts_float_weights_and_ignores_what_is_no_class():
    iou = metrics.MeanIoU(num_classes=2)
    iou.update_state([0, 0, 1, 7], [0, 1, 1, 1], [0.5, 0.25, 1.0, 1.0])
    assert iou.result().item() == pytest.approx((0.5 / 0.75 + 1.0 / 1.25) / 2, rel=1e-6)


def test_arguments_that_make_no_sense_are_refused():
    for make, message in [
        (lambda: metrics.Precision(thresholds=1.5), r"thresholds in \[0, 1\], got 1.5"),
        (lambda: metrics.AUC(num_thresholds=1), r"num_thresholds above 1, got 1"),
        (lambda: metrics.AUC(curve="DET"), r"a curve among .* got 'DET'"),
        (lambda: metrics.AUC(summation_method="best"), r"summation_method among .* got 'best'"),
        (lambda: metrics.AUC(num_labels=2), r"num_labels only with multi_label"),
        (lambda: metrics.PrecisionAtRecall(2), r"recall in \[0, 1\], got 2"),
        (lambda: metrics.RecallAtPrecision(0.5, num_thresholds=0), r"num_thresholds above 0"),
        (lambda: metrics.FBetaScore(beta=0.0), r"beta to be a float above 0"),
        (lambda: metrics.F1Score(average="some"), r"average among"),
        (lambda: metrics.F1Score(threshold=2.0), r"threshold in \(0, 1\], got 2"),
        (lambda: metrics.IoU(2, [2]), r"target_class_ids, all in \[0, 2\), got \[2\]"),
        (lambda: metrics.MeanIoU(0), r"at least one of target_class_ids, .* got \[\]"),
        (lambda: metrics.R2Score("most"), r"class_aggregation among"),
        (lambda: metrics.R2Score(num_regressors=-1), r"num_regressors >= 0, got -1"),
        (lambda: metrics.Precision(class_id=1)([1, 0], [0.2, 0.4]), r"\(batch, classes\)"),
        (lambda: metrics.F1Score()([1, 0], [0.2, 0.4]), r"of one shape \(batch, classes\)"),
        (lambda: metrics.R2Score()([1, 0], [0.2, 0.4]), r"shape \(batch, outputs\)"),
        (lambda: metrics.AUC(multi_label=True)([1, 0], [0.2, 0.4]), r"\(batch, labels\)"),
    ]:
        with pytest.raises(ValueError, match=message):
            make()


def test_strings_in_compile_and_class_weights():
    model = pydl.Sequential([pydl.Input((2,)), pydl.layers.Dense(1, "sigmoid")])
    names = ["precision", "recall", "auc"]
    model.compile("sgd", "bce", metrics=names, weighted_metrics=[metrics.TruePositives()])
    model.set_weights([np.array([[4.0], [0.0]], "float32"), np.zeros(1, "float32")])
    x = np.array([[1.0, 0], [1, 0], [-1, 0], [-1, 0], [1, 0]], "float32")
    y = np.array([1, 0, 0, 1, 1])
    logs = model.evaluate(x, y, batch_size=2, return_dict=True, verbose=0)
    assert logs["precision"] == pytest.approx(2 / 3) and logs["recall"] == pytest.approx(2 / 3)
    weighted = model.evaluate(
        x, y, sample_weight=np.array([1, 1, 1, 1, 5.0]), return_dict=True, verbose=0
    )
    assert weighted["true_positives"] == 6.0 and weighted["recall"] == logs["recall"]


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
        metrics.AUC(thresholds=[0.1, 0.5], curve="PR", label_weights=[1.0, 2.0]),
        metrics.Precision(thresholds=[0.1, 0.5], class_id=1),
        metrics.SpecificityAtSensitivity(0.5, num_thresholds=10),
        metrics.FBetaScore("macro", 2.0, 0.5),
        metrics.OneHotIoU(4, [0, 1], ignore_class=1),
        metrics.OneHotMeanIoU(4),
        metrics.BinaryIoU([1], 0.3),
        metrics.R2Score(None, 3),
        metrics.FalsePositives([0.5, 0.6]),
        metrics.PearsonCorrelation(axis=0),
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
