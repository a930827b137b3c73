"""Callbacks that watch a metric against those of Keras: the same decisions at every epoch."""

import numpy as np
import pytest

import pydl

pytestmark = pytest.mark.conformance
keras = pytest.importorskip("keras", reason="compares with Keras, which is not installed")

FALLING = [5.0, 4.0, 4.5, 3.9, 3.95, 3.8, 3.9, 3.9, 3.9, 3.9, 3.7, 3.75, 3.9, 3.6, 3.7, 3.9]


class Player:
    """Has what callbacks use of a model; its weights are the number of the epoch."""

    metrics = ()

    def __init__(self, library):
        self.optimizer = library.optimizers.SGD(1.0)
        self.stop_training = False
        self.weights = [np.zeros(1)]

    def get_weights(self):
        return [w.copy() for w in self.weights]

    def set_weights(self, weights):
        self.weights = weights


def played(library, callback, values, name):
    """What happened at each epoch: the learning rate, and whether training was to stop."""
    model = Player(library)
    callback.set_model(model)
    callback.on_train_begin({})
    happened = []
    for epoch, value in enumerate(values):
        callback.on_epoch_begin(epoch, {})
        model.weights = [np.full(1, epoch)]
        logs = {name: value}
        callback.on_epoch_end(epoch, logs)
        happened.append((float(np.asarray(model.optimizer.learning_rate)), model.stop_training))
        if model.stop_training:
            break
    callback.on_train_end({})
    return happened, model.weights[0].tolist()


def compare(name, metric, values, **arguments):
    results = [
        played(library, getattr(library.callbacks, name)(**arguments), values, metric)
        for library in (pydl, keras)
    ]
    (ours, our_weights), (theirs, their_weights) = results
    np.testing.assert_allclose(ours, theirs, rtol=1e-6)
    assert our_weights == their_weights


@pytest.mark.parametrize("restores", [False, True])
@pytest.mark.parametrize("mode", ["min", "max"])
@pytest.mark.parametrize("options", [
    {}, {"patience": 1}, {"patience": 3}, {"patience": 2, "min_delta": 0.3},
    {"patience": 2, "baseline": 3.85}, {"patience": 1, "start_from_epoch": 6},
    {"patience": 100}, {"patience": 2, "min_delta": -0.3},
], ids=str)  # fmt: skip
def test_early_stopping(mode, options, restores):
    values = FALLING if mode == "min" else [-v for v in FALLING]
    if mode == "max" and "baseline" in options:
        options = {**options, "baseline": -options["baseline"]}
    compare(
        "EarlyStopping", "val_loss", values, mode=mode, restore_best_weights=restores, **options
    )


@pytest.mark.parametrize("mode", ["min", "max"])
@pytest.mark.parametrize("options", [
    {"patience": 1}, {"patience": 2, "factor": 0.5}, {"patience": 1, "cooldown": 2},
    {"patience": 1, "min_delta": 0.2}, {"patience": 1, "factor": 0.5, "min_lr": 0.2},
], ids=str)  # fmt: skip
def test_reduce_lr_on_plateau(mode, options):
    values = FALLING if mode == "min" else [-v for v in FALLING]
    compare("ReduceLROnPlateau", "val_loss", values, mode=mode, **options)


def falling_with_the_epoch(epoch):
    return 1.0 / (1 + epoch)


@pytest.mark.parametrize("schedule", [lambda epoch, rate: rate * 0.9, falling_with_the_epoch])
def test_learning_rate_scheduler(schedule):
    compare("LearningRateScheduler", "loss", FALLING, schedule=schedule)


@pytest.mark.parametrize("separator", [",", ";"])
def test_csv_logger(tmp_path, separator):
    for library in (pydl, keras):
        path = tmp_path / f"{library.__name__}.csv"
        for append in (False, True):
            logger = library.callbacks.CSVLogger(str(path), separator, append)
            logger.set_params({"validates": True})
            played(library, logger, [0.5, 0.25], "loss")
    ours, theirs = ((tmp_path / f"{n}.csv").read_text().split() for n in ("pydl", "keras"))
    assert ours == theirs


def test_directions_of_metrics():
    """`mode="auto"` knows which metrics of Keras get better as they rise."""
    given = {
        "PrecisionAtRecall": {"recall": 0.5},
        "RecallAtPrecision": {"precision": 0.5},
        "SensitivityAtSpecificity": {"specificity": 0.5},
        "SpecificityAtSensitivity": {"sensitivity": 0.5},
        "IoU": {"num_classes": 2, "target_class_ids": [0]},
        "MeanIoU": {"num_classes": 2},
        "OneHotIoU": {"num_classes": 2, "target_class_ids": [0]},
        "OneHotMeanIoU": {"num_classes": 2},
    }
    for name in dir(keras.metrics):
        kind = getattr(keras.metrics, name)
        if not isinstance(kind, type) or name in ("Metric", "MeanMetricWrapper"):
            continue
        metric = kind(**given.get(name, {}))
        direction = getattr(metric, "_direction", None)
        if direction is not None:
            callback = pydl.callbacks.EarlyStopping(monitor=f"val_{metric.name}")
            assert callback.is_better(2.0, 1.0) == (direction == "up"), metric.name
