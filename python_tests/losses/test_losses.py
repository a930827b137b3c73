"""Losses: reductions, weights, errors, configurations. Values against Keras are in conformance."""

import numpy as np
import pytest

import pydl
from pydl import losses

Y_TRUE = np.array([[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]], "float32")
Y_PRED = np.array([[1.0, 1.0], [2.0, 5.0], [4.0, 5.0]], "float32")
PER_SAMPLE = np.array([0.5, 2.0, 0.0])


@pytest.mark.parametrize(
    "reduction, expected",
    [("sum_over_batch_size", 2.5 / 3), ("mean", 2.5 / 3), ("sum", 2.5), ("none", PER_SAMPLE)],
)
def test_reductions(reduction, expected):
    loss = losses.MeanSquaredError(reduction=reduction)(Y_TRUE, Y_PRED)
    np.testing.assert_allclose(loss.numpy(), expected, rtol=1e-6)


def test_sample_weights():
    weights = np.array([1.0, 3.0, 0.5])
    loss = losses.MeanSquaredError()(Y_TRUE, Y_PRED, sample_weight=weights)
    assert loss.item() == pytest.approx((PER_SAMPLE * weights).sum() / 3)
    loss = losses.MeanSquaredError(reduction="mean_with_sample_weight")(Y_TRUE, Y_PRED, weights)
    assert loss.item() == pytest.approx((PER_SAMPLE * weights).sum() / weights.sum())
    column = losses.MeanSquaredError(reduction="sum")(Y_TRUE, Y_PRED, weights[:, None])
    assert column.item() == pytest.approx((PER_SAMPLE * weights).sum())


def test_weights_of_samples_broadcast_over_sequences():
    y_true, y_pred = np.zeros((2, 3, 4)), np.ones((2, 3, 4))
    loss = losses.MeanAbsoluteError(reduction="none")(y_true, y_pred, np.array([1.0, 2.0]))
    np.testing.assert_allclose(loss.numpy(), [[1, 1, 1], [2, 2, 2]])


def test_weights_of_another_length_are_refused():
    with pytest.raises(ValueError, match=r"\[sample_weight\] expected weights that broadcast"):
        losses.MeanSquaredError()(Y_TRUE, Y_PRED, np.ones(2))


@pytest.mark.parametrize(
    "name", ["MeanSquaredError", "MeanAbsoluteError", "Huber", "BinaryCrossentropy"]
)
def test_shapes_that_differ_are_refused(name):
    loss = getattr(losses, name)()
    with pytest.raises(pydl.errors.ShapeError, match=r"got y_true \(3, 2\) and y_pred \(3, 1\)"):
        loss(Y_TRUE, Y_PRED[:, :1])


def test_a_last_axis_of_one_may_be_left_out():
    column = losses.MeanSquaredError()(Y_TRUE[:, :1], Y_PRED[:, 0])
    assert column.item() == losses.MeanSquaredError()(Y_TRUE[:, 0], Y_PRED[:, 0]).item()


def test_integer_targets_take_the_dtype_of_the_predictions():
    loss = losses.MeanSquaredError()(np.array([[1, 2]]), pydl.tensor([[1.5, 2.0]]))
    assert loss.dtype == "float32" and loss.item() == pytest.approx(0.125)


def test_half_precision_predictions_are_measured_in_float32():
    prediction = pydl.tensor(Y_PRED).astype("bfloat16")
    loss = losses.MeanSquaredError()(Y_TRUE, prediction)
    assert loss.dtype == "float32" and loss.item() == pytest.approx(2.5 / 3)


def test_sparse_labels():
    logits = np.zeros((3, 4), "float32")
    loss = losses.SparseCategoricalCrossentropy(from_logits=True)
    assert loss(np.array([0, 1, 3], "uint8"), logits).item() == pytest.approx(np.log(4))
    with pytest.raises(ValueError, match=r"expected labels in \[0, 4\).*got 4 at position 1"):
        loss(np.array([0, 4, 3]), logits)
    with pytest.raises(
        pydl.errors.ShapeError, match=r"One-hot labels need CategoricalCrossentropy"
    ):
        loss(np.eye(4)[:3], logits)
    with pytest.raises(pydl.errors.ShapeError, match=r"Integer labels need SparseCategorical"):
        losses.CategoricalCrossentropy()(np.array([0, 1, 3]), logits)


def test_ignored_classes_do_not_count():
    logits = np.array([[0.0, 0.0], [5.0, -5.0]], "float32")
    loss = losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=-1)
    assert loss([0, -1], logits).item() == pytest.approx(np.log(2))
    assert loss([-1, -1], logits).item() == 0.0


def test_functions_as_losses():
    loss = losses.as_loss(lambda y_true, y_pred: (y_true - y_pred) * (y_true - y_pred))
    assert loss(Y_TRUE, Y_PRED).item() == pytest.approx(5 / 6)


def test_a_class_of_ones_own():
    class Signed(losses.Loss):
        def call(self, y_true, y_pred):
            return y_pred - y_true

    assert Signed().name == "signed"
    assert Signed()(Y_TRUE, Y_PRED).item() == pytest.approx(0.5)


@pytest.mark.parametrize(
    "loss",
    [
        losses.BinaryCrossentropy(from_logits=True, label_smoothing=0.1),
        losses.CategoricalCrossentropy(axis=1, reduction="sum"),
        losses.SparseCategoricalCrossentropy(ignore_class=3, name="mine"),
        losses.Huber(delta=2.0),
        losses.MeanSquaredError(),
        losses.MeanAbsoluteError(),
    ],
    ids=repr,
)
def test_serialization(loss):
    again = losses.deserialize(losses.serialize(loss))
    assert type(again) is type(loss) and again.get_config() == loss.get_config()


def test_names():
    assert losses.get("mse") is losses.mean_squared_error
    assert isinstance(losses.get("MeanSquaredError"), losses.MeanSquaredError)
    assert losses.get(None) is None
    with pytest.raises(ValueError, match=r"\[losses\].*'nothing'"):
        losses.get("nothing")
    with pytest.raises(ValueError, match=r"expected a reduction among"):
        losses.MeanSquaredError(reduction="average")
