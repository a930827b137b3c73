"""Models as estimators of scikit-learn: for pipelines, cross-validation and searches.

The package scikit-learn is imported with this module.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from typing import Any

import numpy as np

try:
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
    from sklearn.utils import check_random_state
    from sklearn.utils.multiclass import check_classification_targets
    from sklearn.utils.validation import check_is_fitted, column_or_1d, validate_data
except ImportError as missing:
    raise ImportError(
        "[pydl.sklearn] expected the package 'scikit-learn' from 1.6 on, which is not installed "
        f"({missing}). Install it with: pip install scikit-learn"
    ) from missing

from pydl import layers, optimizers, random
from pydl.models import Model, Sequential, clone_model

__all__ = ["Classifier", "Regressor"]

_BATCH = 256  # rows of a prediction, always as many, so that no row depends on the others


class _Estimator(BaseEstimator):
    """What `Classifier` and `Regressor` share; the arguments are theirs."""

    _loss: str
    _activation: str | None

    def __init__(
        self,
        model: Callable[..., Model] | Model | None = None,
        model_args: dict[str, Any] | None = None,
        optimizer: Any = "adam",
        epochs: int = 100,
        batch_size: int = 32,
        warm_start: bool = False,
        random_state: Any = None,
        verbose: int = 0,
    ) -> None:
        self.model = model
        self.model_args = model_args
        self.optimizer = optimizer
        self.epochs = epochs
        self.batch_size = batch_size
        self.warm_start = warm_start
        self.random_state = random_state
        self.verbose = verbose

    def _fit(self, x: np.ndarray, y: np.ndarray, outputs: int, arguments: dict[str, Any]) -> None:
        seed = None if self.random_state is None else _seed_of(self.random_state)
        with _random_stream(seed):
            if not (self.warm_start and hasattr(self, "model_")):
                self.model_ = self._made(x.shape[1], outputs)
            settings = {"epochs": self.epochs, "batch_size": self.batch_size}
            settings |= {"verbose": self.verbose, **arguments}
            self.history_ = self.model_.fit(x, y, **settings).history

    def _made(self, inputs: int, outputs: int) -> Model:
        """A new compiled model for so many inputs and outputs."""
        arguments = dict(self.model_args or {})
        if isinstance(self.model, Model):
            made = clone_model(self.model)
            if self.model.compiled:
                made.compile_from_config(self.model.get_compile_config())
        else:
            make = _network if self.model is None else self.model
            made = make(inputs, outputs, **arguments)
            if self.model is None and self._activation:
                made.add(layers.Activation(self._activation))
        if not made.compiled:
            given = optimizers.get(self.optimizer)
            made.compile(type(given).from_config(given.get_config()), self._loss)
        return made

    def _outputs(self, x: Any) -> np.ndarray:
        check_is_fitted(self, "model_")
        x = validate_data(self, x, dtype="float32", reset=False)
        padding = np.zeros((-len(x) % _BATCH, x.shape[1]), x.dtype)
        padded = np.concatenate([x, padding])
        return self.model_.predict(padded, batch_size=_BATCH, verbose=0)[: len(x)]


class Classifier(ClassifierMixin, _Estimator):
    """A classifier of scikit-learn around a model.

    Args:
        model: a function `model(inputs, outputs, **model_args)` that returns a model with one
            probability a class, or a model to make copies of; compiled, or compiled here with
            `optimizer` and sparse categorical cross entropy. None is a network with one hidden
            layer, whose `units` and `activation` may be in `model_args`.
        model_args: arguments of the function.
        optimizer: an optimizer's name, or an optimizer.
        epochs: rounds over the data.
        batch_size: samples a step.
        warm_start: whether `fit` goes on with the model of the last `fit`.
        random_state: an integer for the same result every time.
        verbose: see `Model.fit`.

    Attributes:
        classes_: the labels.
        model_: the trained model.
        history_: its metrics, as `History.history`.

    Example:
        >>> from sklearn.datasets import load_iris
        >>> from sklearn.pipeline import make_pipeline
        >>> from sklearn.preprocessing import StandardScaler
        >>> x, y = load_iris(return_X_y=True)
        >>> classifier = pydl.sklearn.Classifier(epochs=50, random_state=0)
        >>> bool(make_pipeline(StandardScaler(), classifier).fit(x, y).score(x, y) > 0.9)
        True
    """

    _loss = "sparse_categorical_crossentropy"
    _activation = "softmax"

    def fit(self, X: Any, y: Any, **arguments: Any) -> Classifier:
        """Trains a model.

        Args:
            X: samples, shape `(samples, features)`.
            y: labels of any kind, shape `(samples,)`.
            **arguments: further arguments of `Model.fit`, such as `sample_weight`.

        Returns:
            The estimator.

        Raises:
            ValueError: targets that are no classes, arrays of different lengths, NaN.
        """
        X, y = validate_data(self, X, y, dtype="float32")
        check_classification_targets(y)
        classes, codes = np.unique(column_or_1d(y, warn=True), return_inverse=True)
        self.classes_ = classes
        self._fit(X, codes.astype("int64"), len(classes), arguments)
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        """Probabilities of the classes, shape `(samples, classes)`, in the order of `classes_`."""
        return self._outputs(X)

    def predict(self, X: Any) -> np.ndarray:
        """The likeliest class of each sample, shape `(samples,)`."""
        likeliest = self.predict_proba(X).argmax(axis=1)
        return self.classes_[likeliest]


class Regressor(RegressorMixin, _Estimator):
    """A regressor of scikit-learn around a model.

    Args:
        model: a function `model(inputs, outputs, **model_args)` that returns a model, or a model to
            make copies of; compiled, or compiled here with `optimizer` and the mean squared error.
            None is a network with one hidden layer.
        model_args, optimizer, epochs, batch_size, warm_start, random_state, verbose: see
            `Classifier`.

    Attributes:
        model_: the trained model.
        history_: its metrics, as `History.history`.

    Example:
        >>> from sklearn.datasets import make_regression
        >>> x, y = make_regression(100, 5, random_state=0)
        >>> regressor = pydl.sklearn.Regressor(random_state=0).fit(x, y / y.std())
        >>> bool(regressor.score(x, y / y.std()) > 0.9)
        True
    """

    _loss = "mean_squared_error"
    _activation = None

    def fit(self, X: Any, y: Any, **arguments: Any) -> Regressor:
        """Trains a model.

        Args:
            X: samples, shape `(samples, features)`.
            y: targets, shape `(samples,)` or `(samples, outputs)`.
            **arguments: further arguments of `Model.fit`, such as `sample_weight`.

        Returns:
            The estimator.

        Raises:
            ValueError: arrays of different lengths, NaN.
        """
        X, y = validate_data(self, X, y, dtype="float32", multi_output=True, y_numeric=True)
        self._one = y.ndim == 1
        y = np.asarray(y, "float32").reshape(len(y), -1)
        self._fit(X, y, y.shape[1], arguments)
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Predictions, of the shape that the targets had."""
        outputs = self._outputs(X).astype("float64")  # as scikit-learn expects
        return outputs[:, 0] if self._one else outputs

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags


def _network(
    inputs: int, outputs: int, units: int | tuple[int, ...] = 64, activation: str = "relu"
) -> Sequential:
    sizes = (units,) if isinstance(units, int) else units
    hidden = [layers.Dense(size, activation) for size in sizes]
    return Sequential([layers.Input((inputs,)), *hidden, layers.Dense(outputs)])


def _seed_of(random_state: Any) -> int:
    return int(check_random_state(random_state).randint(2**31 - 1))


@contextmanager
def _random_stream(seed: int | None) -> Any:
    """Runs its body with the global stream of a seed; afterwards the stream is where it was."""
    if seed is None:
        yield
        return
    stream = random.global_generator()
    before = stream.state
    stream.state = (seed, 0)
    try:
        yield
    finally:
        stream.state = before
