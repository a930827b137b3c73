"""Compiled: how a model learns from one batch: optimizer, loss, metrics, and the steps."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable
from typing import Any

from pydl import ops, optimizers, tree
from pydl._call_errors import show
from pydl._core import Tensor
from pydl.autograd import grad, no_grad
from pydl.layers.masking import get_mask, with_mask
from pydl.metrics import Mean, Metric
from pydl.metrics.metric import detached
from pydl.models.compile_loss import CompileLoss
from pydl.models.compile_metrics import CompileMetrics
from pydl.models.convert_data import split_batch
from pydl.saving import deserialize_keras_object, serialize_keras_object


class StepPlan:
    """What the steps of an epoch have in common, looked up once."""

    def __init__(self, model: Any) -> None:
        contents = model._walk()
        self.weights = list({id(v): v for _, variables in contents for v in variables}.values())
        self.trainable_variables = [v for v in self.weights if v.trainable and model.trainable]
        self.held_metrics = model._held_metrics(contents)
        self._layers = [layer for layer, _ in contents]
        self._regularized = any(v.regularizer for v in self.weights)

    def has_losses(self) -> bool:
        """Whether `model.losses` may hold something."""
        return self._regularized or any(layer._losses for layer in self._layers)


class Compiled:
    """The part of a model that `compile` sets up; `Trainer` adds the loops over data."""

    optimizer: optimizers.Optimizer | None = None
    compiled: bool = False
    stop_training: bool = False
    steps_per_execution: int = 1
    _compile_loss: CompileLoss | None = None
    _compile_metrics: CompileMetrics | None = None
    _compile_config: dict[str, Any] | None = None
    _loss_tracker: Mean | None = None
    _plan: StepPlan | None = None
    _captured: dict[tuple, Callable[[tuple], Any]]  # recorded steps

    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        loss_weights: Any = None,
        metrics: Any = None,
        weighted_metrics: Any = None,
        run_eagerly: bool = False,
        steps_per_execution: int = 1,
        jit_compile: str | bool = "auto",
        auto_scale_loss: bool = True,
    ) -> None:
        """Sets what `fit` minimises, how, and what it reports.

        Args:
            optimizer: an optimizer or its name.
            loss: a loss, its name, or a function `(y_true, y_pred)`; for several outputs a list or
                a dict of them.
            loss_weights: factors of the losses of several outputs, a list or a dict.
            metrics: list of metrics, their names, or functions; for several outputs a list or dict
                of lists. `"accuracy"` is the accuracy that fits the shape of the targets.
            weighted_metrics: like `metrics`, but with sample and class weights applied.
            steps_per_execution: batches between calls of the callbacks' `on_*_batch_*` methods.
            run_eagerly: taken for the sake of Keras programs; every step runs eagerly.
            jit_compile: True records what steps do and repeats it for every batch of the same shape,
                without the Python between kernels: on a GPU as a CUDA graph, which `pydl.cuda.capture`
                describes; on the CPU as kernel calls, where the step is small. Python code in layers,
                losses and metrics runs in the first steps only. A step on the CPU that draws random
                numbers or reads values goes on as usual, with a warning. Optimizers that limit norms,
                accumulate gradients or average weights run beside the recording.
            auto_scale_loss: whether a model of the dtype policy "mixed_float16" gets a
                `LossScaleOptimizer` around its optimizer.

        Weights that are frozen or thawed later are so from the next epoch on. Thawed ones need an
        optimizer that knows them: compile again.

        Raises:
            ValueError: `optimizer` is none, or `steps_per_execution` is not a positive number.

        Example:
            >>> model = pydl.Sequential([pydl.layers.Dense(1)])
            >>> model.compile("adam", "mse", metrics=["mae"])
        """
        given = {
            "optimizer": optimizer,
            "loss": loss,
            "loss_weights": loss_weights,
            "metrics": metrics,
            "weighted_metrics": weighted_metrics,
            "run_eagerly": run_eagerly,
            "steps_per_execution": steps_per_execution,
            "jit_compile": jit_compile,
        }
        self.optimizer = optimizers.get(optimizer)
        if optimizer is not None and not hasattr(self.optimizer, "apply"):
            raise ValueError(f"[compile] expected an optimizer or its name, got {show(optimizer)}")
        if auto_scale_loss and self.dtype_policy.name == "mixed_float16":
            if not isinstance(self.optimizer, optimizers.LossScaleOptimizer):
                self.optimizer = optimizers.LossScaleOptimizer(self.optimizer)
        if not isinstance(steps_per_execution, int) or steps_per_execution < 1:
            raise ValueError(
                f"[compile] expected steps_per_execution of at least 1, got {steps_per_execution!r}"
            )
        names = getattr(self, "output_names", None)
        self._compile_loss = None if loss is None else CompileLoss(loss, loss_weights, names)
        self._compile_metrics = None
        if metrics is not None or weighted_metrics is not None:
            self._compile_metrics = CompileMetrics(metrics, weighted_metrics, names)
        self._loss_tracker = Mean(name="loss")
        self._compile_config = given
        self.loss = loss
        self.run_eagerly = run_eagerly
        self.steps_per_execution = steps_per_execution
        self.jit_compile = jit_compile
        self._captured = {}
        self.stop_training = False
        self.compiled = True

    def get_compile_config(self) -> dict[str, Any] | None:
        """What `compile_from_config` compiles an equal model with; None before `compile`."""
        if not self.compiled:
            return None
        return serialize_keras_object({**self._compile_config, "optimizer": self.optimizer})

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compiles as `get_compile_config` described."""
        self.compile(**deserialize_keras_object(config))
        if self.built:
            self.optimizer.build(self.trainable_variables)

    # --- metrics ----------------------------------------------------------------------------------

    @property
    def metrics(self) -> list[Metric]:
        """The loss, the compiled metrics as one, and metrics held by the model and its layers."""
        found = [] if self._loss_tracker is None else [self._loss_tracker]
        if self._compile_loss is not None:
            found += self._compile_loss.metrics
        if self._compile_metrics is not None:
            found.append(self._compile_metrics)
        plan = self._plan
        found += self._held_metrics(self._walk()) if plan is None else plan.held_metrics
        return list({id(metric): metric for metric in found}.values())

    def _held_metrics(self, contents: list) -> list[Metric]:
        """The metrics among the attributes of the model and of the layers inside it."""
        found = _metrics_among(vars(self).values())
        for layer, _ in contents:
            if not isinstance(layer, Compiled):  # models inside are trained as part of this one
                found += _metrics_among(vars(layer).values())
        return found

    @property
    def metrics_names(self) -> list[str]:
        """Names of what `evaluate` returns."""
        return list(self.get_metrics_result())

    def reset_metrics(self) -> None:
        """Forgets the batches that metrics have seen; done at the start of every epoch."""
        for metric in self.metrics:
            metric.reset_state()

    def get_metrics_result(self) -> dict[str, Any]:
        """The loss and each metric over the batches since the last reset, as 0-d tensors."""
        results: dict[str, Any] = {}
        for metric in self.metrics:
            value = metric.result()
            results.update(value if isinstance(value, dict) else {metric.name: value})
        return results

    # --- one batch --------------------------------------------------------------------------------

    def train_step(self, data: tuple) -> dict[str, Any]:
        """Learns from one batch; override it for another way to learn.

        Args:
            data: `(x,)`, `(x, y)` or `(x, y, sample_weight)` of tensors.

        Returns:
            Metrics by name, as numbers or 0-d tensors.
        """
        return self.compute_metrics(*self._learn(data))

    def test_step(self, data: tuple) -> dict[str, Any]:
        """Measures one batch; override it to measure in another way.

        Args:
            data: `(x,)`, `(x, y)` or `(x, y, sample_weight)` of tensors.

        Returns:
            Metrics by name, as numbers or 0-d tensors.
        """
        with no_grad():
            return self.compute_metrics(*self._measure(data))

    def predict_step(self, data: tuple) -> Any:
        """The outputs for one batch `(x,)`, `(x, y)` or `(x, y, sample_weight)`."""
        return self(data[0], training=False)

    def _learn(self, data: tuple) -> tuple[Any, Any, Any, Any]:
        """Changes the weights by one batch; returns x, y, the outputs and the sample weights."""
        gradients, results = self._gradients(data)
        self.optimizer.apply(gradients, (self._plan or self).trainable_variables)
        return results

    def _gradients(self, data: tuple) -> tuple[list, tuple[Any, Any, Any, Any]]:
        """Takes the loss of one batch in; returns its gradients, and what `_learn` returns."""
        x, y, sample_weight = split_batch(data)
        size = _batch_size(x)
        y_pred = self(x, training=True)
        loss = self._loss_of(x, y, y_pred, sample_weight, training=True)
        if self.optimizer is None:
            raise ValueError("[fit] expected a model compiled with an optimizer, got none")
        scaled = self.optimizer.scale_loss(loss)
        variables = (self._plan or self).trainable_variables
        gradients = grad(scaled, variables, allow_unused=True)
        self._loss_tracker.update_state(loss.detach(), sample_weight=size)
        return gradients, (x, y, tree.map_structure(_outside_graph, y_pred), sample_weight)

    def _measure(self, data: tuple) -> tuple[Any, Any, Any, Any]:
        """Takes the loss of one batch in; returns x, y, the outputs and the sample weights."""
        x, y, sample_weight = split_batch(data)
        size = _batch_size(x)
        y_pred = self(x, training=False)
        loss = self._loss_of(x, y, y_pred, sample_weight, training=False)
        self._loss_tracker.update_state(loss, sample_weight=size)
        return x, y, y_pred, sample_weight

    def _loss_of(self, x: Any, y: Any, y_pred: Any, sample_weight: Any, training: bool) -> Tensor:
        """`compute_loss`, which older programs override without the argument `training`."""
        if _takes_training(type(self).compute_loss):
            return self.compute_loss(x, y, y_pred, sample_weight, training=training)
        return self.compute_loss(x, y, y_pred, sample_weight)

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Tensor:
        """The compiled loss plus those of layers (`add_loss`, regularizers).

        Args:
            x: inputs.
            y: targets.
            y_pred: outputs of the model.
            sample_weight: weights of samples.
            training: whether the model is being trained.

        Returns:
            A 0-d tensor.

        Raises:
            ValueError: there is no loss, or a loss without targets.
        """
        total = None
        if self._compile_loss is not None:
            if y is None:
                raise ValueError(
                    f"[{self.name}] expected targets y for the loss, got none. "
                    "Pass y, or yield (x, y)"
                )
            total = self._compile_loss(y, y_pred, sample_weight)
        for extra in self.losses if self._plan is None or self._plan.has_losses() else ():
            extra = extra if extra.ndim == 0 else ops.sum(extra)
            total = extra if total is None else total + extra
        if total is None:
            raise ValueError(
                f"[{self.name}] expected a loss to minimise, got none. "
                "Pass loss= to compile, or call add_loss in a layer"
            )
        return total

    def compute_metrics(
        self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None
    ) -> dict[str, Any]:
        """Takes a batch into the compiled metrics and returns all metrics so far.

        Args:
            x: inputs.
            y: targets.
            y_pred: outputs of the model.
            sample_weight: weights of samples.
        """
        self._update_metrics(x, y, y_pred, sample_weight)
        return self.get_metrics_result()

    def _update_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any) -> None:
        if self._compile_metrics is not None:
            self._compile_metrics.update_state(y, y_pred, sample_weight)

    def _check_compiled(self, method: str) -> None:
        if not self.compiled:
            raise ValueError(
                f"[{self.name}.{method}] expected a compiled model. "
                "Call compile(optimizer, loss) first"
            )


@functools.cache
def _takes_training(compute_loss: Callable) -> bool:
    return "training" in inspect.signature(compute_loss).parameters


# What there is to find in values of each type met so far: most attributes hold nothing.
_kinds: dict[type, str] = {}


def _kind(cls: type) -> str:
    kinds = ((Metric, "metric"), ((list, tuple), "list"), (dict, "dict"))
    _kinds[cls] = next((kind for base, kind in kinds if issubclass(cls, base)), "nothing")
    return _kinds[cls]


def _metrics_among(values: Iterable[Any]) -> list[Metric]:
    """The metrics among `values`, in lists and dicts too."""
    found = []
    for value in values:
        cls = type(value)
        kind = _kinds.get(cls) or _kind(cls)
        if kind == "nothing":
            continue
        if kind == "metric":
            found.append(value)
        else:
            found += _metrics_among(value if kind == "list" else value.values())
    return found


def _batch_size(x: Any) -> int:
    shape = (x if isinstance(x, Tensor) else tree.flatten(x)[0]).shape
    if not shape:
        raise ValueError("[data] expected batches of shape (samples, ...), got a single number")
    if shape[0] == 0:  # its mean loss is NaN, and would make that of the epoch NaN
        raise ValueError("[data] expected batches of at least one sample, got an empty one")
    return shape[0]


def _outside_graph(prediction: Any) -> Any:
    return with_mask(detached(prediction), get_mask(prediction))
