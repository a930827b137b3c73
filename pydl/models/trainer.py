"""Trainer: fit, evaluate and predict, the loops over data of every model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from pydl import tree
from pydl._core import Tensor
from pydl.autograd import no_grad
from pydl.callbacks import CallbackList, History
from pydl.callbacks.progress_line import is_interactive
from pydl.models.class_weights import with_class_weight
from pydl.models.compiled import Compiled, StepPlan
from pydl.models.convert_data import Converter
from pydl.models.data import make_data, split_validation
from pydl.models.epochs import Epochs, check_epochs
from pydl.models.placement import Placement
from pydl.models.recorded import recorded_step
from pydl.optimizers import Optimizer


class Trainer(Compiled):
    """What models can do with data. `Model` inherits it."""

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: str | int = "auto",
        callbacks: Any = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool | str = True,
        class_weight: dict[int, float] | None = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: int | list[int] = 1,
    ) -> History:
        """Trains the model.

        Arrays are converted once: floating ones to the model's dtype (float64 to float32 as a
        rule), integers only where the model declares floating inputs. Ctrl-C ends training after
        what is running; the model keeps its weights, and callbacks and the history end as usual.

        Args:
            x: inputs: an array `(samples, ...)`, a list or dict of arrays for several inputs, a
                DataFrame; or a generator, iterable or sequence of batches `(x, y)` or
                `(x, y, sample_weight)`.
            y: targets, arranged likewise; only beside arrays.
            batch_size: samples a batch for arrays, 32 by default.
            epochs: number of the epoch to stop at.
            verbose: 0 prints nothing, 1 a progress bar, 2 one line an epoch; `"auto"` is 1 in a
                terminal or notebook and 2 elsewhere.
            callbacks: a callback or a list of them.
            validation_split: share of the last samples to validate with.
            validation_data: `(x, y)`, `(x, y, sample_weight)` or a source of such batches.
            shuffle: whether to shuffle samples each epoch; `"batch"` shuffles whole batches.
            class_weight: weight of each class number.
            sample_weight: weights of the samples, `(samples,)`.
            initial_epoch: number of the first epoch, to go on with earlier training.
            steps_per_epoch: batches an epoch; by default all data.
            validation_steps: batches of validation; by default all data.
            validation_batch_size: samples a batch of validation; by default `batch_size`.
            validation_freq: epochs between validations, or a list of epochs (from 1).

        Returns:
            The `History`; its `history` maps metrics to lists.

        Raises:
            ValueError: not compiled, arrays of different lengths, no data, a wrong argument.

        Example:
            >>> model = pydl.Sequential([pydl.layers.Dense(1)])
            >>> model.compile("sgd", "mse")
            >>> history = model.fit(np.ones((8, 2)), np.ones((8, 1)), epochs=3, verbose=0)
            >>> len(history.history["loss"])
            3
        """
        self._check_compiled("fit")
        check_epochs(epochs, initial_epoch, validation_freq)
        if validation_split and validation_data is None:
            (x, y, sample_weight), validation_data = split_validation(
                "fit", (x, y, sample_weight), validation_split
            )
        train = Epochs(
            "fit",
            make_data(
                "fit", x, y, sample_weight, converter=self._converter(), batch_size=batch_size,
                shuffle=shuffle, class_weight=class_weight,
            ),
            steps_per_epoch,
        )  # fmt: skip
        validation = None
        if validation_data is not None:
            if validation_batch_size is None:
                validation_batch_size = batch_size
            validation = self._validation_epochs(
                validation_data, validation_batch_size, validation_steps
            )
        listeners = CallbackList(
            callbacks,
            add_history=True,
            add_progbar=verbose != 0,
            model=self,
            verbose=verbose,
            epochs=epochs,
            steps=train.num_steps,
            validates=validation is not None,
            initial_epoch=initial_epoch,
        )
        interrupted = self._run_epochs(train, validation, validation_freq, listeners)
        if interrupted and verbose != 0:
            print("Training was interrupted; the model keeps the weights it has", flush=True)
        self.history = listeners.history
        return self.history

    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: str | int = "auto",
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Any = None,
        return_dict: bool = False,
    ) -> Any:
        """The loss and metrics on data.

        Args:
            x, y, sample_weight: as for `fit`.
            batch_size: samples a batch for arrays, 32 by default.
            verbose: as for `fit`.
            steps: batches to take; by default all.
            callbacks: a callback or a list of them.
            return_dict: whether to return a dict.

        Returns:
            The loss alone, a list of the loss and the metrics, or a dict by name.

        Raises:
            ValueError: not compiled, arrays of different lengths, no data.
        """
        self._check_compiled("evaluate")
        data = make_data(
            "evaluate", x, y, sample_weight, converter=self._converter(), batch_size=batch_size
        )
        epochs = Epochs("evaluate", data, steps)
        listeners = CallbackList(
            callbacks, add_progbar=verbose != 0, model=self, verbose=verbose, steps=epochs.num_steps
        )
        logs = self._test_epoch(epochs, listeners, evaluating=True)
        return logs if return_dict else _in_order(logs)

    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: str | int = "auto",
        steps: int | None = None,
        callbacks: Any = None,
    ) -> Any:
        """The model's outputs for data; safe to call from several threads at once.

        Args:
            x: inputs, as for `fit`.
            batch_size: samples a batch for arrays, 32 by default.
            verbose: as for `fit`, but nothing is printed outside a terminal.
            steps: batches to take; by default all.
            callbacks: a callback or a list of them.

        Returns:
            A numpy array `(samples, ...)`, or a list or dict of them, as the model's outputs are.

        Raises:
            ValueError: no data, or inputs that do not fit the model.
        """
        data = make_data("predict", x, converter=self._converter(), batch_size=batch_size)
        epochs = Epochs("predict", data, steps)
        listeners = CallbackList(
            callbacks,
            add_progbar=verbose != 0 and is_interactive(),
            model=self,
            verbose=verbose,
            steps=epochs.num_steps,
        )
        listeners.call("on_predict_begin", {})
        outputs = []
        step = Placement(self).step(self.predict_step)
        with no_grad():
            size = self.steps_per_execution
            for first, batches in epochs.groups(size):
                listeners.call("on_predict_batch_begin", first, {})
                outputs += [step(batch) for batch in batches]
                logs = {"outputs": outputs[-1]}
                listeners.batch_end("on_predict_batch_end", first + size - 1, lambda: logs)
        listeners.params["steps"] = epochs.steps_done
        listeners.call("on_predict_end", {})
        return _concatenate(outputs)

    # --- single batches ---------------------------------------------------------------------------

    def train_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: dict[int, float] | None = None,
        return_dict: bool = False,
    ) -> Any:
        """Learns from one batch; metrics go on from the last call until `reset_metrics`.

        Args:
            x, y, sample_weight: one batch.
            class_weight: weight of each class number.
            return_dict: whether to return a dict.

        Returns:
            The loss alone, a list of the loss and the metrics, or a dict by name.
        """
        self._check_compiled("train_on_batch")
        batch = self._converter()(with_class_weight((x, y, sample_weight), class_weight))
        if self.built and type(self).train_step is Compiled.train_step:
            self._plan = StepPlan(self)
        try:
            step, results = self._step_function("train_step", self._learn)
            logs = _floats(results(step(batch)))
        finally:
            self._plan = None
        return logs if return_dict else _in_order(logs)

    def test_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False
    ) -> Any:
        """Measures one batch; metrics go on from the last call until `reset_metrics`.

        Args:
            x, y, sample_weight: one batch.
            return_dict: whether to return a dict.

        Returns:
            The loss alone, a list of the loss and the metrics, or a dict by name.
        """
        self._check_compiled("test_on_batch")
        with no_grad():
            step = Placement(self).step(self.test_step)
            logs = _floats(step(self._converter()((x, y, sample_weight))))
        return logs if return_dict else _in_order(logs)

    def predict_on_batch(self, x: Any) -> Any:
        """The outputs for one batch, as numpy arrays."""
        with no_grad():
            step = Placement(self).step(self.predict_step)
            outputs = step(self._converter()((x, None, None)))
        return tree.map_structure(lambda value: np.array(_to_numpy(value)), outputs)

    # --- the loops --------------------------------------------------------------------------------

    def _run_epochs(
        self, train: Epochs, validation: Epochs | None, frequency: Any, listeners: CallbackList
    ) -> bool:
        """Trains epoch by epoch; returns whether Ctrl-C ended it."""
        self.stop_training = interrupted = False
        logs: dict[str, float] = {}
        listeners.call("on_train_begin", logs)
        try:
            # A callback may have set the first epoch, to resume.
            for epoch in range(listeners.params["initial_epoch"], listeners.params["epochs"]):
                listeners.call("on_epoch_begin", epoch, {})
                logs = self._train_epoch(train, listeners)
                listeners.params["steps"] = train.steps_done
                if validation is not None and _is_due(epoch + 1, frequency):
                    measured = self._test_epoch(validation, listeners)
                    logs.update({f"val_{name}": value for name, value in measured.items()})
                listeners.call("on_epoch_end", epoch, logs)
                if self.stop_training:
                    break
        except KeyboardInterrupt:
            self.stop_training = interrupted = True
        if isinstance(self.optimizer, Optimizer) and self.optimizer.built:
            self.optimizer.finalize_variable_values(self.trainable_variables)
        listeners.call("on_train_end", logs)
        return interrupted

    def _train_epoch(self, epochs: Epochs, listeners: CallbackList) -> dict[str, float]:
        self.reset_metrics()
        step, results = self._step_function("train_step", self._learn)
        return self._run_epoch(epochs, listeners, "train", step, results)

    def _test_epoch(
        self, epochs: Epochs, listeners: CallbackList, evaluating: bool = False
    ) -> dict[str, float]:
        listeners.call("on_test_begin", {})
        self.reset_metrics()
        step, results = self._step_function("test_step", self._measure)
        with no_grad():
            logs = self._run_epoch(epochs, listeners, "test", step, results)
        if evaluating:
            listeners.params["steps"] = epochs.steps_done
        listeners.call("on_test_end", logs)
        return logs

    def _run_epoch(
        self,
        epochs: Epochs,
        listeners: CallbackList,
        phase: str,
        step: Callable[[tuple], Any],
        results: Callable[[Any], dict[str, Any]],
    ) -> dict[str, float]:
        """Takes every batch of an epoch through `step`; returns the metrics at its end."""
        begin, end = f"on_{phase}_batch_begin", f"on_{phase}_batch_end"
        size = self.steps_per_execution
        value: Any = None
        try:
            for first, batches in epochs.groups(size):
                listeners.call(begin, first, {})
                for batch in batches:
                    value = step(batch)
                    if self._plan is None:  # after the first batch, which may build the model
                        self._plan = StepPlan(self)
                listeners.batch_end(end, first + size - 1, lambda: _floats(results(value)))
                if self.stop_training and phase == "train":
                    break
        finally:
            self._plan = None
        return _floats(results(value))

    def _step_function(
        self, name: str, plain: Callable[[tuple], tuple]
    ) -> tuple[Callable[[tuple], Any], Callable[[Any], dict[str, Any]]]:
        """What to do with a batch, and how to get metrics from what that returned.

        A model that overrides nothing computes results only when somebody looks at them.
        """
        cls = type(self)
        place = Placement(self)
        own = ("compute_metrics", "get_metrics_result", name)
        if any(getattr(cls, method) is not getattr(Compiled, method) for method in own):
            return place.step(getattr(self, name)), lambda logs: logs

        def step(batch: tuple) -> None:
            self._update_metrics(*plain(batch))

        if self.jit_compile is not True or not self.built:
            return place.step(step), place.here(lambda _: self.get_metrics_result())
        contents = self._step_contents(name)
        if (name, contents) not in self._captured:  # a graph holds on to the variables of its time
            if place.device == "cpu":
                self._captured[name, contents] = recorded_step(self, name)
            else:
                self._captured[name, contents] = place.step(step, captured=True)
        return self._captured[name, contents], place.here(lambda _: self.get_metrics_result())

    def _step_contents(self, name: str) -> tuple[float, ...]:
        """What a captured step holds on to: the identity of objects, and numbers."""
        holder = self._plan or self
        trained = holder.trainable_variables
        kept: list[Any] = [*holder.weights, *trained]
        settings: tuple[float, ...] = ()
        if name == "train_step" and isinstance(self.optimizer, Optimizer):
            if not self.optimizer.built:
                self.optimizer.build(trained)
            kept += [self.optimizer, *self.optimizer.variables]
            settings = self.optimizer.settings
        return (*map(id, kept), *settings)

    # --- data -------------------------------------------------------------------------------------

    def _converter(self) -> Converter:
        graph = getattr(self, "_graph", None)
        declared = None if graph is None else graph.input_dtypes
        return Converter(getattr(self, "variable_dtype", None) or "float32", declared)

    def _validation_epochs(self, data: Any, batch_size: int | None, steps: int | None) -> Epochs:
        if isinstance(data, tuple):
            if not 2 <= len(data) <= 3:
                raise ValueError(
                    f"[fit] expected validation_data (x, y) or (x, y, sample_weight), "
                    f"got a tuple of {len(data)}"
                )
            source = make_data(
                "fit, validation_data", *data, converter=self._converter(), batch_size=batch_size
            )
        else:
            source = make_data("fit, validation_data", data, converter=self._converter())
        return Epochs("fit, validation_data", source, steps)


def _is_due(epoch: int, frequency: int | list[int]) -> bool:
    """Whether epoch number `epoch`, from 1, is validated."""
    return epoch % frequency == 0 if isinstance(frequency, int) else epoch in frequency


def _floats(logs: dict[str, Any] | None) -> dict[str, float]:
    floats: dict[str, float] = {}
    for name, value in (logs or {}).items():
        if isinstance(value, dict):
            floats.update(_floats(value))
        else:
            floats[name] = value.item() if isinstance(value, (Tensor, np.generic)) else value
    return floats


def _in_order(logs: dict[str, float]) -> Any:
    values = list(logs.values())
    return values[0] if len(values) == 1 else values


def _to_numpy(value: Any) -> np.ndarray:
    return value.detach().numpy() if isinstance(value, Tensor) else np.asarray(value)


def _concatenate(outputs: list[Any]) -> Any:
    """The outputs of batches, joined along the first axis."""
    columns = zip(*(tree.flatten(output) for output in outputs))
    joined = [
        np.concatenate(arrays)  # a copy even of one, which may be a view of the data
        for arrays in ([_to_numpy(value) for value in column] for column in columns)
    ]
    return tree.pack_sequence_as(outputs[0], joined)
