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
    with pytest.raises(ValueError, match=r"expected labels in \[0, 4\).*got 4"):
        loss(np.array([0, 4, 3]), logits)
    with pytest.raises(
        pydl.errors.ShapeError, match=r"One-hot labels need CategoricalCrossentropy"
    ):
        loss(np.eye(4)[:3], logits)
    with pytest.raises(pydl.errors.ShapeError, match=r"Integer labels need SparseCategorical"):
        losses.CategoricalCrossentropy()(np.array([0, 1, 3]), logits)


@pytest.mark.parametrize("axis", [2, -3, None, "last"])
def test_axis_that_predictions_lack(axis):
    with pytest.raises((ValueError, TypeError), match=r"^\[\w+\] expected an axis"):
        pydl.losses.sparse_categorical_crossentropy([0, 1], np.eye(2), axis=axis)


@pytest.mark.parametrize("shape", [(), (0,), (3, 0)])
def test_no_classes(shape):
    nothing = np.ones(shape, "float32")
    for loss in (
        pydl.losses.categorical_crossentropy,
        pydl.losses.categorical_focal_crossentropy,
    ):
        with pytest.raises(pydl.errors.ShapeError, match=r"^\[categorical_\w+\] expected y_pred"):
            loss(nothing, nothing, label_smoothing=0.1)


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


def test_circle_means_are_over_the_losses_above_zero():
    apart = np.eye(3, dtype="float32")
    vectors = np.array([[1.0, 0.0], [0.8, 0.6], [0.6, 0.8]], "float32")
    assert losses.Circle(gamma=256)([0, 1, 2], apart).item() == 0
    each = losses.circle([0, 0, 1], vectors).numpy()
    assert losses.Circle()([0, 0, 1], vectors).item() == pytest.approx(each[each > 0].mean())


def test_ctc_refuses_other_shapes_and_has_no_path_for_too_many_labels():
    with pytest.raises(pydl.errors.ShapeError, match=r"\[ctc\] expected labels \(batch, labels\)"):
        losses.ctc([1, 2], np.zeros((2, 3, 4)))
    assert losses.ctc([[1, 1]], np.zeros((1, 2, 3))).item() == np.inf
    x = pydl.tensor(np.zeros((2, 2, 3), "float32"), requires_grad=True)
    losses.ctc([[1, 1], [1, 2]], x).sum().backward()
    assert np.isfinite(x.grad.numpy()).all()


def test_ctc_gradients_against_finite_differences():
    rng = np.random.default_rng(0)
    labels, logits = np.array([[1, 1, 2], [2, 0, 0]]), rng.normal(size=(2, 5, 3))
    x = pydl.tensor(logits, requires_grad=True)
    losses.CTC(reduction="sum")(labels, x).backward()
    for place in [(0, 0, 0), (0, 3, 1), (1, 4, 2)]:
        step = np.zeros_like(logits)
        step[place] = 1e-5
        up, down = (losses.CTC(reduction="sum")(labels, logits + s).item() for s in (step, -step))
        assert x.grad.numpy()[place] == pytest.approx((up - down) / 2e-5, rel=1e-6, abs=1e-9)


def test_wrapped_functions_come_back():
    loss = losses.LossFunctionWrapper(losses.huber, delta=2.0, name="mine")
    again = losses.deserialize(losses.serialize(loss))
    assert again.delta == 2.0 and again.get_config() == loss.get_config()
    assert again([[0.0]], [[4.0]]).item() == 6.0
    with pytest.raises(AttributeError, match="no attribute 'gamma'"):
        loss.gamma


@pytest.mark.parametrize("name", sorted(set(losses.__all__) - {"Loss", "LossFunctionWrapper"}))
def test_every_loss_goes_by_its_name(name):
    thing = getattr(losses, name)
    if name in ("get", "serialize", "deserialize"):
        return
    found = losses.get(name)
    assert isinstance(found, thing) if isinstance(thing, type) else found is thing
    if isinstance(thing, type):
        again = losses.deserialize(losses.serialize(found))
        assert type(again) is thing and again.get_config() == found.get_config()


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
