"""Estimators around models, checked by scikit-learn itself."""

import pickle
import subprocess
import sys

import numpy as np
import pytest

import pydl

sklearn = pytest.importorskip("sklearn", reason="wraps models for scikit-learn")
from sklearn import datasets, model_selection, pipeline, preprocessing  # noqa: E402
from sklearn.utils.estimator_checks import check_estimator  # noqa: E402

from pydl.sklearn import Classifier, Regressor  # noqa: E402

IRIS = datasets.load_iris(return_X_y=True)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", [Classifier, Regressor])
def test_scikit_learn_finds_nothing_wrong(kind):
    for result in check_estimator(kind(epochs=40), on_fail=None):
        assert result["status"] in ("passed", "skipped"), result


def classifier(**arguments):
    return pipeline.make_pipeline(
        preprocessing.StandardScaler(), Classifier(random_state=0, **arguments)
    )


def test_cross_validation():
    scores = model_selection.cross_val_score(classifier(), *IRIS, cv=3)
    assert scores.mean() > 0.9


def test_searches_over_arguments_of_the_model():
    grid = {
        "classifier__model_args": [{"units": 1}, {"units": (16, 8), "activation": "tanh"}],
        "classifier__optimizer": [pydl.optimizers.Adam(0.02)],
    }
    search = model_selection.GridSearchCV(classifier(epochs=20), grid, cv=2).fit(*IRIS)
    assert search.best_params_["classifier__model_args"]["units"] == (16, 8)
    assert search.best_score_ > 0.9


def test_labels_of_any_kind_and_several_outputs():
    names = np.array(["setosa", "versicolor", "virginica"])[IRIS[1]]
    made = classifier(epochs=40).fit(IRIS[0], names)
    assert set(made.predict(IRIS[0])) == set(names) and made.score(IRIS[0], names) > 0.9
    np.testing.assert_allclose(made.predict_proba(IRIS[0]).sum(1), 1, rtol=1e-5)
    x, y = datasets.make_regression(60, 4, n_targets=2, random_state=0)
    regressor = Regressor(random_state=0, epochs=200).fit(x, y / y.std())
    assert regressor.predict(x).shape == (60, 2) and regressor.score(x, y / y.std()) > 0.9


def test_models_of_ones_own():
    def make(inputs, outputs, rate=0.1):
        model = pydl.Sequential([pydl.Input((inputs,)), pydl.layers.Dense(outputs, "softmax")])
        model.compile(pydl.optimizers.SGD(rate), "sparse_categorical_crossentropy")
        return model

    made = Classifier(make, {"rate": 0.5}, epochs=3).fit(*IRIS)
    assert float(made.model_.optimizer.learning_rate) == 0.5 and len(made.history_["loss"]) == 3
    prototype = make(4, 3)
    first, second = (Classifier(prototype, epochs=2, random_state=1).fit(*IRIS) for _ in range(2))
    np.testing.assert_array_equal(first.predict_proba(IRIS[0]), second.predict_proba(IRIS[0]))
    assert first.model_ is not prototype and int(prototype.optimizer.iterations) == 0


def test_random_states_leave_the_global_stream_alone():
    pydl.set_random_seed(3)
    before = pydl.random.global_generator().state
    made = [Classifier(epochs=2, random_state=seed).fit(*IRIS) for seed in (1, 1, 2)]
    a, b, c = (one.predict_proba(IRIS[0]) for one in made)
    assert pydl.random.global_generator().state == before
    np.testing.assert_array_equal(a, b)
    assert (a != c).any()


def test_fit_arguments_warm_starts_and_pickles():
    made = Classifier(epochs=2, random_state=0, warm_start=True)
    weights = np.where(IRIS[1] == 0, 1.0, 0.0)
    made.fit(*IRIS, sample_weight=weights, epochs=30)
    assert (made.predict(IRIS[0]) == 0).all()
    model = made.model_
    assert made.fit(*IRIS).model_ is model and len(made.history_["loss"]) == 2
    again = pickle.loads(pickle.dumps(made))
    np.testing.assert_array_equal(again.predict_proba(IRIS[0]), made.predict_proba(IRIS[0]))


def test_without_scikit_learn_the_package_is_named():
    program = (
        "import sys; sys.modules['sklearn.base'] = None\n"
        "import pydl\n"
        "try: pydl.sklearn\n"
        "except ImportError as error: print(error)"
    )
    command = [sys.executable, "-c", program]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "expected the package 'scikit-learn'" in run.stdout
